--- Boot time against the number of CPUs, with intervals: part of `moonboot.layout.latex`.
-- @module moonboot.layout.latex.time
local plot = require "moonboot.layout.latex.plot"
local selection = require "moonboot.selection"
local tex = require "moonboot.layout.latex.tex"
local wording = require "moonboot.wording"

-- One kind of bar for the whole figure: intervals where all have them, else what was seen.
local function bars(results)
  for _, group in ipairs(results.scaling.groups) do
    for _, point in ipairs(group.points) do
      if not results[point.key].statistics.median_low_ms then
        return "min_ms", "max_ms", "bars: min and max (too few for intervals)"
      end
    end
  end
  return "median_low_ms", "median_high_ms", "bars: 95 % interval of the median"
end

local function curves_of(results)
  return function(group)
    local list, fits = {}, group.fits or {}
    if fits.amdahl then
      local t1, s = fits.amdahl.t1_ms, fits.amdahl.serial_fraction
      list[1] = {
        points = plot.law(results, fits, function(p) return t1 * (s + (1 - s) / p) end), style = "dashed",
        legend = ("Amdahl, serial fraction %.3f"):format(s),
      }
    end
    -- Without coherency the USL is Amdahl's law.
    if fits.usl and fits.usl.kappa > 0 then
      local t1, sigma, kappa = fits.usl.t1_ms, fits.usl.sigma, fits.usl.kappa
      list[#list + 1] = {
        points = plot.law(results, fits, function(p)
          return t1 * (1 + sigma * (p - 1) + kappa * p * (p - 1)) / p
        end), style = "dotted, thick",
        legend = ("USL, \\ensuremath{\\sigma = %.3f}, \\ensuremath{\\kappa = %.4f}"):format(sigma, kappa),
      }
    end
    return list
  end
end

-- A line for a claim about the same interval, where it does not dwarf the figure.
local function claim_line(results)
  local measure, claim, highest = results.experiment.measure, nil, 0
  for _, c in ipairs(selection.configurations(results)) do
    claim = claim or c.whitepaper_comparison
    highest = math.max(highest, c.statistics.max_ms or 0)
  end
  if not claim or claim.from ~= measure.from or claim.to ~= measure.to or claim.estimated_ms > 2 * highest then
    return {}
  end
  return {
    ("  \\draw[black!60, dash dot] (axis cs:\\pgfkeysvalueof{/pgfplots/xmin},%g) -- "
      .. "(axis cs:\\pgfkeysvalueof{/pgfplots/xmax},%g);"):format(claim.estimated_ms, claim.estimated_ms),
    ("  \\addlegendimage{black!60, dash dot, no marks}\\addlegendentry{%s}"):format(
      tex.escape(("claim: %g ms"):format(claim.estimated_ms))),
  }, claim.estimated_ms
end

--- Makes the figure.
-- @tparam table results
-- @treturn table `title`, `kind`, `packages`, `body`
return function(results)
  local part = { title = "Boot time by configuration.", kind = "figure", packages = { "pgfplots" } }
  local axis, points = results.scaling.axis, 0
  for _, group in ipairs(results.scaling.groups) do points = points + #group.points end
  if not axis then
    part.body = plot.nothing("the experiment has one configuration and no axis")
  elseif points == 0 then
    part.body = plot.nothing("no boot was ok, so there is no boot time")
  else
    part.title = ("Boot time against %s."):format(axis == "cpus" and "the number of vCPUs" or wording.axis(axis))
    local low, high, note = bars(results)
    local lines, claimed = claim_line(results)
    part.body = plot.draw(results, {
      name = "median boot time",
      ylabel = results.experiment.deterministic and "Boot time (virtual ms)" or "Boot time (ms)",
      note = note,
      read = function(point)
        local s = results[point.key].statistics
        return s.median_ms, s[low], s[high]
      end,
      curves = curves_of(results), lines = lines, top = claimed,
    })
  end
  return part
end

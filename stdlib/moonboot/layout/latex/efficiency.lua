--- Parallel efficiency against the number of CPUs: part of `moonboot.layout.latex`.
-- @module moonboot.layout.latex.efficiency
local plot = require "moonboot.layout.latex.plot"

local function curves_of(results)
  return function(group)
    local amdahl = group.fits and group.fits.amdahl
    local reference = results[group.reference]
    if not amdahl then return {} end
    local s, p0 = amdahl.serial_fraction, reference.cpus
    local function time(p) return s + (1 - s) / p end
    return { {
      points = plot.law(results, group.fits, function(p) return time(p0) / time(p) * p0 / p end), style = "dashed",
      legend = ("Amdahl, serial fraction %.3f"):format(s),
    } }
  end
end

-- Fewer than five boots have no interval.
local function note_of(results)
  local all, none = true, true
  for _, group in ipairs(results.scaling.groups) do
    for i = 2, #group.points do
      if group.points[i].efficiency_low then none = false else all = false end
    end
  end
  if none then return "no intervals: too few boots" end
  return "bars: 95 % interval" .. (all and "" or " (none: too few boots)")
end

--- Makes the figure.
-- @tparam table results
-- @treturn table `title`, `kind`, `packages`, `body`
return function(results)
  local part = {
    title = "Parallel efficiency against the number of vCPUs.", kind = "figure", packages = { "pgfplots" },
  }
  local comparisons = 0
  for _, group in ipairs(results.scaling.groups) do comparisons = comparisons + math.max(0, #group.points - 1) end
  if results.scaling.axis ~= "cpus" then
    part.body = plot.nothing("efficiency needs an axis of several numbers of vCPUs, which this experiment has not")
  elseif comparisons == 0 then
    part.body = plot.nothing("efficiency needs boot times with two numbers of vCPUs, and there are not so many")
  else
    part.body = plot.draw(results, {
      top = 1, name = "measured", ylabel = "Parallel efficiency", note = note_of(results), curves = curves_of(results),
      read = function(point) return point.efficiency, point.efficiency_low, point.efficiency_high end,
      lines = {
        "  \\draw[black!60, densely dotted] (axis cs:\\pgfkeysvalueof{/pgfplots/xmin},1) -- "
          .. "(axis cs:\\pgfkeysvalueof{/pgfplots/xmax},1);",
        "  \\addlegendimage{black!60, densely dotted, no marks}\\addlegendentry{ideal}",
      },
    })
  end
  return part
end

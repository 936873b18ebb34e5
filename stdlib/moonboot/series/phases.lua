--- How each phase of a boot changes along an axis, and which phases gain from more vCPUs: part of `moonboot.series`.
-- The judgement compares the reference with the largest configuration that says something about the guest, by Mann and
-- Whitney's test, corrected by Holm over the phases. A phase scales if it became significantly shorter, and by more
-- than a tenth of what twice, four times… the CPUs could give; it does not scale if the interval of its speed-up lies
-- within that tenth; else it is not decided.
-- @module moonboot.series.phases
local fits = require "moonboot.series.fits"
local json = require "moonboot.json"
local stats = require "moonboot.stats"

local phase_scaling = {}

local ALPHA = 0.05
-- The share of the ideal gain below which a phase does not gain in any sense that matters.
local NEGLIGIBLE = 0.1
-- There are many phases: fewer resamples than for the whole boot.
local RESAMPLES = 500

-- The configuration with the most CPUs that is not excluded; nil if it is the reference.
local function largest(points)
  local last
  for i = 2, #points do
    local point = points[i]
    if not point.excluded and point.cpus and (not last or point.cpus > last.cpus) then last = point end
  end
  if last and points[1].cpus and last.cpus > points[1].cpus and not points[1].excluded then return last end
end

-- What the phase did between two configurations, not yet judged.
local function gain_of(before, after, key, options)
  if #before == 0 or #after == 0 then return nil end
  local gain, a, b = { key = key, n = math.min(#before, #after) }, stats.median(before), (stats.median(after))
  if a <= 0 or b <= 0 then return nil end
  gain.speedup = a / b
  gain.speedup_low, gain.speedup_high = stats.ratio_interval(before, after, {
    statistic = "median", level = options.level, seed = options.seed,
    resamples = fits.resamples_for(#before + #after) or RESAMPLES,
  })
  local test = stats.mann_whitney(before, after)
  gain.p, gain.smallest_p = test.p, test.smallest_p
  return gain
end

local function verdict_of(gain, ratio)
  local negligible = 1 + NEGLIGIBLE * (ratio - 1)
  local low, high = gain.speedup_low, gain.speedup_high
  if low and low > 1 / negligible and high < negligible then return "does_not_scale" end
  if gain.p_adjusted >= ALPHA then return "undecided" end
  return gain.speedup > 1 and "scales" or "slows"
end

local function judge(rows, ratio)
  local gains, ps = {}, {}
  for _, row in ipairs(rows) do
    if row.gain then
      gains[#gains + 1], ps[#ps + 1] = row.gain, row.gain.p
    end
  end
  for i, p in ipairs(stats.holm(ps)) do
    local gain = gains[i]
    gain.p_adjusted = p
    gain.verdict = verdict_of(gain, ratio)
    if gain.verdict == "undecided" and gain.smallest_p * #gains >= ALPHA then
      gain.needed_samples = stats.least_size(#gains, ALPHA)
    end
    gain.smallest_p = nil
  end
end

local function points_of(group, columns, phase)
  local points, times = json.array(), {}
  for _, point in ipairs(group.points) do
    local xs = columns[point.key]:sorted_between(phase.from, phase.to)
    if #xs > 0 then
      local t = stats.median(xs)
      times[point.key] = xs
      points[#points + 1] = {
        key = point.key, value = point.value, median_ms = t,
        speedup = t > 0 and phase.median_ms > 0 and phase.median_ms / t or nil,
      }
    end
  end
  return points, times
end

-- Times to fit. Two markers in one chunk of output leave nothing between them: then the median alone.
local function to_fit(times)
  local fit = {}
  for key, xs in pairs(times) do fit[key] = stats.min(xs) > 0 and xs or { (stats.median(xs)) } end
  return fit
end

--- Follows each phase of the reference along the axis.
-- @tparam table group of the series: `points`, `reference`
-- @tparam {table,…} phases of the reference
-- @tparam boolean is_cpus whether the axis is the number of vCPUs
-- @tparam table options `level`, `seed`, `columns` (by key)
-- @treturn {table,…} `name`, `from`, `to`, `points` (`key`, `value`, `median_ms`, `speedup`); on a cpus axis `fits` and
--   `gain`: `key` of the configuration compared with the reference, `n` (of the smaller side), `speedup` with its
--   interval, `p`, `p_adjusted`, `verdict` ("scales", "does_not_scale", "slows", "undecided"), `needed_samples` where
--   there are too few for any verdict
function phase_scaling.build(group, phases, is_cpus, options)
  local last, rows = is_cpus and largest(group.points) or nil, json.array()
  for i, phase in ipairs(phases) do
    local row = { name = phase.name, from = phase.from, to = phase.to }
    local times
    row.points, times = points_of(group, options.columns, phase)
    if is_cpus then
      row.fits = fits.of(group.points, to_fit(times), {
        level = options.level, seed = options.seed, resamples = RESAMPLES,
      })
    end
    if last and times[last.key] then row.gain = gain_of(times[group.reference], times[last.key], last.key, options) end
    rows[i] = row
  end
  if last then judge(rows, last.cpus / group.points[1].cpus) end
  return rows
end

return phase_scaling

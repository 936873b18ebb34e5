--- Fits of the scaling laws to a series: part of `moonboot.series`.
-- @module moonboot.series.fits
local json = require "moonboot.json"
local scaling = require "moonboot.scaling"
local stats = require "moonboot.stats"

local fits = {}

--- How often to resample: tens of thousands of samples have narrow intervals already.
-- @int n samples in all
-- @treturn ?int nil for the usual number
function fits.resamples_for(n)
  if n > 20000 then return 300 end
  if n > 5000 then return 1000 end
end

--- Fits both laws to the points that say something about the guest.
-- @tparam {table,…} points of a group: `key`, `cpus`, `excluded`
-- @tparam table times by key, lists of milliseconds; a configuration with none, or one not above 0, is left out
-- @tparam table options `level`, `seed`, `resamples`
-- @treturn ?table `amdahl`, `usl` as `moonboot.scaling` gives them, or `amdahl_reason`, `usl_reason`; `keys` of the
--   configurations in the order of the residuals, `configurations` (how many)
-- @treturn ?string why there is nothing to fit
function fits.of(points, times, options)
  local list, keys, total = {}, json.array(), 0
  for _, point in ipairs(points) do
    local xs = not point.excluded and point.cpus and times[point.key]
    if xs and #xs > 0 and stats.min(xs) > 0 then
      list[#list + 1], keys[#keys + 1] = { cpus = point.cpus, times = xs }, point.key
      total = total + #xs
    end
  end
  local fit, why = scaling.fit(list, {
    level = options.level, seed = options.seed, resamples = fits.resamples_for(total) or options.resamples,
  })
  if not fit then return nil, why end
  return {
    amdahl = fit.amdahl, amdahl_reason = fit.amdahl_reason, usl = fit.usl, usl_reason = fit.usl_reason,
    keys = keys, configurations = #list,
  }
end

return fits

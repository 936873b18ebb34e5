--- Confidence intervals, tests and figures for boot times.
-- A sample is a list of numbers in any order (milliseconds, usually); it is never modified. What n does not allow is
-- nil, never NaN, infinity or 0. A list with anything but finite numbers raises an error that names the value.
--
-- From `moonboot.stats.describe`: sorted, mean, stdev, min, max, percentile, mad, MAD_SCALE;
-- `interval`: median, bca, ratio_interval, cv, relative_halfwidth, needed_samples, replicates, of_replicates;
-- `outliers`: tukey, modified_z, outliers, bimodal;
-- `compare`: mann_whitney, hodges_lehmann, cliffs_delta, holm, samples_to_decide, least_size;
-- `trend`: mann_kendall.
-- @module moonboot.stats
local compare = require "moonboot.stats.compare"
local describe = require "moonboot.stats.describe"
local interval = require "moonboot.stats.interval"
local outliers = require "moonboot.stats.outliers"
local random = require "moonboot.random"
local trend = require "moonboot.stats.trend"

local stats = {
  MAD_SCALE = describe.MAD_SCALE,
  sorted = describe.sorted,
  mean = describe.mean,
  stdev = describe.stdev,
  min = describe.min,
  max = describe.max,
  percentile = describe.percentile,
  mad = describe.mad,
  median = interval.median,
  bca = interval.bca,
  ratio_interval = interval.ratio_interval,
  cv = interval.cv,
  relative_halfwidth = interval.relative_halfwidth,
  needed_samples = interval.needed_samples,
  replicates = interval.replicates,
  of_replicates = interval.of_replicates,
  tukey = outliers.tukey,
  modified_z = outliers.modified_z,
  outliers = outliers.outliers,
  bimodal = outliers.bimodal,
  mann_whitney = compare.mann_whitney,
  hodges_lehmann = compare.hodges_lehmann,
  cliffs_delta = compare.cliffs_delta,
  holm = compare.holm,
  samples_to_decide = compare.samples_to_decide,
  least_size = compare.least_size,
  mann_kendall = trend.mann_kendall,
}

--- The fields of a summary that are not in the unit of the sample.
stats.UNITLESS = { n = true, cv = true, level = true, median_level = true }

--- A list in random order, the same for the same seed (see `moonboot.random`).
-- @tparam table list  not modified
-- @int seed
-- @treturn table a copy
function stats.shuffle(list, seed)
  return random.new(seed):shuffle(list)
end

-- A percentile is given where at least one sample is expected beyond it.
local PERCENTILES = { { "p5", 5, 20 }, { "p90", 90, 10 }, { "p95", 95, 20 }, { "p99", 99, 100 } }

--- Everything that is usually said about one sample; each figure as the function of its name gives it.
-- @tparam {number,…} xs
-- @tparam[opt] table options  `level` (0.95) of both intervals, `seed` (1) and `resamples` of the mean's
-- @treturn table `n`, `level`; from n = 1 `mean`, `median`, `min`, `max`; from 2 `stdev`, `cv` (if the mean is above
--   0), `mad` (not scaled); from 5 `mean_low`, `mean_high` (BCa, expanded); from 6, for 0.95, `median_low`,
--   `median_high` and `median_level`, the coverage achieved; `p90` from 10, `p5` and `p95` from 20, `p99` from 100;
--   and `outliers`, a list as `stats.outliers` gives it
function stats.summary(xs, options)
  local n = describe.check(xs, "stats.summary")
  options = options or {}
  local level = options.level or 0.95
  local summary = { n = n, level = level, outliers = {} }
  if n == 0 then return summary end
  local sorted = describe.sorted(xs)
  local mean, squares = describe.moments(sorted)
  summary.mean, summary.min, summary.max = mean, sorted[1], sorted[n]
  summary.median = describe.quantile(sorted, 0.5)
  summary.median_low, summary.median_high, summary.median_level = interval.of_sorted(sorted, level)
  if n >= 2 then
    summary.stdev = math.sqrt(squares / (n - 1))
    summary.cv = mean > 0 and summary.stdev / mean or nil
    summary.mad = describe.deviation(sorted, summary.median)
  end
  for _, p in ipairs(PERCENTILES) do
    if n >= p[3] then summary[p[1]] = describe.quantile(sorted, p[2] / 100) end
  end
  summary.mean_low, summary.mean_high = interval.bca(sorted, "mean", {
    level = level, seed = options.seed, resamples = options.resamples, expanded = true,
  })
  summary.outliers = outliers.of_sorted(xs, sorted)
  return summary
end

return stats

--- Confidence intervals: part of `moonboot.stats`, which has every function here under its own name.
-- Where n is too small for an interval there is none, and the last result says how many samples it takes.
-- @module moonboot.stats.interval
local resample = require("moonboot.engine").resample
local describe = require "moonboot.stats.describe"
local distribution = require "moonboot.stats.distribution"

local interval = {}

local check = describe.check

-- Below this a bootstrap distribution has too few different values to have tails.
local LEAST_FOR_BOOTSTRAP = 5

-- Draws that a default number of resamples may cost; 1000 resamples are the least, 5000 the most.
local DRAWS = 1e8

local function level_of(level, what)
  level = level or 0.95
  if type(level) ~= "number" or not (level > 0 and level < 1) then
    error(("%s: level must be between 0 and 1, not %s"):format(what, tostring(level)), 3)
  end
  return level
end

-- As for an interval at the given level: the smallest n whose range has that coverage, 1 - 2^(1-n).
local function least_for_median(level)
  return math.ceil(1 - math.log((1 - level), 2) - 1e-9)
end

--- Exact interval of a median from a list that is sorted already: see `median`.
-- @tparam {number,…} sorted
-- @number level
-- @treturn ?number low
-- @treturn ?number high
-- @treturn ?number coverage
function interval.of_sorted(sorted, level)
  local n = #sorted
  if n == 0 then return nil end
  local k, tail = distribution.sign_rank(n, (1 - level) / 2)
  if not k then return nil end
  return sorted[k], sorted[n + 1 - k], 1 - 2 * tail
end

--- Median with its exact order-statistic interval.
-- The interval is [x_(k), x_(n+1-k)] with the largest k for which P(X <= k - 1) <= (1 - level) / 2 for X ~ Binomial(n,
-- 1/2). It assumes independent samples and nothing about their distribution; its coverage 1 - 2 P(X <= k - 1) is at
-- least `level` (for ties, more than that).
-- (Hahn and Meeker, Statistical Intervals, 1991, section 5.2)
-- @tparam {number,…} xs
-- @number[opt=0.95] level
-- @treturn ?number median, nil for an empty list
-- @treturn ?number low, nil when n is too small for `level` (n < 6 for 0.95)
-- @treturn ?number high
-- @treturn number|string the coverage achieved, or what n would be needed
function interval.median(xs, level)
  local n = check(xs, "stats.median")
  level = level_of(level, "stats.median")
  if n == 0 then return nil, nil, nil, ("need >= %d samples"):format(least_for_median(level)) end
  local sorted = describe.sorted(xs)
  local low, high, coverage = interval.of_sorted(sorted, level)
  return describe.quantile(sorted, 0.5), low, high,
    coverage or ("need >= %d samples"):format(least_for_median(level))
end

--- How far the interval of the median reaches from it, as a share of it: max(high - median, median - low) / median.
-- An adaptive run goes on until this is small enough.
-- @tparam {number,…} xs
-- @number[opt=0.95] level
-- @treturn ?number nil when n is too small, or the median not above 0
-- @treturn ?string why there is none
function interval.relative_halfwidth(xs, level)
  check(xs, "stats.relative_halfwidth")
  level = level_of(level, "stats.relative_halfwidth")
  local median, low, high, why = interval.median(xs, level)
  if not low then return nil, why end
  if median <= 0 then return nil, "the median is not above 0" end
  return math.max(high - median, median - low) / median
end

--- How many samples would narrow an interval, if its width goes on falling as 1 / sqrt(n).
-- @int n  samples so far
-- @number width  of the interval now (any measure of it)
-- @number wanted  the same measure, as it should become
-- @treturn ?int samples in all, at least n; nil when `wanted` is not above 0 or the number beyond a million
function interval.needed_samples(n, width, wanted)
  if wanted <= 0 then return nil end
  local needed = math.ceil(n * (width / wanted) ^ 2 - 1e-9)
  if needed > 1e6 then return nil end
  return math.max(n, math.tointeger(needed))
end

--- Coefficient of variation, stdev / mean, with Vangel's interval ("modified McKay"), which assumes normal data.
-- With nu = n - 1, u1 and u2 the chi-squared quantiles of (1 + level) / 2 and (1 - level) / 2, and K the coefficient:
-- K / sqrt(((u + 2) / n - 1) K^2 + u / nu).
-- (Vangel, The American Statistician 50, 1996)
-- @tparam {number,…} xs
-- @number[opt=0.95] level
-- @treturn ?number nil for n < 2 or a mean not above 0
-- @treturn ?number low, nil for n < 3
-- @treturn ?number high, nil also if it is unbounded (a coefficient of variation near 1 or above)
function interval.cv(xs, level)
  local n = check(xs, "stats.cv")
  level = level_of(level, "stats.cv")
  if n < 2 then return nil end
  local mean, squares = describe.moments(xs)
  if mean <= 0 then return nil end
  local nu = n - 1
  local k = math.sqrt(squares / nu) / mean
  if n < 3 then return k end
  local function bound(p)
    local u = distribution.chi_squared_quantile(p, nu)
    local below = ((u + 2) / n - 1) * k * k + u / nu
    return below > 0 and k / math.sqrt(below) or nil
  end
  local low, high = bound((1 + level) / 2), bound((1 - level) / 2)
  if not (low and high) then return k end
  return k, low, high
end

-- Leave-one-out values of the named statistics, in closed form: O(n), not O(n^2).
local JACKKNIFE = {
  mean = function(sorted)
    local n, mean = #sorted, describe.moments(sorted)
    local values = {}
    for i = 1, n do values[i] = mean - (sorted[i] - mean) / (n - 1) end
    return values
  end,
  median = function(sorted)
    local n = #sorted
    local m, values = n - 1, {}
    local lower, upper = (m + 1) // 2, m // 2 + 1
    for i = 1, n do
      local a = sorted[lower < i and lower or lower + 1]
      local b = sorted[upper < i and upper or upper + 1]
      values[i] = a + (b - a) / 2
    end
    return values
  end,
  stdev = function(sorted)
    local n, values = #sorted, {}
    local mean, squares = describe.moments(sorted)
    for i = 1, n do
      local d2 = (sorted[i] - mean) ^ 2
      values[i] = math.sqrt(math.max(0, squares - d2 * n / (n - 1)) / (n - 2))
    end
    return values
  end,
}

local ESTIMATE = {
  mean = function(sorted) return (describe.moments(sorted)) end,
  median = function(sorted) return describe.quantile(sorted, 0.5) end,
  stdev = function(sorted)
    local _, squares = describe.moments(sorted)
    return math.sqrt(squares / (#sorted - 1))
  end,
}

-- What a user's function gives for one sample, or nil and why that is no use.
local function value_of(statistic, sample)
  local value = statistic(sample)
  if type(value) ~= "number" or value - value ~= 0 then
    return nil, "the statistic has no finite value for some resamples"
  end
  return value
end

local function resample_function(statistic, sorted, resamples, seed)
  local n, values, left_out, sample = #sorted, {}, {}, {}
  local rng = resample.random(seed)
  local why
  for r = 1, resamples do
    for i = 1, n do sample[i] = sorted[rng:integer(n)] end
    values[r], why = value_of(statistic, sample)
    if why then return nil, why end
  end
  for i = 1, n do
    local rest = table.move(sorted, 1, i - 1, 1, {})
    left_out[i], why = value_of(statistic, table.move(sorted, i + 1, n, i, rest))
    if why then return nil, why end
  end
  return values, left_out
end

-- Efron's acceleration: sum(d^3) / (6 sum(d^2)^(3/2)), d the leave-one-out values' distances below their mean.
local function acceleration(left_out)
  local mean, squares = describe.moments(left_out)
  local cubes = 0
  for i = 1, #left_out do cubes = cubes + (mean - left_out[i]) ^ 3 end
  return squares > 0 and cubes / (6 * squares ^ 1.5) or 0
end

-- The level that stands for the one wanted in a sample of n; beyond 1000 they differ by next to nothing.
local function expanded_level(level, n)
  if n > 1000 then return level end
  local t = distribution.t_quantile((1 + level) / 2, n - 1)
  return 1 - 2 * distribution.normal_cdf(-math.sqrt(n / (n - 1)) * t)
end

local function endpoints(values, estimate, a, level)
  table.sort(values)
  local count, below, equal = #values, 0, 0
  if values[1] == values[count] then return values[1], values[count] end
  -- Equal but for rounding: sums of the same values in another order.
  local rounding = 1e-9 * (values[count] - values[1])
  for i = 1, count do
    local d = values[i] - estimate
    if d < -rounding then below = below + 1 elseif d <= rounding then equal = equal + 1 end
  end
  local share = (below + equal / 2) / count
  if share <= 0 or share >= 1 then
    return nil, nil, "all resamples lie on one side of the estimate"
  end
  local z0 = distribution.normal_quantile(share)
  local function endpoint(p)
    local z = z0 + distribution.normal_quantile(p)
    if 1 - a * z <= 0 then return nil end
    return describe.quantile(values, distribution.normal_cdf(z0 + z / (1 - a * z)))
  end
  local low, high = endpoint((1 - level) / 2), endpoint((1 + level) / 2)
  if not (low and high) then return nil, nil, "the sample is too skewed for this interval" end
  return low, high
end

local function resampling(options, n, what)
  local resamples = options.resamples or math.max(1000, math.min(5000, math.floor(DRAWS / math.max(1, n))))
  resamples = math.tointeger(resamples) or error(("%s: resamples must be a whole number"):format(what), 3)
  if resamples < 100 then error(("%s: resamples must be 100 or more, not %d"):format(what, resamples), 3) end
  local seed = math.tointeger(options.seed or 1) or error(("%s: seed must be a whole number"):format(what), 3)
  return resamples, seed
end

--- Bias-corrected and accelerated (BCa) bootstrap interval of a statistic.
-- With z0 the normal quantile of the share of resamples below the estimate (ties count half), a the jackknife's
-- acceleration and z = z0 + quantile(p), its ends are the resamples' quantiles at cdf(z0 + z / (1 - a z)).
-- The same values, in any order, with the same seed give the same interval, on every machine.
-- Bootstrap intervals of small samples are too narrow: at 0.95, that of the mean covers 84 % of simulated normal
-- samples for n = 5, 90 % for 10, 93 % for 20. `expanded` takes its ends at p' = cdf(-sqrt(n / (n - 1)) t) in place of
-- p, t the quantile of Student's t with n - 1 degrees of freedom: then 91 % for n = 5, 93 % for 6, 95 % for 10 (of
-- exponential samples 88, 90 and 92 %).
-- The interval of a median is rough, because resampled medians repeat the values of the sample: use `stats.median`.
-- (Efron, JASA 82, 1987; Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 14; expansion:
-- Hesterberg, The American Statistician 69, 2015, there for the percentile interval)
-- @tparam {number,…} xs
-- @tparam string|function statistic  "mean", "median", "stdev", or a function of a list that returns a number; it is
--   called `resamples + n` times
-- @tparam[opt] table options  `level` (0.95), `seed` (1), `resamples` (5000, fewer beyond 20,000 values), `expanded`
-- @treturn ?number low, nil for n < 5 and where the interval does not exist
-- @treturn ?number high
-- @treturn ?string why there is none
function interval.bca(xs, statistic, options)
  local n = check(xs, "stats.bca")
  options = options or {}
  local level = level_of(options.level, "stats.bca")
  local resamples, seed = resampling(options, n, "stats.bca")
  if type(statistic) ~= "function" and not JACKKNIFE[statistic] then
    error(("stats.bca: statistic must be a function, 'mean', 'median' or 'stdev', not %s"):format(
      type(statistic) == "string" and "'" .. statistic .. "'" or tostring(statistic)), 2)
  end
  if n < LEAST_FOR_BOOTSTRAP then return nil, nil, ("need >= %d samples"):format(LEAST_FOR_BOOTSTRAP) end
  -- Sorted first, so that the order of the samples cannot matter.
  local sorted = describe.sorted(xs)
  local values, left_out, estimate
  if type(statistic) == "function" then
    local why
    estimate, why = value_of(statistic, table.move(sorted, 1, n, 1, {}))
    if why then return nil, nil, why end
    values, left_out = resample_function(statistic, sorted, resamples, seed)
    if not values then return nil, nil, left_out end
  else
    values, left_out = resample.replicates(sorted, statistic, resamples, seed), JACKKNIFE[statistic](sorted)
    estimate = ESTIMATE[statistic](sorted)
  end
  if options.expanded then level = expanded_level(level, n) end
  return endpoints(values, estimate, acceleration(left_out), level)
end

--- Bootstrap replicates of a named statistic, for intervals of figures made from several samples.
-- @tparam {number,…} xs
-- @string statistic  "mean", "median" or "stdev"
-- @tparam[opt] table options  `seed`, `resamples`, as for `bca`
-- @treturn ?{number,…} in the order drawn; nil for n < 5
-- @treturn ?string why there are none
function interval.replicates(xs, statistic, options)
  local n = check(xs, "stats.replicates")
  local resamples, seed = resampling(options or {}, n, "stats.replicates")
  if n < LEAST_FOR_BOOTSTRAP then return nil, ("need >= %d samples"):format(LEAST_FOR_BOOTSTRAP) end
  return resample.replicates(describe.sorted(xs), statistic, resamples, seed)
end

--- Percentile interval of a list of bootstrap values.
-- (Efron and Tibshirani, 1993, chapter 13)
-- @tparam {number,…} values  sorted by this
-- @number[opt=0.95] level
-- @treturn number low
-- @treturn number high
function interval.of_replicates(values, level)
  level = level_of(level, "stats.of_replicates")
  table.sort(values)
  return describe.quantile(values, (1 - level) / 2), describe.quantile(values, (1 + level) / 2)
end

--- Bootstrap percentile interval of statistic(xs) / statistic(ys), such as a speed-up.
-- Both samples are resampled independently.
-- @tparam {number,…} xs
-- @tparam {number,…} ys
-- @tparam[opt] table options  `statistic` ("mean" or "median"; "mean"), `level`, `seed`, `resamples`
-- @treturn ?number low, nil if either sample has n < 5 or a resample of ys is not above 0
-- @treturn ?number high
-- @treturn ?string why there is none
function interval.ratio_interval(xs, ys, options)
  check(xs, "stats.ratio_interval")
  check(ys, "stats.ratio_interval")
  options = options or {}
  local level, statistic = level_of(options.level, "stats.ratio_interval"), options.statistic or "mean"
  local resamples, seed = resampling(options, math.max(#xs, #ys), "stats.ratio_interval")
  local a, why = interval.replicates(xs, statistic, { resamples = resamples, seed = seed })
  if not a then return nil, nil, why end
  -- Another seed: with the same one, two samples of one size would be resampled in step.
  local b
  b, why = interval.replicates(ys, statistic, { resamples = resamples, seed = seed ~ math.mininteger })
  if not b then return nil, nil, why end
  for i = 1, resamples do
    if b[i] <= 0 then return nil, nil, "a ratio to something that may be 0" end
    a[i] = a[i] / b[i]
  end
  return interval.of_replicates(a, level)
end

return interval

--- Samples that stand apart: part of `moonboot.stats`, which has every function here under its own name.
-- What is found is flagged; nothing is ever dropped.
-- @module moonboot.stats.outliers
local describe = require "moonboot.stats.describe"

local outliers = {}

local check = describe.check

-- With fewer values neither quartiles nor a MAD tell an outlier from a sample.
local LEAST = 5

-- What is far, in interquartile ranges and in modified z-scores.
local FENCE, SCORE = 1.5, 3.5

local function beyond_fences(xs, sorted, k)
  local q1, q3 = describe.quantile(sorted, 0.25), describe.quantile(sorted, 0.75)
  local low, high = q1 - k * (q3 - q1), q3 + k * (q3 - q1)
  local indices = {}
  for i = 1, #xs do
    if xs[i] < low or xs[i] > high then indices[#indices + 1] = i end
  end
  return indices, low, high
end

local function beyond_scores(xs, sorted, limit)
  local n, median, indices = #xs, describe.quantile(sorted, 0.5), {}
  local scale = describe.deviation(sorted, median) * describe.MAD_SCALE
  if scale == 0 then
    local sum = 0
    for i = 1, n do sum = sum + math.abs(xs[i] - median) end
    scale = sum / n * math.sqrt(math.pi / 2)
  end
  if scale == 0 then return indices end
  local scores = {}
  for i = 1, n do
    scores[i] = (xs[i] - median) / scale
    if math.abs(scores[i]) > limit then indices[#indices + 1] = i end
  end
  return indices, scores
end

--- Values beyond Tukey's fences: below Q1 - k IQR or above Q3 + k IQR, with quartiles as `stats.percentile` has them.
-- (Tukey, Exploratory Data Analysis, 1977, section 2D)
-- @tparam {number,…} xs
-- @number[opt=1.5] k  3 gives the outer fences
-- @treturn {int,…} indices into xs, rising; empty for n < 5
-- @treturn ?number lower fence, nil for n < 5
-- @treturn ?number upper fence
function outliers.tukey(xs, k)
  if check(xs, "stats.tukey") < LEAST then return {} end
  return beyond_fences(xs, describe.sorted(xs), k or FENCE)
end

--- Values whose modified z-score, (x - median) / (1.4826 MAD), is beyond 3.5 either way.
-- Where the MAD is 0 (more than half of the values equal) the mean absolute deviation, times 1.2533, stands in.
-- (Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993, section 3.3: 0.6745 (x - median) / MAD; the
-- stand-in is IBM SPSS's)
-- @tparam {number,…} xs
-- @number[opt=3.5] limit
-- @treturn {int,…} indices into xs, rising; empty for n < 5
-- @treturn ?{number,…} the score of every value, nil for n < 5 or if all are equal
function outliers.modified_z(xs, limit)
  if check(xs, "stats.modified_z") < LEAST then return {} end
  return beyond_scores(xs, describe.sorted(xs), limit or SCORE)
end

--- The outliers of a list that has been sorted already: see `outliers`.
-- @tparam {number,…} xs
-- @tparam {number,…} sorted
-- @treturn {table,…}
function outliers.of_sorted(xs, sorted)
  local kind, list = {}, {}
  if #xs < LEAST then return list end
  local fenced, scored = beyond_fences(xs, sorted, FENCE), beyond_scores(xs, sorted, SCORE)
  for _, i in ipairs(fenced) do kind[i] = "tukey" end
  for _, i in ipairs(scored) do kind[i] = kind[i] and "both" or "modified_z" end
  local median = describe.quantile(sorted, 0.5)
  for i = 1, next(kind) and #xs or 0 do
    if kind[i] then
      list[#list + 1] = { index = i, value = xs[i], side = xs[i] < median and "low" or "high", kind = kind[i] }
    end
  end
  return list
end

--- Every value that either rule flags.
-- @tparam {number,…} xs
-- @treturn {table,…} by index: `index`, `value`, `side` ("low", "high"), `kind` ("tukey", "modified_z", "both")
function outliers.outliers(xs)
  check(xs, "stats.outliers")
  return outliers.of_sorted(xs, describe.sorted(xs))
end

-- Where to cut a sorted list in two so that the halves vary least within themselves.
local function best_cut(sorted, least)
  local n = #sorted
  local centre = describe.moments(sorted)
  local total = 0
  for i = 1, n do total = total + (sorted[i] - centre) end
  local sum, best, cut = 0, -1, nil
  for i = 1, n - least do
    sum = sum + (sorted[i] - centre)
    if i >= least then
      local between = (sum / i - (total - sum) / (n - i)) ^ 2 * i * (n - i)
      if between > best then best, cut = between, i end
    end
  end
  return cut
end

-- How far apart the means of two halves must be, in units of their standard deviations. Cutting one group in two
-- gives about 2.7 (normal), 3.5 (uniform) for large n, more by chance for small n.
local function separation_wanted(n)
  return 4 + 30 / n
end

--- A hint, not a test, that a sample is two groups: boots that took one of two ways.
-- The sorted values are cut where the halves vary least within themselves (Otsu, IEEE Trans. SMC 9, 1979), each half
-- at least 15 % of the sample. If Ashman's D = sqrt(2) |m1 - m2| / sqrt(s1^2 + s2^2) exceeds 4 + 30 / n, they are
-- called two groups. D above 2 is what Ashman asks of groups known to exist (Ashman, Bird and Zepf, Astronomical
-- Journal 108, 1994); a cut made through the data themselves needs more: at this limit 2 in 100
-- simulated samples of 10 to 30 values from a uniform or an exponential distribution are called two groups, fewer of
-- more values, and fewer than 1 in 100 from a normal one.
-- @tparam {number,…} xs
-- @treturn ?boolean nil for n < 10
-- @treturn ?table if true, the groups: `{ n=, mean=, stdev= }`, the lower one first
function outliers.bimodal(xs)
  local n = check(xs, "stats.bimodal")
  if n < 10 then return nil end
  local sorted = describe.sorted(xs)
  if sorted[1] == sorted[n] then return false end
  local cut = best_cut(sorted, math.max(3, math.ceil(0.15 * n)))
  local groups = {}
  for i, bounds in ipairs { { 1, cut }, { cut + 1, n } } do
    local half = table.move(sorted, bounds[1], bounds[2], 1, {})
    local mean, squares = describe.moments(half)
    groups[i] = { n = #half, mean = mean, stdev = math.sqrt(squares / (#half - 1)) }
  end
  local distance = math.sqrt(2) * (groups[2].mean - groups[1].mean)
  local spread = math.sqrt(groups[1].stdev ^ 2 + groups[2].stdev ^ 2)
  if distance > separation_wanted(n) * spread then return true, groups end
  return false
end

return outliers

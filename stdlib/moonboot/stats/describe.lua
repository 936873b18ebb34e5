--- Figures that describe one sample: part of `moonboot.stats`, which has every function here under its own name.
-- A sample is a list of numbers in any order; it is never modified. One that has several figures taken of it is sorted
-- once: every function takes what `sorted` gives as it is.
-- @module moonboot.stats.describe
local resample = require("moonboot.engine").resample

local describe = {}

--- Median absolute deviation times this estimates the standard deviation of normal data: 1 / quantile(3/4).
-- (Rousseeuw and Croux, JASA 88, 1993, p. 1273)
describe.MAD_SCALE = 1.4826022185056018

local SORTED = { __name = "moonboot.stats.sorted" }

-- Without a function call for each value: every statistic begins with this. Raises on what is no number at all.
local function all_finite(xs, n)
  for i = 1, n do
    local x = xs[i]
    if x ~= x + 0 or x - x ~= 0 then return false end -- a string of digits differs from its number
  end
  return true
end

--- Raises, on behalf of the caller's caller, unless `xs` is a list of finite numbers. What `sorted` gave is.
-- @param xs
-- @string what  name of the function, for the message
-- @treturn int number of values
function describe.check(xs, what)
  if type(xs) ~= "table" then
    error(("%s: expected a list of numbers, not %s"):format(what, type(xs)), 3)
  end
  local n = #xs
  if getmetatable(xs) == SORTED then return n end
  local compared, fine = pcall(all_finite, xs, n)
  if compared and fine then return n end
  for i = 1, n do
    local x = xs[i]
    if type(x) ~= "number" or x - x ~= 0 then
      error(("%s: value %d of the list is %s, not a finite number"):format(what, i,
        type(x) == "number" and tostring(x) or "a " .. type(x)), 3)
    end
  end
  return n
end

--- A sorted copy, not to be changed: it is checked and sorted for good. What is sorted already is given back itself.
-- @tparam {number,…} xs
-- @treturn {number,…}
function describe.sorted(xs)
  describe.check(xs, "stats.sorted")
  if getmetatable(xs) == SORTED then return xs end
  local copy = resample.sorted(xs)
  if not copy then
    -- Integers: they may have more digits than the engine's doubles.
    copy = table.move(xs, 1, #xs, 1, {})
    table.sort(copy)
  end
  return setmetatable(copy, SORTED)
end

--- Quantile of a list that is already sorted and not empty (Hyndman and Fan's type 7).
-- @tparam {number,…} sorted
-- @number q  0 to 1
-- @treturn number
function describe.quantile(sorted, q)
  local h = (#sorted - 1) * q + 1
  local i = math.floor(h)
  local low = sorted[i]
  if h == i then return low end
  return low + (h - i) * (sorted[i + 1] - low)
end

--- Mean and sum of squared distances from it, by the two-pass algorithm with its correction.
-- (Chan, Golub and LeVeque, The American Statistician 37, 1983)
-- @tparam {number,…} xs  not empty
-- @treturn number mean
-- @treturn number sum of (x - mean)^2
function describe.moments(xs)
  local n, sum = #xs, 0
  for i = 1, n do sum = sum + xs[i] end
  local mean, rest, squares = sum / n, 0, 0
  for i = 1, n do
    local d = xs[i] - mean
    rest = rest + d
    squares = squares + d * d
  end
  return mean + rest / n, math.max(0, squares - rest * rest / n)
end

--- Arithmetic mean: sum(x) / n.
-- @tparam {number,…} xs
-- @treturn ?number nil for an empty list
function describe.mean(xs)
  if describe.check(xs, "stats.mean") == 0 then return nil end
  return (describe.moments(xs))
end

--- Standard deviation of the sample: sqrt(sum((x - mean)^2) / (n - 1)).
-- @tparam {number,…} xs
-- @treturn ?number nil for n < 2
function describe.stdev(xs)
  local n = describe.check(xs, "stats.stdev")
  if n < 2 then return nil end
  local _, squares = describe.moments(xs)
  return math.sqrt(squares / (n - 1))
end

--- The smallest value.
-- @tparam {number,…} xs
-- @treturn ?number nil for an empty list
function describe.min(xs)
  local n, least = describe.check(xs, "stats.min"), xs[1]
  for i = 2, n do
    if xs[i] < least then least = xs[i] end
  end
  return least
end

--- The largest value.
-- @tparam {number,…} xs
-- @treturn ?number nil for an empty list
function describe.max(xs)
  local n, most = describe.check(xs, "stats.max"), xs[1]
  for i = 2, n do
    if xs[i] > most then most = xs[i] end
  end
  return most
end

--- Percentile: with h = (n - 1) p / 100 + 1, the straight line between the floor(h)-th and the next smallest value.
-- This is type 7 of Hyndman and Fan (The American Statistician 50, 1996), the default of R, NumPy and spreadsheets.
-- @tparam {number,…} xs
-- @number p  0 to 100
-- @treturn ?number nil for an empty list
function describe.percentile(xs, p)
  local n = describe.check(xs, "stats.percentile")
  if type(p) ~= "number" or not (p >= 0 and p <= 100) then
    error(("stats.percentile: p must be from 0 to 100, not %s"):format(tostring(p)), 2)
  end
  if n == 0 then return nil end
  return describe.quantile(describe.sorted(xs), p / 100)
end

--- Median of the distances from the median. On either side of it they are in order already: both are merged, as far as
-- the middle.
-- @tparam {number,…} sorted  not empty
-- @number median
-- @treturn number
function describe.deviation(sorted, median)
  local n, above = #sorted, 1
  while above <= n and sorted[above] < median do above = above + 1 end
  local below, nearest, last = above - 1, 0, 0
  for _ = 1, n // 2 + 1 do
    local down, up = below >= 1 and median - sorted[below], above <= n and sorted[above] - median
    last = nearest
    if down and (not up or down < up) then
      nearest, below = down, below - 1
    else
      nearest, above = up, above + 1
    end
  end
  return n % 2 == 1 and nearest or last + 0.5 * (nearest - last)
end

--- Median absolute deviation: median(|x - median|), as it is, not scaled.
-- Times `stats.MAD_SCALE` (1.4826) it estimates the standard deviation of normal data.
-- (Hampel, JASA 69, 1974)
-- @tparam {number,…} xs
-- @treturn ?number nil for n < 2
function describe.mad(xs)
  if describe.check(xs, "stats.mad") < 2 then return nil end
  local sorted = describe.sorted(xs)
  return describe.deviation(sorted, describe.quantile(sorted, 0.5))
end

return describe

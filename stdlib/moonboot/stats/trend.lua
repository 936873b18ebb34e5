--- Drift over the order of a run: part of `moonboot.stats`, which has the function here under its own name.
-- @module moonboot.stats.trend
local describe = require "moonboot.stats.describe"
local distribution = require "moonboot.stats.distribution"

local trend = {}

-- Sorting by merging, counting the pairs that stand in the wrong order.
local function inversions(xs)
  local n, count = #xs, 0
  local from, to = table.move(xs, 1, n, 1, {}), {}
  local width = 1
  while width < n do
    for start = 1, n, 2 * width do
      local middle, stop = math.min(start + width, n + 1), math.min(start + 2 * width, n + 1)
      local i, j = start, middle
      for k = start, stop - 1 do
        if i < middle and (j >= stop or from[i] <= from[j]) then
          to[k] = from[i]
          i = i + 1
        else
          to[k] = from[j]
          j = j + 1
          count = count + (middle - i)
        end
      end
    end
    from, to = to, from
    width = 2 * width
  end
  return count, from
end

-- P(at most `most` inversions) in a random order of n different values.
local function inversions_cdf(n, most)
  local p = { [0] = 1 }
  local top = 0
  for k = 2, n do
    local next_p, window = {}, 0
    for s = 0, top + k - 1 do
      window = window + (p[s] or 0) - (p[s - k] or 0)
      next_p[s] = window / k
    end
    p, top = next_p, top + k - 1
  end
  local sum = 0
  for s = 0, math.min(most, top) do sum = sum + p[s] end
  return sum
end

--- Mann-Kendall test for drift: do values rise or fall in the order they come in?
-- S = sum over i < j of sign(x_j - x_i), by merge sort. Without ties and up to 49 values p is exact, from the number of
-- permutations with so many inversions; else normal, with variance (n (n - 1) (2n + 5) - sum(t (t - 1) (2t + 5))) / 18
-- and continuity correction. tau is Kendall's tau-b.
-- (Mann, Econometrica 13, 1945; Kendall, Rank Correlation Methods, 1975)
-- @tparam {number,…} xs  in run order
-- @number[opt=0.05] alpha
-- @treturn ?table `s`, `p`, `tau`, `method` ("exact", "normal"), `trend`: "up" or "down" if p < alpha, else nil;
--   nil for n < 4 (p could not become small) or if all values are equal
function trend.mann_kendall(xs, alpha)
  local n = describe.check(xs, "stats.mann_kendall")
  if n < 4 then return nil end
  local wrong, sorted = inversions(xs)
  local tied_pairs, correction = 0, 0
  local i = 1
  while i <= n do
    local j = i
    while j < n and sorted[j + 1] == sorted[i] do j = j + 1 end
    local t = j - i + 1
    tied_pairs = tied_pairs + t * (t - 1) // 2
    correction = correction + t * (t - 1) * (2 * t + 5)
    i = j + 1
  end
  local all = n * (n - 1) // 2
  if tied_pairs == all then return nil end
  local s = all - tied_pairs - 2 * wrong
  local result = { s = s, tau = s / math.sqrt(all * (all - tied_pairs)) }
  if tied_pairs == 0 and n < 50 then
    result.method = "exact"
    result.p = math.min(1, 2 * inversions_cdf(n, math.min(wrong, all - wrong)))
  else
    result.method = "normal"
    local variance = (n * (n - 1) * (2 * n + 5) - correction) / 18
    result.p = 2 * distribution.normal_cdf(-math.max(0, math.abs(s) - 1) / math.sqrt(variance))
  end
  if result.p < (alpha or 0.05) then result.trend = s > 0 and "up" or "down" end
  return result
end

return trend

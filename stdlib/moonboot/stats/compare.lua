--- Comparison of two samples: part of `moonboot.stats`, which has every function here under its own name.
-- Everywhere `ys` is compared with `xs`: a positive shift or delta says that ys is the larger, the slower one.
-- @module moonboot.stats.compare
local describe = require "moonboot.stats.describe"
local distribution = require "moonboot.stats.distribution"

local compare = {}

local check = describe.check

-- Up to this many values in both samples together, p-values and ranks come from the permutation distribution.
local EXACT = 40

-- Twice the midranks of the pooled values (whole numbers, so that sums stay exact): the sum over xs, the list
-- of all of them, and sum(t^3 - t) over groups of ties.
local function pooled_ranks(xs, ys)
  local a, b = describe.sorted(xs), describe.sorted(ys)
  local n, m = #a, #b
  local ranks, sum, ties = {}, 0, 0
  local i, j = 1, 1
  while i <= n or j <= m do
    local value = (j > m or i <= n and a[i] <= b[j]) and a[i] or b[j]
    local first, from = i + j - 1, i
    while i <= n and a[i] == value do i = i + 1 end
    while j <= m and b[j] == value do j = j + 1 end
    local last = i + j - 2
    for k = first, last do ranks[k] = first + last end
    sum = sum + (i - from) * (first + last)
    local t = last - first + 1
    ties = ties + (t * t * t - t)
  end
  return sum, ranks, ties
end

-- How many of the subsets of `size` ranks have each sum: counts[sum], for sums from 0 to `top`.
-- (the shift algorithm of Streitberg and Roehmel, Statistical Software Newsletter 12, 1986)
local function subset_sums(ranks, size)
  local counts, top = {}, 0
  for k = 0, size do counts[k] = {} end
  counts[0][0] = 1
  for used, rank in ipairs(ranks) do
    top = top + rank
    for k = math.min(size, used), 1, -1 do
      local from, to = counts[k - 1], counts[k]
      for sum, count in pairs(from) do to[sum + rank] = (to[sum + rank] or 0) + count end
    end
  end
  return counts[size], top
end

local function choose(n, k)
  local result = 1
  for i = 1, k do result = result * (n - k + i) / i end
  return result
end

-- Two-sided p of the doubled rank sum of xs: twice the smaller tail, observed value included.
local function exact_p(sum, ranks, n)
  -- The smaller sample has fewer subsets; the sums of a subset and of the rest determine each other.
  local total, size = 0, n
  for _, rank in ipairs(ranks) do total = total + rank end
  if 2 * n > #ranks then size, sum = #ranks - n, total - sum end
  local low, high, all = 0, 0, 0
  for s, count in pairs((subset_sums(ranks, size))) do
    all = all + count
    if s <= sum then low = low + count end
    if s >= sum then high = high + count end
  end
  return math.min(1, 2 * math.min(low, high) / all)
end

--- Mann-Whitney U test (Wilcoxon's rank sum test), two-sided.
-- U = R - n (n + 1) / 2, R the sum of the ranks of xs; ties have midranks. Up to 40 values in both samples, p is exact:
-- twice the smaller tail of the permutation distribution, ties and all. Beyond, p comes from the normal distribution
-- with tie-corrected variance n m / 12 (N + 1 - sum(t^3 - t) / (N (N - 1))) and continuity correction.
-- (Mann and Whitney, Annals of Mathematical Statistics 18, 1947; Hollander and Wolfe, Nonparametric Statistical
-- Methods, 1999, section 4.1)
-- @tparam {number,…} xs
-- @tparam {number,…} ys
-- @treturn ?table `u` (of xs: pairs in which x > y, ties half), `p`, `method` ("exact" or "normal"), `smallest_p`: what
--   p could be at best with samples of these sizes; nil if a list is empty
function compare.mann_whitney(xs, ys)
  local n, m = check(xs, "stats.mann_whitney"), check(ys, "stats.mann_whitney")
  if n == 0 or m == 0 then return nil end
  local sum, ranks, ties = pooled_ranks(xs, ys)
  local u, all = (sum - n * (n + 1)) / 2, n + m
  local result = { u = u, smallest_p = math.min(1, 2 / choose(all, math.min(n, m))) }
  if all <= EXACT then
    result.method, result.p = "exact", exact_p(sum, ranks, n)
    return result
  end
  result.method = "normal"
  local variance = n * m / 12 * (all + 1 - ties / (all * (all - 1)))
  local distance = math.max(0, math.abs(u - n * m / 2) - 0.5)
  result.p = variance > 0 and math.min(1, 2 * distribution.normal_cdf(-distance / math.sqrt(variance))) or 1
  return result
end

-- How many pairs (x, y) have y - x <= value, and the differences next to value on both sides.
-- Both lists are sorted; one pass over each.
local function count_differences(xs, ys, value)
  local n, m, count = #xs, #ys, 0
  local below, above = -math.huge, math.huge
  local j = 0
  for i = 1, n do
    local x = xs[i]
    while j < m and ys[j + 1] - x <= value do j = j + 1 end
    count = count + j
    if j > 0 and ys[j] - x > below then below = ys[j] - x end
    if j < m and ys[j + 1] - x < above then above = ys[j + 1] - x end
  end
  return count, below, above
end

-- The k-th smallest of all differences y - x without forming them: bisection between values that occur.
-- Each step costs n + m; the end comes when both bounds are the same difference.
local function select_difference(xs, ys, k)
  local low, high = ys[1] - xs[#xs], ys[#ys] - xs[1]
  while low < high do
    local middle = low + (high - low) / 2
    if middle >= high then middle = low end
    local count, below, above = count_differences(xs, ys, middle)
    if count >= k then high = below else low = above end
  end
  return low
end

-- The rank that the ends of the interval have from either end of the sorted differences; nil if there is none.
local function interval_rank(n, m, level)
  local tail = (1 - level) / 2
  if n + m > EXACT then
    local z = distribution.normal_quantile(1 - tail)
    local rank = math.floor(n * m / 2 - z * math.sqrt(n * m * (n + m + 1) / 12))
    return rank >= 1 and rank or nil
  end
  local ranks = {}
  for i = 1, n + m do ranks[i] = i end
  local size = math.min(n, m)
  local counts = subset_sums(ranks, size)
  local limit = tail * choose(n + m, size) * (1 + 1e-12)
  local least, below, rank = size * (size + 1) / 2, 0, 0
  while true do
    below = below + (counts[math.tointeger(least) + rank] or 0)
    if below > limit then break end
    rank = rank + 1
  end
  return rank >= 1 and rank or nil
end

--- Hodges-Lehmann shift: the median of all differences y - x, with its interval.
-- With the differences sorted, the interval goes from the k-th smallest to the k-th largest, k from the distribution of
-- Mann and Whitney's U (exact up to 40 values, else normal): it covers 0 where that test would not reject.
-- It assumes that the two distributions differ by a shift. Exact for any n and m: differences are selected, not formed,
-- in (n + m) log(range) steps.
-- (Hodges and Lehmann, Annals of Mathematical Statistics 34, 1963; Hollander and Wolfe, 1999, sections 4.2, 4.3)
-- @tparam {number,…} xs
-- @tparam {number,…} ys
-- @number[opt=0.95] level
-- @treturn ?number shift of ys against xs, in their unit; nil if a list is empty
-- @treturn ?number low, nil if the samples are too small for `level` (below 4 and 4 for 0.95)
-- @treturn ?number high
function compare.hodges_lehmann(xs, ys, level)
  local n, m = check(xs, "stats.hodges_lehmann"), check(ys, "stats.hodges_lehmann")
  level = level or 0.95
  if n == 0 or m == 0 then return nil end
  local a, b = describe.sorted(xs), describe.sorted(ys)
  local pairs_count = n * m
  local shift = select_difference(a, b, (pairs_count + 1) // 2)
  if pairs_count % 2 == 0 then
    local count, _, above = count_differences(a, b, shift)
    if count == pairs_count // 2 then shift = shift + (above - shift) / 2 end
  end
  local rank = interval_rank(n, m, level)
  if not rank then return shift end
  return shift, select_difference(a, b, rank), select_difference(a, b, pairs_count + 1 - rank)
end

--- Cliff's delta: (#(y > x) - #(y < x)) / (n m), from -1 (every y is smaller) to 1.
-- Its word: below 0.147 negligible, below 0.33 small, below 0.474 medium, else large.
-- (Cliff, Psychological Bulletin 114, 1993; words: Romano et al., Florida Association of Institutional Research, 2006)
-- @tparam {number,…} xs
-- @tparam {number,…} ys
-- @treturn ?number nil if a list is empty
-- @treturn ?string
function compare.cliffs_delta(xs, ys)
  local n, m = check(xs, "stats.cliffs_delta"), check(ys, "stats.cliffs_delta")
  if n == 0 or m == 0 then return nil end
  local u = (pooled_ranks(xs, ys) - n * (n + 1)) / 2
  local delta = 1 - 2 * u / (n * m)
  local size = math.abs(delta)
  local word = size < 0.147 and "negligible" or size < 0.33 and "small" or size < 0.474 and "medium" or "large"
  return delta, word
end

--- Holm's correction for several tests: the i-th smallest p becomes the maximum over j <= i of (k - j + 1) p_j, or 1.
-- (Holm, Scandinavian Journal of Statistics 6, 1979)
-- @tparam {number,…} ps
-- @treturn {number,…} adjusted, in the order given
function compare.holm(ps)
  local k = check(ps, "stats.holm")
  local order, adjusted, running = {}, {}, 0
  for i = 1, k do order[i] = i end
  table.sort(order, function(a, b)
    if ps[a] ~= ps[b] then return ps[a] < ps[b] end
    return a < b
  end)
  for place, i in ipairs(order) do
    running = math.max(running, math.min(1, (k - place + 1) * ps[i]))
    adjusted[i] = running
  end
  return adjusted
end

--- How many samples a side would probably (with probability `power`) let Mann and Whitney's test reject at 0.05.
-- N = (z_(0.975) + z_power)^2 / (12 c (1 - c) (q - 1/2)^2) in both samples of equal size (c = 1/2), q = P(y > x) as
-- estimated from the samples.
-- (Noether, JASA 82, 1987)
-- @tparam {number,…} xs
-- @tparam {number,…} ys
-- @number[opt=0.8] power
-- @treturn ?int a side, at least 4; nil where q is so near 1/2 that it would take more than 100,000
function compare.samples_to_decide(xs, ys, power)
  local n, m = check(xs, "stats.samples_to_decide"), check(ys, "stats.samples_to_decide")
  if n == 0 or m == 0 then return nil end
  local delta = compare.cliffs_delta(xs, ys)
  local z = distribution.normal_quantile(0.975) + distribution.normal_quantile(power or 0.8)
  if delta == 0 then return nil end
  local side = z * z / (3 * (delta / 2) ^ 2) / 2
  if side > 1e5 then return nil end
  return math.max(4, math.tointeger(math.ceil(side)))
end

--- The smallest size of two equal samples for which the exact Mann-Whitney test can reject, corrected for many tests.
-- Its p is at best 2 / C(2n, n), which Holm's correction multiplies by the number of tests.
-- @int tests  how many share the correction
-- @number[opt=0.05] alpha
-- @treturn int samples a side
function compare.least_size(tests, alpha)
  local n, ways = 1, 2
  while 2 / ways * tests >= (alpha or 0.05) do
    n = n + 1
    ways = ways * (2 * n) * (2 * n - 1) / (n * n)
  end
  return n
end

return compare

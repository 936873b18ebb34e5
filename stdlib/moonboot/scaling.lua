--- How boot time follows the number of CPUs: speed-up, efficiency, Amdahl's law and the Universal Scalability Law.
-- Both laws are linear in what is fitted once they are written for the time, which is what was measured:
--
-- Amdahl: T(p) = a / p + b, with serial fraction b / (a + b) and T(1) = a + b.
-- (Amdahl, AFIPS Conference Proceedings 30, 1967)
--
-- USL: T(p) = a / p + b + c (p - 1), with contention sigma = b / (a + b), coherency kappa = c / (a + b).
-- (Gunther, Guerrilla Capacity Planning, 2007, chapter 4: C(p) = p / (1 + sigma (p - 1) + kappa p (p - 1)), here
-- T(p) = T(1) / C(p))
--
-- The medians of the configurations are fitted by least squares, every configuration alike, with a, b, c >= 0: no law
-- knows negative work. The values a bound holds at 0 are named in the fit.
-- @module moonboot.scaling
local stats = require "moonboot.stats"

local scaling = {}

local LAWS = {
  amdahl = {
    least = 3,
    columns = function(p) return { 1 / p, 1 } end,
    parameters = function(c) return { serial_fraction = c[2] / (c[1] + c[2]) } end,
    names = { "parallel part", "serial_fraction" },
  },
  usl = {
    least = 4,
    columns = function(p) return { 1 / p, 1, p - 1 } end,
    parameters = function(c) return { sigma = c[2] / (c[1] + c[2]), kappa = c[3] / (c[1] + c[2]) } end,
    names = { "parallel part", "sigma", "kappa" },
  },
}

-- Solves the normal equations of the columns in `active` (Gaussian elimination with pivoting); nil if they depend on
-- each other.
local function solve(rows, times, active)
  local k, m = #active, {}
  for i = 1, k do
    m[i] = {}
    for j = 1, k + 1 do
      local sum = 0
      for r = 1, #rows do
        sum = sum + rows[r][active[i]] * (j <= k and rows[r][active[j]] or times[r])
      end
      m[i][j] = sum
    end
  end
  for i = 1, k do
    local pivot = i
    for r = i + 1, k do
      if math.abs(m[r][i]) > math.abs(m[pivot][i]) then pivot = r end
    end
    m[i], m[pivot] = m[pivot], m[i]
    if math.abs(m[i][i]) < 1e-12 then return nil end
    for r = 1, k do
      if r ~= i then
        local factor = m[r][i] / m[i][i]
        for j = i, k + 1 do m[r][j] = m[r][j] - factor * m[i][j] end
      end
    end
  end
  local x = {}
  for i = 1, k do x[i] = m[i][k + 1] / m[i][i] end
  return x
end

local function predict(row, c)
  local t = 0
  for i = 1, #c do t = t + row[i] * c[i] end
  return t
end

-- Least squares without negative coefficients. With at most three of them every choice of those that are 0 can be
-- tried; the best one that is allowed is the solution.
local function nonnegative(rows, times)
  local k, best, least = #rows[1], nil, math.huge
  for mask = 1, (1 << k) - 1 do
    local active = {}
    for i = 1, k do
      if mask & (1 << (i - 1)) ~= 0 then active[#active + 1] = i end
    end
    local x = solve(rows, times, active)
    local c, allowed = {}, x ~= nil
    for i = 1, k do c[i] = 0 end
    for i, column in ipairs(x and active or {}) do
      c[column] = x[i]
      allowed = allowed and x[i] >= 0
    end
    -- T(1) = a + b: a law whose work is 0 is none.
    if allowed and c[1] + c[2] > 0 then
      local squares = 0
      for r = 1, #rows do squares = squares + (times[r] - predict(rows[r], c)) ^ 2 end
      if squares < least * (1 - 1e-12) then best, least = c, squares end
    end
  end
  return best, least
end

local function rows_of(law, points)
  local rows = {}
  for i, point in ipairs(points) do rows[i] = law.columns(point.cpus) end
  return rows
end

local function distinct_cpus(points)
  local seen, count = {}, 0
  for _, point in ipairs(points) do
    if not seen[point.cpus] then seen[point.cpus], count = true, count + 1 end
  end
  return count
end

-- Intervals of the parameters: the fit repeated on medians of resamples.
local function parameter_intervals(law, rows, replicates, level)
  local values, resamples = {}, #replicates[1]
  for r = 1, resamples do
    local times = {}
    for i = 1, #replicates do times[i] = replicates[i][r] end
    local c = nonnegative(rows, times)
    if not c then return {} end
    for name, value in pairs(law.parameters(c)) do
      values[name] = values[name] or {}
      values[name][r] = value
    end
  end
  local intervals = {}
  for name, list in pairs(values) do
    local low, high = stats.of_replicates(list, level)
    intervals[name .. "_low"], intervals[name .. "_high"] = low, high
  end
  return intervals
end

local function fit_law(law, points, times, replicates, level)
  local count = distinct_cpus(points)
  if count < law.least then
    return nil, ("need >= %d configurations with different numbers of CPUs, there %s %d"):format(
      law.least, count == 1 and "is" or "are", count)
  end
  local rows = rows_of(law, points)
  local c, squares = nonnegative(rows, times)
  if not c then return nil, "no curve of this law fits these times" end
  local fit = law.parameters(c)
  local mean, total = stats.mean(times), 0
  for _, t in ipairs(times) do total = total + (t - mean) ^ 2 end
  fit.t1_ms = c[1] + c[2]
  fit.configurations = #points
  fit.r2 = total > 0 and 1 - squares / total or nil
  fit.residuals_ms = {}
  for i, row in ipairs(rows) do fit.residuals_ms[i] = times[i] - predict(row, c) end
  local freedom = #points - #c
  fit.residual_ms = freedom > 0 and math.sqrt(squares / freedom) or nil
  for i, value in ipairs(c) do
    if value == 0 then
      fit.at_bound = fit.at_bound or {}
      table.insert(fit.at_bound, law.names[i])
    end
  end
  if replicates then
    for name, value in pairs(parameter_intervals(law, rows, replicates, level)) do fit[name] = value end
  end
  return fit
end

-- A resample of each configuration's median, each from its own stream; nil if one has too few samples.
local function replicates_of(points, options)
  local all = {}
  local most = 1
  for _, point in ipairs(points) do most = math.max(most, #point.times) end
  local resamples = options.resamples or (most > 20000 and 1000 or 2000)
  for i, point in ipairs(points) do
    local stream = { seed = (options.seed or 1) + i * 0x9e3779b9, resamples = resamples }
    all[i] = stats.replicates(point.times, "median", stream)
    if not all[i] then return nil end
  end
  return all
end

local function compared(points, medians, options)
  local list = {}
  local base = points[1]
  for i, point in ipairs(points) do
    local speedup = medians[1] / medians[i]
    local ratio = base.cpus / point.cpus
    local entry = {
      cpus = point.cpus, n = #point.times, median_ms = medians[i], speedup = speedup, efficiency = speedup * ratio,
    }
    local p = point.cpus / base.cpus
    if p > 1 then
      entry.karp_flatt = (1 / speedup - 1 / p) / (1 - 1 / p)
      local low, high = stats.ratio_interval(base.times, point.times, {
        statistic = "median", level = options.level, seed = options.seed, resamples = options.resamples,
      })
      if low then
        entry.speedup_low, entry.speedup_high = low, high
        entry.efficiency_low, entry.efficiency_high = low * ratio, high * ratio
      end
    end
    list[i] = entry
  end
  return list
end

local function checked(points)
  if type(points) ~= "table" then error("scaling.fit: expected a list of { cpus =, times = }", 3) end
  local sorted = {}
  for i, point in ipairs(points) do
    local cpus = type(point) == "table" and math.tointeger(point.cpus)
    if not cpus or cpus < 1 then error(("scaling.fit: point %d: cpus must be a whole number above 0"):format(i), 3) end
    if type(point.times) ~= "table" then error(("scaling.fit: point %d has no list of times"):format(i), 3) end
    for j, t in ipairs(point.times) do
      if type(t) ~= "number" or t - t ~= 0 or t <= 0 then
        error(("scaling.fit: point %d: time %d is %s, not a number above 0"):format(i, j, tostring(t)), 3)
      end
    end
    if #point.times > 0 then sorted[#sorted + 1] = { cpus = cpus, times = point.times, place = i } end
  end
  table.sort(sorted, function(a, b)
    if a.cpus ~= b.cpus then return a.cpus < b.cpus end
    return a.place < b.place
  end)
  return sorted
end

--- Speed-up, efficiency and both fits, over configurations that differ in their number of CPUs.
-- Leaving out what says nothing about the guest (oversubscribed configurations, CPUs it did not bring up) is the
-- caller's part. Speed-up is median over median, against the fewest CPUs; efficiency is speed-up over cpus / fewest.
-- Intervals are bootstrap percentile intervals, given where all samples they come from have n >= 5; they show how
-- samples scatter, not whether the law holds: for that see the residuals.
-- @tparam {table,…} points  `cpus`, `times` (milliseconds, above 0; one is enough); any order; those without times
--   are passed over
-- @tparam[opt] table options  `level` (0.95), `seed` (1), `resamples` (2000 for the fits)
-- @treturn ?table nil with fewer than two numbers of CPUs. `reference_cpus`; `points`, by rising cpus: `cpus`, `n`,
--   `median_ms`, `speedup`, `speedup_low`, `speedup_high`, `efficiency`, `efficiency_low`, `efficiency_high` and
--   `karp_flatt`, the serial fraction that this one configuration suggests (Karp and Flatt, CACM 33, 1990);
--   `amdahl`: `serial_fraction`, `serial_fraction_low`, `serial_fraction_high`; `usl`: `sigma`, `kappa`, each with
--   `_low` and `_high`, and `peak_cpus` = sqrt((1 - sigma) / kappa), where the time is least (1 if it only grows).
--   Both: `t1_ms`, `r2` (nil if all times are equal), `residual_ms` (root of squares over degrees of freedom; nil
--   without any), `residuals_ms` in the order of the points, `at_bound` (names of the parts held at 0). Where a law
--   cannot be fitted, `amdahl_reason` or `usl_reason` says why: Amdahl's needs three numbers of CPUs, the USL four, so
--   that something is left to contradict it
-- @treturn ?string why there is nothing
function scaling.fit(points, options)
  points, options = checked(points), options or {}
  if distinct_cpus(points) < 2 then return nil, "need >= 2 configurations with different numbers of CPUs" end
  local medians = {}
  for i, point in ipairs(points) do medians[i] = (stats.median(point.times)) end
  local result = { reference_cpus = points[1].cpus, points = compared(points, medians, options) }
  local replicates = distinct_cpus(points) >= LAWS.amdahl.least and replicates_of(points, options) or nil
  for name, law in pairs(LAWS) do
    result[name], result[name .. "_reason"] = fit_law(law, points, medians, replicates, options.level or 0.95)
  end
  local usl = result.usl
  if usl and usl.kappa > 0 then usl.peak_cpus = math.max(1, math.sqrt((1 - usl.sigma) / usl.kappa)) end
  return result
end

return scaling

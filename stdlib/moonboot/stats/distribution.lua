--- Probability distributions: what the intervals and tests of `moonboot.stats` are made from.
-- The C library's `erfc` and `lgamma` do the hard part; quantiles are found by bisection, which is slow
-- (microseconds) and cannot go wrong.
-- @module moonboot.stats.distribution
local resample = require("moonboot.engine").resample

local distribution = {}

local SQRT2 = math.sqrt(2)

-- The x in [low, high] where a rising function reaches p, to the last bit of a double.
local function invert(rising, p, low, high)
  while true do
    local middle = low + (high - low) / 2
    if middle <= low or middle >= high then return middle end
    if rising(middle) < p then low = middle else high = middle end
  end
end

--- P(Z <= z) of the standard normal distribution.
-- @number z
-- @treturn number
function distribution.normal_cdf(z)
  return 0.5 * resample.erfc(-z / SQRT2)
end

--- The z that a standard normal variable stays below with probability p.
-- @number p  above 0, below 1
-- @treturn number
function distribution.normal_quantile(p)
  -- The upper half by symmetry: 1 - p keeps digits that p close to 1 has lost.
  if p > 0.5 then return -distribution.normal_quantile(1 - p) end
  return invert(distribution.normal_cdf, p, -40, 0)
end

-- Regularised lower incomplete gamma function: its series below a + 1, a continued fraction above.
-- (Press et al., Numerical Recipes, 3rd edition, 2007, section 6.2; modified Lentz method)
local function gamma_p(a, x)
  if x <= 0 then return 0 end
  local scale = math.exp(-x + a * math.log(x) - resample.lgamma(a))
  if x < a + 1 then
    local term = 1 / a
    local sum, k = term, a
    while term > sum * 1e-17 do
      k = k + 1
      term = term * x / k
      sum = sum + term
    end
    return sum * scale
  end
  local tiny = 1e-300
  local b = x + 1 - a
  local c, d = 1 / tiny, 1 / b
  local h, i = d, 0
  repeat
    i = i + 1
    local an = -i * (i - a)
    b = b + 2
    d = an * d + b
    if math.abs(d) < tiny then d = tiny end
    c = b + an / c
    if math.abs(c) < tiny then c = tiny end
    d = 1 / d
    local factor = d * c
    h = h * factor
  until math.abs(factor - 1) < 1e-16 or i > 100000
  return 1 - scale * h
end

--- The value that a chi-squared variable stays below with probability p.
-- @number p  above 0, below 1
-- @number df  degrees of freedom
-- @treturn number
function distribution.chi_squared_quantile(p, df)
  local function cdf(x) return gamma_p(df / 2, x / 2) end
  return invert(cdf, p, 0, df + 40 * math.sqrt(2 * df) + 100)
end

-- P(|T| <= t) of Student's t with a whole number of degrees of freedom, a finite sum.
-- (Abramowitz and Stegun, Handbook of Mathematical Functions, 1964, 26.7.3 and 26.7.4)
local function t_within(t, df)
  local theta = math.atan(t / math.sqrt(df))
  local cos2 = math.cos(theta) ^ 2
  local odd = df % 2
  local term = odd == 1 and math.cos(theta) or 1
  local sum = df > 1 and term or 0
  for k = 2 + odd, df - 2, 2 do
    term = term * cos2 * (k - 1) / k
    sum = sum + term
  end
  if odd == 1 then return 2 / math.pi * (theta + math.sin(theta) * sum) end
  return math.sin(theta) * sum
end

--- The value that Student's t stays below with probability p.
-- @number p  above 0.5, below 1
-- @int df  degrees of freedom, 1 or more
-- @treturn number
function distribution.t_quantile(p, df)
  return invert(function(t) return t_within(t, df) end, 2 * p - 1, 0, 1e6)
end

--- The largest k with P(X <= k - 1) <= tail for X ~ Binomial(n, 1/2), and that probability.
-- @int n
-- @number tail  above 0, below 0.5
-- @treturn ?int nil if even P(X = 0) is above `tail`
-- @treturn ?number
function distribution.sign_rank(n, tail)
  -- Forty standard deviations below the middle there is nothing left to add.
  local k = math.max(0, math.floor(n / 2 - 20 * math.sqrt(n)))
  local log_p = resample.lgamma(n + 1) - resample.lgamma(k + 1) - resample.lgamma(n - k + 1) - n * math.log(2)
  local below, limit = 0, tail * (1 + 1e-12)
  while true do
    local next_below = below + math.exp(log_p)
    if next_below > limit then break end
    below = next_below
    log_p = log_p + math.log((n - k) / (k + 1))
    k = k + 1
  end
  if k == 0 then return nil end
  return k, below
end

return distribution

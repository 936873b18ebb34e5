-- What must hold for any sample, and what intervals and tests promise, tried on simulated samples. Every seed is fixed.
local random = require "moonboot.random"
local stats = require "moonboot.stats"

local function sample(rng, n, make)
  local xs = {}
  for i = 1, n do xs[i] = make(rng) end
  return xs
end

local function normal(mean, stdev)
  return function(rng) return mean + stdev * rng:normal() end
end

-- Boot times as they come: a floor, a skewed rest, now and then something else that ran.
local function boot_time(rng)
  local t = 65 - 2 * math.log(1 - rng:number())
  return rng:number() < 0.05 and t + 20 or t
end

local function near(expected, actual, scale, what)
  assert.is_true(math.abs(expected - actual) <= 1e-9 * scale, ("%s: expected %.17g, got %.17g"):format(
    what, expected, actual))
end

local MOVING = {
  "mean", "mean_low", "mean_high", "median", "median_low", "median_high", "min", "max", "p5", "p90", "p95",
}
local SCALING = { "stdev", "mad" }

local function map(xs, f)
  local ys = {}
  for i, x in ipairs(xs) do ys[i] = f(x) end
  return ys
end

describe("a summary", function()
  local rng = random.new(1)
  local samples = {}
  for _, n in ipairs { 2, 5, 6, 11, 20, 47 } do samples[#samples + 1] = sample(rng, n, boot_time) end

  it("moves with the sample", function()
    for _, xs in ipairs(samples) do
      local a, b = stats.summary(xs), stats.summary(map(xs, function(x) return x + 1000 end))
      for _, name in ipairs(MOVING) do
        if a[name] then near(a[name] + 1000, b[name], 1000, name) else assert.is_nil(b[name]) end
      end
      for _, name in ipairs(SCALING) do near(a[name], b[name], 1000, name) end
      assert.same(map(a.outliers, function(o) return o.index end), map(b.outliers, function(o) return o.index end))
    end
  end)

  it("grows with the sample", function()
    for _, xs in ipairs(samples) do
      local a, b = stats.summary(xs), stats.summary(map(xs, function(x) return x * 1e6 end))
      for _, name in ipairs(MOVING) do
        if a[name] then near(a[name] * 1e6, b[name], 1e8, name) end
      end
      for _, name in ipairs(SCALING) do near(a[name] * 1e6, b[name], 1e8, name) end
      near(a.cv, b.cv, 1, "cv")
    end
  end)

  it("does not depend on the order of the sample, nor change it", function()
    for seed, xs in ipairs(samples) do
      local copy = table.move(xs, 1, #xs, 1, {})
      local a, b = stats.summary(xs), stats.summary(stats.shuffle(xs, seed))
      assert.same(copy, xs)
      a.outliers, b.outliers = nil, nil
      assert.same(a, b)
    end
  end)

  it("lies between its smallest and its largest value, in order", function()
    for _, xs in ipairs(samples) do
      local s = stats.summary(xs)
      local order = { s.min, s.median_low or s.min, s.median, s.median_high or s.max, s.max }
      for i = 1, #order - 1 do assert.is_true(order[i] <= order[i + 1]) end
      if s.mean_low then
        assert.is_true(s.min <= s.mean_low and s.mean_low <= s.mean and s.mean <= s.mean_high and s.mean_high <= s.max)
      end
    end
  end)

  it("holds nothing but finite numbers, whatever the values", function()
    for _, xs in ipairs { { 0, 0 }, { 1e300, 1e300, 1e300 }, { 1e-300, 2e-300, 3e-300, 4e-300, 5e-300, 6e-300 },
      { -5, 5, -5, 5, -5, 5, -5, 5 }, { 65, 180000, 65, 65, 65, 65 } } do
      for name, value in pairs(stats.summary(xs)) do
        if name ~= "outliers" then assert.is_true(value - value == 0, name) end
      end
    end
  end)
end)

describe("a comparison", function()
  local rng = random.new(2)
  local cases = {}
  for i, sizes in ipairs { { 1, 1 }, { 5, 5 }, { 7, 4 }, { 20, 20 }, { 30, 25 }, { 3, 60 } } do
    cases[i] = { sample(rng, sizes[1], boot_time), sample(rng, sizes[2], normal(67, 3)) }
    -- Rounded values, so that there are ties.
    cases[#cases + 1] = { map(cases[i][1], math.floor), map(cases[i][2], math.floor) }
  end

  it("is the same the other way round, with the sign changed", function()
    for _, case in ipairs(cases) do
      local xs, ys = case[1], case[2]
      local a, b = stats.mann_whitney(xs, ys), stats.mann_whitney(ys, xs)
      near(a.p, b.p, 1, "p")
      near(#xs * #ys, a.u + b.u, 100, "u")
      near((stats.cliffs_delta(xs, ys)), -stats.cliffs_delta(ys, xs), 1, "delta")
      local shift, low, high = stats.hodges_lehmann(xs, ys)
      local back, back_low, back_high = stats.hodges_lehmann(ys, xs)
      near(shift, -back, 100, "shift")
      if low then
        near(low, -back_high, 100, "low")
        near(high, -back_low, 100, "high")
      end
    end
  end)

  it("does not depend on units, nor on order", function()
    for seed, case in ipairs(cases) do
      local function changed(xs) return stats.shuffle(map(xs, function(x) return 8 * x + 4 end), seed) end
      local xs, ys = changed(case[1]), changed(case[2])
      assert.same(stats.mann_whitney(case[1], case[2]), stats.mann_whitney(xs, ys))
      near(8 * stats.hodges_lehmann(case[1], case[2]), (stats.hodges_lehmann(xs, ys)), 100, "shift")
    end
  end)

  it("finds the shift that was made", function()
    for _, case in ipairs(cases) do
      local ys = map(case[1], function(x) return x + 2.5 end)
      near(2.5, (stats.hodges_lehmann(case[1], ys)), 100, "shift")
    end
  end)

  it("selects the differences that sorting all of them would", function()
    for _, case in ipairs(cases) do
      local differences = {}
      for _, x in ipairs(case[1]) do
        for _, y in ipairs(case[2]) do differences[#differences + 1] = y - x end
      end
      table.sort(differences)
      local n = #differences
      local median = (differences[(n + 1) // 2] + differences[n // 2 + 1]) / 2
      near(median, (stats.hodges_lehmann(case[1], case[2])), 100, "shift")
    end
  end)

  it("has an interval that covers 0 where the exact test does not reject", function()
    for _, case in ipairs(cases) do
      local _, low, high = stats.hodges_lehmann(case[1], case[2])
      local test = stats.mann_whitney(case[1], case[2])
      if low and test.method == "exact" then
        local ties = #case[1] + #case[2] > 0 and math.type(case[1][1]) == "integer"
        if not ties then assert.equal(test.p > 0.05, low <= 0 and 0 <= high) end
      end
    end
  end)
end)

describe("coverage at the 95 % level of", function()
  local function coverage(runs, n, make, truth, interval)
    local rng, hits = random.new(n), 0
    for run = 1, runs do
      local low, high = interval(sample(rng, n, make), run)
      if low <= truth and truth <= high then hits = hits + 1 end
    end
    return hits / runs
  end

  local function median_interval(xs)
    local _, low, high = stats.median(xs)
    return low, high
  end

  -- Three standard errors of a share of 1000 are 0.02.
  it("the median's interval is what it states, for any distribution", function()
    local level = select(4, stats.median(sample(random.new(1), 12, boot_time)))
    local truth = 65 + 2 * math.log(2)
    local function skewed(rng) return 65 - 2 * math.log(1 - rng:number()) end
    assert.is_true(math.abs(coverage(1000, 12, skewed, truth, median_interval) - level) < 0.02)
    assert.is_true(math.abs(coverage(1000, 12, normal(10, 1), 10, median_interval) - level) < 0.02)
  end)

  it("the mean's interval is near that, as its description says", function()
    local function interval(expanded)
      return function(xs, run) return stats.bca(xs, "mean", { seed = run, resamples = 1000, expanded = expanded }) end
    end
    local plain = coverage(600, 5, normal(0, 1), 0, interval(false))
    local expanded = coverage(600, 5, normal(0, 1), 0, interval(true))
    assert.is_true(plain > 0.78 and plain < 0.88, plain)
    assert.is_true(expanded > 0.87, expanded)
    assert.is_true(coverage(600, 20, normal(0, 1), 0, interval(true)) > 0.92)
  end)

  it("the interval of the coefficient of variation is right for normal data", function()
    local function interval(xs) return select(2, stats.cv(xs)) end
    local share = coverage(1000, 6, normal(100, 3), 0.03, interval)
    assert.is_true(share > 0.93 and share < 0.97, share)
  end)

  it("the shift's interval is at least that", function()
    for _, n in ipairs { 6, 25 } do
      local rng, hits = random.new(n), 0
      for _ = 1, 400 do
        local _, low, high = stats.hodges_lehmann(sample(rng, n, boot_time), map(sample(rng, n, boot_time),
          function(x) return x + 3 end))
        if low <= 3 and 3 <= high then hits = hits + 1 end
      end
      assert.is_true(hits / 400 > 0.92, hits / 400)
    end
  end)
end)

describe("two runs of the same thing", function()
  -- Of ten phases, at least one that is called different is a difference found. At a corrected level of 5 % about 5 of
  -- 100 pairs differ, often more; at 1 % hardly ever more than 5 do.
  it("differ at the 1 % level in at most 5 of 100 pairs, phases and all", function()
    for _, n in ipairs { 5, 10, 30 } do
      local rng, found = random.new(100 + n), 0
      for _ = 1, 100 do
        local ps = {}
        for phase = 1, 10 do
          ps[phase] = stats.mann_whitney(sample(rng, n, boot_time), sample(rng, n, boot_time)).p
        end
        if math.min(table.unpack(stats.holm(ps))) < 0.01 then found = found + 1 end
      end
      assert.is_true(found <= 5, ("n = %d: %d of 100"):format(n, found))
    end
  end)

  it("reject at most 5 % of the time, exact or normal, over many pairs", function()
    for _, n in ipairs { 6, 40 } do
      local rng, found = random.new(n), 0
      for _ = 1, 600 do
        local p = stats.mann_whitney(sample(rng, n, boot_time), sample(rng, n, boot_time)).p
        if p < 0.05 then found = found + 1 end
      end
      assert.is_true(found / 600 < 0.07, found / 600)
    end
  end)

  it("and a slowdown of 5 % is found with 10 samples of 1.5 % scatter, at the 1 % level", function()
    local rng, found = random.new(3), 0
    for _ = 1, 100 do
      local test = stats.mann_whitney(sample(rng, 10, normal(100, 1.5)), sample(rng, 10, normal(105, 1.5)))
      if test.p < 0.01 then found = found + 1 end
    end
    assert.is_true(found >= 99, found)
  end)
end)

describe("false alarms stay rare:", function()
  it("drift where there is none", function()
    local rng, found = random.new(4), 0
    for _ = 1, 600 do
      if stats.mann_kendall(sample(rng, 20, boot_time)).trend then found = found + 1 end
    end
    assert.is_true(found / 600 < 0.07, found / 600)
  end)

  it("two groups where there is one", function()
    for _, n in ipairs { 10, 30, 200 } do
      local rng, found = random.new(n), 0
      for _ = 1, 300 do
        if stats.bimodal(sample(rng, n, normal(65, 2))) then found = found + 1 end
        if stats.bimodal(sample(rng, n, function(r) return r:number() end)) then found = found + 1 end
      end
      assert.is_true(found / 600 < 0.02, found / 600)
    end
  end)

  it("while real drift and real groups are seen", function()
    local rng = random.new(5)
    local drifting, grouped = {}, {}
    for i = 1, 30 do drifting[i] = boot_time(rng) + 0.3 * i end
    for i = 1, 30 do grouped[i] = (i % 3 == 0 and 80 or 65) + rng:normal() end
    assert.equal("up", stats.mann_kendall(drifting).trend)
    assert.is_true((stats.bimodal(grouped)))
  end)
end)

describe("100,000 samples", function()
  it("are summarised and compared", function()
    local rng = random.new(6)
    local xs, ys = sample(rng, 100000, normal(1000, 20)), sample(rng, 100000, normal(1001, 20))
    local summary = stats.summary(xs)
    assert.is_true(summary.mean_low < 1000.2 and summary.mean_high > 999.8)
    assert.is_true(summary.mean_high - summary.mean_low < 0.4)
    assert.is_true(summary.median_high - summary.median_low < 0.5)
    assert.is_true(stats.mann_whitney(xs, ys).p < 1e-6)
    local shift, low, high = stats.hodges_lehmann(xs, ys)
    assert.is_true(low < 1 and 1 < high and math.abs(shift - 1) < 0.3)
    assert.is_nil(stats.mann_kendall(xs).trend)
    assert.is_false(stats.bimodal(xs))
  end)
end)

local stats = require "moonboot.stats"
local distribution = require "moonboot.stats.distribution"

local here = debug.getinfo(1, "S").source:match("^@(.*/)")
local from_r = dofile(here .. "reference/stats_r.lua")
local from_scipy = dofile(here .. "reference/stats_scipy.lua")

local function close(expected, actual, relative)
  assert.is_number(actual)
  local allowed = (relative or 1e-12) * math.max(1e-300, math.abs(expected)) + 1e-13
  assert.is_true(math.abs(expected - actual) <= allowed, ("expected %.17g, got %.17g"):format(expected, actual))
end

local function each_sample(test)
  for name, sample in pairs(from_r.samples) do test(sample, name) end
end

describe("figures of one sample, against R", function()
  it("has its mean, median, standard deviation and MAD", function()
    each_sample(function(sample)
      close(sample.mean, stats.mean(sample.xs))
      close(sample.median, (stats.median(sample.xs)))
      close(sample.stdev, stats.stdev(sample.xs))
      close(sample.mad, stats.mad(sample.xs), 1e-11)
    end)
  end)

  it("has its percentiles (type 7)", function()
    each_sample(function(sample)
      for i, p in ipairs { 0, 5, 25, 50, 90, 95, 99, 100 } do
        close(sample.percentiles[i], stats.percentile(sample.xs, p))
      end
      assert.equal(sample.percentiles[1], stats.min(sample.xs))
      assert.equal(sample.percentiles[8], stats.max(sample.xs))
    end)
  end)

  it("has its order-statistic intervals of the median", function()
    each_sample(function(sample)
      for _, level in ipairs { 90, 95, 99 } do
        local expected = sample["median_" .. level]
        local _, low, high, coverage = stats.median(sample.xs, level / 100)
        if expected[1] then
          assert.equal(expected[1], low)
          assert.equal(expected[2], high)
          close(expected[3], coverage, 1e-11)
        else
          assert.is_nil(low)
          assert.is_nil(high)
          assert.matches("^need >= %d+ samples$", coverage)
        end
      end
    end)
  end)

  it("has its coefficient of variation and Vangel's interval of it", function()
    each_sample(function(sample)
      local cv, low, high = stats.cv(sample.xs)
      close(sample.cv[1], cv)
      close(sample.cv[2], low, 1e-10)
      close(sample.cv[3], high, 1e-10)
    end)
  end)

  it("has its fences and what lies beyond them", function()
    each_sample(function(sample)
      local indices, low, high = stats.tukey(sample.xs)
      assert.same(sample.fenced, indices)
      close(sample.fences[1], low)
      close(sample.fences[2], high)
    end)
  end)

  it("has the quantiles of the distributions beneath", function()
    local d = from_r.distributions
    for i, p in ipairs(d.ps) do
      close(d.normal[i], distribution.normal_quantile(p), 1e-9)
      for _, df in ipairs { 1, 4, 9, 99 } do
        close(d["chi_squared_" .. df][i], distribution.chi_squared_quantile(p, df), 1e-7)
      end
    end
    for _, df in ipairs { 1, 2, 4, 9, 99 } do
      for i, p in ipairs { 0.9, 0.975, 0.999 } do close(d["t_" .. df][i], distribution.t_quantile(p, df), 1e-9) end
    end
  end)
end)

describe("stats.sorted", function()
  it("leaves the list as it is and the numbers what they are", function()
    local mixed = { 3, 1.5, math.maxinteger, math.maxinteger - 1, -2 }
    local sorted = stats.sorted(mixed)
    for i, x in ipairs { -2, 1.5, 3, math.maxinteger - 1, math.maxinteger } do
      assert.equal(x, sorted[i])
      assert.equal(math.type(x), math.type(sorted[i]))
    end
    assert.same({ 3, 1.5, math.maxinteger, math.maxinteger - 1, -2 }, mixed)
    assert.same({ 0.5, 1.5, 2.5 }, table.move(stats.sorted { 2.5, 0.5, 1.5 }, 1, 3, 1, {}))
    assert.equal(0, #stats.sorted {})
  end)

  it("sorts once, and is what every figure is taken from", function()
    local sorted = stats.sorted { 5.0, 1.0, 4.0, 2.0, 3.0, 9.0 }
    assert.equal(sorted, stats.sorted(sorted))
    assert.same({ stats.median { 5.0, 1.0, 4.0, 2.0, 3.0, 9.0 } }, { stats.median(sorted) })
    assert.same({ stats.ratio_interval({ 5.0, 1.0, 4.0, 2.0, 3.0 }, { 3.0, 2.0, 4.0, 1.0, 5.0 }) },
      { stats.ratio_interval(stats.sorted { 5.0, 1.0, 4.0, 2.0, 3.0 }, stats.sorted { 3.0, 2.0, 4.0, 1.0, 5.0 }) })
  end)

  it("refuses what is no list of numbers, as all figures do", function()
    assert.error_matches(function() stats.sorted { 1, "2" } end, "stats.sorted: value 2 of the list is a string")
    assert.error_matches(function() stats.sorted { 0 / 0 } end, "stats.sorted: value 1 of the list is %-?nan")
  end)
end)

describe("two samples, against R and SciPy", function()
  it("has U and its exact p", function()
    for _, pair in pairs(from_r.pairs) do
      local test = stats.mann_whitney(pair.x, pair.y)
      assert.equal("exact", test.method)
      close(pair.u, test.u)
      close(pair.p, test.p, 1e-11)
    end
  end)

  it("has the exact p with ties", function()
    for _, pair in ipairs(from_scipy.tied) do
      local test = stats.mann_whitney(pair.x, pair.y)
      close(pair.u, test.u)
      close(pair.p, test.p, 1e-11)
      close(pair.p, stats.mann_whitney(pair.y, pair.x).p, 1e-11)
    end
  end)

  it("has the normal p of larger samples, ties corrected", function()
    local test = stats.mann_whitney(from_r.tied.x, from_r.tied.y)
    assert.equal("normal", test.method)
    close(from_r.tied.u, test.u)
    close(from_r.tied.p, test.p, 1e-10)
  end)

  it("has the shift and its interval", function()
    for _, pair in pairs(from_r.pairs) do
      local shift, low, high = stats.hodges_lehmann(pair.x, pair.y)
      close(pair.shift, shift, 1e-11)
      if #pair.x >= 4 then
        close(pair.interval[1], low, 1e-11)
        close(pair.interval[2], high, 1e-11)
      end
    end
  end)

  it("has Cliff's delta and its words", function()
    for _, pair in pairs(from_r.pairs) do close(pair.delta, (stats.cliffs_delta(pair.x, pair.y)), 1e-11) end
    local function word(below)
      local ys = {}
      for i = 1, 100 do ys[i] = i <= below and 0 or 2 end
      return select(2, stats.cliffs_delta({ 1 }, ys))
    end
    assert.equal("negligible", word(50))
    assert.equal("negligible", word(43))
    assert.equal("small", word(40))
    assert.equal("medium", word(30))
    assert.equal("large", word(20))
    assert.equal("large", word(100))
  end)

  it("has Holm's correction", function()
    for i, p in ipairs(stats.holm(from_r.holm.ps)) do close(from_r.holm.adjusted[i], p) end
    assert.same({}, stats.holm {})
  end)
end)

describe("drift, against R", function()
  it("has p and tau", function()
    for name, series in pairs(from_r.drift) do
      local test = stats.mann_kendall(series.xs)
      assert.equal(name == "tied" and "normal" or "exact", test.method)
      close(series.p, test.p, 1e-10)
      close(series.tau, test.tau, 1e-11)
    end
  end)

  it("names a trend only if it is significant", function()
    assert.equal("up", stats.mann_kendall(from_r.drift.rising.xs).trend)
    assert.is_nil(stats.mann_kendall(from_r.drift.none.xs).trend)
    assert.is_nil(stats.mann_kendall(from_r.drift.four.xs).trend)
    assert.equal("down", stats.mann_kendall({ 4, 3, 2, 1 }, 0.1).trend)
  end)
end)

describe("stats.bca", function()
  it("agrees with SciPy's, but for the chance of resampling", function()
    for _, case in ipairs(from_scipy.bca) do
      local low, high = stats.bca(case.xs, case.name, { resamples = 50000, seed = 3 })
      local width = case.high - case.low
      assert.is_true(math.abs(low - case.low) < 0.02 * width, ("low %g, not %g"):format(low, case.low))
      assert.is_true(math.abs(high - case.high) < 0.02 * width, ("high %g, not %g"):format(high, case.high))
    end
  end)

  it("gives functions what it gives their names", function()
    local xs = from_r.samples.far.xs
    for name, statistic in pairs {
      mean = stats.mean, stdev = stats.stdev, median = function(ys) return (stats.median(ys)) end,
    } do
      local low, high = stats.bca(xs, name, { seed = 9, resamples = 1000 })
      local low_of_function, high_of_function = stats.bca(xs, statistic, { seed = 9, resamples = 1000 })
      close(low, low_of_function, 1e-9)
      close(high, high_of_function, 1e-9)
    end
  end)

  it("depends on the seed and on nothing else", function()
    local xs = from_r.samples.large.xs
    local a, b = { stats.bca(xs, "mean", { seed = 1 }) }, { stats.bca(stats.shuffle(xs, 5), "mean", { seed = 1.0 }) }
    assert.same(a, b)
    assert.not_same(a, { stats.bca(xs, "mean", { seed = 2 }) })
    math.randomseed(42)
    local expected = math.random(0)
    math.randomseed(42)
    stats.bca(xs, "mean")
    stats.shuffle(xs, 1)
    assert.equal(expected, math.random(0))
  end)

  it("widens the interval of a small sample when asked to", function()
    local xs = from_r.samples.paper.xs
    local low, high = stats.bca(xs, "mean")
    local wide_low, wide_high = stats.bca(xs, "mean", { expanded = true })
    assert.is_true(wide_low < low and wide_high > high)
  end)

  it("says why there is no interval", function()
    assert.same({ n = 3, nil, nil, "need >= 5 samples" }, table.pack(stats.bca({ 1, 2, 3, 4 }, "mean")))
    local _, _, why = stats.bca({ 1, 2, 3, 4, 5 }, function() return 0 / 0 end)
    assert.equal("the statistic has no finite value for some resamples", why)
    local calls = 0
    _, _, why = stats.bca({ 1, 2, 3, 4, 5 }, function(xs)
      calls = calls + 1
      return calls == 1 and 9 or xs[1]
    end)
    assert.equal("all resamples lie on one side of the estimate", why)
  end)

  it("refuses what it cannot use, at the caller's line", function()
    for message, call in pairs {
      ["must be a function, 'mean', 'median' or 'stdev', not 'mode'"] = function() stats.bca({ 1 }, "mode") end,
      ["level must be between 0 and 1, not 95"] = function() stats.bca({ 1 }, "mean", { level = 95 }) end,
      ["seed must be a whole number"] = function() stats.bca({ 1 }, "mean", { seed = 1.5 }) end,
      ["resamples must be 100 or more, not 3"] = function() stats.bca({ 1 }, "mean", { resamples = 3 }) end,
    } do
      local ok, raised = pcall(call)
      assert.is_false(ok)
      assert.matches("stats_spec.lua:%d+: stats.bca: ", raised)
      assert.is_truthy(raised:find(message, 1, true), raised)
    end
  end)

  it("passes on an error of the statistic", function()
    assert.error_matches(function() stats.bca({ 1, 2, 3, 4, 5 }, function() error "mine" end) end, "mine")
  end)
end)

describe("stats.ratio_interval", function()
  local slow, fast = { 200, 202, 204, 198, 196, 201 }, { 100, 101, 102, 99, 98, 100.5 }

  it("covers the ratio", function()
    for _, statistic in ipairs { "mean", "median" } do
      local low, high = stats.ratio_interval(slow, fast, { statistic = statistic, seed = 2 })
      assert.is_true(low < 2 and 2 < high and high - low < 0.1)
    end
  end)

  it("resamples both sides independently", function()
    local low, high = stats.ratio_interval(slow, slow)
    assert.is_true(low < 1 and high > 1)
  end)

  it("says why there is none", function()
    assert.same({ n = 3, nil, nil, "need >= 5 samples" }, table.pack(stats.ratio_interval(slow, { 1, 2 })))
    assert.equal("a ratio to something that may be 0", select(3, stats.ratio_interval(slow, { 0, 0, 0, 0, 0, 1 })))
  end)
end)

describe("outliers", function()
  it("are flagged by place, side and rule", function()
    assert.same({ { index = 7, value = 1200.5, side = "high", kind = "both" } },
      stats.outliers(from_r.samples.far.xs))
    assert.same({}, stats.outliers(from_r.samples.six.xs))
    assert.same({ 1 }, (stats.modified_z { -40, 10, 11, 12, 13, 14 }))
    assert.equal("low", stats.outliers({ -40, 10, 11, 12, 13, 14 })[1].side)
  end)

  it("has the modified z-score of Iglewicz and Hoaglin's formula", function()
    local _, scores = stats.modified_z { 1, 2, 3, 4, 10 }
    close(0.6744897501960817 * 7 / 1, scores[5])
    close(0, scores[3])
  end)

  it("copes with a MAD of 0", function()
    local indices, scores = stats.modified_z(from_r.samples.equal_but_one.xs)
    assert.same({ 8 }, indices)
    close(4 / (0.5 * math.sqrt(math.pi / 2)), scores[8])
    assert.same({}, (stats.modified_z { 5, 5, 5, 5, 5 }))
  end)

  it("are not looked for in fewer than five values", function()
    assert.same({}, (stats.tukey { 1, 1, 1, 100 }))
    assert.same({}, (stats.modified_z { 1, 1, 1, 100 }))
    assert.same({}, stats.outliers { 1, 1, 1, 100 })
  end)
end)

describe("stats.bimodal", function()
  it("sees two groups", function()
    local xs = {}
    for i = 1, 12 do xs[i] = 100 + i % 4 end
    for i = 13, 20 do xs[i] = 150 + i % 3 end
    local two, groups = stats.bimodal(stats.shuffle(xs, 1))
    assert.is_true(two)
    assert.equal(12, groups[1].n)
    assert.equal(8, groups[2].n)
    close(101.5, groups[1].mean)
  end)

  it("does not take an outlier for a group", function()
    assert.is_false(stats.bimodal(from_r.samples.far.xs))
    assert.is_false((stats.bimodal { 7, 7, 7, 7, 7, 7, 7, 7, 7, 7 }))
  end)

  it("has no opinion on fewer than ten values", function()
    assert.is_nil(stats.bimodal { 1, 1, 1, 1, 9, 9, 9, 9, 9 })
  end)
end)

describe("adaptive sampling", function()
  it("has the interval's reach as a share of the median", function()
    close(5.2 / 65, stats.relative_halfwidth(from_r.samples.paper.xs))
    local none, why = stats.relative_halfwidth { 1, 2, 3 }
    assert.is_nil(none)
    assert.equal("need >= 6 samples", why)
    assert.is_nil((stats.relative_halfwidth { -1, -2, -3, -4, -5, -6 }))
    assert.is_nil((stats.relative_halfwidth { 0, 0, 0, 0, 0, 0 }))
  end)

  it("projects how many samples a narrower interval takes", function()
    assert.equal(40, stats.needed_samples(10, 2, 1))
    assert.equal(10, stats.needed_samples(10, 1, 2))
    assert.is_nil(stats.needed_samples(10, 1, 0))
    assert.is_nil(stats.needed_samples(10, 1, 1e-6))
  end)

  it("projects how many samples a test takes", function()
    assert.equal(6, stats.samples_to_decide({ 1, 2, 3 }, { 4, 5, 6 }))
    assert.is_nil(stats.samples_to_decide({ 1, 2, 3 }, { 1, 2, 3 }))
    assert.is_true(stats.samples_to_decide({ 1, 2, 3, 4, 5 }, { 2, 3, 4, 5, 6 }) > 20)
    assert.is_nil(stats.samples_to_decide({}, { 1 }))
  end)
end)

describe("small samples", function()
  it("have nothing at n = 0", function()
    local summary = stats.summary {}
    assert.same({ n = 0, level = 0.95, outliers = {} }, summary)
    for _, name in ipairs { "mean", "median", "stdev", "mad", "min", "max", "cv", "mann_kendall", "bimodal" } do
      assert.is_nil((stats[name] {}), name)
    end
    assert.is_nil(stats.percentile({}, 50))
    assert.is_nil(stats.mann_whitney({}, { 1 }))
    assert.is_nil(stats.mann_whitney({ 1 }, {}))
    assert.is_nil((stats.hodges_lehmann({}, { 1 })))
    assert.is_nil((stats.cliffs_delta({ 1 }, {})))
  end)

  it("have no spread at n = 1", function()
    assert.same({ n = 1, level = 0.95, outliers = {}, mean = 65.2, median = 65.2, min = 65.2, max = 65.2 },
      stats.summary { 65.2 })
    assert.is_nil(stats.stdev { 65.2 })
    assert.is_nil(stats.mad { 65.2 })
    assert.is_nil((stats.cv { 65.2 }))
  end)

  it("have no intervals at n = 2", function()
    local summary = stats.summary { 64, 66 }
    close(math.sqrt(2), summary.stdev)
    close(1, summary.mad)
    assert.is_nil(summary.mean_low)
    assert.is_nil(summary.median_low)
    assert.is_nil(summary.p90)
    assert.is_nil((select(2, stats.cv { 64, 66 })))
    local test = stats.mann_whitney({ 1, 2 }, { 3, 4 })
    close(1 / 3, test.p)
    close(1 / 3, test.smallest_p)
    local shift, low = stats.hodges_lehmann({ 1, 2 }, { 3, 4 })
    close(2, shift)
    assert.is_nil(low)
  end)

  it("have an interval of the mean at n = 5, of the median at n = 6", function()
    local five, six = stats.summary { 1, 2, 3, 4, 5 }, stats.summary { 1, 2, 3, 4, 5, 6 }
    assert.is_number(five.mean_low)
    assert.is_nil(five.median_low)
    assert.equal("need >= 6 samples", (select(4, stats.median { 1, 2, 3, 4, 5 })))
    assert.equal(1, six.median_low)
    assert.equal(6, six.median_high)
    close(1 - 2 / 64, six.median_level)
    assert.is_nil(six.p90)
  end)

  it("have percentiles only where a sample lies beyond them", function()
    local xs = {}
    for i = 1, 100 do
      xs[i] = i
      local summary = stats.summary(xs, { resamples = 100 })
      assert.equal(i >= 10, summary.p90 ~= nil)
      assert.equal(i >= 20, summary.p95 ~= nil and summary.p5 ~= nil)
      assert.equal(i >= 100, summary.p99 ~= nil)
    end
  end)

  it("may consist of equal values", function()
    local xs = { 7, 7, 7, 7, 7, 7, 7 }
    local summary = stats.summary(xs)
    for _, name in ipairs { "mean", "median", "mean_low", "mean_high", "median_low", "median_high", "min", "max" } do
      assert.equal(7, summary[name], name)
    end
    for _, name in ipairs { "stdev", "cv", "mad" } do assert.equal(0, summary[name], name) end
    assert.same({}, summary.outliers)
    assert.is_nil(stats.mann_kendall(xs))
    assert.equal(1, stats.mann_whitney(xs, xs).p)
    assert.same({ 0, 0, 0 }, { stats.hodges_lehmann(xs, xs) })
    assert.same({ 0, "negligible" }, { stats.cliffs_delta(xs, xs) })
    local many = {}
    for i = 1, 60 do many[i] = 7 end
    assert.equal(1, stats.mann_whitney(many, many).p)
  end)

  it("have no coefficient of variation around 0", function()
    assert.is_nil((stats.cv { -1, 1, 0 }))
    assert.is_nil(stats.summary({ -1, 1, 0 }).cv)
  end)
end)

describe("a list that is not one of finite numbers", function()
  it("is refused by every function, at the caller's line", function()
    for _, name in ipairs {
      "mean", "median", "stdev", "mad", "min", "max", "cv", "mann_kendall", "bimodal", "tukey", "modified_z", "summary",
      "relative_halfwidth", "outliers", "holm",
    } do
      for what, bad in pairs { ["value 2 of the list is %-?nan"] = { 1, 0 / 0 }, ["value 1 .* a string"] = { "1" },
        ["value 3 of the list is inf"] = { 1, 2, math.huge }, ["expected a list of numbers, not nil"] = false } do
        local ok, message = pcall(function() stats[name](bad or nil) end)
        assert.is_false(ok, name)
        assert.matches("stats_spec.lua:%d+: stats." .. name .. ": " .. what, message)
      end
    end
    for _, name in ipairs { "mann_whitney", "hodges_lehmann", "cliffs_delta", "ratio_interval", "samples_to_decide" } do
      assert.error_matches(function() stats[name]({ 1 }, { 1, "x" }) end, "stats." .. name .. ": value 2 of the list")
    end
  end)

  it("is refused with a percentile beyond 0 to 100, or a level beyond 0 to 1", function()
    assert.error_matches(function() stats.percentile({ 1 }, 101) end, "p must be from 0 to 100, not 101")
    assert.error_matches(function() stats.percentile({ 1 }, 0 / 0) end, "p must be from 0 to 100")
    assert.error_matches(function() stats.median({ 1 }, 1) end, "level must be between 0 and 1, not 1")
  end)
end)

local random = require "moonboot.random"
local scaling = require "moonboot.scaling"

local here = debug.getinfo(1, "S").source:match("^@(.*/)")
local from_r = dofile(here .. "reference/stats_r.lua").scaling

local function near(expected, actual, allowed)
  assert.is_number(actual)
  assert.is_true(math.abs(expected - actual) <= (allowed or 1e-9), ("%.12g, not %.12g"):format(actual, expected))
end

-- One time for each number of CPUs, or n scattered ones.
local function points(cpus, time, n, scatter)
  local list, rng = {}, random.new(1)
  for i, p in ipairs(cpus) do
    local times = {}
    for j = 1, n or 1 do times[j] = time(p, i) + (scatter or 0) * rng:normal() end
    list[i] = { cpus = p, times = times }
  end
  return list
end

local function amdahl(s) return function(p) return 100 * (s + (1 - s) / p) end end

local function usl(sigma, kappa)
  return function(p) return 100 * (1 + sigma * (p - 1) + kappa * p * (p - 1)) / p end
end

describe("scaling.fit", function()
  it("agrees with R's linear models", function()
    local a = scaling.fit(points(from_r.cpus, function(_, i) return from_r.amdahl.times[i] end)).amdahl
    near(from_r.amdahl.serial_fraction, a.serial_fraction)
    near(from_r.amdahl.t1_ms, a.t1_ms)
    near(from_r.amdahl.r2, a.r2)
    near(from_r.amdahl.residual_ms, a.residual_ms)
    for i, residual in ipairs(from_r.amdahl.residuals_ms) do near(residual, a.residuals_ms[i]) end
    local u = scaling.fit(points(from_r.cpus, function(_, i) return from_r.usl.times[i] end)).usl
    near(from_r.usl.sigma, u.sigma)
    near(from_r.usl.kappa, u.kappa)
    near(from_r.usl.r2, u.r2)
    near(from_r.usl.residual_ms, u.residual_ms)
  end)

  it("finds the parameters that made the times, in any order", function()
    for _, s in ipairs { 0, 0.05, 0.2, 0.7, 1 } do
      local fit = scaling.fit(points({ 8, 1, 4, 2 }, amdahl(s))).amdahl
      near(s, fit.serial_fraction)
      near(100, fit.t1_ms)
      near(0, fit.residual_ms, 1e-6)
    end
    local fit = scaling.fit(points({ 1, 2, 4, 8, 16 }, usl(0.1, 0.02))).usl
    near(0.1, fit.sigma)
    near(0.02, fit.kappa)
    near(math.sqrt(0.9 / 0.02), fit.peak_cpus, 1e-6)
    assert.is_nil(fit.at_bound)
  end)

  it("never has negative parameters, and says which bound holds", function()
    -- Faster than linear, and slower with every CPU.
    local fit = scaling.fit(points({ 1, 2, 4, 8 }, function(p) return 100 / p ^ 1.3 end))
    assert.equal(0, fit.amdahl.serial_fraction)
    assert.same({ "serial_fraction" }, fit.amdahl.at_bound)
    assert.same({ "sigma", "kappa" }, fit.usl.at_bound)
    assert.is_nil(fit.usl.peak_cpus)
    fit = scaling.fit(points({ 1, 2, 4, 8 }, function(p) return 100 + 5 * p end))
    assert.equal(1, fit.amdahl.serial_fraction)
    assert.same({ "parallel part" }, fit.amdahl.at_bound)
    assert.equal(1, fit.usl.peak_cpus)
  end)

  it("has speed-up and efficiency against the fewest CPUs", function()
    local fit = scaling.fit(points({ 4, 2, 8 }, function(p) return 120 / p end))
    assert.equal(2, fit.reference_cpus)
    assert.same({ 2, 4, 8 }, { fit.points[1].cpus, fit.points[2].cpus, fit.points[3].cpus })
    near(1, fit.points[1].speedup)
    near(4, fit.points[3].speedup)
    near(1, fit.points[3].efficiency)
    near(0, fit.points[3].karp_flatt)
    assert.is_nil(fit.points[1].karp_flatt)
    fit = scaling.fit(points({ 1, 4 }, amdahl(0.25)))
    near(0.25, fit.points[2].karp_flatt)
    near(1 / (0.25 + 0.75 / 4), fit.points[2].speedup)
  end)

  it("has intervals that cover the truth, given five samples each", function()
    local fit = scaling.fit(points({ 1, 2, 4, 8 }, amdahl(0.2), 12, 0.8), { seed = 5 })
    local four = fit.points[3]
    assert.is_true(four.speedup_low < 2.5 and 2.5 < four.speedup_high)
    assert.is_true(four.efficiency_low < 0.625 and 0.625 < four.efficiency_high)
    assert.is_true(fit.amdahl.serial_fraction_low < 0.2 and 0.2 < fit.amdahl.serial_fraction_high)
    assert.is_true(fit.amdahl.serial_fraction_high - fit.amdahl.serial_fraction_low < 0.05)
    assert.is_true(fit.usl.sigma_low <= fit.usl.sigma and fit.usl.sigma <= fit.usl.sigma_high)
    fit = scaling.fit(points({ 1, 2, 4, 8 }, amdahl(0.2), 4, 0.8))
    assert.is_nil(fit.points[3].speedup_low)
    assert.is_nil(fit.amdahl.serial_fraction_low)
    assert.is_number(fit.amdahl.serial_fraction)
  end)

  it("is the same for the same seed", function()
    local list = points({ 1, 2, 4 }, amdahl(0.3), 6, 2)
    assert.same(scaling.fit(list, { seed = 3 }), scaling.fit(list, { seed = 3 }))
    assert.not_same(scaling.fit(list, { seed = 3 }), scaling.fit(list, { seed = 4 }))
  end)

  it("holds nothing but finite numbers", function()
    local function finite(t)
      for key, value in pairs(t) do
        if type(value) == "table" then finite(value) end
        if type(value) == "number" then assert.is_true(value - value == 0, key) end
      end
    end
    for _, time in ipairs { amdahl(0.2), amdahl(1), usl(1, 1), function() return 5 end, function(p) return p ^ 3 end,
      function(p) return 1e-6 / p end, function(p) return 1e9 / p end } do
      for _, n in ipairs { 1, 6 } do finite(scaling.fit(points({ 1, 2, 3, 64 }, time, n))) end
    end
  end)

  it("has no r2 where all times are equal", function()
    local fit = scaling.fit(points({ 1, 2, 4 }, function() return 65 end)).amdahl
    near(1, fit.serial_fraction)
    assert.is_nil(fit.r2)
  end)

  it("says what is lacking", function()
    for _, list in ipairs { {}, points({ 4 }, amdahl(0.1)), points({ 2, 2 }, amdahl(0.1)),
      { { cpus = 1, times = { 5 } }, { cpus = 2, times = {} } } } do
      local none, why = scaling.fit(list)
      assert.is_nil(none)
      assert.equal("need >= 2 configurations with different numbers of CPUs", why)
    end
    local two = scaling.fit(points({ 1, 2 }, amdahl(0.1)))
    assert.is_nil(two.amdahl)
    assert.equal("need >= 3 configurations with different numbers of CPUs, there are 2", two.amdahl_reason)
    local three = scaling.fit(points({ 1, 2, 4 }, amdahl(0.1)))
    assert.is_table(three.amdahl)
    assert.is_nil(three.amdahl_reason)
    assert.equal("need >= 4 configurations with different numbers of CPUs, there are 3", three.usl_reason)
  end)

  it("refuses what is no point, at the caller's line", function()
    for message, list in pairs {
      ["point 1: cpus must be a whole number above 0"] = { { cpus = 0, times = { 1 } } },
      ["point 2: cpus must be"] = { { cpus = 1, times = { 1 } }, { times = { 1 } } },
      ["point 1 has no list of times"] = { { cpus = 1 } },
      ["point 1: time 2 is 0, not a number above 0"] = { { cpus = 1, times = { 1, 0 } } },
      ["point 1: time 1 is %-?nan"] = { { cpus = 1, times = { 0 / 0 } } },
      ["expected a list"] = false,
    } do
      local ok, raised = pcall(function() scaling.fit(list or nil) end)
      assert.is_false(ok)
      assert.matches("scaling_spec.lua:%d+: scaling.fit: " .. message, raised)
    end
  end)
end)

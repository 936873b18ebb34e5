local baseline = require "moonboot.baseline"
local stats = require "moonboot.stats"

local function status(claim, measured) return baseline.compare(claim, stats.summary { measured }).status end

describe("baseline.compare", function()
  it("decides by the size of the error, either way", function()
    assert.equal("VERIFIED", status(65, 65))
    assert.equal("VERIFIED", status(100, 109.99))
    assert.equal("VERIFIED", status(100, 90.01))
    assert.equal("PLAUSIBLE", status(100, 110))
    assert.equal("PLAUSIBLE", status(100, 90))
    assert.equal("PLAUSIBLE", status(0.1, 0.11))
    assert.equal("PLAUSIBLE", status(100, 119.99))
    assert.equal("NEEDS_VALIDATION", status(100, 120))
    assert.equal("NEEDS_VALIDATION", status(65, 180000))
  end)

  it("has the figures, signed", function()
    local compared = baseline.compare(65, stats.summary { 66, 66, 66, 66, 66 })
    assert.equal(65, compared.estimated_ms)
    assert.equal(66, compared.measured_ms)
    assert.equal(5, compared.n)
    assert.is_true(math.abs(compared.error_percent - 1.5384615384615385) < 1e-12)
    assert.is_true(baseline.compare(70, stats.summary { 65 }).error_percent < 0)
  end)

  it("says whether the claim lies in the interval, if there is one", function()
    local xs = { 63.0, 70.2, 65.1, 64.9, 66.8, 65.0, 64.2 }
    local compared = baseline.compare(65, stats.summary(xs))
    assert.is_true(compared.inside_interval)
    assert.is_true(compared.measured_low_ms < 65 and compared.measured_high_ms > 66)
    assert.is_false(baseline.compare(60, stats.summary(xs)).inside_interval)
    assert.is_nil(baseline.compare(65, stats.summary { 64, 66 }).inside_interval)
  end)

  it("compares nothing with nothing", function()
    local none, why = baseline.compare(65, stats.summary {})
    assert.is_nil(none)
    assert.equal("nothing was measured", why)
  end)

  it("refuses a claim that is no time", function()
    for _, claim in ipairs { 0, -1, 0 / 0, math.huge, "65" } do
      local _, raised = pcall(function() baseline.compare(claim, stats.summary { 1 }) end)
      assert.matches("baseline_spec.lua:%d+: baseline.compare: a claim is a time above 0 ms", raised)
    end
  end)
end)

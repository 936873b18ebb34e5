local acceptance = require "moonboot.acceptance"

local function sample(index, boot_time_ms, more)
  local s = { status = "ok", index = index, boot_time_ms = boot_time_ms, marker_count = 8, log_bytes = 20000 }
  for key, value in pairs(more or {}) do s[key] = value end
  return s
end

local function results(samples, more)
  local c = { key = "cpu_2", cpus = 2, settings = { cpus = 2 }, samples = samples }
  for key, value in pairs(more or {}) do c[key] = value end
  return { order = { "cpu_2" }, cpu_2 = c }
end

local six = { sample(1, 65), sample(2, 65.5), sample(3, 64.8), sample(4, 65.2), sample(5, 65.1), sample(6, 64.9) }
local timeout = { status = "timeout", index = 7, marker_count = 2, log_bytes = 400 }
local with_timeout = { table.unpack(six) }
with_timeout[7] = timeout

local function item(accept, r)
  local list = acceptance.check(accept, r)
  assert.equal(1, #list)
  return list[1]
end

describe("the criterion", function()
  it("all_ok counts the samples that are not", function()
    assert.same({ name = "all_ok", met = true, value = 6, limit = 6, figure = "6 of 6", wanted = "all" },
      item({ all_ok = true }, results(six)))
    assert.is_false(item({ all_ok = true }, results(with_timeout)).met)
    assert.is_nil(item({ all_ok = true }, results({})).met)
  end)

  it("min_samples counts those that are ok", function()
    assert.is_true(item({ min_samples = 6 }, results(with_timeout)).met)
    local few = item({ min_samples = 7 }, results(with_timeout))
    assert.same({ false, "6 (cpu_2)", "at least 7" }, { few.met, few.figure, few.wanted })
  end)

  it("min_markers and min_log_bytes look at every sample", function()
    assert.is_true(item({ min_markers = 5 }, results(six)).met)
    assert.same({ name = "min_markers", met = false, value = 2, limit = 5, figure = "2 (cpu_2 sample 7)",
      wanted = "at least 5" }, item({ min_markers = 5 }, results(with_timeout)))
    assert.equal("400 (cpu_2 sample 7)", item({ min_log_bytes = 10240 }, results(with_timeout)).figure)
  end)

  it("is neither met nor failed where a figure is unknown", function()
    local unknown = { sample(1, 65), { status = "ok", index = 2, boot_time_ms = 65, marker_count = 8 } }
    local known = item({ min_log_bytes = 10240 }, results(unknown))
    assert.is_nil(known.met)
    assert.equal("20000 (cpu_2 sample 1), unknown for cpu_2 sample 2", known.figure)
    assert.is_false(item({ min_log_bytes = 30000 }, results(unknown)).met)
    assert.equal("nothing to judge", item({ min_log_bytes = 1 }, results({})).figure)
  end)

  it("cv and ci are shares", function()
    local cv = item({ cv = 0.05 }, results(six))
    assert.is_true(cv.met)
    assert.matches("^0%.%d%d %% %(cpu_2%)$", cv.figure)
    assert.equal("below 5.00 %", cv.wanted)
    assert.is_false(item({ cv = 0.001 }, results(six)).met)
    assert.is_true(item({ ci = 0.02 }, results(six)).met)
    assert.is_false(item({ ci = 0.001 }, results(six)).met)
    local few = item({ ci = 0.02 }, results({ sample(1, 65) }))
    assert.is_nil(few.met)
    assert.equal("unknown for cpu_2 (need >= 6 samples)", few.figure)
  end)

  it("max_error_percent takes the size of the error", function()
    local compared = { whitepaper_comparison = { error_percent = -12.5 } }
    assert.is_false(item({ max_error_percent = 10 }, results(six, compared)).met)
    assert.is_true(item({ max_error_percent = 13 }, results(six, compared)).met)
    assert.is_nil(item({ max_error_percent = 13 }, results(six)).met)
  end)

  it("guest_cpus wants every CPU brought up", function()
    assert.is_true(item({ guest_cpus = true }, results(six, { guest_cpus = 2 })).met)
    local one = item({ guest_cpus = true }, results(six, { guest_cpus = 1 }))
    assert.same({ false, "1 of 2 (cpu_2)" }, { one.met, one.figure })
    local unknown = item({ guest_cpus = true }, results(six))
    assert.is_nil(unknown.met)
    assert.matches("^unknown for cpu_2", unknown.figure)
  end)

  it("hypotheses wants all of them supported", function()
    local function met(...)
      local r = results(six)
      r.hypotheses = {}
      for i, verdict in ipairs { ... } do r.hypotheses[i] = { verdict = verdict } end
      return item({ hypotheses = true }, r).met
    end
    assert.is_true(met("SUPPORTED", "SUPPORTED"))
    assert.is_nil(met("SUPPORTED", "UNDECIDED"))
    assert.is_false(met("REJECTED", "UNDECIDED"))
    assert.is_nil(met())
  end)
end)

describe("a checklist", function()
  it("has a fixed order and leaves out what is not asked for", function()
    local names = {}
    for i, entry in ipairs(acceptance.check({ cv = 0.05, min_markers = 5, all_ok = true, guest_cpus = false },
      results(six))) do names[i] = entry.name end
    assert.same({ "all_ok", "min_markers", "cv" }, names)
    assert.same({}, acceptance.check({}, results(six)))
  end)

  it("is met as a whole, or not, or nobody knows", function()
    assert.is_true(acceptance.met {})
    assert.is_true(acceptance.met { { met = true }, { met = true } })
    assert.is_false(acceptance.met { { met = nil }, { met = false }, { met = true } })
    assert.is_nil(acceptance.met { { met = true }, { met = nil } })
  end)

  it("refuses unknown keys with the nearest valid one, and wrong values", function()
    for message, accept in pairs {
      ["unknown key 'min_marker' in accept (did you mean 'min_markers'?)"] = { min_marker = 5 },
      ["'cv' in accept must be a number, not '5 %'"] = { cv = "5 %" },
      ["'cv' in accept must be above 0"] = { cv = 0 },
      ["'min_samples' in accept must be at least 1, not 0"] = { min_samples = 0 },
    } do
      local none, why = acceptance.normalise(accept)
      assert.is_nil(none)
      assert.equal(message, why)
      local _, raised = pcall(function() return (acceptance.check(accept, results(six))) end)
      assert.equal(message, raised:match("acceptance_spec.lua:%d+: (.*)$"))
    end
    local _, _, key = acceptance.normalise { min_marker = 5 }
    assert.equal("min_marker", key)
  end)
end)

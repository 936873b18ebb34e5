local analysis = require "moonboot.analysis"
local journals = require "tests.stdlib.support.journals"
local random = require "moonboot.random"
local report = require "moonboot.report"

-- Boots of which one phase is alike everywhere, one is shared by all CPUs, one grows with them and one is noise.
local function sweep(options)
  local rng = random.new(options.seed or 7)
  local function sample(key, index, order)
    local p = math.tointeger(tonumber(key:match "%d+"))
    local function near(x) return x * (1 + 0.01 * rng:normal()) end
    local at, markers = 50, {}
    local function mark(name, after)
      at = at + after
      markers[#markers + 1] = { name = name, t_ns = math.floor(at * 1e6) }
    end
    mark("kernel_starts", near(10))
    mark("memory", near(20))
    mark("drivers", near(10 + 90 / p))
    mark("services", near(4 * p))
    mark("login", options.still and 0 or 5 * (1 + 0.5 * math.abs(rng:normal())))
    return journals.sample(key, index, order, { markers = markers, guest_cpus = tostring(p) })
  end
  return analysis.results(journals.sweep { cpus = options.cpus or { 1, 2, 4 }, n = options.n or 10, sample = sample,
    run = { host = { cores = options.cores or 8 } } })
end

local function phase(results, name)
  for _, row in ipairs(results.scaling.groups[1].phases) do
    if row.name == name then return row end
  end
end

describe("phases along the number of CPUs", function()
  it("scale, do not, slow down, or are not decided", function()
    local results = sweep {}
    for name, verdict in pairs { ["kernel_starts -> memory"] = "does_not_scale", ["memory -> drivers"] = "scales",
      ["drivers -> services"] = "slows", ["services -> login"] = "undecided" } do
      local gain = phase(results, name).gain
      assert.equal(verdict, gain.verdict, name)
      assert.equal("cpu_4", gain.key)
      assert.is_true(gain.p_adjusted >= gain.p)
      assert.is_true(gain.speedup_low <= gain.speedup and gain.speedup <= gain.speedup_high)
    end
    local text = report.render(results, "text")
    for _, line in ipairs {
      "kernel_starts %-> memory%s+1%.0%dx.- does not scale", "memory %-> drivers%s+3%.%d+x.- scales",
      "drivers %-> services%s+0%.2%dx.- slower with more CPUs",
    } do
      assert.matches(line, text)
    end
  end)

  it("are compared at the largest configuration that tells of the guest", function()
    local results = sweep { cpus = { 1, 2, 4, 8 }, cores = 2 }
    assert.equal("cpu_2", phase(results, "memory -> drivers").gain.key)
    assert.is_nil(phase(sweep { cores = 1 }, "memory -> drivers").gain)
  end)

  it("have fits of their own, with intervals and residuals", function()
    local results = sweep { cpus = { 1, 2, 4, 8 } }
    local fits = phase(results, "memory -> drivers").fits
    assert.is_true(fits.amdahl.serial_fraction_low < 0.1 and 0.1 < fits.amdahl.serial_fraction_high)
    assert.equal(4, #fits.amdahl.residuals_ms)
    assert.same({ "cpu_1", "cpu_2", "cpu_4", "cpu_8" }, { table.unpack(fits.keys) })
    assert.is_number(fits.usl.sigma)
    assert.is_true(phase(results, "kernel_starts -> memory").fits.amdahl.serial_fraction > 0.95)
  end)

  it("say how many samples a verdict takes", function()
    local gain = phase(sweep { n = 3 }, "memory -> drivers").gain
    assert.equal("undecided", gain.verdict)
    assert.is_nil(gain.speedup_low)
    assert.equal(5, gain.needed_samples)
  end)

  it("with nothing in them have no speed-up and no fit", function()
    local row = phase(sweep { still = true }, "services -> login")
    assert.is_nil(row.gain)
    assert.is_nil(row.fits)
    for _, point in ipairs(row.points) do assert.is_nil(point.speedup) end
  end)
end)

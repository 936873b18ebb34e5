local files = require "moonboot.files"
local json = require "moonboot.json"
local report = require "moonboot.report"

describe("results of earlier tools", function()
  local folder

  before_each(function() folder = assert(files.make_temp_dir "/tmp/moonboot-spec-") end)
  after_each(function() files.remove(folder) end)

  local function load(results)
    local path = folder .. "/results.json"
    assert(files.write(path, json.encode(results)))
    return report.load(path)
  end

  local function sample(ms, markers)
    return { boot_time_ms = ms, boot_time_seconds = ms / 1000, marker_count = markers, markers = {}, success = true }
  end

  it("have no boot time, whatever they published", function()
    local results = assert(load {
      cpu_1 = {
        cpus = 1, samples = { sample(18, 0), sample(120017, 0), sample(45123, 4) },
        statistics = { mean_ms = 55052, stdev_ms = 1 },
        whitepaper_comparison = { estimated_ms = 65, measured_ms = 55052, status = "NEEDS_VALIDATION" },
      },
      cpu_2 = { cpus = 2, samples = { sample(64.8, 8) }, statistics = { mean_ms = 65 } },
    })
    assert.same({ "cpu_1", "cpu_2" }, setmetatable(results.order, nil))
    assert.equal(0, results.cpu_1.statistics.n)
    assert.is_nil(results.cpu_1.statistics.mean_ms)
    assert.same({ qemu_exit = 1, timeout = 1, missing_marker = 1 }, results.cpu_1.not_ok)
    assert.matches("120017 ms: a time%-out of 120 s", results.cpu_1.not_ok_reasons.timeout)
    assert.matches("18 ms: QEMU ended", results.cpu_1.not_ok_reasons.qemu_exit)
    assert.matches("65 ms: how long QEMU's process lived", results.cpu_2.not_ok_reasons.missing_marker)
    assert.equal(65, results.cpu_1.whitepaper_comparison.estimated_ms)
    assert.is_nil(results.cpu_1.whitepaper_comparison.measured_ms)
    local page = assert(report.render(results, "text"))
    assert.matches("none of which is a boot time", page)
    assert.is_nil(page:find("nan", 1, true))
  end)

  it("may be by CPU model", function()
    local results = assert(load {
      baseline = { cpu_model = "486", boot_times_ms = { 180017.3 } },
      multiprocessor = {
        ["486"] = { ["1"] = { samples = { 180025.5, 180024.9 } }, ["2"] = { samples = { 180023.7 } } },
      },
    })
    assert.equal(2, results["cpu_1.cpu_model_486"].not_ok.timeout)
    assert.matches("time%-out of 180 s", results["cpu_2.cpu_model_486"].not_ok_reasons.timeout)
  end)

  it("are not seen in other files", function()
    for _, other in ipairs { {}, { cpu_1 = "fast" }, { cpu_1 = { samples = 5 } }, { multiprocessor = { x = 1 } } } do
      local results, message = load(other)
      assert.is_nil(results)
      assert.matches("its schema is not stated, this version of moonboot reads moonboot%-results/1", message)
    end
  end)
end)

local analysis = require "moonboot.analysis"
local journals = require "tests.stdlib.support.journals"
local json = require "moonboot.json"
local layout = require "moonboot.layout.json"

local function written(records)
  return json.decode(layout(analysis.results(records)))
end

describe("layout json", function()
  it("has what scripts rely on", function()
    local results = written(journals.sweep { cpus = { 1, 2, 4 }, n = 5 })
    assert.equal("moonboot-results/1", results.schema)
    for _, cpus in ipairs { 1, 2, 4 } do
      local c = results["cpu_" .. cpus]
      assert.equal(cpus, c.cpus)
      assert.equal(5, #c.samples)
      assert.is_number(c.statistics.mean_ms)
      assert.equal(65, c.whitepaper_comparison.estimated_ms)
      assert.is_number(c.whitepaper_comparison.error_percent)
    end
    local sample = results.cpu_1.samples[1]
    assert.equal("ok", sample.status)
    assert.equal(6, sample.marker_count)
    assert.is_number(sample.markers.kernel_starts)
    assert.equal("boot-cpu_1-1.log", sample.log)
    assert.equal(1700000000123456789, sample.t0_realtime_ns)
    for _, name in ipairs { "experiment", "host", "scaling" } do assert.is_table(results[name]) end
  end)

  it("writes null for what is unknown", function()
    local results = written(journals.sweep { n = 2, sample = function(key, i, order)
      return journals.failed(key, i, order)
    end })
    local c = results.cpu_1
    for _, name in ipairs { "mean_ms", "median_ms", "min_ms", "max_ms", "stdev_ms", "cv", "median_low_ms" } do
      assert.equal(json.null, c.statistics[name])
    end
    assert.equal(json.null, c.samples[1].boot_time_ms)
    assert.equal(json.null, c.guest_cpus)
    assert.equal(json.null, c.whitepaper_comparison.measured_ms)
    assert.equal(json.null, c.whitepaper_comparison.status)
    assert.equal(0, c.statistics.n)
  end)

  it("does not change the results", function()
    local results = analysis.results(journals.sweep { n = 2 })
    layout(results)
    assert.is_nil(results.cpu_1.samples[1].reason)
    assert.is_nil(results.cpu_1.statistics.median_low_ms)
    assert.is_table(results.cpu_1.samples)
  end)

  it("is the same text for the same results, whatever order tables keep", function()
    local function text() return layout(analysis.results(journals.sweep { cpus = { 1, 2, 4, 8 }, n = 6 })) end
    assert.equal(text(), text())
  end)

  it("rounds to a nanosecond", function()
    local text = layout(analysis.results(journals.sweep { n = 3 }))
    assert.is_nil(text:find('"mean_ms": %d+%.%d%d%d%d%d%d%d'))
  end)

  it("says nothing of where the directory was", function()
    local results = analysis.results(journals.sweep { n = 1 })
    results.directory = "/secret/place"
    assert.is_nil(layout(results):find("/secret/place", 1, true))
  end)
end)

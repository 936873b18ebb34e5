local plot = require "moonboot.plot"

local function configuration(key, cpus, times, extra)
  local samples, low, high = {}, math.huge, 0
  for i, ms in ipairs(times) do
    samples[i] = { boot_time_ms = ms or nil, status = ms and "ok" or "timeout" }
    if ms then low, high = math.min(low, ms), math.max(high, ms) end
  end
  local c = { key = key, cpus = cpus, settings = { cpus = cpus }, samples = samples, phases = {},
    statistics = { n = #times, median_ms = times[2] or nil, min_ms = low, max_ms = high, failed = 0 } }
  for name, value in pairs(extra or {}) do c[name] = value end
  return c
end

describe("plot", function()
  local results

  before_each(function()
    results = {
      order = { "cpu_1", "cpu_2", "cpu_3" },
      experiment = { measure = { from = "a", to = "c" }, axes = { { name = "cpus" } } },
      cpu_1 = configuration("cpu_1", 1, { 90, 100, 110 }, {
        phases = { { name = "a -> b", median_ms = 75 }, { name = "b -> c", median_ms = 25 } },
      }),
      cpu_2 = configuration("cpu_2", 2, { 50, 50, false, 50 }),
      cpu_3 = configuration("cpu_3", 3, { false }),
    }
    results.cpu_2.statistics.failed, results.cpu_2.statistics.n = 1, 3
    results.cpu_3.statistics = { n = 0, failed = 1 }
  end)

  it("draws bars, samples and phases to scale", function()
    assert.equal([[
median boot time, a -> c
  1 CPU  █████████████████████████████████████████████ 100.00 ms (n 3)
  2 CPU  ██████████████████████▌ 50.00 ms (n 3, 1 not ok)
  3 CPU  no boot time (n 0, 1 not ok)

samples in run order, each between the lowest and the highest of its configuration
  1 CPU  ▁▅█  90.00 ms to 110.00 ms
  2 CPU  ▄▄×▄  50.00 ms to 50.00 ms
  3 CPU  ×

phases of 1 CPU, medians
  a -> b  ████████████████████████████████████████████████████████ 75.00 ms
  b -> c  ██████████████████▋ 25.00 ms
]], plot(results))
  end)

  it("fits the window", function()
    for width = 40, 120 do
      for shown in plot(results, { width = width }):gmatch("[^\n]+") do
        if not shown:find "^samples" then assert(utf8.len(shown) <= width, shown) end
      end
    end
  end)
end)

local analysis = require "moonboot.analysis"
local journals = require "tests.stdlib.support.journals"
local json = require "moonboot.json"

local function close_to(expected, actual, tolerance)
  assert.is_number(actual)
  assert.is_true(math.abs(expected - actual) <= (tolerance or 1e-6), ("%s is not near %s"):format(actual, expected))
end

-- Fails on NaN, infinity and anything that JSON cannot hold.
local function is_sound(results)
  assert.is_truthy(json.decode(require "moonboot.layout.json"(results)))
end

describe("analysis", function()
  it("gives one result per configuration, in plan order", function()
    local results = analysis.results(journals.sweep { cpus = { 1, 2, 4 }, n = 5 })
    assert.same({ "cpu_1", "cpu_2", "cpu_4" }, { table.unpack(results.order) })
    assert.equal("moonboot-results/1", results.schema)
    assert.equal(5, results.cpu_2.statistics.n)
    assert.equal(0, results.cpu_2.statistics.failed)
    assert.equal(15, results.experiment.samples_done)
    assert.equal(15, results.experiment.samples_planned)
    assert.is_true(results.experiment.complete)
    is_sound(results)
  end)

  it("takes the difference inside each sample, then puts samples together", function()
    local records = { journals.run { axes = {} }, journals.configuration("cpu_1", 1, {}) }
    -- The earliest start and the earliest end belong to different samples: their difference is no boot.
    local function boot(index, start_ms, end_ms)
      return journals.sample("cpu_1", index, index, { markers = {
        { name = "kernel_starts", t_ns = start_ms * 1000000 }, { name = "login", t_ns = end_ms * 1000000 } } })
    end
    records[3], records[4], records[5] = boot(1, 10, 110), boot(2, 50, 130), boot(3, 60, 150)
    local results = analysis.results(records)
    close_to(80, results.cpu_1.statistics.min_ms)
    close_to(90, results.cpu_1.statistics.median_ms)
    close_to(90, results.cpu_1.phases[1].median_ms)
  end)

  it("computes the phases that have names, wherever they lie", function()
    local results = assert(analysis.results(journals.sweep { n = 7, noise = 0, cpus = { 1 }, run = { phases = {
      { name = "loader", from = "t0", to = "kernel_starts" },
      { name = "kernel", from = "kernel_starts", to = "drivers" },
      { name = "never", from = "login", to = "shutdown" },
    } } }))
    local named = results.cpu_1.named_phases
    assert.same({ 2, "loader", "kernel" }, { #named, named[1].name, named[2].name })
    close_to(160, named[1].median_ms)
    close_to(45, named[2].median_ms)
    assert.same({ "kernel_starts", "drivers", 7 }, { named[2].from, named[2].to, named[2].n })
    local page = require "moonboot.layout.text"(results)
    assert.matches("loader: t0 %-> kernel_starts +160%.00 ", page)
  end)

  it("does not know how many CPUs a guest brought up that does not say it", function()
    local results = assert(analysis.results(journals.sweep { n = 3, sample = function(key, index, order, defaults)
      defaults.guest_cpus = nil
      return journals.sample(key, index, order, defaults)
    end }))
    assert.is_nil(results.cpu_2.guest_cpus)
    assert.matches("how many CPUs the guest brought up is not known %(no capture 'cpus'%): cpu_2;?",
      table.concat(results.caveats, ";"))
  end)

  it("computes phases from consecutive markers with their shares of the median total", function()
    local results = analysis.results(journals.sweep { cpus = { 1 }, n = 7, noise = 0 })
    local phases = results.cpu_1.phases
    local names = {}
    for i, phase in ipairs(phases) do names[i] = phase.name end
    assert.same({ "kernel_starts -> memory", "memory -> drivers", "drivers -> services", "services -> login" }, names)
    close_to(20, phases[1].median_ms)
    close_to(20 / 66, phases[1].share)
    assert.equal(7, phases[1].n)
    close_to(20, phases[1].median_low_ms)
  end)

  it("starts at t0 and ends at the last required marker unless told", function()
    local records = journals.sweep { cpus = { 1 }, n = 3, noise = 0, run = { measure = json.null } }
    local results = analysis.results(records)
    close_to(226, results.cpu_1.statistics.median_ms)
    assert.equal("t0 -> firmware", results.cpu_1.phases[1].name)
    assert.is_nil(results.cpu_1.named_phases)
  end)

  it("counts what is not ok beside n and never as a time", function()
    local results = analysis.results(journals.sweep { cpus = { 1 }, n = 4, sample = function(key, i, order, defaults)
      if i == 1 then return journals.failed(key, i, order, "timeout", defaults) end
      if i == 2 then return journals.failed(key, i, order, "no_output", { markers = {} }) end
      return journals.sample(key, i, order, defaults)
    end })
    local c = results.cpu_1
    assert.equal(2, c.statistics.n)
    assert.equal(2, c.statistics.failed)
    assert.same({ timeout = 1, no_output = 1 }, c.not_ok)
    assert.equal("missing login after 120 s", c.not_ok_reasons.timeout)
    for _, sample in ipairs(c.samples) do
      assert.equal(sample.status == "ok", sample.boot_time_ms ~= nil)
    end
    is_sound(results)
  end)

  it("gives no boot time to an ok sample that lacks a marker for it", function()
    local records = journals.sweep { cpus = { 1 }, n = 2, sample = function(key, i, order, defaults)
      defaults.skip = i == 1 and { "kernel_starts" } or nil
      return journals.sample(key, i, order, defaults)
    end }
    local c = analysis.results(records).cpu_1
    assert.equal(1, c.statistics.n)
    assert.equal("missing_marker", c.samples[1].status)
    assert.matches("kernel_starts", c.samples[1].reason)
  end)

  it("makes no figure of samples that all failed", function()
    local results = analysis.results(journals.sweep { n = 5, sample = function(key, i, order)
      return journals.failed(key, i, order)
    end })
    local s = results.cpu_1.statistics
    assert.equal(0, s.n)
    assert.equal(5, s.failed)
    for _, name in ipairs { "mean_ms", "median_ms", "min_ms", "max_ms", "stdev_ms", "cv" } do assert.is_nil(s[name]) end
    assert.is_nil(results.cpu_1.whitepaper_comparison.measured_ms)
    assert.is_nil(results.cpu_1.whitepaper_comparison.status)
    assert.equal(0, #results.cpu_1.phases)
    assert.equal(0, #results.scaling.groups[1].points)
    is_sound(results)
  end)

  it("makes no spread of one sample", function()
    local s = analysis.results(journals.sweep { cpus = { 1 }, n = 1 }).cpu_1.statistics
    assert.equal(1, s.n)
    assert.is_nil(s.stdev_ms)
    assert.is_nil(s.cv)
    assert.is_nil(s.median_low_ms)
  end)

  it("leaves warm-up samples out but counts them", function()
    local records = journals.sweep { cpus = { 1 }, n = 3 }
    table.insert(records, 3, journals.sample("cpu_1", 1, 0, { warmup = true, scale = 50 }))
    local c = analysis.results(records).cpu_1
    assert.equal(3, c.statistics.n)
    assert.equal(1, c.statistics.warmup)
    assert.is_true(c.statistics.max_ms < 100)
    assert.equal(1, #c.warmup_samples)
  end)

  it("keeps run order and flags outliers without dropping them", function()
    local records = journals.sweep { cpus = { 1 }, n = 12, sample = function(key, i, order, defaults)
      if i == 7 then defaults.scale = 3 end
      return journals.sample(key, i, order, defaults)
    end }
    -- Samples that ran side by side may be journalled out of order.
    records[3], records[4] = records[4], records[3]
    local c = analysis.results(records).cpu_1
    assert.equal(12, c.statistics.n)
    for i, sample in ipairs(c.samples) do
      if i > 1 then assert.is_true(c.samples[i - 1].order <= sample.order) end
      if sample.index == 7 then assert.equal("both", sample.outlier) end
    end
  end)

  describe("of several claims", function()
    local claims = {
      { name = "total", estimated_ms = 66, from = "kernel_starts", to = "login" },
      { name = "default", estimated_ms = 50, from = "kernel_starts", to = "drivers", source = "a paper" },
      { name = "whole", estimated_ms = 100 },
    }

    it("compares each over the markers it covers", function()
      local records = journals.sweep { cpus = { 1 }, n = 5, noise = 0, run = { baselines = claims } }
      local c = analysis.results(records).cpu_1
      assert.equal(3, #c.baselines)
      close_to(66, c.baselines[1].measured_ms)
      assert.equal("VERIFIED", c.baselines[1].status)
      close_to(45, c.whitepaper_comparison.measured_ms)
      close_to(-10, c.whitepaper_comparison.error_percent)
      assert.equal("PLAUSIBLE", c.whitepaper_comparison.status)
      assert.equal("a paper", c.whitepaper_comparison.source)
      assert.equal("kernel_starts", c.baselines[3].from)
      assert.equal("NEEDS_VALIDATION", c.baselines[3].status)
    end)

    it("has none where the experiment has none", function()
      local results = analysis.results(journals.sweep { run = { baselines = json.array() } })
      assert.is_nil(results.cpu_1.whitepaper_comparison)
      is_sound(results)
    end)
  end)

  describe("of scaling", function()
    it("is median over median, with efficiency", function()
      local results = analysis.results(journals.sweep { cpus = { 1, 2, 4 }, n = 6, noise = 0,
        run = { host = { cores = 8 } } })
      local group = results.scaling.groups[1]
      assert.equal("cpus", results.scaling.axis)
      assert.equal("cpu_1", group.reference)
      close_to(1 / 0.65, group.points[2].speedup, 1e-4)
      close_to(1 / 0.65 / 2, group.points[2].efficiency, 1e-4)
      close_to(0.3, group.fits.amdahl.serial_fraction, 1e-3)
      assert.is_nil(group.points[3].excluded)
    end)

    it("leaves oversubscribed configurations out of the fits", function()
      local results = analysis.results(journals.sweep { cpus = { 1, 2, 4, 8 }, n = 5,
        run = { host = { cores = 4 } } })
      assert.is_false(results.cpu_4.oversubscribed)
      assert.is_true(results.cpu_8.oversubscribed)
      local group = results.scaling.groups[1]
      assert.matches("oversubscribed: 8 vCPUs on 4", group.points[4].excluded)
      assert.equal(3, group.fits.configurations)
      assert.matches("left out of the fits: cpu_8", table.concat(group.notes, "\n"))
    end)

    it("says so when the guest brought up fewer CPUs than given", function()
      local results = analysis.results(journals.sweep { cpus = { 1, 2, 8 }, n = 5, run = { host = { cores = 16 } },
        guest_cpus = function() return 1 end })
      assert.equal(1, results.cpu_8.guest_cpus)
      local group = results.scaling.groups[1]
      assert.matches("the guest brought up 1 of 8 CPUs", group.points[3].excluded)
      assert.matches("the guest brought up 1 of 8 CPUs: this sweep shows what QEMU does, not how the guest scales",
        table.concat(group.notes, "\n"), 1, true)
      assert.is_nil(group.fits and group.fits.amdahl)
    end)

    it("refers to the first configuration that was measured", function()
      local results = analysis.results(journals.sweep { cpus = { 1, 2, 4 }, n = 3, sample = function(key, i, order, d)
        if key == "cpu_1" then return journals.failed(key, i, order) end
        return journals.sample(key, i, order, d)
      end })
      local group = results.scaling.groups[1]
      assert.equal("cpu_2", group.reference)
      close_to(1, group.points[1].efficiency)
      is_sound(results)
    end)

    it("treats each combination of other axes by itself", function()
      local axes = { { name = "cpus", values = { 1, 2 } }, { name = "memory", values = { "256M", "512M" } } }
      local records = { journals.run { axes = axes, samples = 2 } }
      local order = 0
      for _, memory in ipairs { "256M", "512M" } do
        for _, cpus in ipairs { 1, 2 } do
          local key = ("cpu_%d.memory_%s"):format(cpus, memory)
          records[#records + 1] = journals.configuration(key, #records, { cpus = cpus, memory = memory })
          for i = 1, 2 do
            order = order + 1
            records[#records + 1] = journals.sample(key, i, order, { scale = (memory == "512M" and 2 or 1) / cpus })
          end
        end
      end
      local groups = analysis.results(records).scaling.groups
      assert.equal(2, #groups)
      assert.same({ memory = "512M" }, groups[2].where)
      close_to(2, groups[2].points[2].speedup)
      close_to(132, groups[2].points[1].median_ms)
    end)

    it("works along an axis that is not cpus, without efficiency", function()
      local records = { journals.run { axes = { { name = "memory", values = { "512M", "1G" } } }, samples = 2 } }
      for i, memory in ipairs { "512M", "1G" } do
        records[#records + 1] = journals.configuration("memory_" .. memory, i, { memory = memory })
        records[#records + 1] = journals.sample("memory_" .. memory, 1, i, { scale = i })
      end
      local results = analysis.results(records)
      local points = results.scaling.groups[1].points
      assert.equal("memory", results.scaling.axis)
      assert.equal("512M", points[1].value)
      close_to(0.5, points[2].speedup)
      assert.is_nil(points[2].efficiency)
      is_sound(results)
    end)
  end)

  it("warns of figures that contradict each other", function()
    local results = analysis.results(journals.sweep { cpus = { 1 }, n = 6, sample = function(key, i, order, d)
      d.scale = i == 3 and 100 or 1
      return journals.sample(key, i, order, d)
    end })
    assert.matches("standard deviation", results.inconsistent[1])
  end)

  it("tells drift over the run", function()
    local results = analysis.results(journals.sweep { cpus = { 1 }, n = 15, sample = function(key, i, order, d)
      d.scale = 1 + i / 50
      return journals.sample(key, i, order, d)
    end })
    assert.equal("up", results.cpu_1.drift.trend)
    assert.matches("drift up", table.concat(results.caveats, "\n"))
  end)

  it("judges hypotheses and acceptance criteria", function()
    local results = analysis.results(journals.sweep { n = 8, run = {
      hypotheses = { { kind = "repeatability", cv = 0.05, name = "steady" } }, accept = { all_ok = true },
    } })
    assert.equal("SUPPORTED", results.hypotheses[1].verdict)
    assert.is_true(results.acceptance[1].met)
    is_sound(results)
  end)

  it("prefers the verdicts that the run itself wrote down", function()
    local records = journals.sweep { n = 2, conclusion = false,
      run = { hypotheses = { { kind = "custom", name = "x" } } } }
    records[#records + 1] = journals.conclusion { hypotheses = { { name = "x", verdict = "REJECTED" } } }
    assert.equal("REJECTED", analysis.results(records).hypotheses[1].verdict)
  end)

  it("says what is half done, interrupted, torn, redone or not understood", function()
    local function caveats(records, torn)
      local builder = analysis.new()
      for _, record in ipairs(records) do builder:add(record) end
      builder.torn = torn
      local results = builder:results()
      is_sound(results)
      return table.concat(results.caveats, "\n"), results
    end
    local half = journals.sweep { n = 3, conclusion = false }
    half[#half] = nil
    local text, results = caveats(half, true)
    assert.matches("not finished: 5 of 6 samples", text)
    assert.matches("cut off", text)
    assert.is_false(results.experiment.complete)
    half[#half + 1] = journals.conclusion { interrupted = true }
    half[#half + 1] = { type = "from-the-future" }
    half[#half + 1] = journals.sample("cpu_1", 1, 1)
    text, results = caveats(half)
    assert.matches("interrupted after 5 of 6", text)
    assert.matches("1 record of the journal not understood", text)
    assert.matches("1 sample recorded twice", text)
    assert.equal(3, results.cpu_1.statistics.n)
  end)

  it("counts flags and stamps of the wrong kind", function()
    local results = analysis.results(journals.sweep { n = 3, sample = function(key, i, order, d)
      local sample = journals.sample(key, i, order, d)
      sample.flags = i == 1 and { "clock_stepped" } or {}
      sample.consoles[1].clock_source = "read"
      return sample
    end })
    local text = table.concat(results.caveats, "\n")
    assert.matches("2 of 6 samples flagged clock_stepped", text)
    assert.matches("6 of 6 samples stamped when read", text)
  end)

  it("counts noisy samples by reason and keeps them", function()
    local results = analysis.results(journals.sweep { cpus = { 1 }, n = 3, sample = function(key, i, order, d)
      local sample = journals.sample(key, i, order, d)
      sample.disturbance = { pressure_share = i / 10, steal_share = json.null }
      if i > 1 then
        sample.flags = { "noisy" }
        sample.noise = { "pressure: tasks waited", i == 3 and "steal: taken" or nil }
      end
      return sample
    end })
    assert.equal(3, results.cpu_1.statistics.n)
    assert.same({ samples = 2, reasons = { pressure = 2, steal = 1 } }, results.cpu_1.noisy)
    assert.same({ "pressure: tasks waited", "steal: taken" }, results.cpu_1.samples[3].noise)
    assert.same({ pressure_share = 0.1 }, results.cpu_1.samples[1].disturbance)
    assert.equal(0.2, results.cpu_1.host_side.pressure_share)
    assert.matches("2 of 3 samples flagged noisy: something else", table.concat(results.caveats, "\n"))
  end)

  it("says what an adaptive run reached, and what it gave up on", function()
    local run = { adaptive = { min = 2, max = 6, until_ci = 0.1 } }
    local narrow = analysis.results(journals.sweep { cpus = { 1 }, n = 6, run = run })
    assert.is_true(narrow.cpu_1.precision.met)
    assert.is_true(narrow.cpu_1.precision.reached <= 0.1)
    local wide = analysis.results(journals.sweep { cpus = { 1 }, n = 6, noise = 1, run = run })
    assert.is_true(wide.cpu_1.precision.gave_up)
    local cut = { cpus = { 1 }, n = 6, noise = 1, run = run, conclusion = false }
    local unfinished = analysis.results(journals.sweep(cut))
    assert.is_false(unfinished.cpu_1.precision.gave_up)
    assert.is_nil(analysis.results(journals.sweep { n = 6 }).cpu_1.precision)
  end)

  it("marks virtual time and takes no speed-up from it", function()
    local results = analysis.results(journals.sweep { cpus = { 1, 2, 4 }, n = 2, run = { deterministic = true } })
    assert.equal("virtual", results.cpu_2.time)
    for i, point in ipairs(results.scaling.groups[1].points) do
      assert.equal(i > 1 and "virtual time: vCPUs run one after another" or nil, point.excluded)
    end
    local text = table.concat(results.caveats, "\n")
    assert.matches("all times are VIRTUAL", text)
    assert.is_nil(text:find("calibration", 1, true))
    assert.equal("real", analysis.results(journals.sweep {}).cpu_1.time)
  end)

  it("says which guarantees the host did not give", function()
    local function caveats(host)
      host.cores = 2
      return table.concat(analysis.results(journals.sweep { run = { host = host } }).caveats, "\n")
    end
    local poor = caveats { pressure_known = false, rights = {
      realtime = false, large_buffers = false, send_buffer_bytes = 212992,
    } }
    assert.matches("keeps no pressure figures", poor)
    assert.matches("no right to SCHED_FIFO", poor)
    assert.matches("only some 513 bytes ahead", poor)
    local rich = caveats { pressure_known = true, rights = { realtime = true, large_buffers = true } }
    for _, word in ipairs { "pressure", "SCHED_FIFO", "ahead" } do assert.is_nil(rich:find(word, 1, true)) end
  end)

  it("counts only the cores that may be used", function()
    local results = analysis.results(journals.sweep { run = { host = { cores = 8, cores_allowed = 1 } } })
    assert.is_true(results.cpu_2.oversubscribed)
    assert.is_false(results.cpu_1.oversubscribed)
  end)

  it("has no results without a header", function()
    local results, message = analysis.results { journals.sample("cpu_1", 1, 1) }
    assert.is_nil(results)
    assert.matches("no record of a run", message)
  end)

  it("gives the results of a header alone", function()
    local results = analysis.results { journals.run() }
    assert.equal(0, #results.order)
    is_sound(results)
  end)

  it("survives a journal full of nulls", function()
    local records = { { type = "run", name = "n", host = json.null, axes = json.null, rules = json.null,
      measure = json.null, baselines = json.null, samples = json.null } }
    records[2] = { type = "configuration", key = "cpu_1", settings = json.null, cpus = json.null }
    records[3] = { type = "sample", key = "cpu_1", status = "ok", markers = json.null, consoles = json.null,
      qemu = json.null, captures = json.null, flags = json.null, host_times_ns = json.null }
    local results = analysis.results(records)
    assert.equal(0, results.cpu_1.statistics.n)
    is_sound(results)
  end)

  it("tells the boot time of one record", function()
    local measured = { from = "kernel_starts", to = "login" }
    close_to(66, analysis.boot_time_ms(journals.sample("cpu_1", 1, 1), measured))
    assert.is_nil(analysis.boot_time_ms(journals.failed("cpu_1", 1, 1), measured))
  end)
end)

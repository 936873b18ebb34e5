local analysis = require "moonboot.analysis"
local journals = require "tests.stdlib.support.journals"
local json = require "moonboot.json"
local layout = require "moonboot.layout.text"

local function report(options)
  local text = layout(analysis.results(journals.sweep(options)))
  for line in text:gmatch("[^\n]*") do assert.is_true((utf8.len(line)) <= 100, "a long line: " .. line) end
  assert.is_nil(text:lower():find("%f[%a]nan%f[%A]"))
  assert.is_nil(text:find("%f[%a]inf%f[%A]"))
  return text
end

local function has(text, wanted)
  for line in text:gmatch("[^\n]+") do
    if line:gsub("^%s+", ""):sub(1, #wanted) == wanted then return end
  end
  error(("no line '%s' in:\n%s"):format(wanted, text), 2)
end

describe("layout text", function()
  it("has the lines people look for", function()
    local text = report { cpus = { 1, 2 }, n = 5, noise = 0 }
    for _, line in ipairs {
      "Mean:   66.00 ms", "Median: 66.00 ms  (95 % interval: need >= 6 samples)", "Min:    66.00 ms",
      "Max:    66.00 ms", "Stdev:  0.00 ms", "Whitepaper estimate: 65.00 ms", "Measured average: 66.00 ms",
      "Error: +1.5%", "Status: VERIFIED", "Samples: n = 5 ok, 0 not ok", "CPUs the guest brought up: 2 of 2",
      "KEY FINDINGS", "Boot Time by CPU Count", "1 CPU: 66.00 ms (± 0.00), median 66.00",
      "Scaling Efficiency (relative to 1 CPU)", "2 CPU: 1.54x speedup (77% efficiency)",
      "kernel_starts -> memory      20.00         -  30.3 %",
    } do has(text, line) end
  end)

  it("gives the interval of the median where there are samples enough", function()
    assert.matches("Median: %d+%.%d+ ms  %(95 %% interval %d", (report { n = 6 }))
  end)

  it("marks oversubscribed configurations", function()
    local text = report { cpus = { 1, 2, 8 }, n = 2 }
    has(text, "8 CPU  [oversubscribed: more vCPUs than host cores]")
    assert.matches("8 CPU: 2%.%d+x speedup %(%d+%% efficiency%)  %[oversubscribed%]", text)
  end)

  it("marks virtual time wherever a time stands", function()
    local text = report { n = 2, run = { deterministic = true } }
    has(text, "1 CPU [virtual time]")
    has(text, "Boot Time by CPU Count [virtual time]")
    has(text, "Scaling Efficiency (relative to 1 CPU) [virtual time]")
    assert.matches("Measured +kernel_starts %-> login, in VIRTUAL time", text)
  end)

  it("says which samples were noisy, how many boots ran at once, and what was given up", function()
    local text = report { cpus = { 1 }, n = 2, run = { jobs = 4, adaptive = { min = 2, max = 2, until_ci = 0.001 } },
      conclusion = false, sample = function(key, i, order, d)
        local sample = journals.sample(key, i, order, d)
        sample.noise = { "steal: the hypervisor took 9.0 % of a core away during the boot" }
        return sample
      end }
    has(text, "Noisy:   2 of 2 samples (2 steal): something else on the host disturbed them; they are kept")
    has(text, "Precision: not yet precise enough after 2 samples")
    assert.matches("Seed +1234, 4 boots at a time", text)
    assert.matches("Samples +2 of at most 2 planned", text)
  end)

  it("says how many are not ok and why", function()
    local text = report { cpus = { 1 }, n = 3, sample = function(key, i, order, d)
      if i == 2 then return journals.failed(key, i, order) end
      return journals.sample(key, i, order, d)
    end }
    has(text, "Samples: n = 2 ok, 1 not ok (1 timeout)")
    has(text, "timeout: missing login after 120 s")
  end)

  it("makes no figure where nothing was measured", function()
    local text = report { n = 2, sample = function(key, i, order) return journals.failed(key, i, order) end }
    has(text, "No boot time: no sample is ok.")
    has(text, "Measured average: unknown")
    has(text, "Status: unknown (nothing was measured)")
    assert.is_nil(text:find("Mean:"))
    assert.is_nil(text:find("120[%.,%d]* ms"), "the deadline became a time")
    assert.is_nil(text:find("speedup", 1, true))
  end)

  it("makes no spread of one sample", function()
    has(report { cpus = { 1 }, n = 1 }, "Stdev:  unknown (one sample)")
  end)

  it("titles other axes by their names", function()
    local records = { journals.run { axes = { { name = "memory", values = { "512M", "1G" } } }, samples = 1 } }
    for i, memory in ipairs { "512M", "1G" } do
      records[#records + 1] = journals.configuration("memory_" .. memory, i, { memory = memory })
      records[#records + 1] = journals.sample("memory_" .. memory, 1, i, { scale = i })
    end
    local text = layout(analysis.results(records))
    has(text, "Boot Time by memory")
    has(text, "memory 1G: 132.00 ms (one sample), median 132.00")
    has(text, "Speedup (relative to memory 512M)")
    has(text, "memory 1G: 0.50x speedup")
    assert.is_nil(text:find("efficiency", 1, true))
  end)

  it("shows phases too short for two decimals", function()
    local records = { journals.run { axes = json.array() }, journals.configuration("cpu_1", 1, {}) }
    records[3] = journals.sample("cpu_1", 1, 1, { markers = {
      { name = "kernel_starts", t_ns = 1000 }, { name = "memory", t_ns = 4000 },
      { name = "login", t_ns = 100000000 } } })
    has(layout(analysis.results(records)), "kernel_starts -> memory     0.0030")
  end)

  it("says first that a configuration has no marker, and what its log holds", function()
    local results = analysis.results(journals.sweep { cpus = { 1, 2 }, n = 1, sample = function(key, i, order, d)
      if key == "cpu_1" then return journals.sample(key, i, order, d) end
      return journals.failed(key, i, order, "timeout", { markers = {} })
    end })
    results.directory = "/tmp/run"
    results.cpu_2.silence = { bytes = 99, log = "boot-2cpu.log", first = { "\27[31mred\7", "two" }, last = { "end" } }
    local text = layout(results)
    local section = assert(text:find("NO MARKER WAS SEEN", 1, true))
    assert.is_true(section < text:find("1 CPU\n", 1, true))
    assert.is_nil(text:find("[\27\7]"))
    has(text, "| \\e[31mred\\x07")
    has(text, "| end")
    assert.is_truthy(text:find("moonboot mark /tmp/run/boot-2cpu.log --grammar GRAMMAR --trace", 1, true))
  end)

  it("says where else a guest with an empty log may be speaking", function()
    local results = analysis.results(journals.sweep { cpus = { 1 }, n = 1, sample = function(key, i, order)
      return journals.failed(key, i, order, "no_output", { markers = {} })
    end })
    results.cpu_1.silence = { bytes = 0, log = "boot-1cpu.log", first = {}, last = {} }
    local text = layout(results)
    for _, word in ipairs { "empty", "VGA", "console=ttyS0", "graphics=off" } do
      assert.is_truthy(text:find(word, 1, true), word)
    end
  end)

  it("escapes names that a script or a guest chose", function()
    local text = report { n = 1, run = { name = "a\27]0;x\7b", guest = "g\n\nFAKE", description = "\27[2J" } }
    assert.is_nil(text:find("[\27\7]"))
    assert.is_nil(text:find("\nFAKE"))
  end)

  it("says that a run is not finished", function()
    has(report { n = 2, conclusion = false, run = { samples = 5 } },
      "Samples    4 of 10 planned, 2 configurations, NOT FINISHED")
  end)

  it("lists hypotheses and acceptance criteria with their figures", function()
    local text = report { n = 8, run = { hypotheses = { { kind = "repeatability", name = "steady" } },
      accept = { all_ok = true, cv = 0.000001 } } }
    has(text, "SUPPORTED  steady")
    assert.matches("met%s+all_ok%s+16 of 16%s+wanted: all", text)
    assert.matches("NOT MET%s+cv", text)
  end)
end)

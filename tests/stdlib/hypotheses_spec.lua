local baseline = require "moonboot.baseline"
local hypotheses = require "moonboot.hypotheses"
local json = require "moonboot.json"
local random = require "moonboot.random"
local stats = require "moonboot.stats"

-- A configuration with boot times around a mean; `more` adds or replaces fields.
local function configuration(cpus, mean, scatter, n, more)
  local rng = random.new(cpus * 1000 + n)
  local samples, times = {}, {}
  for i = 1, n do
    times[i] = mean + scatter * rng:normal()
    samples[i] = { status = "ok", index = i, boot_time_ms = times[i] }
  end
  samples[n + 1] = { status = "timeout", index = n + 1 }
  local c = {
    key = "cpu_" .. cpus, cpus = cpus, settings = { cpus = cpus }, samples = samples,
    whitepaper_comparison = baseline.compare(65, stats.summary(times)) or { estimated_ms = 65, n = 0 },
  }
  for key, value in pairs(more or {}) do c[key] = value end
  return c
end

local function results(...)
  local r = { order = {}, experiment = {} }
  for i, c in ipairs { ... } do
    r.order[i], r[c.key] = c.key, c
  end
  return r
end

local function judge(h, r)
  return hypotheses.evaluate({ h }, r)[1]
end

describe("accuracy", function()
  it("is supported if the whole interval is within the limits", function()
    local verdict = judge(hypotheses.accuracy {}, results(configuration(1, 66, 1, 10)))
    assert.equal("error below 10 %", verdict.name)
    assert.equal("SUPPORTED", verdict.verdict)
    assert.matches("^cpu_1: 66%.%d%d ms against 65 ms, error %+%d%.%d %% %[[-+]%d%.%d, %+%d%.%d%]$", verdict.evidence)
    assert.matches("within 10 %% of the claim", verdict.test)
    assert.is_nil(verdict.more_samples)
  end)

  it("is rejected if the whole interval is outside, on either side", function()
    assert.equal("REJECTED", judge(hypotheses.accuracy {}, results(configuration(1, 90, 1, 10))).verdict)
    assert.equal("REJECTED", judge(hypotheses.accuracy {}, results(configuration(1, 40, 1, 10))).verdict)
  end)

  it("is undecided in between, and projects the samples that would decide", function()
    local verdict = judge(hypotheses.accuracy {}, results(configuration(1, 71, 4, 6)))
    assert.equal("UNDECIDED", verdict.verdict)
    assert.is_true(verdict.more_samples >= 1)
    local wide = judge(hypotheses.accuracy { below = 30 }, results(configuration(1, 71, 4, 6)))
    assert.equal("SUPPORTED", wide.verdict)
    assert.equal("error below 30 %", wide.name)
  end)

  it("asks for five samples", function()
    local verdict = judge(hypotheses.accuracy {}, results(configuration(1, 65, 1, 3)))
    assert.same({ "UNDECIDED", 2, "cpu_1: need >= 5 samples, there are 3" },
      { verdict.verdict, verdict.more_samples, verdict.evidence })
    assert.equal("cpu_1: need >= 5 samples, there is 1",
      judge(hypotheses.accuracy {}, results(configuration(1, 65, 1, 1))).evidence)
  end)

  it("asks every configuration, or one", function()
    local r = results(configuration(1, 65, 1, 8), configuration(2, 90, 1, 8))
    assert.equal("REJECTED", judge(hypotheses.accuracy {}, r).verdict)
    assert.equal("SUPPORTED", judge(hypotheses.accuracy { configuration = "cpu_1" }, r).verdict)
    assert.equal("UNDECIDED", judge(hypotheses.accuracy { configuration = "cpu_9" }, r).verdict)
  end)

  it("takes a baseline by name", function()
    local kernel = baseline.compare(35, stats.summary { 80, 81, 82, 80.5, 79 })
    kernel.name = "kernel"
    local r = results(configuration(1, 65, 1, 8, { baselines = { kernel } }))
    assert.equal("REJECTED", judge(hypotheses.accuracy { baseline = "kernel" }, r).verdict)
    local none = judge(hypotheses.accuracy { baseline = "total" }, r)
    assert.same({ "UNDECIDED", "no configuration has such a baseline" }, { none.verdict, none.evidence })
  end)
end)

describe("monotone", function()
  it("is supported if every step is significant", function()
    local verdict = judge(hypotheses.monotone {},
      results(configuration(4, 30, 1, 8), configuration(1, 100, 1, 8), configuration(2, 55, 1, 8)))
    assert.equal("SUPPORTED", verdict.verdict)
    assert.equal("boot time falls with cpus", verdict.name)
    assert.matches("^cpu_1 [%d.]+ ms, cpu_2 [%d.]+ ms %(p < 0.001%); cpu_2 [%d.]+ ms, cpu_4 [%d.]+ ms %(p < 0.001%)$",
      verdict.evidence)
    assert.matches("Mann%-Whitney U for each step, Holm", verdict.test)
  end)

  it("is rejected if a step is significant the wrong way", function()
    local r = results(configuration(1, 100, 1, 8), configuration(2, 55, 1, 8), configuration(4, 70, 1, 8))
    assert.equal("REJECTED", judge(hypotheses.monotone {}, r).verdict)
    r = results(configuration(1, 30, 1, 8), configuration(2, 55, 1, 8), configuration(4, 70, 1, 8))
    assert.equal("SUPPORTED", judge(hypotheses.monotone { direction = "rising" }, r).verdict)
  end)

  it("is undecided if times hardly differ, and says how many samples it takes", function()
    local r = results(configuration(1, 100, 2, 6), configuration(2, 99.3, 2, 6))
    local verdict = judge(hypotheses.monotone {}, r)
    assert.equal("UNDECIDED", verdict.verdict)
    assert.is_true(verdict.more_samples > 1)
  end)

  it("says what sample size the test needs at all", function()
    local verdict = judge(hypotheses.monotone {}, results(configuration(1, 100, 1, 3), configuration(2, 50, 1, 3)))
    assert.equal("UNDECIDED", verdict.verdict)
    assert.matches("%(p = 0.100, need >= 4 samples%)", verdict.evidence)
    assert.equal(3, verdict.more_samples)
    assert.equal("SUPPORTED",
      judge(hypotheses.monotone {}, results(configuration(1, 100, 1, 4), configuration(2, 50, 1, 4))).verdict)
  end)

  it("gives no number where nothing would decide", function()
    local a, b = configuration(1, 65, 0, 6), configuration(2, 65, 0, 6)
    local verdict = judge(hypotheses.monotone {}, results(a, b))
    assert.equal("UNDECIDED", verdict.verdict)
    assert.is_nil(verdict.more_samples)
  end)

  it("leaves out what says nothing about the guest, in words", function()
    local verdict = judge(hypotheses.monotone {}, results(configuration(1, 100, 1, 8),
      configuration(2, 99, 1, 8, { guest_cpus = 1 }), configuration(4, 98, 1, 8, { oversubscribed = true })))
    assert.equal("UNDECIDED", verdict.verdict)
    assert.equal("fewer than two configurations to compare; cpu_2 left out: the guest brought up 1 of 2 CPUs; "
      .. "cpu_4 left out: more vCPUs than host cores", verdict.evidence)
  end)

  it("keeps the other axes apart", function()
    local function at(cpus, memory, mean)
      local c = configuration(cpus, mean, 1, 8)
      c.key, c.settings.memory = c.key .. ".memory_" .. memory, memory
      return c
    end
    local r = results(at(1, "256M", 100), at(1, "512M", 50), at(2, "256M", 80), at(2, "512M", 40))
    local verdict = judge(hypotheses.monotone {}, r)
    assert.equal("SUPPORTED", verdict.verdict)
    assert.is_nil(verdict.evidence:find("cpu_2.memory_256M [%d.]+ ms, cpu_1.memory_512M"))
    assert.equal("SUPPORTED", judge(hypotheses.monotone { axis = "memory" }, r).verdict)
  end)

  it("copes with configurations without boot times", function()
    local verdict = judge(hypotheses.monotone {}, results(configuration(1, 100, 1, 8), configuration(2, 50, 1, 0)))
    assert.same({ "UNDECIDED", "cpu_2: no boot times" }, { verdict.verdict, verdict.evidence })
  end)
end)

describe("decreasing_efficiency", function()
  it("is about the CPU time", function()
    local r = results(configuration(1, 100, 1, 8), configuration(2, 60, 1, 8), configuration(4, 40, 1, 8))
    assert.equal("SUPPORTED", judge(hypotheses.decreasing_efficiency {}, r).verdict)
    r = results(configuration(1, 100, 1, 8), configuration(2, 40, 0.5, 8))
    assert.equal("REJECTED", judge(hypotheses.decreasing_efficiency {}, r).verdict)
    r = results(configuration(1, 100, 1, 8), configuration(2, 50, 0.5, 8))
    assert.equal("UNDECIDED", judge(hypotheses.decreasing_efficiency {}, r).verdict)
  end)

  it("leaves the results alone", function()
    local c = configuration(2, 60, 1, 8)
    local first = c.samples[1].boot_time_ms
    judge(hypotheses.decreasing_efficiency {}, results(configuration(1, 100, 1, 8), c))
    assert.equal(first, c.samples[1].boot_time_ms)
  end)
end)

describe("repeatability", function()
  it("compares the interval of the coefficient of variation with the limit", function()
    local function verdict(scatter, n)
      return judge(hypotheses.repeatability {}, results(configuration(1, 100, scatter, n)))
    end
    assert.equal("SUPPORTED", verdict(1, 10).verdict)
    assert.equal("REJECTED", verdict(30, 20).verdict)
    local open = verdict(4, 6)
    assert.equal("UNDECIDED", open.verdict)
    assert.is_true(open.more_samples > 0)
    assert.matches("^cpu_1: CV %d%.%d%d %% %[%d%.%d%d, %d+%.%d%d%]$", open.evidence)
    assert.same({ "UNDECIDED", 1 }, { verdict(1, 2).verdict, verdict(1, 2).more_samples })
    assert.same({ "UNDECIDED", 3 }, { verdict(1, 0).verdict, verdict(1, 0).more_samples })
  end)

  it("is rejected where the coefficient is too large for an interval", function()
    local c = configuration(1, 100, 1, 0)
    for i, t in ipairs { 65, 65, 65, 65, 180000 } do c.samples[i] = { status = "ok", boot_time_ms = t } end
    local verdict = judge(hypotheses.repeatability {}, results(c))
    assert.equal("REJECTED", verdict.verdict)
    assert.matches("too large for an interval", verdict.evidence)
  end)

  it("is undecided without configurations", function()
    assert.same({ "UNDECIDED", "there are no configurations" },
      { judge(hypotheses.repeatability {}, results()).verdict, judge(hypotheses.repeatability {}, results()).evidence })
  end)
end)

describe("a user's hypothesis", function()
  local r = results(configuration(1, 100, 1, 5))

  it("gives a boolean or a verdict, and evidence", function()
    local function verdict(value, evidence)
      local v = judge({ "mine", function(given)
        assert.equal(r, given)
        return value, evidence
      end }, r)
      assert.equal("mine", v.name)
      return v.verdict, v.evidence
    end
    assert.same({ "SUPPORTED", "seen" }, { verdict(true, "seen") })
    assert.same({ "REJECTED" }, { verdict(false) })
    assert.same({ "UNDECIDED", "5" }, { verdict("UNDECIDED", 5) })
    assert.same({ "UNDECIDED" }, { verdict(nil) })
    assert.matches("gave perhaps, not true", (select(2, verdict("perhaps"))))
  end)

  it("may fail without failing the report", function()
    local v = judge({ "mine", function(given) return given.cpu_2.cpus == 2 end }, r)
    assert.equal("UNDECIDED", v.verdict)
    assert.matches("the function failed: .*hypotheses_spec.lua:%d+: attempt to index", v.evidence)
  end)
end)

describe("the hypotheses of an experiment", function()
  it("stand in a list, or by name, names last", function()
    local normal = assert(hypotheses.normalise {
      hypotheses.repeatability { cv = 0.02 },
      { "mine", function() return true end },
      function() return true end,
      accuracy = { below = 5 },
      ["T falls"] = { kind = "monotone" },
      zebra = function() return false end,
    })
    local names = {}
    for i, h in ipairs(normal) do names[i] = h.name end
    local expected = "coefficient of variation below 2 %, mine, hypothesis 3, T falls, error below 5 %, zebra"
    assert.equal(expected, table.concat(names, ", "))
  end)

  it("go through a journal, but for their functions", function()
    local close = hypotheses.accuracy { below = 7.5, name = "close" }
    local list = hypotheses.normalise { close, { "mine", function() end } }
    local read = json.decode(json.encode(hypotheses.describe(list)))
    local verdicts = hypotheses.evaluate(read, results(configuration(1, 66, 1, 10)))
    assert.same({ "close", "SUPPORTED" }, { verdicts[1].name, verdicts[1].verdict })
    assert.same({ "mine", "UNDECIDED" }, { verdicts[2].name, verdicts[2].verdict })
    assert.matches("in the experiment's file", verdicts[2].evidence)
  end)

  it("are refused with the nearest valid key", function()
    for message, list in pairs {
      ["unknown hypothesis 'monotne' (did you mean 'monotone'?)"] = { monotne = {} },
      ["unknown key 'belo' in hypothesis 'accuracy' (did you mean 'below'?)"] = { accuracy = { belo = 3 } },
      ["'below' in hypothesis 'accuracy' must be above 0"] = { { kind = "accuracy", below = 0 } },
      ["hypothesis 1: neither a ready-made one nor { name, function }"] = { { below = 3 } },
      ["hypothesis 1 must be a function or a table, not string"] = { "monotone" },
      ["hypotheses must be a table, not a string"] = "monotone",
    } do
      local none, why = hypotheses.normalise(list)
      assert.is_nil(none)
      assert.equal(message, why)
    end
    local _, _, key = hypotheses.normalise { accuracy = { belo = 3 } }
    assert.equal("belo", key)
    local _, raised = pcall(function() return (hypotheses.monotone { direction = "down" }) end)
    assert.matches("hypotheses_spec.lua:%d+: 'direction' in hypothesis 'monotone' must be falling or rising", raised)
  end)
end)

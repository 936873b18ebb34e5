local experiment = require "moonboot.experiment"
local check = require "moonboot.check"

local here = debug.getinfo(1, "S").source:sub(2)

local function grammar(rules)
  return { rules = rules or { { name = "firmware", optional = true }, { name = "kernel_starts" }, { name = "memory" },
    { name = "shell_prompt" }, { name = "extra", optional = true } } }
end

local function spec(changes)
  local out = { name = "demo", grammar = grammar() }
  for key, value in pairs(changes or {}) do out[key] = value end
  return out
end

local function new(changes) return experiment.new(spec(changes)) end

local function refused(message, changes)
  local ok, why = pcall(function()
    local e = new(changes)
    return e
  end)
  assert.is_false(ok)
  assert.matches(message, why, 1, true)
  assert.matches("^[^\n]*experiment_spec.lua:%d+: ", why)
end

describe("experiment.new", function()
  it("fills in defaults", function()
    local e = new()
    assert.is_true(experiment.is(e))
    assert.is_false(experiment.is {})
    assert.equal("demo", e.guest)
    assert.same({ count = 5 }, e.samples)
    assert.equal(120, e.timeout)
    assert.equal(0, e.warmup)
    assert.same({ from = "kernel_starts", to = "shell_prompt" }, e.measure)
    assert.same({ "json", "text" }, e.report)
    assert.same({}, e.baselines)
    assert.same({}, e.hooks)
    assert.equal("image", e.per)
    assert.is_nil(e.install)
    assert.equal(1, e.jobs)
  end)

  it("takes the design's example", function()
    local e = new {
      name = "phase-7-5", guest = "minix",
      options = { iso = { "installation medium", type = "file", required = true } },
      machine = { arch = "i386", memory = "512M" },
      install = function() end,
      matrix = { cpus = { 1, 2, 4, 8 } },
      samples = 5,
      measure = { from = "kernel_starts", to = "shell_prompt" },
      baseline = { estimated_ms = 65, from = "kernel_starts", to = "shell_prompt" },
      report = { "json", "text" },
    }
    assert.same({ { name = "default", estimated_ms = 65, from = "kernel_starts", to = "shell_prompt" } }, e.baselines)
    assert.is_nil(e.baseline)
    assert.equal("--iso", e.options[1].flag)
    assert.equal(here, e.installer_source)
  end)

  it("collects hooks", function()
    local function hook() end
    assert.same({ on_sample = hook, prepare = hook }, new({ on_sample = hook, prepare = hook }).hooks)
  end)

  it("names unknown and ill-typed keys", function()
    refused("unknown key 'sample' in experiment (did you mean 'samples'?)", { sample = 5 })
    refused("'samples' in experiment must be an integer or a table, not 'five'", { samples = "five" })
    refused("'samples' in experiment must be at least 1, not 0", { samples = 0 })
    refused("'timeout' in experiment must be above 0, not -1", { timeout = -1 })
    refused("'on_sample' in experiment must be a function, not true", { on_sample = true })
    refused("'per' in experiment must be image or configuration", { per = "imge" })
    refused("'disk_size' in experiment must be a size", { disk_size = "big" })
    refused("'jobs' in experiment must be a number of boots at once, or 'auto'", { jobs = "many" })
    refused("'seed' in experiment must be an integer", { seed = "x" })
  end)

  it("blames the line of the key", function()
    local line = debug.getinfo(1, "l").currentline
    local ok, why = pcall(function()
      local e = experiment.new {
        name = "x",
        machine = {
          mem = "1G",
        },
        grammar = grammar(),
      }
      return e
    end)
    assert.is_false(ok)
    assert.equal(("%s:%d: unknown key 'mem' in machine (did you mean 'memory'?)"):format(here, line + 5), why)
  end)

  it("lets only names through that are safe in file names", function()
    refused("'name' in experiment becomes part of file names", { name = "../x" })
    refused("'name' in experiment becomes part of file names", { name = ".x" })
    refused("'guest' in experiment becomes part of file names", { guest = "a/b" })
    assert.has_error(function() experiment.new { grammar = grammar() } end)
  end)

  it("wants a grammar", function()
    local ok, why = pcall(function() local e = experiment.new { name = "x" } return e end)
    assert.is_false(ok)
    assert.matches("experiment has no 'grammar'", why)
    refused("must be made by mb.grammar", { grammar = {} })
    refused("the grammar has no rules", { grammar = grammar {} })
  end)

  it("measures between rules of the grammar", function()
    assert.same({ from = "firmware", to = "shell_prompt" }, new({ measure = { from = "firmware" } }).measure)
    refused("measure: 'to' is 'shel_prompt', which is no rule of the grammar (did you mean 'shell_prompt'?)",
      { measure = { to = "shel_prompt" } })
    refused("measure begins and ends with 'memory'", { measure = { from = "memory", to = "memory" } })
    refused("unknown key 'form' in measure (did you mean 'from'?)", { measure = { form = "memory" } })
    assert.same({ from = "a", to = "b" },
      new({ grammar = grammar { { name = "a", optional = true }, { name = "b", optional = true } } }).measure)
  end)

  it("takes one baseline or several", function()
    local e = new { baselines = { { estimated_ms = 65, source = "section 7.5" },
      { name = "kernel", estimated_ms = 35, to = "memory" } } }
    assert.same({
      { name = "default", estimated_ms = 65, from = "kernel_starts", to = "shell_prompt", source = "section 7.5" },
      { name = "kernel", estimated_ms = 35, from = "kernel_starts", to = "memory" },
    }, e.baselines)
    refused("baseline has no 'estimated_ms'", { baseline = {} })
    refused("'estimated_ms' in baseline must be above 0", { baseline = { estimated_ms = 0 } })
    refused("baseline: 'from' is 'x'", { baseline = { estimated_ms = 1, from = "x" } })
    assert.same({ { name = "loader", from = "t0", to = "kernel_starts" } },
      new { phases = { { name = "loader", from = "t0", to = "kernel_starts" } } }.phases)
    refused("phase 1: 'to' is 'kernel', which is no rule of the grammar",
      { phases = { { name = "loader", from = "t0", to = "kernel" } } })
    refused("two phases are called 'x'", { phases = { { name = "x", from = "t0", to = "memory" },
      { name = "x", from = "t0", to = "memory" } } })
    refused("'phases' must be a list of tables", { phases = { loader = { from = "t0", to = "memory" } } })
    refused("two baselines are called 'default'", { baselines = { { estimated_ms = 1 }, { estimated_ms = 2 } } })
    refused("not both", { baseline = { estimated_ms = 1 }, baselines = {} })
    refused("must be a list of tables", { baselines = { estimated_ms = 1 } })
  end)

  it("takes adaptive samples", function()
    assert.same({ min = 5, max = 50, until_ci = 0.02 }, new({ samples = { until_ci = 0.02 } }).samples)
    refused("samples has no 'until_ci'", { samples = { min = 3 } })
    refused("max (3) is below min (5)", { samples = { max = 3, until_ci = 0.1 } })
    refused("is a share of the median", { samples = { until_ci = 2 } })
  end)

  it("takes layouts by name or as functions", function()
    local function layout() end
    assert.same({ "text" }, new({ report = "text" }).report)
    assert.same({ "text", layout }, new({ report = { "text", layout } }).report)
    refused("'report' must be a list of layouts", { report = { 5 } })
  end)

  it("takes an installer with options of its own", function()
    local function run() end
    local e = new { install = { run = run, options = { iso = { "medium" }, user = { "login name" } } },
      options = { iso = { "the CD" } } }
    assert.equal(run, e.install)
    assert.equal("the CD", e.options[1].description)
    assert.equal("user", e.options[2].name)
    refused("install has no 'run'", { install = {} })
  end)

  it("checks options, machine and matrix at once", function()
    refused("must be string, file", { options = { iso = { "x", type = "flie" } } })
    refused("unknown key 'cpu' in machine", { machine = { cpu = 1 } })
    refused("matrix axis 'cpus' has no values", { matrix = { cpus = {} } })
  end)
end)

describe("experiment:resolve", function()
  local function resolve(changes, ...)
    return assert(new(changes):resolve(...))
  end

  local function fails(message, changes, ...)
    local good, why = new(changes):resolve(...)
    assert.is_nil(good)
    assert.matches(message, why, 1, true)
    return why
  end

  it("gives configurations with their machines", function()
    local e = resolve { machine = { memory = 256 }, matrix = { cpus = { 1, 4 }, memory = { "512M" } } }
    assert.is_true(e.resolved)
    assert.same({ { name = "cpus", values = { 1, 4 } }, { name = "memory", values = { "512M" } } }, e.axes)
    assert.equal(2, #e.configurations)
    local second = e.configurations[2]
    assert.equal("cpu_4.memory_512M", second.key)
    assert.equal("4cpu-memory_512M", second.label)
    assert.equal(4, second.machine.cpus)
    assert.equal("512M", second.machine.memory)
    assert.equal(1, e.machine.cpus)
    assert.has_error(function() e:resolve() end)
  end)

  it("leaves the experiment as it was", function()
    local e = new { matrix = { cpus = { 1 } } }
    local first = assert(e:resolve({}, { { name = "cpus", values = { 2 } } }, { samples = 2 }))
    assert.equal("cpu_2", first.configurations[1].key)
    assert.same({ count = 2 }, first.samples)
    assert.equal("cpu_1", assert(e:resolve()).configurations[1].key)
    assert.same({ count = 5 }, e.samples)
  end)

  it("names the single configuration after its vCPUs", function()
    assert.equal("cpu_2", resolve({ machine = { cpus = 2 } }).configurations[1].key)
  end)

  it("fills in options, and asks for those that are missing", function()
    local options = { iso = { "the medium", type = "file", required = true } }
    assert.same({ iso = here }, resolve({ options = options }, { iso = here }).option_values)
    assert.equal("experiment demo needs --iso FILE (the medium)", fails("", { options = options }))
    assert.matches("^option %-%-iso %(the medium%) cannot be read", fails("", { options = options }, { iso = "/no" }))
    assert.equal("experiment demo has no option 'sio' (did you mean 'iso'?)",
      fails("", { options = options }, { iso = here, sio = "x" }))
  end)

  it("calls machine and matrix with the option values", function()
    local e = resolve({
      options = { kernel = { "kernel" }, most = { "vCPUs", type = "integer", default = 2 } },
      machine = function(values, settings)
        return { kernel = values.kernel, append = "work=" .. settings.work, memory = 128 }
      end,
      matrix = function(values) return { cpus = { 1, values.most }, work = { 7 } } end,
    }, { kernel = "vmlinuz", most = "4" })
    assert.equal(4, e.configurations[2].machine.cpus)
    assert.equal("work=7", e.configurations[2].machine.append)
    assert.equal("cpu_4.work_7", e.configurations[2].key)
    assert.equal("vmlinuz", e.machine.kernel)
  end)

  it("says which function gave what is no table, or failed", function()
    fails("the function 'machine' must give a table that describes a machine, not a nil", { machine = function() end })
    fails("experiment_spec.lua", { matrix = function() error "boom" end })
    fails("boom", { matrix = function() error "boom" end })
    fails("unknown key 'mem' in machine", { machine = function() return { mem = 1 } end })
  end)

  it("replaces keys that depend on options", function()
    local e = resolve({
      options = { disk = { "disk", type = "string" } },
      install = function() end,
      timeout = 60,
      configure = function(values)
        return values.disk and { install = false, machine = { disk = values.disk }, timeout = 30 } or {}
      end,
    }, { disk = "a.qcow2" })
    assert.is_nil(e.install)
    assert.equal(30, e.timeout)
    assert.equal("qcow2", e.machine.disk[1].format)
    assert.equal("a.qcow2", e.option_values.disk)
    fails("unknown key 'tiemout' in experiment", { configure = function() return { tiemout = 1 } end })
  end)

  it("sets axes from the command line", function()
    local function set(name, ...) return { { name = name, values = { ... } } } end
    local changes = { matrix = { memory = { 128 } } }
    assert.same({ "cpu_2.memory_128", "cpu_4.memory_128" }, (function()
      local keys = {}
      for i, c in ipairs(resolve(changes, {}, set("cpus", 2, 4)).configurations) do keys[i] = c.key end
      return keys
    end)())
    assert.equal("486", resolve(changes, {}, set("cpu_model", 486)).machine.cpu_model)
    assert.equal("memory_64.cpu_1", resolve({ matrix = { { "memory", { 32 } }, { "cpus", { 1 } } } }, {},
      set("memory", 64)).configurations[1].key)
    assert.equal("--set cpu: no such axis or machine field (did you mean 'cpus'?)",
      fails("", changes, {}, set("cpu", 2)))
    assert.equal("--set cpus: 'cpus' in machine must be at least 1, not 0", fails("", changes, {}, set("cpus", 0)))
    assert.equal("--set: matrix axis 'cpus' has the value 1 twice", fails("", changes, {}, set("cpus", 1, 1)))
  end)

  it("takes overrides", function()
    local e = resolve({}, {}, {}, { samples = 3, warmup = 1, timeout = 9, seed = 4, jobs = 2, disk_size = "64M" })
    assert.same({ { count = 3 }, 1, 9, 4, 2, "64M" }, { e.samples, e.warmup, e.timeout, e.seed, e.jobs, e.disk_size })
    assert.same({ min = 5, max = 50, until_ci = 0.02 }, resolve({}, {}, {}, { until_ci = 0.02 }).samples)
    assert.same({ min = 5, max = 20, until_ci = 0.02 }, resolve({}, {}, {}, { until_ci = 0.02, samples = 20 }).samples)
    assert.equal("--samples must be at least 1, not 0", fails("", {}, {}, {}, { samples = 0 }))
    assert.matches("^%-%-until%-ci is a share", fails("", {}, {}, {}, { until_ci = 2 }))
  end)

  it("refuses an axis that makes no difference", function()
    fails("matrix axis 'cpu' is no machine field", { matrix = { cpu = { 1 } } })
    fails("(did you mean 'cpus'?)", { matrix = { cpu = { 1 } } })
    assert.equal("work_1", resolve({ matrix = { work = { 1 } }, prepare = function() end }).configurations[1].key)
  end)

  it("refuses a rule that listens to a console the machine lacks", function()
    local rules = { { name = "a", channel = "com1" }, { name = "b", channel = "com2" } }
    fails("rule 'b' of the grammar listens to com2, which the machine does not have (consoles: com1)",
      { grammar = grammar(rules) })
    assert.truthy(resolve { grammar = grammar(rules), machine = { consoles = 2 } })
    rules[2].optional = true
    rules[3] = { name = "c" }
    assert.truthy(resolve { grammar = grammar(rules) })
  end)

  it("keeps virtual and real time apart", function()
    local e = resolve { deterministic = true, matrix = { cpus = { 1, 2 } } }
    assert.is_true(e.deterministic)
    assert.is_true(e.configurations[2].machine.deterministic)
    assert.is_true(resolve({ machine = { deterministic = true } }).deterministic)
    assert.is_true(resolve({}, {}, {}, { deterministic = true }).machine.deterministic)
    assert.is_false(resolve().deterministic)
    fails("virtual and real time cannot be compared", { matrix = { deterministic = { true, false } } })
  end)

  it("names the script's line", function()
    local e = new { matrix = { cpus = { 0 } } }
    e.path = "/nowhere/demo.lua"
    assert.equal("/nowhere/demo.lua: 'cpus' in machine must be at least 1, not 0", select(2, e:resolve()))
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write('local mb = require "moonboot"\nreturn mb.experiment {\n  matrix = {\n    cpus = { 0 } } }\n')
    file:close()
    e.path = path
    local _, why = e:resolve()
    os.remove(path)
    assert.equal(path .. ":4: 'cpus' in machine must be at least 1, not 0", why)
  end)
end)

describe("a script that returns mb.experiment as a tail call", function()
  it("is still the one to blame", function()
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write('local mb = require "moonboot"\n\nreturn mb.experiment {\n  name = "x",\n  sample = 3,\n}\n')
    file:close()
    local ok, why = pcall(check.loading, path, loadfile(path))
    os.remove(path)
    assert.is_false(ok)
    assert.equal(path .. ":5: unknown key 'sample' in experiment (did you mean 'samples'?)", why)
  end)
end)

-- Several boots at once: which cores they and their drain threads run on, seen from outside; and disturbed ones.
local files = require "moonboot.files"
local host = require "moonboot.host"
local program = require "tests.system.support.program"
local rundir = require "tests.system.support.rundir"
local support = require "tests.system.support.sandbox"
local task = require "moonboot.task"

-- The cores that each thread of a process may run on: thread id -> name and list, as /proc shows them.
local function threads(pid)
  local list = {}
  for tid in files.entries(("/proc/%d/task"):format(pid)) do
    local status = files.read(("/proc/%d/task/%s/status"):format(pid, tid)) or ""
    local name, cores = status:match("^Name:\t([^\n]*)"), status:match("\nCpus_allowed_list:\t([^\n]*)")
    if cores then list[#list + 1] = { name = name, cores = cores } end
  end
  return list
end

-- The one core that every thread of a guest is bound to; nil while they are not all bound to one, or the vCPU has no
-- thread yet (QEMU has one for itself and one for RCU besides).
local function core_of(pid)
  local list, core = threads(pid), nil
  if #list < 3 then return nil end
  for _, thread in ipairs(list) do
    if not thread.cores:find("^%d+$") or core and core ~= thread.cores then return nil end
    core = thread.cores
  end
  return core
end

local function drains(pid)
  local list = {}
  for _, thread in ipairs(threads(pid)) do
    if thread.name == "console" then list[#list + 1] = thread.cores end
  end
  table.sort(list)
  return list
end

describe("several boots at once", function()
  local sandbox
  local cores = host.allowed_cores()

  before_each(function() sandbox = support.sandbox() end)
  after_each(function() sandbox:close() end)

  it("run on cores of their own", function()
    if #cores < 2 then return pending "skipped: this host has one core" end
    local path = sandbox:experiment("work=5 hang", "samples = 2, timeout = 300")
    local run <close> = program.start("moonboot", "run", path, "--jobs", "2", "--quiet",
      "--output", sandbox.dir .. "/run")
    local pids = program.await(function()
      local list = sandbox:guests()
      return #list == 2 and list
    end, "two guests")
    local a, b = table.unpack(program.await(function()
      local both = { core_of(pids[1]), core_of(pids[2]) }
      return both[1] and both[2] and both
    end, "guests that are bound to a core each"))
    assert.not_equal(a, b)
    local expected
    if #cores == 2 then
      expected = { a, b }
      table.sort(expected)
      expected = table.concat(expected, " ")
    end
    program.await(function()
      local found = drains(run:pid())
      if expected then return table.concat(found, " ") == expected end
      for _, list in ipairs(found) do
        for core in list:gmatch("%d+") do
          if core == a or core == b then return false end
        end
      end
      return #found == 2
    end, "drain threads on " .. (expected or "spare cores"))
    run:signal("SIGINT")
    assert.equal(130, (run:wait()))
  end)

  it("are counted, and what has more vCPUs than cores runs alone and is marked", function()
    local wide = #cores + 1
    local output = sandbox.dir .. "/run"
    local path = sandbox:experiment("work=5", ("matrix = { cpus = { 1, %d } }, samples = 4"):format(wide))
    -- With this seed boots of the narrow configuration follow each other, so that there are two to run at once.
    local code, out, err = program.run("run", path, "--jobs", "auto", "--seed", "2", "--quiet", "--output", output)
    assert.equal(0, code, out .. err)
    local results = rundir.results(output)
    assert.equal(#cores, results.experiment.jobs)
    assert.is_true(results.experiment.jobs_used <= #cores)
    if #cores > 1 then assert.is_true(results.experiment.jobs_used >= 2) end
    assert.matches(("%d boots? at a time"):format(results.experiment.jobs_used), out)
    assert.is_true(results["cpu_" .. wide].oversubscribed)
    assert.is_false(results.cpu_1.oversubscribed)
    assert.matches(wide .. " CPU +%[oversubscribed: more vCPUs than host cores%]", out)

    local function span(sample)
      return sample.t0_realtime_ns, sample.t0_realtime_ns + sample.host_times_ns.ended
    end
    local samples = rundir.samples(output)
    for i, sample in ipairs(samples) do
      for j, other in ipairs(samples) do
        if i ~= j and sample.key == "cpu_" .. wide then
          local from, to = span(sample)
          local other_from, other_to = span(other)
          assert.is_true(to <= other_from or other_to <= from, "a boot that should run alone had company")
        end
      end
    end
  end)

  it("goes on until the interval is narrow enough, or says that it gave up", function()
    local path = sandbox:experiment("work=1", "samples = { min = 2, max = 6, until_ci = 0.02 }")
    local output = sandbox.dir .. "/met"
    local code, out, err = program.run("run", path, "--deterministic", "--quiet", "--output", output)
    assert.equal(0, code, out .. err)
    local reached = rundir.results(output).cpu_1.precision
    assert.same({ true, 0, 6 }, { reached.met, reached.reached, reached.n })
    output = sandbox.dir .. "/gave-up"
    code, out, err = program.run("run", path, "--until-ci", "0.0001%", "--samples", "6", "--output", output)
    assert.equal(0, code, out .. err)
    local precision = rundir.results(output).cpu_1.precision
    assert.same({ false, true, 6, 0.000001 }, { precision.met, precision.gave_up, precision.n, precision.wanted })
    assert.matches("Precision: gave up after 6 samples: the 95 %% interval of the median is within", out)
    assert.matches("cpu_1: gave up after 6 samples", err)
  end)

  it("flags boots that others disturb, whatever the number of vCPUs", function()
    local output = sandbox.dir .. "/run"
    local loops <close> = setmetatable({}, { __close = function(list)
      for _, loop in ipairs(list) do loop:close() end
    end })
    for i = 1, 2 * #cores do loops[i] = program.start("sh", "-c", "while :; do :; done") end
    task.sleep(0.1)
    local path = sandbox:experiment("work=50", ("matrix = { cpus = { 1, %d } }, samples = 1"):format(#cores))
    local code, out, err = program.run("run", path, "--quiet", "--output", output)
    assert.equal(0, code, out .. err)
    local results = rundir.results(output)
    for _, key in ipairs(results.order) do
      local sample = results[key].samples[1]
      assert.equal("ok", sample.status)
      assert.equal("noisy", sample.flags[1])
      assert.is_true(#sample.noise > 0)
      assert.equal(1, results[key].statistics.n)
      assert.equal(1, results[key].noisy.samples)
    end
    local kind = results[results.order[#results.order]].noisy.reasons
    assert.equal(1, kind.load)
    assert.matches("Noisy: +1 of 1 samples", out)
    assert.matches("flagged noisy: something else on the host disturbed", (out:gsub("%s+", " ")))
  end)
end)

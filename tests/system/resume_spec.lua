-- A run that is cut off and goes on: the same plan, nothing lost, nothing twice.
local files = require "moonboot.files"
local json = require "moonboot.json"
local program = require "tests.system.support.program"
local rundir = require "tests.system.support.rundir"
local support = require "tests.system.support.sandbox"
local uv = require "luv"

describe("a run that was cut off", function()
  local sandbox, dir, run_dir, script

  before_each(function()
    sandbox = support.sandbox()
    dir = sandbox.dir
    run_dir = dir .. "/run"
    script = sandbox:experiment("work=5", "matrix = { cpus = { 1, 2 } }, samples = 5, timeout = 60,")
  end)

  after_each(function() sandbox:close() end)

  local function orders(from)
    local list = {}
    for i, s in ipairs(rundir.samples(from)) do list[i] = { s.order, s.key, s.index, s.status } end
    return list
  end

  -- Starts the run and ends it by a signal once `count` samples are done -> exit status, standard error.
  local function cut(count, signal, ...)
    local started <close> = program.start("moonboot", "run", ...)
    rundir.await_samples(run_dir, count)
    started:signal(signal)
    local code, _, err = started:wait()
    sandbox:assert_no_orphan()
    return code, err
  end

  local function damage(text)
    local file = assert(io.open(run_dir .. "/journal.jsonl", "a"))
    file:write(text)
    file:close()
  end

  it("goes on with the same samples in the same order, whatever ended it and however often", function()
    assert.equal(0, (program.run("run", script, "--seed", "7", "--output", dir .. "/whole")))
    assert.equal(130, (cut(2, "SIGINT", script, "--seed", "7", "--output", run_dir)))
    assert.is_nil((cut(4, "SIGKILL", "--resume", run_dir)))
    damage '{"type":"sample","key":"cpu_1","order":5,"status":"ok"' -- a crash in the middle of a record
    assert.equal(130, (cut(6, "SIGTERM", "--resume", run_dir)))
    assert.is_nil((cut(8, "SIGKILL", "--resume", run_dir)))
    local code, out = program.run("run", "--resume", run_dir)
    assert.equal(0, code)
    assert.matches("10 of 10 planned", out)
    assert.same(orders(dir .. "/whole"), orders(run_dir))
    assert.same({}, rundir.leftovers(run_dir))
  end)

  it("says how to go on, reports what it has, and says that it is not all", function()
    local code, err = cut(1, "SIGINT", script, "--output", run_dir)
    assert.equal(130, code)
    assert.matches("SIGINT: stopping the guests; once more ends at once\n", err)
    assert.matches("moonboot: interrupted; go on with: moonboot run %-%-resume " .. run_dir:gsub("%p", "%%%0"), err)
    local done = #rundir.samples(run_dir)
    local reported, out = program.run("report", run_dir)
    assert.equal(0, reported)
    assert.matches(("%d of 10 planned"):format(done), out)
    assert.matches("interrupted", out)
  end)

  it("can be reported on while it runs, and by no second process written", function()
    local started <close> = program.start("moonboot", "run", script, "--output", run_dir)
    rundir.await_samples(run_dir, 1)
    started:signal "SIGSTOP" -- so that it is not done before the others look
    local code, out = program.run("report", run_dir)
    assert.equal(0, code)
    assert.matches("of 10 planned", out)
    local refused, _, err = program.run("run", "--resume", run_dir)
    assert.equal(3, refused)
    assert.matches("process %d+ on %S+ is writing this run directory", err)
    local again, _, why = program.run("run", script, "--output", run_dir)
    assert.equal(3, again)
    assert.matches("is writing this run directory", why)
    started:signal "SIGCONT"
    assert.equal(0, (started:wait()))
    assert.equal(10, #rundir.samples(run_dir))
  end)

  it("does not go on when the script has changed, unless told", function()
    cut(1, "SIGINT", script, "--output", run_dir)
    files.write(script, assert(files.read(script)) .. "-- another word\n")
    local before = #rundir.samples(run_dir)
    local code, _, err = program.run("run", "--resume", run_dir)
    assert.equal(2, code)
    assert.matches("cannot go on: the experiment script changed since it began; %-%-despite%-changes goes on", err)
    assert.equal(before, #rundir.samples(run_dir))
    assert.equal(0, (program.run("run", "--resume", run_dir, "--despite-changes")))
    assert.equal(10, #rundir.samples(run_dir))
  end)

  it("does not go on when the kernel has changed", function()
    cut(1, "SIGINT", script, "--output", run_dir)
    local file = assert(io.open(dir .. "/demo.elf", "a"))
    file:write "\0"
    file:close()
    local code, _, err = program.run("run", "--resume", run_dir)
    assert.equal(2, code)
    assert.matches("cannot go on: the kernel changed since it began", err)
  end)

  it("does not go on when QEMU has changed", function()
    cut(1, "SIGINT", script, "--output", run_dir)
    local path = run_dir .. "/journal.jsonl"
    local text = assert(files.read(path))
    local version = text:match('"qemu_version":"([^"]*)"')
    files.write(path, (text:gsub('"qemu_version":"[^"]*"', '"qemu_version":"1.2.3"')))
    local code, _, err = program.run("run", "--resume", run_dir)
    assert.equal(2, code)
    assert.matches("QEMU (1.2.3, now " .. version .. ") changed", err, 1, true)
  end)

  it("needs a run directory, and one whose journal can be read", function()
    local code, _, err = program.run("run", "--resume", dir .. "/nowhere")
    assert.equal(2, code)
    assert.matches("cannot resume .*/nowhere: .*No such file", err)
    cut(2, "SIGINT", script, "--output", run_dir)
    damage "not JSON\n"
    code, _, err = program.run("run", "--resume", run_dir)
    assert.equal(3, code)
    assert.matches("journal.jsonl:%d+: not a record of a journal", err)
  end)

  it("survives the loss of its overlays and scratch files", function()
    cut(1, "SIGKILL", script, "--output", run_dir)
    assert(uv.fs_mkdir(run_dir .. "/.sample-AAAAAA", 448))
    files.write(run_dir .. "/.sample-AAAAAA/disk.qcow2", "x")
    assert.equal(0, (program.run("run", "--resume", run_dir)))
    assert.same({}, rundir.leftovers(run_dir))
  end)

  it("keeps the verdict of the samples before the cut", function()
    local failing = sandbox:experiment("panic", "samples = 4,")
    cut(2, "SIGINT", failing, "--output", run_dir)
    local code, out = program.run("run", "--resume", run_dir, "--json")
    assert.equal(1, code)
    assert.equal(4, #json.decode(out).cpu_1.samples)
  end)
end)

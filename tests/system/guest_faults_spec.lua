-- Guests whose QEMU crashes or stops answering, that flood and lie: bounded memory, and the terminal stays whole.
local files = require "moonboot.files"
local program = require "tests.system.support.program"
local rundir = require "tests.system.support.rundir"
local support = require "tests.system.support.sandbox"
local uv = require "luv"

describe("a guest", function()
  local sandbox, dir, run_dir

  before_each(function()
    sandbox = support.sandbox()
    dir = sandbox.dir
    run_dir = dir .. "/run"
  end)

  after_each(function() sandbox:close() end)

  -- Two boots, so that it shows that the run goes on -> the records, standard output, standard error.
  local function boot(append, fields)
    local path = sandbox:experiment(append, "samples = 2, " .. (fields or "timeout = 60,"))
    local code, out, err = program.run("run", path, "--output", run_dir)
    local samples = rundir.samples(run_dir)
    assert.equal(2, #samples)
    local all_ok = samples[1].status == "ok" and samples[2].status == "ok"
    assert.equal(all_ok and 0 or 1, code)
    return samples, out, err
  end

  it("whose QEMU crashes says by which signal", function()
    local path = sandbox:experiment("work=1 hang", "samples = 2, timeout = 60,")
    local started <close> = program.start("moonboot", "run", path, "--output", run_dir)
    for i, signal in ipairs { "sigsegv", "sigkill" } do
      uv.kill(sandbox:await_guest(), signal)
      rundir.await_samples(run_dir, i)
    end
    assert.equal(1, (started:wait()))
    for i, signal in ipairs { "SIGSEGV", "SIGKILL" } do
      local sample = rundir.samples(run_dir)[i]
      assert.equal("qemu_exit", sample.status)
      assert.equal("QEMU was ended by " .. signal, sample.reason)
    end
  end)

  it("whose QEMU stops answering is stopped all the same", function()
    local path = sandbox:experiment("work=1 hang", "samples = 1, timeout = 3,")
    local started <close> = program.start("moonboot", "run", path, "--output", run_dir)
    local guest = sandbox:await_guest()
    rundir.await_output(run_dir)
    uv.kill(guest, "sigstop")
    assert.equal(1, (started:wait()))
    assert.equal("timeout", rundir.samples(run_dir)[1].status)
  end)

  it("that floods its console is recorded, in bounded memory", function()
    local path = sandbox:experiment("work=1 flood", ("samples = 1, timeout = %d,"):format(6 * program.slowness))
    local started <close> = program.start("moonboot", "run", path, "--output", run_dir)
    local most_kb, last_kb = 0, nil
    program.await(function()
      local status = files.read(("/proc/%d/status"):format(started:pid())) or ""
      last_kb = tonumber(status:match "VmRSS:%s*(%d+)")
      most_kb = math.max(most_kb, last_kb or 0)
      return started.process:poll()
    end)
    local sample = rundir.samples(run_dir)[1]
    assert.equal("timeout", sample.status)
    assert.is_true(sample.consoles[1].bytes > 100000)
    local log = assert(uv.fs_stat(run_dir .. "/" .. sample.consoles[1].log))
    assert.equal(sample.consoles[1].bytes, log.size)
    assert.is_true(program.watched() or most_kb < 60 * 1024, most_kb .. " kB")
  end)

  it("that sends NULs, invalid UTF-8 and escapes is measured, and none of it reaches a terminal", function()
    local samples, out, err = boot "work=1 garbage"
    assert.equal("ok", samples[1].status)
    for _, text in ipairs { out, err, select(2, program.run("report", run_dir)) } do
      assert.is_nil(text:find "[%z\1-\8\11-\31\127]")
      assert.is_truthy(utf8.len(text))
    end
  end)

  it("whose last words are escapes has them shown as text", function()
    local path = sandbox:experiment("work=1 garbage panic", "samples = 1, timeout = 60,")
    local _, out, err = program.run("run", path, "--output", run_dir)
    for _, text in ipairs { out, err } do assert.is_nil(text:find "[%z\1-\8\11-\31\127]") end
    assert.matches("failed_pattern", err)
  end)
end)

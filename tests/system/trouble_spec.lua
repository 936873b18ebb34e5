-- What can go wrong around a run: one clear line, the right exit status, no process left, and nothing lost.
local engine = require "moonboot.engine"
local files = require "moonboot.files"
local program = require "tests.system.support.program"
local rundir = require "tests.system.support.rundir"
local support = require "tests.system.support.sandbox"
local task = require "moonboot.task"
local uv = require "luv"

local SWITCHES = "tests/system/support/switches.lua"
local KERNEL = support.guest .. "/demo.elf"

describe("trouble", function()
  local sandbox, dir

  before_each(function()
    sandbox = support.sandbox()
    dir = sandbox.dir
  end)
  after_each(function() sandbox:close() end)

  -- Runs moonboot, which has to say one line and no more. -> that line
  local function complaint(status, ...)
    local code, out, err = program.run(...)
    assert.equal("", out)
    assert.matches("^moonboot: [^\n]*\n$", err)
    assert.equal(status, code, err)
    assert.is_nil(err:find("traceback", 1, true))
    return err
  end

  -- Starts a moonboot and waits until the guest of its boot that hangs has said its word.
  -- -> process, pid of QEMU, run directory
  local function hanging(...)
    local output, pid = dir .. "/run", nil
    local process = program.start("moonboot", "run", SWITCHES, "--kernel", KERNEL, "--timeout", "200", "--output",
      output, ...)
    program.await(function()
      local said
      for name in files.entries(output) do
        if name:find("^boot%-.*hang.*%.log$") then said = files.read(output .. "/" .. name) end
      end
      pid = sandbox:guests()[1]
      return pid and said and said:find("file system check", 1, true)
    end, "the boot that hangs")
    return process, pid, output
  end

  -- Nobody may have asked yet how it ended: then a zombie is left of it.
  local function gone(pid)
    local stat = files.read(("/proc/%d/stat"):format(pid))
    return stat == nil or stat:match("%) (%a)") == "Z"
  end

  local function gone_within(pid, seconds)
    local deadline_ns = engine.clock.now() + math.floor(seconds * 1e9)
    while not gone(pid) do
      if engine.clock.now() > deadline_ns then return false end
      task.sleep(0.01)
    end
    return #sandbox:processes() == 0
  end

  it("with the ISO: none there", function()
    local line = complaint(2, "run", "demo", "--iso", dir .. "/none.iso", "--output", dir .. "/run")
    assert.matches("none%.iso: no such file or directory", line:lower())
  end)

  it("with the ISO: cut short", function()
    local whole = files.read(support.guest .. "/demo.iso")
    local iso = sandbox:write("short.iso", whole:sub(1, #whole // 2))
    local line = complaint(3, "run", "demo", "--iso", iso, "--output", dir .. "/run")
    assert.matches("short%.iso is .* but its ISO 9660 header says .*: the download was cut short", line)
    assert.is_nil(files.read(dir .. "/run/journal.jsonl"))
  end)

  it("with the ISO: something else", function()
    local line = complaint(3, "run", "demo", "--iso", sandbox:write("text.iso", ("words "):rep(20000)), "--output",
      dir .. "/run")
    assert.matches("text%.iso", line)
  end)

  it("with the script: unreadable, broken, or with an unknown key", function()
    assert.matches("cannot read experiment", complaint(2, "run", dir .. "/none.lua"))
    local broken = sandbox:write("broken.lua", "return mb.experiment {\n  name = 'x'\n  samples = 1 }\n")
    assert.matches("broken%.lua:%d: ", complaint(2, "run", broken))
    local unknown = sandbox:write("unknown.lua", [[
local mb = require "moonboot"
return mb.experiment {
  name = "x",
  sample = 1,
  grammar = mb.grammar { { "a", "A" } },
}
]])
    assert.matches("unknown%.lua:4: unknown key 'sample' in experiment %(did you mean 'samples'%?%)",
      complaint(2, "run", unknown))
  end)

  it("with QEMU: none in PATH", function()
    sandbox:setenv("PATH", dir)
    local line = complaint(3, "run", SWITCHES, "--kernel", KERNEL, "--output", dir .. "/run")
    assert.matches("qemu%-system%-i386: not found", line)
    assert.matches("install qemu%-system%-x86", line)
  end)

  it("with QEMU: it refuses its arguments", function()
    local output = dir .. "/run"
    local code, out = program.run("run", SWITCHES, "--kernel", KERNEL, "--output", output, "--set",
      "cpu_model=no-such-model")
    assert.equal(1, code)
    assert.equal("qemu_exit", rundir.samples(output)[1].status)
    assert.matches("no%-such%-model", rundir.samples(output)[1].reason)
    assert.is_truthy(out:find("no-such-model", 1, true))
  end)

  it("with QEMU: killed in the middle of a boot", function()
    local process <close>, pid, output = hanging("--set", "switches=hang")
    uv.kill(pid, "sigkill")
    assert.equal(1, (process:wait()))
    local sample = rundir.samples(output)[1]
    assert.equal("qemu_exit", sample.status)
    assert.matches("QEMU was ended by SIGKILL", sample.reason)
    assert.equal(8, #sample.markers)
  end)

  it("with moonboot: killed by SIGKILL takes its QEMU along, within a second", function()
    local process <close>, pid, output = hanging("--set", "switches=none,hang", "--seed", "1")
    uv.kill(process:pid(), "sigkill")
    assert.is_true(gone_within(pid, 1))
    assert.is_nil((process:wait()))
    local code, out = program.run("report", output)
    assert.equal(0, code)
    assert.is_truthy(out:find("NOT FINISHED", 1, true))
    assert.matches("n = 1 ok, 0 not ok", out)
  end)

  it("with the output: nowhere to write it", function()
    local line = complaint(3, "run", SWITCHES, "--kernel", KERNEL, "--output", KERNEL .. "/run")
    assert.matches("cannot make the run directory: .*demo%.elf", line)
    local code, _, err = program.execute("sh", "-c", ("%s list > /dev/full"):format(program.path))
    assert.equal(3, code)
    assert.matches("^moonboot: cannot write to standard output: [^\n]*\n$", err)
  end)

  describe("with the disk", function()
    local small

    before_each(function()
      small = dir .. "/small"
      assert(files.make_dir(small))
    end)

    after_each(function() program.execute("umount", small) end)

    -- A file system of its own, or nil and the test is skipped.
    local function mount(megabytes)
      local code = program.execute("mount", "-t", "tmpfs", "-o", ("size=%dm"):format(megabytes), "tmpfs", small)
      if code == 0 then return true end
      pending "skipped: a file system of a test's own needs the right to mount one"
      return nil
    end

    it("too small from the start", function()
      if not mount(20) then return end
      local line = complaint(3, "run", SWITCHES, "--kernel", KERNEL, "--output", small .. "/run")
      assert.matches("needs 67 MB, %d+ MB free in .*; free some space or use another directory", line)
    end)

    it("full in the middle of a run", function()
      if not mount(80) then return end
      local output = small .. "/run"
      local process <close> = program.start("moonboot", "run", SWITCHES, "--kernel", KERNEL, "--output", output,
        "--set", "switches=none,flood", "--seed", "1", "--timeout", "5")
      program.await(function()
        for name in files.entries(output) do
          if name:find("^boot%-.*flood.*%.log$") then return true end
        end
      end, "the second boot")
      -- Something else fills what the run has not taken.
      program.execute("sh", "-c", ("head -c 100M /dev/zero > %s/filler"):format(small))
      local code, _, err = process:wait()
      assert.equal(3, code)
      assert.matches("moonboot: switches_flood sample 1: .*: cannot be written: No space left on device; when that is "
        .. "mended, go on with: moonboot run %-%-resume ", err)
      files.remove(small .. "/filler")
      local samples = rundir.samples(output)
      assert.same({ 1, "ok" }, { #samples, samples[1].status })
      local reported, page = program.run("report", output)
      assert.equal(0, reported)
      assert.matches("n = 1 ok, 0 not ok", page)
      local resumed = program.run("run", "--resume", output, "--quiet")
      assert.equal(1, resumed)
      assert.equal("timeout", rundir.samples(output)[2].status)
    end)
  end)
end)

-- Whatever ends a run: no guest stays, no half record is taken for a whole one, and somebody says why.
local files = require "moonboot.files"
local program = require "tests.system.support.program"
local rundir = require "tests.system.support.rundir"
local support = require "tests.system.support.sandbox"
local uv = require "luv"

describe("a run that is ended", function()
  local sandbox, dir, run_dir

  before_each(function()
    sandbox = support.sandbox()
    dir = sandbox.dir
    run_dir = dir .. "/run"
  end)

  after_each(function() sandbox:close() end)

  local function start(append, fields, ...)
    return program.start("moonboot", "run", sandbox:experiment(append, fields), "--output", run_dir, ...)
  end

  local function seconds(fn)
    local began = uv.hrtime()
    fn()
    return (uv.hrtime() - began) / 1e9
  end

  for _, signal in ipairs { "SIGINT", "SIGTERM", "SIGHUP" } do
    it("by " .. signal .. " stops QEMU, keeps no half sample, leaves no scratch files", function()
      local started <close> = start("hang", "samples = 3, timeout = 60,")
      sandbox:await_guest()
      started:signal(signal)
      local code, _, err = started:wait()
      assert.equal(130, code)
      assert.matches(signal .. ": stopping the guests", err)
      assert.matches("interrupted; go on with: moonboot run --resume " .. run_dir, err, 1, true)
      assert.equal(0, #rundir.samples(run_dir))
      assert.same({}, rundir.leftovers(run_dir))
    end)
  end

  it("before its first boot leaves no run", function()
    files.remove(dir .. "/cache") -- so that the accelerators are to be probed first
    local started <close> = start("hang", "timeout = 60,")
    program.await(function() return #sandbox:processes() > 1 end, "the probe")
    started:signal "SIGINT"
    local code, out, err = started:wait()
    assert.same({ 130, "" }, { code, out })
    assert.matches("moonboot: interrupted before the first boot; nothing was measured\n$", err)
    assert.is_nil(files.read(run_dir .. "/journal.jsonl"))
  end)

  it("by two signals stops at once, even when QEMU does not", function()
    sandbox:setenv("VALGRIND_TRACK_FDS", "no")
    local started <close> = start("hang", "timeout = 100,")
    local guest = sandbox:await_guest()
    rundir.await_output(run_dir)
    uv.kill(guest, "sigstop")
    started:signal "SIGINT"
    uv.sleep(500) -- more than what counts as one request
    local took = seconds(function()
      started:signal "SIGINT"
      assert.equal(130, (started:wait()))
    end)
    assert.is_true(took < 3) -- QMP's quit and SIGTERM would be waited for 6 s
  end)

  it("by one request that comes twice ends well", function()
    local started <close> = start("hang", "timeout = 60,")
    sandbox:await_guest()
    started:signal "SIGTERM"
    started:signal "SIGHUP"
    local code, _, err = started:wait()
    assert.equal(130, code)
    assert.matches("go on with", err)
  end)

  it("by SIGKILL takes its guest with it when that has become another user", function()
    if uv.getuid() ~= 0 then return pending "needs root" end
    local started <close> = start("hang", "timeout = 60,", "--run-as", "nobody")
    local guest = sandbox:await_guest()
    program.await(function() return uv.fs_stat("/proc/" .. guest).uid ~= 0 end, "the change of user")
    started:signal "SIGKILL"
    local code, _, _, signal = started:wait()
    assert.same({ nil, "SIGKILL" }, { code, signal })
    sandbox:assert_no_orphan()
  end)

  it("by a terminal that is closed", function()
    local path = sandbox:experiment("hang", "timeout = 60,")
    local terminal <close> = program.start("script", "-qec",
      ("%s run %s --output %s"):format(program.path, path, run_dir), "/dev/null")
    sandbox:await_guest()
    terminal:signal "SIGKILL"
    terminal:wait()
    sandbox:assert_no_orphan()
    program.await(function() return #rundir.leftovers(run_dir) == 0 end, "the end of moonboot")
    assert.equal(0, #rundir.samples(run_dir))
  end)

  it("by the loss of its run directory says so", function()
    local started <close> = start("work=5", "samples = 1000,")
    rundir.await_samples(run_dir, 1)
    files.remove(run_dir)
    local code, _, err = started:wait()
    assert.equal(3, code)
    assert.matches("moonboot: [^\n]*" .. run_dir:gsub("%p", "%%%0") .. "[^\n]*: [^\n]*\n$", err)
    assert.not_matches("traceback", err)
  end)

  it("by too many failures, which --max-failures counts", function()
    local started <close> = start("panic", "samples = 9,", "--max-failures", "2")
    local code, _, err = started:wait()
    assert.equal(1, code)
    assert.matches("2 samples are not ok, as many as %-%-max%-failures allows", err)
    assert.equal(2, #rundir.samples(run_dir))
  end)

  describe("by a limit of the process", function()
    local function limited(limit, ...)
      local started <close> = program.start("sh", "-c", "ulimit " .. limit .. "; exec \"$@\"", "sh", "moonboot", "run",
        sandbox:experiment("work=5", "samples = 1,"), "--output", run_dir, ...)
      return started:wait()
    end

    it("on files says how many it needs", function()
      if program.under_valgrind then return pending "valgrind needs more files" end
      local code, _, err = limited "-n 12"
      assert.equal(3, code)
      assert.matches("may open only 12 files, a boot needs %d+: raise the limit %(ulimit %-n%)", err)
    end)

    it("on files that is only just too low stops and says why", function()
      if program.under_valgrind then return pending "valgrind needs more files" end
      local codes = {}
      for limit = 40, 52, 4 do
        files.remove(run_dir)
        local code, _, err = limited("-n " .. limit .. "; exec 9<&0 8<&0 7<&0 6<&0 5<&0")
        local sample = rundir.samples(run_dir)[1]
        codes[code] = true
        if code == 3 then
          assert.is_nil(sample)
          assert.matches("Too many open files; when that is mended, go on with: ", err)
        else
          assert.equal("ok", sample.status)
        end
      end
      assert.is_true(codes[0] or codes[3])
    end)

    it("on memory gives the sample the reason", function()
      if program.watched() then return pending "a sanitizer needs more memory" end
      local code = limited "-v 100000"
      local sample = rundir.samples(run_dir)[1]
      assert.equal(1, code)
      assert.equal("qemu_exit", sample.status)
      assert.matches("[Aa]llocate", sample.reason)
    end)

    it("on memory that is not even enough for itself ends in a line", function()
      if program.watched() then return pending "a sanitizer needs more memory" end
      for _, kilobytes in ipairs { 8000, 12000, 16000, 20000, 24000 } do
        files.remove(run_dir)
        local code, _, err = limited("-v " .. kilobytes)
        assert.is_true(code ~= 0)
        assert.not_matches("traceback", err)
      end
    end)
  end)

  describe("by a disk that is full", function()
    local mounted

    before_each(function()
      mounted = nil
      if uv.getuid() ~= 0 then return end
      local disk = dir .. "/disk"
      assert(uv.fs_mkdir(disk, 448))
      if os.execute(("mount -t tmpfs -o size=70m tmpfs %s 2>/dev/null"):format(disk)) then
        mounted = disk
        run_dir = disk .. "/run"
      end
    end)

    after_each(function()
      if mounted then os.execute("umount " .. mounted) end
    end)

    -- Leaves so many bytes free on the disk.
    local function fill(leave_bytes)
      local stat = assert(uv.fs_statfs(mounted))
      local block = ("\0"):rep(4096)
      local file = assert(io.open(mounted .. "/ballast", "a"))
      for _ = 1, (stat.bavail * stat.bsize - leave_bytes) // 4096 do file:write(block) end
      file:close()
    end

    local function root_only()
      if not mounted then pending "needs root, to make a small file system" end
      return not mounted
    end

    it("stops when the journal cannot be written, and goes on when there is space", function()
      if root_only() then return end
      local started <close> = start("work=5", "samples = 20,")
      rundir.await_samples(run_dir, 2)
      fill(0)
      local code, _, err = started:wait()
      assert.equal(3, code)
      assert.matches("No space left on device", err:gsub("no space", "No space"), 1, true)
      local before = #rundir.samples(run_dir)
      assert.is_true(before >= 2 and before < 20)
      files.remove(mounted .. "/ballast")
      assert.equal(0, (program.run("run", "--resume", run_dir)))
      local samples = rundir.samples(run_dir)
      assert.equal(20, #samples)
      for i, sample in ipairs(samples) do assert.same({ i, "ok" }, { sample.order, sample.status }) end
    end)

    it("names the disk image as what did not fit", function()
      if root_only() then return end
      if program.under_valgrind then return pending "at this pace the capture is what does not fit" end
      local image, reserve = dir .. "/image.raw", mounted .. "/reserve"
      local file = assert(io.open(image, "w"))
      file:seek("set", 40 * 1024 * 1024 - 1)
      file:write "\0"
      file:close()
      files.write(reserve, ("\0"):rep(64 * 1024))
      -- The guest's installer fills its disk; once that has failed there is room for the journal again.
      local started <close> = start("menu", ([[
  samples = 1, timeout = 60,
  matrix = { disk = { %q } },
  prepare = function(guest)
    guest.qmp:on_event(function(name) if name == "BLOCK_IO_ERROR" then os.remove(%q) end end)
    mb.task.spawn(require("installers.demo").run, guest, {})
  end,]]):format(image, reserve))
      sandbox:await_guest()
      fill(300 * 1024)
      local code, _, err = started:wait()
      files.remove(mounted .. "/ballast")
      assert.equal(3, code)
      assert.matches("a disk of the guest: no space left on the host; when that is mended, go on with: ", err, 1, true)
      assert.equal(0, #rundir.samples(run_dir))
    end)

    it("or that may only be read", function()
      if root_only() then return end
      assert(os.execute("mount -o remount,ro " .. mounted))
      local code, _, err = start("work=5", "samples = 1,"):wait()
      assert.equal(3, code)
      assert.matches("cannot make the run directory: EROFS", err)
    end)
  end)
end)

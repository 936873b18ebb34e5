-- `moonboot calibrate` against real QEMU, and what reports make of it.
local calibration = require "moonboot.calibration"
local files = require "moonboot.files"
local json = require "moonboot.json"
local program = require "tests.system.support.program"
local rundir = require "tests.system.support.rundir"
local support = require "tests.system.support.sandbox"
local uv = require "luv"

local CANNOT = 3

describe("moonboot calibrate", function()
  local sandbox

  before_each(function() sandbox = support.sandbox() end)
  after_each(function() sandbox:close() end)

  local function report(...)
    local output = sandbox.dir .. "/run"
    local code, out, err = program.execute(...)
    assert.equal(0, code, out .. err)
    return rundir.results(output), out
  end

  local function run()
    return program.path, "run", "tests/system/support/switches.lua", "--kernel", support.guest .. "/demo.elf",
      "--output", sandbox.dir .. "/run", "--quiet"
  end

  it("compares every stamp with QEMU's own, and reports state the outcome", function()
    local code, out, err = program.run("calibrate", "--bytes", "3000", "--json")
    assert.same({ 0, "" }, { code, err })
    local result = assert(json.decode(out))
    assert.same({ "moonboot-calibration/1", 3000, 0, 0 }, { result.schema, result.bytes, result.lost, result.strange })
    assert.same({ "kernel", "kernel", 0 }, { result.clock_source, result.transport, result.load })
    -- A stamp cannot be before what it is a stamp of; a microsecond is what both are rounded to.
    assert.is_true(result.p50_us >= -1 and result.p50_us <= result.p90_us and result.p90_us <= result.p99_us)
    assert.is_true(result.p99_us <= result.p999_us and result.p999_us <= result.max_us)
    local counted = 0
    for _, bin in ipairs(result.histogram) do counted = counted + bin.count end
    assert.equal(3000, counted)

    local kept = calibration.latest()
    assert.is_true(math.abs(result.p99_us - kept.p99_us) <= 0.001)
    local results, text = report(run())
    assert.is_true(math.abs(result.p99_us - results.host.calibration.p99_us) <= 0.001)
    assert.matches(("p99 %.1f us"):format(kept.p99_us), (text:gsub("%s+", " ")), 1, true)
    assert.matches(result.taken_at, text, 1, true)
  end)

  it("runs busy loops beside it and takes the other transport", function()
    local code, out, err = program.run("calibrate", "--bytes", "1000", "--load", "2", "--transport", "read")
    assert.same({ 0, "" }, { code, err })
    assert.matches("beside 2 busy loops", out)
    assert.matches("Stamped by: read   bytes: 1000   lost: 0 ", out)
    assert.matches(" us +%d+  #", out)
    -- Runs stamp by the kernel: this calibration says nothing of their error.
    assert.is_nil(calibration.latest())
    assert.equal(2, calibration.latest("read").load)
  end)

  it("says that a QEMU without traces cannot be a reference", function()
    local qemu = sandbox:write("qemu-system-i386", [[#!/bin/sh
drop=0
for word; do
  shift
  case $word in -msg|-trace|-D) drop=1 ;; *) [ $drop = 1 ] && drop=0 || set -- "$@" "$word" ;; esac
done
PATH=${PATH#*:} exec qemu-system-i386 "$@"
]])
    assert(uv.fs_chmod(qemu, tonumber("755", 8)))
    sandbox:setenv("PATH", sandbox.dir .. ":" .. os.getenv "PATH")
    local code, out, err = program.run("calibrate", "--bytes", "500")
    assert.same({ CANNOT, "" }, { code, out })
    assert.matches("^moonboot: cannot calibrate this host: QEMU has begun no trace: .*nothing to compare stamps with: "
      .. "use a QEMU with the trace backend 'log'\n$", err)
    assert.is_nil(calibration.latest())
  end)

  it("leaves nothing behind when it is interrupted", function()
    local process <close> = program.start("moonboot", "calibrate", "--load", "1", "--bytes", "1000000")
    -- Where the trace is, by QEMU's command line.
    local function trace()
      for _, pid in ipairs(sandbox:processes()) do
        local found = (files.read(("/proc/%d/cmdline"):format(pid)) or ""):match("%z%-D%z(%Z+)")
        if found and uv.fs_stat(found) then return found end
      end
    end
    local path
    program.await(function()
      path = trace()
      return path and #sandbox:processes() >= 3
    end, "a guest beside a busy loop")
    process:signal "SIGTERM"
    local code, out, err = process:wait()
    assert.same({ 130, "", "moonboot: interrupted\n" }, { code, out, err })
    assert.is_nil(uv.fs_stat(path:match("^(.*)/")))
    assert.is_nil(calibration.latest())
  end)

  it("refuses what it cannot do", function()
    for _, case in ipairs {
      { "--bytes", "0", "'0' is not a whole number from 1 on" },
      { "--bytes", "1e3", "'1e3' is not a whole number" },
      { "--bytes", "1000000000", "at most 1000000" },
      { "--load=-1", nil, "'-1' is not a whole number from 0 on" },
      { "--transport", "pty", "must be one of 'kernel', 'read'" },
    } do
      local code, out, err = program.run("calibrate", case[1], case[2])
      assert.same({ 2, "" }, { code, out })
      assert.matches(case[3], err, 1, true)
    end
  end)

  describe("on a host that grants less", function()
    local function as_root(...)
      if uv.getuid() ~= 0 or program.execute(...) ~= 0 then
        pending "skipped: this test cannot take rights away from itself"
        return false
      end
      return true
    end

    it("says what it must do without", function()
      local bare = { "setpriv", "--bounding-set", "-sys_nice,-net_admin,-sys_resource" }
      local function execute(...)
        local argv = table.move({ ... }, 1, select("#", ...), #bare + 1, table.move(bare, 1, #bare, 1, {}))
        return program.execute(table.unpack(argv))
      end
      if not as_root(bare[1], bare[2], bare[3], "true") then return end
      local code, out, err = execute(program.path, "calibrate", "--bytes", "500")
      assert.same({ 0, "" }, { code, err })
      assert.matches("No right to SCHED_FIFO: the drain thread is ", out)
      assert.matches("lost: 0 ", out)
      local limit = tonumber(files.read "/proc/sys/net/core/wmem_max")
      if limit < 1 << 19 then assert.matches("A send buffer of .* is all that this host grants", out) end
      code, out = execute(run())
      assert.equal(0, code)
      out = out:gsub("%s+", " ")
      assert.matches("no right to SCHED_FIFO: the stamps do not need it", out)
      if limit < 1 << 20 then assert.matches("a guest could be only some %d+ bytes ahead of its reader", out) end
    end)

    it("says once that there are no pressure figures", function()
      local hide = "mount --bind /dev/null /proc/pressure/cpu && exec \"$@\""
      if not as_root("unshare", "-m", "sh", "-c", hide, "-", "true") then return end
      local results, text = report("unshare", "-m", "sh", "-c", hide, "-", run())
      assert.is_false(results.host.pressure_known)
      local _, times = text:gsub("this host keeps no pressure figures", "")
      assert.equal(1, times)
      assert.is_nil(results[results.order[1]].samples[1].disturbance.pressure_share)
    end)
  end)
end)

-- Deterministic machines: the guest's own time, the same to the nanosecond whatever else the host does.
local program = require "tests.system.support.program"
local rundir = require "tests.system.support.rundir"
local support = require "tests.system.support.sandbox"
local uv = require "luv"

describe("virtual time", function()
  local sandbox

  setup(function() sandbox = support.sandbox() end)
  teardown(function() sandbox:close() end)

  local function run(name, ...)
    local output = sandbox.dir .. "/" .. name
    local code, out, err = program.run("run", "tests/system/support/switches.lua", "--kernel",
      support.guest .. "/demo.elf", "--quiet", "--output", output, ...)
    return output, code, out, err
  end

  local function times(directory)
    local all = {}
    for _, sample in ipairs(rundir.samples(directory)) do
      assert.equal("ok", sample.status)
      local list = { key = sample.key }
      for i, marker in ipairs(sample.markers) do list[i] = ("%s %d"):format(marker.name, marker.t_ns) end
      assert.equal(10, #list)
      all[#all + 1] = list
    end
    return all
  end

  it("is the same in every run, on an idle host and a busy one", function()
    local quick = { "--deterministic", "--seed", "7", "--set", "cpus=1,2,4", "--set", "switches=none" }
    local first, code, out, err = run("first", table.unpack(quick))
    assert.equal(0, code, out .. err)
    local before = times(first)
    assert.equal(3, #before)
    local loops <close> = setmetatable({}, { __close = function(list)
      for _, loop in ipairs(list) do loop:close() end
    end })
    for i = 1, 3 do loops[i] = program.start("sh", "-c", "while :; do :; done") end
    local second
    second, code, out, err = run("second", table.unpack(quick))
    assert.equal(0, code, out .. err)
    assert.same(before, times(second))

    -- Marked as what it is, and never judged by what the host did.
    assert.matches("in VIRTUAL time", out)
    assert.matches("%[virtual time%]", out)
    assert.matches("all times are VIRTUAL", out)
    local results = rundir.results(second)
    assert.is_true(results.experiment.deterministic)
    for _, key in ipairs(results.order) do
      assert.equal("virtual", results[key].time)
      assert.is_nil(results[key].noisy)
      for _, sample in ipairs(results[key].samples) do
        assert.equal("virtual", sample.clock_source)
        assert.is_nil(sample.disturbance)
      end
    end
  end)

  it("is not put into one table with real time", function()
    local real, code, out, err = run("real")
    assert.equal(0, code, out .. err)
    local virtual
    virtual, code, out, err = run("virtual", "--deterministic")
    assert.equal(0, code, out .. err)
    code, out, err = program.run("compare", real, virtual)
    assert.same({ 2, "" }, { code, out })
    assert.matches("has real time and .* virtual time: the two cannot be compared", err)
    code, out = program.run("compare", virtual, virtual)
    assert.equal(0, code)
    assert.matches("[virtual time]", out, 1, true)
  end)

  it("comes with its bytes over every console, answers included", function()
    local vm = require "moonboot.vm"
    local last
    for _ = 1, 2 do
      local guest <close> = assert(vm.boot({
        arch = "i386", memory = "32M", kernel = support.guest .. "/demo.elf", append = "work=5 com2", consoles = 2,
        deterministic = true,
      }, { dir = sandbox.dir, name = "two" }))
      assert(guest.com2:expect("login: ", { timeout = 60 }))
      assert.equal("virtual", guest.com1:stats().clock_source)
      assert.is_true(guest.com1:stats().last_ns < guest.com2:stats().last_ns)
      local stamp = guest.com2:stats().last_ns
      last = last or stamp
      assert.equal(last, stamp)
      assert(guest.com2:sendline "root")
      assert(guest.com2:expect("# ", { timeout = 60 }))
    end
  end)

  it("is the same from the kernel on when the guest boots from a disk", function()
    local output = sandbox.dir .. "/disk"
    local code, out, err = program.run("run", "demo", "--deterministic", "--set", "cpus=1", "--samples", "2",
      "--quiet", "--output", output)
    assert.equal(0, code, out .. err)
    local phases = {}
    for i, sample in ipairs(rundir.samples(output)) do
      phases[i] = {}
      assert.equal("kernel_entry", sample.markers[2].name)
      for j = 3, 10 do phases[i][j] = sample.markers[j].t_ns - sample.markers[2].t_ns end
    end
    assert.equal(8, #table.move(phases[1], 3, 10, 1, {}))
    assert.same(phases[1], phases[2])
    -- When the firmware has read the disk is the host's doing, and the report says so.
    assert.matches("waits for a disk or a network may still see the host's timing", (out:gsub("%s+", " ")))
  end)

  it("is missed, not made up, when QEMU does not tell it", function()
    local qemu = sandbox:write("qemu-system-i386", "#!/bin/sh\nunset LD_PRELOAD\n"
      .. "PATH=${PATH#*:} exec qemu-system-i386 \"$@\"\n")
    assert(uv.fs_chmod(qemu, tonumber("755", 8)))
    local path = os.getenv "PATH"
    uv.os_setenv("PATH", sandbox.dir .. ":" .. path)
    local output, code = run("untold", "--deterministic")
    uv.os_setenv("PATH", path)
    assert.is_true(code > 0)
    for _, sample in ipairs(rundir.samples(output)) do
      assert.equal("error", sample.status)
      assert.matches("bytes came without their virtual time", sample.reason)
    end
  end)
end)

-- The demo guest all three ways: its kernel, its installation CD, and the disk it installed itself on.
local files = require "moonboot.files"
local json = require "moonboot.json"
local program = require "tests.system.support.program"
local rundir = require "tests.system.support.rundir"
local support = require "tests.system.support.sandbox"
local vm = require "moonboot.vm"

local MARKERS = { "firmware", "kernel_entry", "memory", "interrupts", "cpus", "process_table", "drivers",
  "file_system_check", "services", "login_prompt" }

local WAIT = { timeout = 60 }

describe("the demo guest", function()
  local sandbox, dir

  setup(function()
    sandbox = support.sandbox()
    dir = sandbox.dir
  end)
  teardown(function() sandbox:close() end)

  local function files_like(folder, pattern)
    local list = {}
    for name in files.entries(folder) do
      if name:find(pattern) then list[#list + 1] = name end
    end
    return list
  end

  local function boot(description, options)
    return assert(vm.boot(description, options))
  end

  local function kernel(switches, cpus)
    return { arch = "i386", memory = "32M", cpus = cpus, kernel = support.guest .. "/demo.elf", append = switches }
  end

  local function log_in(guest)
    assert(guest:expect("login: ", WAIT))
    assert(guest:sendline "root")
    assert(guest:expect("# ", WAIT))
  end

  describe("as a kernel", function()
    it("has a shell at the end of its boot", function()
      local guest <close> = boot(kernel("work=5", 4), { dir = dir, name = "shell" })
      log_in(guest)
      assert.same({ "demo\n", 0 }, { guest:run("uname", WAIT) })
      assert.same({ "demo 1.0 i386\n", 0 }, { guest:run("uname -a", WAIT) })
      assert.same({ "4\n", 0 }, { guest:run("cpus", WAIT) })
      assert.same({ "", 1 }, { guest:run("false", WAIT) })
      assert.equal(127, (select(2, guest:run("nonsense", WAIT))))
      local dmesg = guest:run("dmesg", WAIT)
      assert.matches("^demo: firmware hand%-over\ndemo: kernel entry .*demo: CPUs: 4 of 4 up\n", dmesg)
      assert.matches("demo: services: syslogd cron inetd\n$", dmesg)
      assert(guest:sendline "poweroff")
      assert.equal(0, assert(guest:wait(60)).code)
      assert.equal("guest-shutdown", guest.shutdown_reason)
    end)

    it("resets itself when told to", function()
      local guest <close> = boot(kernel "work=5")
      log_in(guest)
      assert(guest:sendline "reboot")
      assert(guest:wait(60))
      assert.equal("guest-reset", guest.shutdown_reason)
    end)

    it("panics when told to, and a wait for anything else ends at once", function()
      local guest <close> = boot(kernel "work=5", { fail = { "panic: " } })
      log_in(guest)
      assert(guest:sendline "panic")
      local _, message = guest:expect("# ", { timeout = 60 })
      assert.matches("panic: demo: asked for at the shell", message)
      assert.is_nil(guest.exit)
    end)

    it("works on all of its CPUs at once", function()
      local guest <close> = boot(kernel("work=200", 2))
      assert(guest:expect("demo: CPUs: 2 of 2 up", WAIT))
      assert(guest:expect("login: ", { timeout = 120 }))
      local ticks = {}
      for i, cpu in ipairs(assert(guest.qmp:execute "query-cpus-fast")) do
        local stat = files.read(("/proc/%d/task/%d/stat"):format(guest.process:pid(), cpu["thread-id"]))
        -- After the name in parentheses: state is field 3, user time field 14 (proc(5)).
        local fields = {}
        for word in stat:match("%) (.*)"):gmatch("%S+") do fields[#fields + 1] = word end
        ticks[i] = tonumber(fields[14 - 2])
      end
      assert.equal(2, #ticks)
      assert.is_true(ticks[2] > 0.1 * (ticks[1] + ticks[2]), ("%d and %d ticks"):format(ticks[1], ticks[2]))
    end)
  end)

  describe("from its CD to a report", function()
    local output, code, out

    setup(function()
      output = dir .. "/run"
      code, out = program.run("run", "scripts/experiments/demo.lua", "--samples", "2", "--set", "cpus=1,2",
        "--seed", "7", "--output", output)
    end)

    it("leaves the files that belong to a run", function()
      assert.equal(0, code, out)
      assert.equal(2, #files_like(output, "^boot%-1cpu%-%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%d%d%d%d%.log$"))
      assert.equal(2, #files_like(output, "^boot%-2cpu%-.*%.timing$"))
      assert.equal(1, #files_like(output, "^demo%-1cpu%-.*%.qcow2$"))
      assert.equal(1, #files_like(output, "^demo%-results%-.*%.json$"))
      assert.equal(1, #files_like(output, "^demo%-report%-.*%.txt$"))
      assert.equal(1, #files_like(output, "^install%-1cpu%-.*%.transcript$"))
      assert.equal(1, #files_like(output, "^journal%.jsonl$"))
    end)

    it("finds every marker of every boot, and how many CPUs came up", function()
      for _, sample in ipairs(rundir.samples(output)) do
        local names = {}
        for i, marker in ipairs(sample.markers) do names[i] = marker.name end
        assert.same(MARKERS, names)
        assert.equal("ok", sample.status)
        assert.equal(sample.key, "cpu_" .. sample.captures.cpus)
      end
    end)

    it("gives results that jq can read", function()
      local results = files_like(output, "^demo%-results%-")[1]
      local status, mean = program.execute("jq", ".cpu_2.statistics.mean_ms", output .. "/" .. results)
      assert.equal(0, status)
      local samples = rundir.results(output).cpu_2.samples
      local expected = (samples[1].boot_time_ms + samples[2].boot_time_ms) / 2
      assert.is_true(math.abs(tonumber(mean) - expected) < 1e-3)
    end)

    it("says what it found", function()
      for _, words in ipairs { "Mean: ", "Median: ", "Min: ", "Max: ", "Stdev: ", "Whitepaper estimate: 400.00 ms",
        "Measured average: ", "Error: ", "Status: ", "KEY FINDINGS", "Boot Time by CPU Count",
        "Scaling Efficiency (relative to 1 CPU)", "CPUs the guest brought up: 2 of 2",
        "file_system_check -> services" } do
        assert.is_truthy(out:find(words, 1, true), words)
      end
      assert.matches("2 CPU: %d+%.%d%dx speedup %(%d+%% efficiency%)", out)
      local _, again = program.run("report", output)
      assert.equal(out:match("^.-\nWHAT TO KNOW"), again:match("^.-\nWHAT TO KNOW"))
    end)

    it("installs once only", function()
      local second = dir .. "/second"
      assert.equal(0, (program.run("run", "demo", "--samples", "1", "--set", "cpus=1", "--output", second)))
      assert.same({}, files_like(second, "^install%-"))
    end)

    it("boots from the disk by itself, whose shell knows the same commands", function()
      local image = output .. "/" .. files_like(output, "^demo%-1cpu%-.*%.qcow2$")[1]
      local disk = { file = image, format = "qcow2", snapshot = true }
      local guest <close> = boot { arch = "i386", memory = "64M", disk = disk, boot = "c" }
      assert(guest:expect("demo: firmware hand-over", WAIT))
      log_in(guest)
      assert.same({ "demo\n", 0 }, { guest:run("uname", WAIT) })
      assert.same({ "1\n", 0 }, { guest:run("cpus", WAIT) })
      assert(guest:sendline "poweroff")
      assert(guest:wait(60))
    end)

    it("never writes to the image that it boots", function()
      local image = output .. "/" .. files_like(output, "^demo%-1cpu%-.*%.qcow2$")[1]
      local _, info = program.execute("qemu-img", "info", "--output=json", image)
      local base = assert(json.decode(info)["full-backing-filename"])
      assert.equal(0, (program.execute("qemu-img", "compare", image, base)))
    end)
  end)

  it("marks configurations with more vCPUs than the host has cores", function()
    local output = dir .. "/many"
    local cores = #require("moonboot.host").allowed_cores()
    local code, out = program.run("run", "demo", "--samples", "1", "--set",
      ("cpus=1,%d"):format(cores + 1), "--output", output)
    assert.equal(0, code)
    assert.is_truthy(out:find("[oversubscribed: more vCPUs than host cores]", 1, true))
    assert.is_truthy(rundir.results(output)[("cpu_%d"):format(cores + 1)].oversubscribed)
  end)
end)

local files = require "moonboot.files"
local host = require "moonboot.host"

describe("host", function()
  local root

  local function put(path, content)
    assert(files.make_dir((root .. path):match("^(.*)/")))
    assert(files.write(root .. path, content))
  end

  before_each(function() root = assert(files.make_temp_dir "/tmp/moonboot-spec-") end)
  after_each(function() files.remove(root) end)

  it("reads what the kernel says", function()
    put("/proc/cpuinfo", "processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: fpu hypervisor tsc\n\n"
      .. "processor\t: 1\nmodel name\t: Some CPU\n")
    put("/sys/devices/system/cpu/online", "0-2,5\n")
    put("/proc/self/status", "Name:\tx\nCapEff:\t0000000000801000\nCpus_allowed_list:\t0,2\n")
    put("/proc/self/limits", "Max realtime priority     0                    0                    \n")
    put("/proc/meminfo", "MemTotal:       1000 kB\nMemFree:  1 kB\nMemAvailable:    500 kB\n")
    put("/proc/loadavg", "0.10 0.20 0.30 1/99 1234\n")
    put("/proc/sys/kernel/osrelease", "6.1.0\n")
    put("/proc/sys/kernel/hostname", "box\n")
    put("/proc/sys/net/core/wmem_max", "212992\n")
    put("/proc/pressure/cpu", "some avg10=0.14 avg60=0.71 avg300=0.25 total=4735233\nfull avg10=0.00 total=0\n")
    put("/proc/stat", "cpu  10 0 20 50 10 0 0 10 7 0\ncpu0 1 2 3\n")
    put("/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "800000\n")
    put("/sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq", "3100000\n")
    put("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n")
    put("/sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "performance\n")
    put("/sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n")
    local facts = host.facts { root = root }
    assert.equal("Some CPU", facts.cpu_model)
    assert.equal(4, facts.cores)
    assert.equal(2, facts.cores_allowed)
    assert.is_true(facts.virtualised)
    assert.equal(1024000, facts.memory_bytes)
    assert.equal(512000, facts.memory_available_bytes)
    assert.same({ 0.1, 0.2, 0.3 }, facts.load)
    assert.equal("6.1.0", facts.kernel)
    assert.equal("box", facts.hostname)
    assert.equal("powersave,performance", facts.governor)
    assert.equal("tsc", facts.clocksource)
    assert.same({
      pressure_us = 4735233, steal_ticks = 10, total_ticks = 100, busy_ticks = 30, frequency_khz = 3100000,
    }, facts.counters)
    assert.same({ realtime = true, large_buffers = true, send_buffer_bytes = 212992 }, facts.rights)
  end)

  it("leaves unknown what the kernel does not say", function()
    local facts = host.facts { root = root }
    assert.same({ counters = {}, rights = {} }, facts)
  end)

  it("knows rights by limit as well as by capability", function()
    put("/proc/self/status", "Name:\tx\nCapEff:\t0000000000000000\n")
    put("/proc/self/limits", "Max realtime priority     99                   99                   \n")
    assert.is_true(host.rights(root).realtime)
    assert.is_false(host.rights(root).large_buffers)
    put("/proc/self/limits", "Max realtime priority     0                    99                   \n")
    assert.is_false(host.rights(root).realtime)
  end)

  it("looks at this host", function()
    local facts = host.facts()
    assert.is_true(facts.cores >= 1)
    assert.is_true(facts.cores_allowed >= 1)
    assert.is_true(facts.memory_bytes > facts.memory_available_bytes)
    assert.is_string(facts.kernel)
  end)

  it("asks QEMU for its version", function()
    local version, line = host.qemu_version("i386")
    assert.matches("^%d+%.%d+", version)
    assert.matches("QEMU emulator version", line)
    local none, message = host.qemu_version("vax")
    assert.is_nil(none)
    assert.equal("qemu-system-vax: not found", message)
    none, message = host.qemu_version("i386", "echo")
    assert.is_nil(none)
    assert.matches("^QEMU did not say its version: echo", message)
  end)
end)

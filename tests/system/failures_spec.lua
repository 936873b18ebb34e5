-- Every way a guest can fail that the demo guest knows: the status it gets, and what is kept of it.
local files = require "moonboot.files"
local json = require "moonboot.json"
local program = require "tests.system.support.program"
local rundir = require "tests.system.support.rundir"
local support = require "tests.system.support.sandbox"
local vm = require "moonboot.vm"

local EXPERIMENT = "tests/system/support/switches.lua"

-- Status, how many of the ten markers are found, and what the reason says (a pattern; nil: there is none).
local END_BY_THEMSELVES = {
  ["none"] = { "ok", 10 },
  ["garbage"] = { "ok", 10 },
  ["noisy"] = { "ok", 10 },
  ["hang=prompt"] = { "ok", 10 },
  ["poweroff"] = { "ok", 10 },
  ["panic"] = { "failed_pattern", 8, '^the guest said "panic: demo: asked for at phase services"$' },
  ["panic=firmware"] = { "failed_pattern", 0, "asked for at phase firmware" },
  ["panic=cpus"] = { "failed_pattern", 4, "asked for at phase cpus" },
  ["triple"] = { "guest_reset", 6, "^the guest reset itself; missing drivers, " },
  ["reset"] = { "guest_reset", 6, "^the guest reset itself; missing drivers, " },
  ["reset=memory"] = { "guest_reset", 2, "missing memory, " },
  ["resetloop"] = { "guest_reset", 6, "^the guest reset itself; missing drivers, " },
  ["exit"] = { "missing_marker", 1, "^the guest ended %(guest%-shutdown%); missing kernel_entry, " },
  ["exit=firmware"] = { "no_output", 0, "^the guest ended %(guest%-shutdown%) without a word on any console$" },
}

local NEVER_END = {
  ["hang"] = { "timeout", 8, "^missing services, login_prompt after 6 s; no output for the last %d s$" },
  ["hang=firmware"] = { "no_output", 0, "^nothing on any console within 6 s$" },
  ["hang=entry"] = { "timeout", 1, "^missing kernel_entry, memory, " },
  ["hang=cpus"] = { "timeout", 4, "^missing cpus, process_table, " },
  ["hang=login"] = { "timeout", 9, "^missing login_prompt after 6 s" },
  ["hang=loud"] = { "timeout", 8, "^missing services, login_prompt after 6 s$" },
  ["silent"] = { "no_output", 0, "^nothing on any console within 6 s$" },
  ["console=vga"] = { "no_output", 0, "^nothing on any console within 6 s$" },
  ["com2"] = { "timeout", 7, "^missing file_system_check, services, login_prompt after 6 s" },
  ["noisy=inside"] = { "timeout", 9, "^missing login_prompt after 6 s" },
}

describe("a guest that fails", function()
  local sandbox

  setup(function() sandbox = support.sandbox() end)
  teardown(function() sandbox:close() end)

  local function run(name, ...)
    local output = sandbox.dir .. "/" .. name
    local code, out, err = program.run("run", EXPERIMENT, "--kernel", support.guest .. "/demo.elf",
      "--output", output, "--seed", "1", ...)
    return output, code, out, err
  end

  -- Boots once with each of these switches.
  local function boot_all(name, expected, ...)
    local switches = {}
    for switch in pairs(expected) do switches[#switches + 1] = switch end
    table.sort(switches)
    local output, code, out, err = run(name, "--set", "switches=" .. table.concat(switches, ","), ...)
    local samples = {}
    for _, record in ipairs(rundir.samples(output)) do samples[record.key] = record end
    return samples, output, code, out, err
  end

  local function check(samples, output, expected)
    for switch, wanted in pairs(expected) do
      local sample = assert(samples["switches_" .. switch:gsub("[^%w]", "_")], switch)
      local status, markers, reason = table.unpack(wanted)
      assert.equal(status, sample.status, ("%s: %s (%s)"):format(switch, sample.status, sample.reason))
      assert.equal(markers, #sample.markers, switch)
      if reason then assert.matches(reason, sample.reason) else assert.equal(json.null, json.value(sample.reason) or
        json.null) end
      for _, console in ipairs(sample.consoles) do
        local log = assert(files.read(output .. "/" .. console.log))
        assert.equal(console.bytes, #log, switch)
        local timed = 0
        for count in files.read(output .. "/" .. console.timing):gmatch("%d+%.%d%d%d%d%d%d (%d+)\n") do
          timed = timed + count
        end
        assert.equal(#log, timed, switch)
      end
    end
  end

  it("by itself gets the status of how it failed", function()
    local samples, output, code, out = boot_all("ends", END_BY_THEMSELVES)
    assert.equal(1, code)
    check(samples, output, END_BY_THEMSELVES)
    local results = rundir.results(output)
    for _, key in ipairs { "switches_panic", "switches_reset", "switches_exit" } do
      local configuration = results[key]
      assert.same({ 0, 1 }, { configuration.statistics.n, configuration.statistics.failed })
      assert.equal(json.null, configuration.statistics.mean_ms)
      assert.equal(json.null, configuration.samples[1].boot_time_ms)
    end
    -- What the guest wrote gets to no terminal: not its escapes, its controls, its broken UTF-8.
    assert.is_nil(out:find("[%z\1-\8\11-\31\127]"))
    assert.is_truthy(utf8.len(out))
    local log = files.read(output .. "/" .. samples.switches_garbage.consoles[1].log)
    assert.is_truthy(log:find("\xff\xfe\xc3(\xe2\x82\0\x80\x9b\1\2\14\127\0\27]0;owned", 1, true))
    local _, marked = program.run("mark", output .. "/" .. samples.switches_garbage.consoles[1].log, "--grammar",
      "demo", "--trace", "firmware")
    assert.is_nil(marked:find("[%z\1-\8\11-\31\127]"))
    assert.is_truthy(utf8.len(marked))
  end)

  it("by switching itself off leaves a slow machine its time for that", function()
    local guest <close> = assert(vm.boot({ arch = "i386", accel = "tcg", memory = "64M",
      kernel = support.guest .. "/demo.elf", append = "exit=firmware", args = { "-machine", "acpi=off" } }))
    local said, message = guest:expect("did not switch off", { timeout = 3 })
    assert.is_nil(said)
    assert.matches("did not come within 3 s", message)
  end)

  it("by never ending gets a deadline for a status, never for a time", function()
    local samples, output, code, out = boot_all("hangs", NEVER_END, "--timeout", "6", "--jobs", "10")
    assert.equal(1, code)
    check(samples, output, NEVER_END)
    for _, configuration in pairs(rundir.results(output)) do
      local statistics = type(configuration) == "table" and configuration.statistics
      if statistics then assert.same({ json.null, json.null }, { statistics.mean_ms, statistics.max_ms }) end
    end
    -- What is silent comes first.
    local at = assert(out:find("NO MARKER WAS SEEN", 1, true))
    assert.is_true(at < out:find("Samples: n =", 1, true))
    assert.matches("Guest may be speaking elsewhere: on the VGA screen", (out:gsub("The guest", "Guest")))
  end)

  it("by talking without end loses no byte of what it said", function()
    local expected = { flood = { "timeout", 6, "^missing drivers" }, longline = { "timeout", 6, "^missing drivers" } }
    local samples, output, code = boot_all("floods", expected, "--timeout", tostring(3 * program.slowness))
    assert.equal(1, code)
    check(samples, output, expected)
    local flood = files.read(output .. "/" .. samples.switches_flood.consoles[1].log)
    local number = 0
    for line in flood:gmatch("demo: flood: line (%d+) of phase drivers\r\n") do
      number = number + 1
      assert.equal(number, math.tointeger(tonumber(line)))
    end
    assert.is_true(number > 1000)
    local line = files.read(output .. "/" .. samples.switches_longline.consoles[1].log):match("demo: long line: (.*)$")
    assert.is_true(#line > 100000)
    assert.equal(("0123456789abcdef"):rep(#line // 16 + 1):sub(1, #line), line)
  end)

  it("by saying nothing that the grammar knows gets its lines shown, and the command that tells why", function()
    local experiment = sandbox:write("deaf.lua", ([[
local mb = require "moonboot"
return mb.experiment {
  name = "deaf",
  machine = { arch = "i386", memory = "32M", kernel = "%s/demo.elf", append = "work=5 exit=login" },
  samples = 1,
  timeout = 60,
  grammar = mb.grammar { { "kernel", "demo: kernel entri" }, { "prompt", "Login: ", partial = true } },
}
]]):format(support.guest))
    local code, out = program.run("run", experiment, "--output", sandbox.dir .. "/deaf")
    assert.equal(1, code)
    assert.matches("\nNO MARKER WAS SEEN\n", out)
    assert.matches("missing_marker: the guest ended %(guest%-shutdown%); missing kernel, prompt\n", out)
    assert.matches("| demo: firmware hand%-over\n", out)
    assert.matches("| demo: services: syslogd cron inetd\n", out)
    local arguments = {}
    for word in out:match("Why no rule matches:\n +moonboot ([^\n]*)"):gmatch("%S+") do
      arguments[#arguments + 1] = word
    end
    local status, traced = program.run(table.unpack(arguments))
    assert.equal(1, status)
    assert.matches('kernel looks for "demo: kernel entri"\n  nearest: com1 line 2 at [%d.]+ ms, shares "demo: kernel '
      .. 'entr"', traced)
  end)

  it("by resetting itself again and again is noticed where it may reset", function()
    local output, code = run("loop", "--set", "switches=resetloop", "--reboot", "--timeout", "4")
    assert.equal(1, code)
    local sample = rundir.samples(output)[1]
    assert.equal("timeout", sample.status)
    assert.matches("^missing drivers, .*; the guest reset itself %d+ times", sample.reason)
  end)

  it("by hanging ten times in a row times out ten times", function()
    local output, code, out = run("ten", "--set", "switches=hang=memory", "--samples", "10", "--timeout", "1")
    assert.equal(1, code)
    local samples = rundir.samples(output)
    assert.equal(10, #samples)
    for _, sample in ipairs(samples) do
      -- A host too slow for a byte within the second is as true.
      assert.is_true(sample.status == "timeout" or sample.status == "no_output", sample.status)
      assert.equal(0, sample.qemu.code)
    end
    assert.matches("n = 0 ok, 10 not ok", out)
    assert.same({}, sandbox:processes())
  end)
end)

describe("two consoles", function()
  it("are stamped on one clock", function()
    local sandbox = support.sandbox()
    local output = sandbox.dir .. "/two"
    local code, _, err = program.run("run", EXPERIMENT, "--kernel", support.guest .. "/demo.elf", "--output",
      output, "--consoles", "2", "--set", "switches=com2", "--samples", "3")
    assert.equal(0, code, err)
    for _, sample in ipairs(rundir.samples(output)) do
      assert.equal("ok", sample.status)
      local channels, previous = {}, 0
      for i, marker in ipairs(sample.markers) do
        channels[i] = marker.channel
        assert.is_true(marker.t_ns > previous)
        previous = marker.t_ns
      end
      assert.same({ "com1", "com1", "com1", "com1", "com1", "com1", "com1", "com2", "com2", "com2" }, channels)
      assert.matches("%.com2%.log$", sample.consoles[2].log)
      -- The same again from the files alone.
      local _, marked = program.run("mark", "--json", "--grammar", "demo", output .. "/" .. sample.consoles[1].log,
        output .. "/" .. sample.consoles[2].log)
      local again = json.decode(marked)
      assert.equal(#sample.markers, #again.markers)
      for i, marker in ipairs(again.markers) do
        assert.equal(sample.markers[i].name, marker.name)
        -- The files hold microseconds.
        assert.is_true(math.abs(marker.t_ms * 1e6 - sample.markers[i].t_ns) <= 1000)
      end
    end
    sandbox:close()
  end)
end)

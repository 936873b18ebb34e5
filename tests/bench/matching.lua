--- How fast a grammar of ten rules gets through a log of 100 MB: a Linux boot over and over, without the lines that the
-- rules look for, which stand at its end. All tools must find all ten.
local files = require "moonboot.files"
local guests = require "tests.bench.support.guests"
local measure = require "tests.bench.support.measure"
local stats = require "moonboot.stats"
local vm = require "moonboot.vm"

-- Five literals, five patterns.
local GRAMMAR = [[
local lpeg = require "lpeg"
local mb = require "moonboot"
local Cg, P, R = lpeg.Cg, lpeg.P, lpeg.R
local number = R "09" ^ 1
return mb.grammar {
  { "kernel_starts", P "Linux version " * Cg((P(1) - " ") ^ 1, "version"), hint = "Linux version " },
  { "command_line", "Command line: " },
  { "memory", P "Memory: " * Cg(number, "kb") * "K/" * number * "K available", hint = "Memory: " },
  { "cpus", P "smp: Brought up " * number * " node, " * Cg(number, "cpus") * " CPU", hint = "smp: Brought up " },
  { "device_nodes", "devtmpfs: initialized" },
  { "clocksource", P "clocksource: Switched to clocksource " * Cg(P(1) ^ 1, "name"),
    hint = "Switched to clocksource " },
  { "network", "NET: Registered PF_INET protocol family" },
  { "serial_driver", "Serial: 8250/16550 driver" },
  { "serial_line", P "ttyS" * Cg(number, "line") * " at I/O 0x" * R("09", "af") ^ 1, hint = " at I/O 0x" },
  { "panic", "Kernel panic - not syncing: " },
}
]]

local EXPRESSION = table.concat({
  "Linux version [^ ]+", "Command line: ", "Memory: [0-9]+K/[0-9]+K available",
  "smp: Brought up [0-9]+ node, [0-9]+ CPU", "devtmpfs: initialized",
  "clocksource: Switched to clocksource .+", "NET: Registered PF_INET protocol family",
  "Serial: 8250/16550 driver", "ttyS[0-9]+ at I/O 0x[0-9a-f]+", "Kernel panic - not syncing: ",
}, "|")

-- The lines of a boot, those of them that the rules look for, and how many these are: the kernel of a busy host may
-- switch its clock source twice.
local function boot(bench)
  local guest <close> = assert(vm.boot(guests.linux(), { dir = bench.dir, name = "linux" }))
  assert(guest:wait(120))
  local log = bench.dir .. "/linux.log"
  local function grep(...) return measure.run({ "env", "LC_ALL=C", "grep", "-E", ... }).stdout end
  local wanted = grep(EXPRESSION, log)
  return grep("-v", EXPRESSION, log), wanted, select(2, wanted:gsub("\n", ""))
end

-- Writes a log of about that size and gives its own, in MB.
local function write(path, size, lines, last)
  local file <close> = assert(io.open(path, "wb"))
  for _ = 1, size // #lines do assert(file:write(lines)) end
  assert(file:write(last))
  return file:seek() / 1e6
end

local function expect(what, found, wanted)
  if found ~= wanted then error(("%s found %s of %d lines"):format(what, found, wanted)) end
end

return function(bench)
  local log, short, grammar = bench.dir .. "/long.log", bench.dir .. "/short.log", bench.dir .. "/ten_rules.lua"
  local lines, last, last_count = boot(bench)
  local mb = write(log, bench.quick and 1e7 or 1e8, lines, last)
  local short_mb = write(short, bench.quick and 1e5 or 2e6, lines, last)
  assert(files.write(grammar, GRAMMAR))

  local function moonboot()
    local result = measure.run { bench.build .. "/moonboot", "mark", log, "--grammar", grammar }
    expect("moonboot", select(2, result.stdout:gsub("com1", "")), 10)
    return mb / result.wall_ns * 1e9
  end
  local function grep()
    local result = measure.run { "env", "LC_ALL=C", "grep", "-E", "-c", EXPRESSION, log }
    expect("grep", tonumber(result.stdout), last_count)
    return mb / result.wall_ns * 1e9
  end
  local function python(tool, path, size, wanted)
    return function()
      local said = measure.run({ "/usr/bin/python3", "tests/bench/peers/match.py", tool, path, EXPRESSION }).stdout
      local seconds, found = said:match("(%S+) (%d+)")
      expect(tool, tonumber(found), wanted)
      return size / seconds
    end
  end
  local values = measure.interleaved(bench.rounds(3), {
    { "moonboot", moonboot },
    { "grep -E", grep },
    { "Python re", python("re", log, mb, last_count) },
    { "grabserial", python("grabserial", short, short_mb, 1) },
  })
  local bars = { grabserial = { of = "ratio", at_least = 20 }, ["grep -E"] = { of = "ratio", at_least = 0.2 } }
  for _, peer in ipairs { "grabserial", "Python re", "grep -E" } do
    bench.row {
      what = "matching 10 rules over 100 MB", value = stats.median(values.moonboot), unit = "MB/s",
      peer = peer, peer_value = stats.median(values[peer]), ratio = measure.ratio(values.moonboot, values[peer]),
      bars = bars[peer] and { bars[peer] },
    }
  end
end

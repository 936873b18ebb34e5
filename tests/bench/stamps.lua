--- How far stamps are from the truth: a Linux boot read by moonboot, grabserial, ts and pexpect, each boot beside
-- QEMU's own trace of it. moonboot stamps each byte. The others stamp lines, grabserial when a line begins, ts and
-- pexpect when it has ended, and are judged by that byte.
local files = require "moonboot.files"
local guests = require "tests.bench.support.guests"
local lines = require "tests.bench.support.lines"
local measure = require "tests.bench.support.measure"
local oracle = require "moonboot.oracle"
local stats = require "moonboot.stats"
local task = require "moonboot.task"
local uv = require "luv"
local vm = require "moonboot.vm"

local BOOT_SECONDS = 180
-- What the guest sends, and some more.
local TRACED_BYTES = 30000
-- QEMU looks once a second whether somebody has opened its pseudo-terminal, and drops what the guest says until then.
local PTY_SECONDS = 1.5

local function with_moonboot(machine, trace, dir)
  local guest <close> = assert(vm.start(machine, { dir = dir, name = "stamps" }))
  assert(oracle.reserve(trace, TRACED_BYTES))
  assert(guest:resume())
  assert(guest:wait(BOOT_SECONDS))
  return assert(oracle.capture(guest.com1.log, guest.com1.timing, guest.t0_realtime_ns)), assert(oracle.read(trace))
end

-- For a tool that stamps lines: what it wrote, beside the trace, both without carriage returns.
local function lines_beside(trace, output, at)
  return lines.stamped(assert(files.read(output)), at), lines.without_returns(assert(oracle.read(trace)))
end

local function with_ts(machine, trace, dir)
  local output = dir .. "/ts"
  measure.run({ "sh", "-c", [[out=$1; shift; "$@" </dev/null | ts '[%.s]' >"$out"]], "sh", output,
    table.unpack(guests.bare(machine, "stdio")) })
  return lines_beside(trace, output, "end")
end

local function with_pexpect(machine, trace, dir)
  local output = dir .. "/pexpect"
  measure.run({ "/usr/bin/python3", "tests/bench/peers/read_lines.py", output,
    table.unpack(guests.bare(machine, "stdio")) })
  return lines_beside(trace, output, "end")
end

local function wait_until(what, condition)
  for _ = 1, 1000 do
    local value = condition()
    if value then return value end
    task.sleep(0.02)
  end
  error("waited for nothing: " .. what)
end

local function has_open(pid, path)
  for name in files.entries(("/proc/%d/fd"):format(pid)) do
    if uv.fs_readlink(("/proc/%d/fd/%s"):format(pid, name)) == path then return true end
  end
  return false
end

local function with_grabserial(machine, trace, dir)
  local output, monitor = dir .. "/grabserial", dir .. "/monitor"
  local argv = guests.bare(machine, "pty")
  table.move({ "-S", "-monitor", ("unix:%s,server=on,wait=off"):format(monitor) }, 1, 3, #argv + 1, argv)
  local qemu <close> = measure.start(argv)
  local pty = wait_until("QEMU's pseudo-terminal", function()
    assert(not qemu:poll(), "QEMU ended")
    return (qemu:stdout() .. qemu:stderr()):match("(/dev/pts/%d+)")
  end)
  local reader <close> = measure.start { "/usr/bin/python3", "/usr/bin/grabserial", "-S", "-d", pty, "-T", "-n", "-F",
    "%s.%f", "-Q", "-o", output }
  wait_until("grabserial", function() return has_open(reader:pid(), pty) end)
  task.sleep(PTY_SECONDS)
  measure.run { "sh", "-c", 'echo cont | socat - "UNIX-CONNECT:$0"', monitor }
  measure.finish(qemu, BOOT_SECONDS)
  -- It ends by itself when it sees the line hang up.
  for _ = 1, 500 do
    if reader:poll() then break end
    task.sleep(0.02)
  end
  return lines_beside(trace, output, "start")
end

local TOOLS = {
  { "moonboot", with_moonboot },
  { "grabserial", with_grabserial },
  { "ts", with_ts },
  { "pexpect", with_pexpect },
}

-- QEMU writes its trace before it sends the byte: on a disk, that would be part of each error.
local function trace_dir(bench)
  local memory = uv.fs_access("/dev/shm", "W") and files.make_temp_dir "/dev/shm/moonboot-bench-"
  return memory or bench.dir, setmetatable({}, { __close = function() if memory then files.remove(memory) end end })
end

-- Boots the guest once under each tool. -> by name: errors in us, bytes lost, bytes sent
local function boots(bench, cpus)
  local outcomes = {}
  local folder, _ <close> = trace_dir(bench)
  local trace = folder .. "/trace"
  for _, tool in ipairs(TOOLS) do
    local machine = guests.linux { cpus = cpus, args = oracle.args(trace) }
    local stamped, reference = tool[2](machine, trace, bench.dir)
    local errors_ns, lost = oracle.errors(reference, stamped)
    local errors_us = {}
    for i, ns in ipairs(errors_ns) do errors_us[i] = math.abs(ns) / 1e3 end
    outcomes[tool[1]] = { errors_us = errors_us, lost = lost, sent = #reference.data }
    assert(files.remove(trace))
  end
  return outcomes
end

local function condition(bench, loops, cpus, lost)
  local load <close> = guests.load(loops)
  assert(#load == loops)
  local outcomes = boots(bench, cpus)
  local where = ("%s, smp %d"):format(loops == 0 and "idle" or loops .. " busy loops", cpus)
  local ours = outcomes.moonboot
  for _, percentile in ipairs { 50, 99 } do
    for _, peer in ipairs { "grabserial", "ts", "pexpect" } do
      local judged = percentile == 99 and loops == 3 and cpus == 4 and peer == "grabserial"
      bench.row {
        what = ("stamp error p%d, %s"):format(percentile, where), unit = "us", peer = peer,
        value = stats.percentile(ours.errors_us, percentile),
        peer_value = stats.percentile(outcomes[peer].errors_us, percentile),
        bars = judged and { { of = "value", at_most = 15 }, { of = "ratio", at_most = 1 / 500 } } or nil,
      }
    end
  end
  for name, outcome in pairs(outcomes) do lost[name] = (lost[name] or 0) + outcome.lost end
  return ours.sent
end

return function(bench)
  local lost, sent = {}, 0
  for _, loops in ipairs { 0, 3 } do
    for _, cpus in ipairs { 1, 4 } do sent = sent + condition(bench, loops, cpus, lost) end
  end
  for _, peer in ipairs { "grabserial", "ts", "pexpect" } do
    bench.row { what = ("bytes lost of %d, all of these boots"):format(sent), value = lost.moonboot, unit = "bytes",
      peer = peer, peer_value = lost[peer], bars = { { of = "value", at_most = 0 } } }
  end
end

--- How fast a line is captured: from a writer that does nothing but send, and from a guest that floods its console.
-- moonboot stamps every message, keeps the times, and has its lines read by a script; cat and socat keep the bytes.
local console = require "moonboot.console"
local engine = require "moonboot.engine"
local guests = require "tests.bench.support.guests"
local measure = require "tests.bench.support.measure"
local stats = require "moonboot.stats"
local task = require "moonboot.task"
local uv = require "luv"
local vm = require "moonboot.vm"

local WARM_SECONDS, FLOOD_SECONDS = 1, 2

local READERS = {
  cat = { "sh", "-c", 'exec cat <&3 >"$0"' },
  socat = { "socat", "-u", "FD:3", "OPEN:FILE,creat,trunc" },
}

local function size(path)
  local stat = uv.fs_stat(path)
  return stat and stat.size or 0
end

-- Starts cat or socat on a line like moonboot's. -> the process, the other end
local function start_reader(name, path)
  local argv = {}
  for i, word in ipairs(READERS[name]) do argv[i] = word:gsub("FILE", path) end
  if name == "cat" then table.insert(argv, path) end
  local ends = assert(uv.socketpair("seqpacket", nil, {}, {}))
  local reader = measure.start(argv, { fds = { ends[1] } })
  uv.fs_close(ends[1])
  return reader, ends[2]
end

local function writer(bench, count, bytes, fd)
  return measure.start({ bench.build .. "/bench/writer", tostring(count), tostring(bytes) }, { fds = { fd } })
end

local function check(name, got, wanted)
  if got ~= wanted then error(("%s: %d of %d bytes arrived"):format(name, got, wanted)) end
end

local function synthetic(bench, count, bytes)
  local function with_moonboot()
    local line = assert(console.open("com1", { log = bench.dir .. "/x.log", timing = bench.dir .. "/x.timing" }))
    local began_ns = engine.clock.now()
    local sender <close> = writer(bench, count, bytes, line.handle:guest_fd())
    line.handle:handover()
    line:start(began_ns)
    measure.finish(sender)
    assert(line:finish(10 * 1000000000))
    local elapsed_ns = engine.clock.now() - began_ns
    check("moonboot", size(bench.dir .. "/x.log"), count * bytes)
    line:close()
    task.settle()
    return count * bytes / elapsed_ns * 1e3
  end
  local function with(name)
    return function()
      local path = bench.dir .. "/" .. name
      local reader <close>, fd = start_reader(name, path)
      local began_ns = engine.clock.now()
      local sender <close> = writer(bench, count, bytes, fd)
      uv.fs_close(fd)
      measure.finish(sender)
      local elapsed_ns = measure.finish(reader).ended_ns - began_ns
      check(name, size(path), count * bytes)
      return count * bytes / elapsed_ns * 1e3
    end
  end
  return measure.interleaved(bench.rounds(7), {
    { "moonboot", with_moonboot }, { "cat", with "cat" }, { "socat", with "socat" },
  })
end

-- Bytes per second once the guest is under way.
local function rate(received)
  task.sleep(WARM_SECONDS)
  local bytes, began_ns = received(), engine.clock.now()
  task.sleep(FLOOD_SECONDS)
  return (received() - bytes) / (engine.clock.now() - began_ns) * 1e3
end

-- The guest numbers its lines: how many bytes of them are not in the log.
local function lost_of(path)
  local file <close> = assert(io.open(path, "rb"))
  local lost, next_number, begun = 0, 1, false
  for line in file:lines "L" do
    local number = math.tointeger(tonumber(line:match("^flood: line (%d+) of phase drivers\r?\n$")))
    if number then
      for missing = next_number, number - 1 do lost = lost + #line - #tostring(number) + #tostring(missing) end
      next_number, begun = number + 1, true
    elseif begun and line:sub(-1) == "\n" then
      lost = lost + #line
    end
  end
  return lost
end

local function flood(bench)
  local lost = 0
  local machine = guests.demo "flood"
  local function with_moonboot()
    local guest <close> = assert(vm.boot(machine, { dir = bench.dir, name = "flood" }))
    local result = rate(function() return guest.com1:stats().bytes end)
    guest:stop()
    lost = lost + lost_of(bench.dir .. "/flood.log")
    return result
  end
  local function with(name)
    return function()
      local path = bench.dir .. "/" .. name
      local _ <close>, fd = start_reader(name, path)
      local argv = guests.bare(machine, "chardev:line")
      table.move({ "-chardev", "socket,id=line,fd=3" }, 1, 2, #argv + 1, argv)
      local _ <close> = measure.start(argv, { fds = { fd } })
      uv.fs_close(fd)
      return rate(function() return size(path) end)
    end
  end
  local values = measure.interleaved(bench.rounds(3), {
    { "moonboot", with_moonboot }, { "cat", with "cat" }, { "socat", with "socat" },
  })
  return values, lost
end

local function rows(bench, what, values, bars)
  for _, peer in ipairs { "cat", "socat" } do
    bench.row {
      what = what, value = stats.median(values.moonboot), unit = "MB/s", peer = peer,
      peer_value = stats.median(values[peer]), ratio = measure.ratio(values.moonboot, values[peer]),
      bars = peer == "cat" and bars or nil,
    }
  end
end

return function(bench)
  local half = { { of = "ratio", at_least = 0.5 } }
  local count = bench.quick and 50000 or 500000
  rows(bench, "capture of one-byte messages", synthetic(bench, count, 1), half)
  rows(bench, "capture of 64-byte messages", synthetic(bench, count, 64), half)
  local values, lost = flood(bench)
  rows(bench, "capture of a guest that floods its console", values)
  bench.row { what = "bytes lost of a guest that floods its console", value = lost, unit = "bytes",
    bars = { { of = "value", at_most = 0 } } }
end

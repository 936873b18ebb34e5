-- A console that is flooded with lines, then with one line that does not end: flood.lua MEGABYTES. Every byte counts,
-- a grammar looks on, and memory must not grow with what comes.
local console = require "moonboot.console"
local engine = require "moonboot.engine"
local files = require "moonboot.files"
local loader = require "moonboot.loader"

local megabytes = math.tointeger(tonumber(arg[1])) or 1024
local bytes = megabytes << 20
local MOST_KB = 64 * 1024

local function peak_kb()
  return math.tointeger(tonumber(files.read("/proc/self/status"):match "VmHWM:%s*(%d+)"))
end

local function flood(what, source)
  local line = assert(console.open("com1", { log = "/dev/null", timing = "/dev/null", transport = "read" }))
  local matcher = assert(loader.grammar "demo"):matcher { channels = { "com1" } }
  line:listen {
    line = function(_, text, lines, number) matcher:line("com1", text, lines, number) end,
    partial = function(_, lines) matcher:partial("com1", lines) end,
  }
  local began_ns = engine.clock.now()
  local _ <close> = assert(engine.process.spawn {
    argv = { "sh", "-c", ("%s | head -c %d >&3"):format(source, bytes) },
    fds = { line.handle:guest_fd() },
  })
  line.handle:handover()
  line:start(began_ns)
  while not line:stats().ended do require("moonboot.task").sleep(0.01) end
  line:finish(0)
  local stats = line:stats()
  line:close()
  local seconds = (engine.clock.now() - began_ns) / 1e9
  print(("flood: %d MB of %s in %.1f s, %d bytes past a full ring; peak memory %.1f MB"):format(megabytes, what,
    seconds, stats.overruns, peak_kb() / 1024))
  assert(stats.bytes == bytes, ("%d of %d bytes were counted"):format(stats.bytes, bytes))
  assert(peak_kb() < MOST_KB, "memory grows")
end

flood("lines", "yes 'a line that says nothing new, again and again, as broken guests do'")
flood("one line", "tr '\\0' x < /dev/zero")

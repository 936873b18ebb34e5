--- The program as its users run it, and other programs: started, sent signals, waited for.
local engine = require "moonboot.engine"
local files = require "moonboot.files"
local task = require "moonboot.task"
local uv = require "luv"

local program = {}

-- No wait is longer: for something that takes a second or two on an idle machine, and for a whole run.
local LONGEST_S, LONGEST_RUN_S = 120, 900

--- Where the program is: the one that runs the tests, if not another is named, such as one that runs it under valgrind.
program.path = os.getenv "MOONBOOT_PROGRAM" or uv.exepath()

local Started = {}
Started.__index = Started

--- Starts a program with its arguments; "moonboot" stands for ours. Closing it kills it.
-- @treturn Started `process` is the engine's handle of it
function program.start(...)
  local argv = { ... }
  for i, word in ipairs(argv) do
    if word == "moonboot" then argv[i] = program.path end
  end
  return setmetatable({ process = assert(engine.process.spawn { argv = argv }) }, Started)
end

--- Waits for its end -> exit status (nil when a signal ended it), standard output, standard error, the signal's name.
function Started:wait()
  local ended = self.process:poll()
  while not ended do
    assert(task.readable(self.process:fd(), LONGEST_RUN_S), "the program does not end")
    ended = self.process:poll()
  end
  return ended.code, self.process:stdout(), self.process:stderr(), ended.signal
end

function Started:pid()
  return self.process:pid()
end

function Started:signal(name)
  assert(self.process:signal(name))
end

function Started:close()
  self.process:close()
end

Started.__close = Started.close

--- Runs a program to its end -> as `Started:wait`.
function program.execute(...)
  local started <close> = program.start(...)
  return started:wait()
end

--- Runs moonboot to its end.
function program.run(...)
  return program.execute("moonboot", ...)
end

--- Waits until a condition gives a true value, and returns it.
function program.await(condition, what)
  local deadline_ns = engine.clock.now() + LONGEST_S * 1000000000
  repeat
    local value = condition()
    if value then return value end
    task.sleep(0.02)
  until engine.clock.now() > deadline_ns
  error("never came: " .. (what or "the condition"), 2)
end

local function mapped(library)
  return (files.read "/proc/self/maps" or ""):find(library) ~= nil
end

--- Whether this runs under valgrind.
program.under_valgrind = mapped "valgrind"

--- How many times as long as usual a guest gets for what it has to say within a deadline of a test.
program.slowness = program.under_valgrind and 5 or 1

--- Whether this build has a sanitizer, or runs under valgrind: then memory is theirs, and limits on it mean nothing.
function program.watched()
  return mapped "lib[atu]%w*san" or program.under_valgrind
end

--- Whether signals wait until the program calls its C library, as under ThreadSanitizer: a loop that never does then
-- cannot be interrupted.
function program.holds_signals()
  return mapped "libtsan"
end

return program

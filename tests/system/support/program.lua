-- Runs moonboot as its users do, as a program, on the demo guest; kills it, looks at what it leaves.
local engine = require "moonboot.engine"
local files = require "moonboot.files"
local journal = require "moonboot.journal"
local task = require "moonboot.task"
local uv = require "luv"

local program = {}

-- No wait is longer: for something that takes a second or two on an idle machine, and for a whole run.
local LONGEST_S, LONGEST_RUN_S = 120, 900

local GUEST = "build/guest/demo.elf"

--- A directory with a demo guest of its own, so that every QEMU of a test can be told by its command line.
function program.workplace()
  local dir = assert(files.make_temp_dir "/tmp/moonboot-spec-")
  assert(uv.fs_chmod(dir, tonumber("755", 8)))
  assert(uv.fs_copyfile(GUEST, dir .. "/demo.elf"))
  return dir
end

--- Writes an experiment: `fields` is Lua source that goes into its table.
function program.experiment(dir, append, fields)
  local path = dir .. "/experiment.lua"
  assert(files.write(path, ([[
local mb = require "moonboot"
return mb.experiment {
  name = "spec",
  grammar = require "grammars.demo",
  measure = { from = "kernel_entry", to = "login_prompt" },
  machine = { arch = "i386", memory = "32M", kernel = %q, append = %q },
  %s
}
]]):format(dir .. "/demo.elf", append, fields or "")))
  return path
end

--- Whether this build has a sanitizer, or runs under valgrind: then memory is theirs, and limits on it mean nothing.
function program.watched()
  local maps = files.read "/proc/self/maps" or ""
  return maps:find("lib[atu]%w*san") ~= nil or maps:find("valgrind", 1, true) ~= nil
end

--- Whether signals wait until the program calls its C library, as under ThreadSanitizer: a loop that never does then
-- cannot be interrupted.
function program.holds_signals()
  return (files.read "/proc/self/maps" or ""):find("libtsan", 1, true) ~= nil
end

local Started = {}
Started.__index = Started

--- Starts `argv`, or moonboot with the arguments in it when its first is "moonboot".
function program.start(...)
  local argv = { ... }
  for i, word in ipairs(argv) do
    if word == "moonboot" then argv[i] = uv.exepath() end
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

function Started:signal(name)
  assert(self.process:signal(name))
end

function Started:close()
  self.process:close()
end

Started.__close = Started.close

--- Runs moonboot to its end.
function program.run(...)
  local started <close> = program.start("moonboot", ...)
  return started:wait()
end

--- Waits until a condition gives a true value, and returns it.
function program.await(condition, what)
  for _ = 1, LONGEST_S * 50 do
    local value = condition()
    if value then return value end
    task.sleep(0.02)
  end
  error("never came: " .. (what or "the condition"), 2)
end

--- The samples in the journal of a run directory, in the order written; none while there is no journal.
function program.samples(dir)
  local samples = {}
  for _, record in ipairs(journal.read(dir .. "/journal.jsonl") or {}) do
    if record.type == "sample" then samples[#samples + 1] = record end
  end
  return samples
end

--- Waits until so many samples are in the journal.
function program.await_samples(dir, count)
  program.await(function() return #program.samples(dir) >= count end, count .. " samples")
end

--- The QEMUs whose command line contains a text -> process ids.
function program.guests(text)
  local pids = {}
  for name in files.entries "/proc" do
    local words = name:find("^%d+$") and files.read("/proc/" .. name .. "/cmdline")
    if words and words:find("qemu%-system") and words:find(text, 1, true) then
      pids[#pids + 1] = math.tointeger(tonumber(name))
    end
  end
  return pids
end

--- Waits for a guest to run -> its process id.
function program.await_guest(text)
  return program.await(function() return program.guests(text)[1] end, "a guest")
end

--- Waits until no guest is left, and fails if one stays.
function program.assert_no_orphan(text)
  program.await(function() return #program.guests(text) == 0 end, "the end of every guest")
end

--- The names in a run directory that a finished run must not leave.
function program.leftovers(dir)
  local left = {}
  for name in files.entries(dir) do
    if name:find("^%.") or name:find("^lock") or name:find("%.tmp$") then left[#left + 1] = name end
  end
  return left
end

return program

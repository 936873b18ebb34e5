--- The record of a dialogue: what a script waited for, what it sent, which step it was in, and when.
-- One line an event; times are seconds since t0, the instant the guest was let run.
-- @module moonboot.transcript
local engine = require "moonboot.engine"
local text = require "moonboot.text"
local uv = require "luv"

local transcript = {}

local PRIVATE = tonumber("600", 8)

local Transcript = {}
Transcript.__index = Transcript

--- Opens a transcript.
-- @string path
-- @treturn ?Transcript or nil and a message
function transcript.open(path)
  local fd, message = uv.fs_open(path, "w", PRIVATE)
  if not fd then return nil, message end
  uv.fs_close(fd)
  local file
  file, message = io.open(path, "w")
  if not file then return nil, message end
  file:setvbuf("line")
  return setmetatable({ file = file, t0_ns = engine.clock.now() }, Transcript)
end

local function write(self, format, ...)
  if not self.file then return end
  local seconds = (engine.clock.now() - self.t0_ns) / 1e9
  self.file:write(("%12.6f "):format(seconds), format:format(...), "\n")
end

--- Sets what times count from.
-- @int t0_ns CLOCK_MONOTONIC
function Transcript:start(t0_ns)
  self.t0_ns = t0_ns
end

--- Notes the start of a step.
-- @string label
function Transcript:step(label)
  write(self, "step     %s", label)
end

--- Notes bytes sent to a console.
-- @tparam Console console
-- @string bytes
function Transcript:sent(console, bytes)
  write(self, "%-8s < %s", console.name, text.escape(bytes))
end

--- Notes a match.
-- @tparam Console console
-- @string label what was waited for
-- @tparam table found with `line`: the text of the line
function Transcript:matched(console, label, found)
  write(self, "%-8s > %s   (%s)", console.name, text.escape(found.line), label)
end

--- Notes a wait that failed.
-- @tparam Console console
-- @string message
function Transcript:failed(console, message)
  write(self, "%-8s ! %s", console.name, message)
end

--- Closes the file. Idempotent.
function Transcript:close()
  if self.file then
    self.file:close()
    self.file = nil
  end
end

return transcript

--- Captures: what the consoles of a boot said, and when, read back from `X.log` and `X.timing`.
-- @module moonboot.capture
local engine = require "moonboot.engine"

local capture = {}

local Capture = {}
Capture.__index = Capture

local function exists(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

--- Where the timing of a log is: `X.timing` beside `X.log`.
-- @string path  of the log
-- @treturn ?string nil when there is no such file
function capture.timing_path(path)
  local timing = path:gsub("%.log$", "") .. ".timing"
  return exists(timing) and timing or nil
end

--- The console that a log is of: its name says so (`X.com2.log`), else it is the first, the second, … one.
-- @string path
-- @int[opt=1] position  of the log in the list of a boot's logs
-- @treturn string e.g. "com1"
function capture.channel(path, position)
  return path:match("%.(com%d+)%.log$") or "com" .. (position or 1)
end

--- Opens a capture.
-- @string path  of the log; without a timing beside it, all times are unknown
-- @int[opt=1] position  see `capture.channel`
-- @treturn ?Capture `path`, `channel`, `reader` and `lines` (the engine's); or nil and
-- @treturn ?string why
function capture.open(path, position)
  local reader, message, code = engine.capture.open(path, capture.timing_path(path))
  if not reader then return nil, message, code end
  return setmetatable({
    path = path,
    channel = capture.channel(path, position),
    reader = reader,
    lines = engine.lines.new(),
  }, Capture)
end

--- Whether there is a timing file.
-- @treturn boolean
function Capture:timed()
  return self.reader:timed()
end

--- What was read so far.
-- @treturn table `bytes`, `chunks`, `untimed_bytes`, `first_ns` and `last_ns` (since t0; nil when unknown), `mismatch`
--   (how log and timing disagree; nil unless they were seen to)
function Capture:stats()
  return self.reader:stats()
end

--- Walks the lines that are left, the unfinished one at the end included.
-- @treturn function an iterator over text, time of the first byte (ns since t0; nil when unknown or the line is empty),
--   line number, and whether the line was complete. Raises when the capture cannot be read on.
function Capture:each()
  local lines, at_end = self.lines, false
  return function()
    while true do
      local text, number = lines:next()
      if text then return text, text ~= "" and lines:stamp(1) or nil, number, true end
      if at_end then return nil end
      local moved, message = lines:pull(self.reader)
      if not moved then error(message, 0) end
      if moved == 0 then
        at_end = true
        text, number = lines:partial()
        if text ~= "" then return text, lines:stamp(1), number, false end
      end
    end
  end
end

--- Closes the capture. Idempotent.
function Capture:close()
  self.lines:close()
  self.reader:close()
end

Capture.__close = Capture.close

local function close_all(captures)
  for _, one in ipairs(captures) do one:close() end
end

--- Opens the logs of one boot.
-- @tparam {string,…} paths
-- @treturn ?{Capture,…} with a `<close>` of its own; or nil and
-- @treturn ?string why
function capture.open_all(paths)
  local captures, taken = setmetatable({}, { __close = close_all }), {}
  for i, path in ipairs(paths) do
    local one, message, code = capture.open(path, i)
    if not one then
      close_all(captures)
      return nil, message, code
    end
    captures[i] = one
    local other = taken[one.channel]
    if other then
      close_all(captures)
      return nil, ("%s and %s would both be %s: give the logs of one boot"):format(other, path, one.channel)
    end
    taken[one.channel] = path
  end
  return captures
end

local function feed(captures, matcher)
  for _, one in ipairs(captures) do
    repeat
      local moved, message = one.lines:pull(one.reader)
      if not moved then error(message, 0) end
      matcher:feed(one.channel, one.lines)
    until moved == 0
  end
end

--- Applies a grammar to the captures of one boot.
-- @tparam {string,…} paths  of the logs, one for each console
-- @tparam Grammar grammar
-- @treturn ?table `markers` (as `matcher:markers()`; times in ns since t0), `unmatched` and `missing` (names of rules
--   that never matched: all, and those that are not optional), `failure` (as `matcher:failure()`) and `consoles` (a
--   list of `{ channel =, path =, timed =, stats = }`); or nil and
-- @treturn ?string why the captures cannot be read or the grammar not be applied
function capture.mark(paths, grammar)
  local captures <close>, message = capture.open_all(paths)
  if not captures then return nil, message end
  local channels = {}
  for i, one in ipairs(captures) do channels[i] = one.channel end
  local matcher = grammar:matcher { channels = channels }
  local ok, problem = pcall(feed, captures, matcher)
  if not ok then return nil, tostring(problem) end
  local consoles = {}
  for i, one in ipairs(captures) do
    consoles[i] = { channel = one.channel, path = one.path, timed = one:timed(), stats = one:stats() }
  end
  return {
    markers = matcher:markers(),
    unmatched = matcher:unmatched(),
    missing = matcher:missing(),
    failure = matcher:failure(),
    consoles = consoles,
  }
end

return capture

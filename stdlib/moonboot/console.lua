--- One serial line of a running guest, as a script sees it: lines of text that arrive, text to send.
-- The engine's drain thread owns the bytes, the stamps and the capture files; this module turns what the
-- ring holds into lines, shows them to listeners (marker grammars) and keeps those not yet consumed for
-- `moonboot.expect`.
-- @module moonboot.console
local engine = require "moonboot.engine"
local uv = require "luv"
local expect = require "moonboot.expect"
local names = require "moonboot.names"
local task = require "moonboot.task"

local console = {}

local Console = {}
Console.__index = Console

-- What a script has not looked at is dropped beyond this many lines; the capture file keeps everything.
local BACKLOG_LINES = 5000
local TAIL_LINES = 200

--- Opens a console.
-- @string name e.g. "com1"
-- @tparam[opt] table options `log` and `timing`: paths of the capture files (none: nothing is kept);
--   `transport`: "kernel" (default) or "read"
-- @treturn ?Console or nil and a message
function console.open(name, options)
  options = options or {}
  local handle, message, code = engine.console.open {
    log = options.log,
    timing = options.timing,
    transport = options.transport,
  }
  if not handle then return nil, message, code end
  return setmetatable({
    name = name,
    handle = handle,
    log = options.log,
    timing = options.timing,
    lines = engine.lines.new(),
    backlog = {},
    backlog_first = 1,
    dropped_lines = 0,
    tail = {},
    tail_ns = {},
    line_count = 0,
    consumed = 0,
    failures = {},
    listeners = {},
    news = task.event(),
  }, Console)
end

--- Adds a listener, which is shown every complete line and every change of the unfinished one.
-- @tparam table listener with `listener:line(text, lines, number)` and `listener:partial(lines)`; `lines:stamp(i)`
--   gives the time of each byte of the text
function Console:listen(listener)
  table.insert(self.listeners, listener)
end

--- Takes a listener away.
-- @tparam table listener
function Console:ignore(listener)
  for i, known in ipairs(self.listeners) do
    if known == listener then return table.remove(self.listeners, i) end
  end
end

-- The first byte of the current text that nobody has consumed yet.
local function first_fresh(self, text)
  for i = 1, #text do
    local _, offset = self.lines:stamp(i)
    if offset >= self.consumed then return i end
  end
  return #text + 1
end

local function keep(self, text)
  self.line_count = self.line_count + 1
  local place = (self.line_count - 1) % TAIL_LINES + 1
  self.tail[place], self.tail_ns[place] = text, text ~= "" and self.lines:stamp(1) or nil
  local from = text == "" and 1 or first_fresh(self, text)
  if from <= #text then
    local line = { text = text, from = from, stamps = self.lines:stamps() }
    table.insert(self.backlog, line)
    if #self.backlog - self.backlog_first >= BACKLOG_LINES then
      self.backlog[self.backlog_first] = false
      self.backlog_first = self.backlog_first + 1
      self.dropped_lines = self.dropped_lines + 1
    end
  end
end

local function compact(self)
  if self.backlog_first > 256 then
    self.backlog = table.move(self.backlog, self.backlog_first, #self.backlog, 1, {})
    self.backlog_first = 1
  end
end

-- Takes in the next bytes, past whoever looks at them as they are.
local function pull(self)
  if not self.onlooker then return self.lines:pull(self.handle) end
  self.handle:drain_event()
  local bytes, t_ns = self.handle:read()
  if not bytes then return 0 end
  self.onlooker(bytes, t_ns)
  self.lines:push(bytes, t_ns)
  return #bytes
end

--- Takes in what the ring holds.
function Console:pump()
  local lines, any = self.lines, false
  while pull(self) > 0 do
    any = true
    local text = lines:next()
    while text do
      for _, listener in ipairs(self.listeners) do
        listener:line(text, lines, self.line_count + 1)
      end
      keep(self, text)
      text = lines:next()
    end
    for _, listener in ipairs(self.listeners) do listener:partial(lines) end
  end
  compact(self)
  if any then self.news:pulse() end
end

--- Starts reading; the guest may run from now on.
-- @int t0_ns CLOCK_MONOTONIC, the origin of the capture's times
function Console:start(t0_ns)
  assert(self.handle:start(t0_ns))
  self.poll = assert(uv.new_poll(self.handle:fd()))
  self.poll:start("r", function() self:pump() end)
end

--- Sends bytes to the guest.
-- @string bytes
-- @tparam[opt] table options `per_char`: seconds to wait after each byte (default 0);
--   `timeout`: seconds that the guest may take to accept them (default 30)
-- @treturn ?boolean true, or nil and a message
function Console:send(bytes, options)
  options = options or {}
  local per_char = options.per_char
  local give_up_ns = engine.clock.now() + math.floor((options.timeout or 30) * 1e9)
  if self.transcript then self.transcript:sent(self, bytes) end
  local at = 1
  while at <= #bytes do
    if self.gone then return nil, ("%s: cannot send: %s"):format(self.name, self.gone) end
    local sent, message = self.handle:write(bytes:sub(at, per_char and at or #bytes))
    if not sent then return nil, ("%s: cannot send: %s"):format(self.name, message) end
    at = at + sent
    if per_char then
      task.sleep(per_char)
    elseif at <= #bytes then
      if engine.clock.now() > give_up_ns then
        return nil, ("%s: the guest did not take %d of %d bytes"):format(self.name, #bytes - at + 1, #bytes)
      end
      task.sleep(0.005)
    end
  end
  return true
end

--- Sends a line: the text and ENTER (`\r`, as a keyboard does).
-- @string[opt=""] text
-- @tparam[opt] table options those of `Console:send`, and `echo = true` to wait until the guest has echoed the
--   text before ENTER is sent (for guests that lose keys while they are busy)
-- @treturn ?boolean true, or nil and a message
function Console:sendline(text, options)
  text = text or ""
  if not (options and options.echo) or text == "" then return self:send(text .. "\r", options) end
  local sent, message = self:send(text, options)
  if not sent then return nil, message end
  local echoed
  echoed, message = self:expect(text, { timeout = options.timeout or 30, label = "the echo of " .. text })
  if not echoed then return nil, message end
  return self:send("\r", options)
end

--- The last lines, the unfinished one included.
-- @int[opt=20] count
-- @treturn {string,…}
-- @treturn table when each began, CLOCK_MONOTONIC ns by its place in the list; none for empty lines
function Console:last_lines(count)
  count = math.min(count or 20, TAIL_LINES)
  local out, began_ns = {}, {}
  for number = math.max(1, self.line_count - count + 1), self.line_count do
    local place = (number - 1) % TAIL_LINES + 1
    table.insert(out, self.tail[place])
    began_ns[#out] = self.tail_ns[place]
  end
  local unfinished = self.lines:partial()
  if unfinished ~= "" then
    table.insert(out, unfinished)
    began_ns[#out] = self.lines:stamp(1)
  end
  return out, began_ns
end

--- Shows the bytes as they come to a function, until it is taken away.
-- @tparam ?function onlooker called with bytes and their time (CLOCK_MONOTONIC ns); nil: nobody looks any more
function Console:show_bytes(onlooker)
  self.onlooker = onlooker
end

Console.expect = expect.expect
Console.guard = expect.guard
Console.run = expect.run

--- Makes pending and later waits fail, because no more can come.
-- @string reason
function Console:end_with(reason)
  self.gone = self.gone or reason
  self.news:pulse()
end

--- Takes in the rest, after the guest is gone, and completes the capture files.
-- @int timeout_ns how long to wait for the end of the line
-- @treturn ?boolean true, or nil, a message and a code when the capture is not complete (disk full)
function Console:finish(timeout_ns)
  if self.poll then
    self.poll:close()
    self.poll = nil
  end
  -- The ring must not overflow while the thread drains what the socket still holds.
  local done, message, code = self.handle:finish(timeout_ns)
  self:pump()
  self:end_with("the guest has ended")
  return done, message, code
end

--- What the engine knows of the line: see `engine.console`'s `stats`.
-- @treturn table
function Console:stats()
  return self.handle:stats()
end

function Console:__tostring()
  local stats = not self.closed and self:stats()
  return ("console %s (%s)"):format(self.name, stats and ("%d lines, %d bytes"):format(self.line_count, stats.bytes)
    or "closed")
end

--- Closes the console. Idempotent.
function Console:close()
  if self.poll then
    self.poll:close()
    self.poll = nil
  end
  self.closed = true
  self:end_with("the console is closed")
  self.handle:close()
end

names.guard(Console, "a console", { "log", "timing", "poll", "transcript", "step", "gone", "onlooker", "closed" })

return console

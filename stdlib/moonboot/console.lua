--- One serial line of a running guest, as a script sees it: lines of text that arrive, text to send.
-- The engine's drain thread owns the bytes, the stamps and the capture files; this module turns what the
-- ring holds into lines, shows them to listeners (marker grammars) and keeps those not yet consumed for
-- `moonboot.expect`.
-- @module moonboot.console
local engine = require "moonboot.engine"
local uv = require "luv"
local backlog = require "moonboot.backlog"
local expect = require "moonboot.expect"
local names = require "moonboot.names"
local pattern = require "moonboot.pattern"
local task = require "moonboot.task"

local console = {}

local Console = {}
Console.__index = Console

--- What the consoles and the screen of one guest have in common: patterns that end every wait, and the news that
-- wakes it.
-- @tparam[opt] {string,…} fail patterns that end every wait
-- @treturn table `failures` (branches as of `moonboot.expect`), `consoles`, `news`
function console.watch(fail)
  local failures = {}
  for i, wanted in ipairs(fail or {}) do
    failures[i] = { pattern = wanted, find = pattern.finder(wanted, 2) }
  end
  return { failures = failures, consoles = {}, news = task.event() }
end

--- Opens a console.
-- @string name e.g. "com1"
-- @tparam[opt] table options `log` and `timing`: paths of the capture files (none: nothing is kept);
--   `transport`: "kernel" (default) or "read"; `watch`: that of the guest, see `console.watch`
-- @treturn ?Console or nil and a message
function console.open(name, options)
  options = options or {}
  local handle, message, code = engine.console.open {
    log = options.log,
    timing = options.timing,
    transport = options.transport,
  }
  if not handle then return nil, message, code end
  local self = setmetatable({
    name = name,
    handle = handle,
    log = options.log,
    timing = options.timing,
    backlog = backlog.new(),
    listeners = {},
    watch = options.watch or console.watch(),
    heard_ns = engine.clock.now(),
  }, Console)
  table.insert(self.watch.consoles, self)
  return self
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

-- Takes in the next bytes, past whoever looks at them as they are.
local function pull(self, lines)
  if not self.onlooker then return lines:pull(self.handle) end
  self.handle:drain_event()
  local bytes, t_ns = self.handle:read()
  if not bytes then return 0 end
  self.onlooker(bytes, t_ns)
  lines:push(bytes, t_ns)
  return #bytes
end

--- Takes in what the ring holds.
function Console:pump()
  local lines, any = self.backlog.lines, false
  while pull(self, lines) > 0 do
    any = true
    local content, number = lines:next()
    while content do
      for _, listener in ipairs(self.listeners) do listener:line(content, lines, number) end
      self.backlog:keep(content)
      content, number = lines:next()
    end
    for _, listener in ipairs(self.listeners) do listener:partial(lines) end
  end
  if not any then
    -- An ended line stays readable for ever.
    if self.poll and self.handle:stats().ended then self.poll:stop() end
    return
  end
  self.heard_ns = engine.clock.now()
  self.watch.news:pulse()
end

--- Starts reading; the guest may run from now on.
-- @int t0_ns CLOCK_MONOTONIC, the origin of the capture's times
function Console:start(t0_ns)
  assert(self.handle:start(t0_ns))
  self.poll = assert(uv.new_poll(self.handle:fd()))
  self.poll:start("r", function() self:pump() end)
end

-- How long to wait until the guest has taken what is sent to it.
local SEND_SECONDS = 30

-- Sends some bytes and waits until they are on their way.
local function put(self, bytes, options)
  local give_up_ns = engine.clock.now() + math.floor((options.timeout or SEND_SECONDS) * 1e9)
  local at = 1
  while at <= #bytes do
    if self.gone then return nil, ("%s: cannot send: %s"):format(self.name, self.gone) end
    local sent, message = self.handle:write(bytes:sub(at))
    if not sent then return nil, ("%s: cannot send: %s"):format(self.name, message) end
    at = at + sent
    if at <= #bytes then
      if engine.clock.now() > give_up_ns then
        return nil, ("%s: the guest did not take %d of %d bytes"):format(self.name, #bytes - at + 1, #bytes)
      end
      task.sleep(0.005)
    end
  end
  return true
end

--- Sends bytes to the guest.
-- @string bytes
-- @tparam[opt] table options `per_char`: seconds to wait after each byte; `echo = true`: wait for the echo of each
--   printable byte before the next is sent, so that a guest that is slow to read loses nothing; `timeout`: seconds that
--   the guest may take to accept or echo them (default 30)
-- @treturn ?boolean true, or nil and a message
function Console:send(bytes, options)
  if self.transcript then self.transcript:sent(self, bytes) end
  return expect.send_slowly(self, bytes, options or {}, function(some) return put(self, some, options or {}) end)
end

--- Sends a line: the text and ENTER (`\r`, as a keyboard does).
-- @string[opt=""] line
-- @tparam[opt] table options those of `Console:send`
-- @treturn ?boolean true, or nil and a message
function Console:sendline(line, options)
  return self:send((line or "") .. "\r", options)
end

--- The last lines, the unfinished one included.
-- @int[opt=20] count
-- @treturn {string,…}
-- @treturn table when each began, CLOCK_MONOTONIC ns by its place in the list; none for empty lines
function Console:last_lines(count)
  return self.backlog:last_lines(count or 20)
end

--- Shows the bytes as they come to a function, until it is taken away.
-- @tparam ?function onlooker called with bytes and their time (CLOCK_MONOTONIC ns); nil: nobody looks any more
function Console:show_bytes(onlooker)
  self.onlooker = onlooker
end

--- Looks for the first match in what is not consumed; see `moonboot.backlog`. This and what follows is what
-- `moonboot.expect` asks of the place where it waits.
-- @tparam {table,…} branches
-- @tparam table state of one wait
-- @treturn ?table the match
-- @treturn ?{string,…} what stood before it
function Console:search(branches, state)
  return self.backlog:search(branches, state)
end

--- Looks for a prompt with somebody else's message in its middle.
-- @tparam {table,…} branches
-- @treturn ?table the match
-- @treturn ?{string,…} what stood before it
function Console:torn(branches)
  return self.backlog:torn(branches)
end

--- The line that is not complete.
-- @treturn string may be empty
-- @treturn boolean whether any of it is not consumed
function Console:unfinished()
  return self.backlog:unfinished()
end

--- How long nothing has come.
-- @treturn number seconds
function Console:quiet_for()
  return (engine.clock.now() - self.heard_ns) / 1e9
end

--- Waits until something comes, on any console of the guest, or the guest ends.
-- @number[opt] seconds the longest wait
function Console:await(seconds)
  self.watch.news:wait(seconds)
end

Console.expect = expect.expect
Console.guard = expect.guard
Console.run = expect.run

--- Makes pending and later waits fail, because no more can come.
-- @string reason
function Console:end_with(reason)
  self.gone = self.gone or reason
  self.watch.news:pulse()
end

--- Takes in the rest, after the guest is gone, and completes the capture files.
-- @int timeout_ns how long to wait for the end of the line
-- @string[opt] reason how the guest ended, for the waits that this ends
-- @treturn ?boolean true, or nil, a message and a code when the capture is not complete (disk full)
function Console:finish(timeout_ns, reason)
  if self.poll then
    self.poll:close()
    self.poll = nil
  end
  -- The ring must not overflow while the thread drains what the socket still holds.
  local done, message, code = self.handle:finish(timeout_ns)
  self:pump()
  self:end_with(reason or "the guest has ended")
  return done, message, code
end

--- What the engine knows of the line: see `engine.console`'s `stats`.
-- @treturn table
function Console:stats()
  return self.handle:stats()
end

function Console:__tostring()
  local stats = not self.closed and self:stats()
  return ("console %s (%s)"):format(self.name, stats and ("%d lines, %d bytes"):format(self.backlog.last, stats.bytes)
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

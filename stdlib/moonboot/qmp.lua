--- QMP, QEMU's control protocol, over a connected socket.
-- (QEMU's docs/interop/qmp-spec: JSON messages, one a line; a greeting, then capabilities, then commands.)
-- @module moonboot.qmp
local cjson = require "cjson.safe"
local uv = require "luv"
local task = require "moonboot.task"
local text = require "moonboot.text"

local qmp = {}

local Qmp = {}
Qmp.__index = Qmp

-- QEMU's longest answers are some hundred kilobytes; more than this without a newline is not QMP.
local LONGEST_MESSAGE_BYTES = 16 * 1024 * 1024

local function fail(self, message)
  if self.failure then return end
  self.failure = message
  if not self.pipe:is_closing() then self.pipe:close() end
  local pending = self.pending
  self.pending = {}
  for _, event in pairs(pending) do event:set({ failure = message }) end
  self.greeting:set({ failure = message })
  self.over:set(true)
end

local function event_time_ns(timestamp)
  if type(timestamp) ~= "table" then return nil end
  local seconds, microseconds = math.tointeger(timestamp.seconds), math.tointeger(timestamp.microseconds)
  return seconds and microseconds and seconds * 1000000000 + microseconds * 1000
end

local function has_version(greeting)
  local version = type(greeting) == "table" and greeting.version
  local qemu = type(version) == "table" and version.qemu
  return type(qemu) == "table" and math.tointeger(qemu.major) and math.tointeger(qemu.minor)
    and math.tointeger(qemu.micro)
end

local function dispatch(self, line)
  local message, why = cjson.decode(line)
  if type(message) ~= "table" then
    return fail(self, "QMP: not a JSON object: " .. tostring(why))
  end
  if message.QMP then
    if not has_version(message.QMP) then return fail(self, "QMP: a greeting without QEMU's version") end
    self.greeting:set(message.QMP)
  elseif message.event then
    local realtime_ns = event_time_ns(message.timestamp)
    local data = type(message.data) == "table" and message.data or {}
    for _, listener in ipairs(self.listeners) do listener(message.event, data, realtime_ns) end
  elseif message.id then
    local event = self.pending[message.id]
    self.pending[message.id] = nil
    if event then event:set(message) end
  end
end

local function receive(self, data)
  local from = 1
  while true do
    local newline = data:find("\n", from, true)
    if not newline then break end
    table.insert(self.chunks, data:sub(from, newline - 1))
    local line = table.concat(self.chunks)
    self.chunks, self.held_bytes = {}, 0
    from = newline + 1
    if line:find("%S") then dispatch(self, line) end
    if self.failure then return end
  end
  local rest = data:sub(from)
  if rest ~= "" then
    table.insert(self.chunks, rest)
    self.held_bytes = self.held_bytes + #rest
    if self.held_bytes > LONGEST_MESSAGE_BYTES then fail(self, "QMP: a message without end") end
  end
end

--- Takes over a connected socket whose other end QEMU has.
-- @int fd owned by the connection from now on
-- @treturn Qmp not yet ready for commands: see `Qmp:negotiate`
function qmp.open(fd)
  local self = setmetatable({
    pipe = uv.new_pipe(false),
    chunks = {},
    held_bytes = 0,
    pending = {},
    listeners = {},
    last_id = 0,
    greeting = task.event(),
    over = task.event(),
  }, Qmp)
  assert(self.pipe:open(fd))
  self.pipe:read_start(function(err, data)
    if data then
      receive(self, data)
    else
      fail(self, "QEMU closed its control connection" .. (err and " (" .. err .. ")" or ""))
    end
  end)
  return self
end

--- Waits for QEMU's greeting and leaves negotiation mode.
-- @number seconds the longest wait
-- @treturn ?table QEMU's greeting (`version.qemu.major`, …), or nil and a message
function Qmp:negotiate(seconds)
  local greeting = self.greeting:wait(seconds)
  if not greeting then
    return nil, ("QEMU did not speak on its control connection within %g s"):format(seconds)
  end
  if greeting.failure then return nil, greeting.failure end
  local done, message = self:execute("qmp_capabilities", nil, seconds)
  if done == nil then return nil, message end
  return greeting
end

--- Runs a command and waits for its result.
-- @string command e.g. "query-status"
-- @tparam ?table arguments
-- @number[opt=10] seconds the longest wait
-- @return the command's result (often an empty table), or nil and a message
function Qmp:execute(command, arguments, seconds)
  if self.failure then return nil, self.failure end
  seconds = seconds or 10
  self.last_id = self.last_id + 1
  local id = self.last_id
  local event = task.event()
  self.pending[id] = event
  local message = { execute = command, arguments = arguments, id = id }
  self.pipe:write(cjson.encode(message) .. "\n")
  local reply = event:wait(seconds)
  self.pending[id] = nil
  if not reply then return nil, ("QEMU did not answer %s within %g s"):format(command, seconds) end
  if reply.failure then return nil, reply.failure end
  if reply.error then
    local why = type(reply.error) == "table" and reply.error.desc or "it does not say why"
    return nil, ("QEMU refused %s: %s"):format(command, text.escape(tostring(why)))
  end
  local result = reply["return"]
  if result == nil then return nil, ("QEMU's answer to %s holds no result"):format(command) end
  return result
end

--- Calls a function for each of QEMU's events.
-- @tparam function listener called as `listener(name, data, realtime_ns)`; `realtime_ns` is QEMU's own
--   CLOCK_REALTIME stamp, exact to the microsecond
function Qmp:on_event(listener)
  table.insert(self.listeners, listener)
end

--- Waits until QEMU has closed its end, so that no event is left unread.
-- @number seconds the longest wait
function Qmp:drain(seconds)
  self.over:wait(seconds)
end

--- Closes the connection; commands under way fail.
function Qmp:close()
  fail(self, "the control connection is closed")
end

return qmp

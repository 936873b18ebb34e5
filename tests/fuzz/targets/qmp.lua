-- QMP's framing: whole conversations, cut anywhere and damaged. Messages before the damage arrive, in order; whatever
-- comes, the connection either goes on or fails with a message.
local json = require "moonboot.json"
local material = require "tests.fuzz.targets.material"
local qmp = require "moonboot.qmp"
local task = require "moonboot.task"
local uv = require "luv"

local GREETING = { QMP = { version = { qemu = { major = 7, minor = 2, micro = 0 }, package = "" }, capabilities = {} } }

-- Messages, and the names of the events among them.
local function conversation(rng)
  local lines, names = { json.encode(GREETING) }, {}
  for i = 1, rng:integer(8) do
    local kind = rng:integer(4)
    if kind == 1 then
      lines[#lines + 1] = json.encode { ["return"] = material.value(rng, 2), id = rng:integer(3) }
    elseif kind == 2 then
      lines[#lines + 1] = json.encode { error = { class = "GenericError", desc = "no" }, id = rng:integer(3) }
    elseif kind == 3 then
      lines[#lines + 1] = json.encode(material.value(rng, 3))
      if lines[#lines]:sub(1, 1) ~= "{" and lines[#lines]:sub(1, 1) ~= "[" then lines[#lines] = nil end
    else
      names[#names + 1] = "EVENT_" .. i
      lines[#lines + 1] = json.encode { event = names[#names], data = material.value(rng, 2),
        timestamp = rng:integer(2) == 1 and { seconds = 1, microseconds = 2 } or material.value(rng, 2) }
    end
  end
  return table.concat(lines, "\r\n") .. "\r\n", names
end

return function(rng)
  local text, names = conversation(rng)
  local damaged = rng:integer(2) == 1
  if damaged then text = material.mutated(rng, text) end
  local pair = assert(uv.socketpair("stream", nil, { nonblock = true }, {}))
  local connection = qmp.open(pair[1])
  local seen = {}
  connection:on_event(function(name) seen[#seen + 1] = name end)
  local answered
  task.spawn(function()
    local greeting, message = connection:negotiate(5)
    answered = greeting ~= nil or type(message) == "string"
  end)
  for _, piece in ipairs(material.pieces(rng, text)) do
    -- Fails when the connection has been given up, which is no fault.
    if connection.failure or not uv.fs_write(pair[2], piece, -1) then break end
    uv.run "nowait"
  end
  uv.fs_close(pair[2])
  while not connection.failure do uv.run "once" end
  for i = 1, damaged and 0 or #names do assert(seen[i] == names[i], "an event is lost") end
  assert(type(connection.failure) == "string")
  uv.run "nowait"
  assert(answered, "a command under way was not answered")
  task.settle()
end

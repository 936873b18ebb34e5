--- Faults in what a script says: a message with the keys that lead to it, so that whoever catches it can name the line.
-- @module moonboot.fault
local fault = {}

local Fault = {}
Fault.__index = Fault
Fault.__tostring = function(self) return self.message end

--- Gives up.
-- @string message
-- @string ...  the key at fault, after the keys of the tables around it
function fault.stop(message, ...)
  error(setmetatable({ message = message, keys = { ... } }, Fault), 0)
end

--- Gives up with a message that says where by itself.
-- @string message
function fault.stop_placed(message)
  error(setmetatable({ message = message, keys = {}, placed = true }, Fault), 0)
end

--- Passes a value on, or gives up when it is nil.
-- @tparam {string,…} keys  of the tables around
-- @param value
-- @string message
-- @string ...  the key at fault
-- @return value
function fault.need(keys, value, message, ...)
  if value ~= nil then return value end
  local path = table.move(keys, 1, #keys, 1, {})
  for i = 1, select("#", ...) do path[#path + 1] = (select(i, ...)) end
  return fault.stop(message, table.unpack(path))
end

--- Calls a function that may give up. Other errors pass through.
-- @tparam function fn
-- @param ...  its arguments
-- @return its first result; nil when it gave up
-- @treturn ?table `message`, `keys`, `placed`
function fault.catch(fn, ...)
  local ok, result = pcall(fn, ...)
  if ok then return result end
  if getmetatable(result) == Fault then return nil, result end
  error(result, 0)
end

return fault

--- The unprivileged user that QEMU becomes (`--run-as`). It opens kernel, disks and `/dev/kvm` as the user it was
-- started by and gives that up before the guest runs, so what the guest breaks out into may open nothing of its own.
-- @module moonboot.account
local command = require "moonboot.command"
local uv = require "luv"

local account = {}

--- Looks a user up.
-- @string name
-- @treturn ?table `name`, `uid`; nil and a message when there is no such user, or this process may not become it
function account.find(name)
  if not name:find("^[%w_][%w_.-]*$") then return nil, ("--run-as: '%s' is not the name of a user"):format(name) end
  local uid, message = command.run { "id", "-u", name }
  if not uid then return nil, "--run-as: " .. message end
  if uv.getuid() ~= 0 then return nil, "--run-as needs root: only root may become another user" end
  return { name = name, uid = math.tointeger(tonumber(uid)) }
end

return account

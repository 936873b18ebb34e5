--- Finds what make builds beside the program: the guests, the library that is loaded into QEMU.
-- @module moonboot.built
local uv = require "luv"

local built = {}

local function directory(path)
  return path and path:match("^(.*)/[^/]*$")
end

-- The directories that may hold it: that of the program or, where plain Lua runs, of the engine (a checkout's build/),
-- those above (an installed bin/ or lib/moonboot/), and share/moonboot beside bin/.
local function places()
  local list = {}
  for _, dir in pairs { directory(uv.exepath()), directory(package.searchpath("moonboot.engine", package.cpath)) } do
    for _, suffix in ipairs { "", "/..", "/../..", "/../share/moonboot" } do list[#list + 1] = dir .. suffix end
  end
  return list
end

--- The path of something that make builds.
-- @string name  below build/, such as "guest/calibrate.img"
-- @treturn ?string nil when it is not there
function built.path(name)
  for _, dir in ipairs(places()) do
    local path = ("%s/%s"):format(dir, name)
    if uv.fs_access(path, "R") then return path end
  end
  return nil
end

return built

--- Where the files that come with moonboot are: in a checkout, or installed with the library.
-- @module moonboot.installation
local LIBRARY = debug.getinfo(1, "S").source:match("^@(.*)/installation%.lua$") or "."

local checkout = LIBRARY:match("^(.-)/?stdlib/moonboot$")
if checkout == "" then checkout = "." end

local installation = {
  --- The folder of the ready-made scripts: experiments/, installers/, grammars/, layouts/.
  scripts = (checkout or LIBRARY) .. "/scripts",
  --- The folder of the guests: demo.elf, demo.iso, calibrate.img. Made by `make`.
  guest = checkout and checkout .. "/build/guest" or LIBRARY .. "/guest",
}

--- The library that tells a guest's virtual time from inside QEMU (engine/qemu/virtualtime.c).
-- @treturn ?string its path; nil when it is not there
function installation.virtual_time()
  return package.searchpath("moonboot.virtualtime", package.cpath) or nil
end

return installation

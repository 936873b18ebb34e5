--- Where the files that come with moonboot are: in a checkout, or installed with the library.
-- @module moonboot.installation
local LIBRARY = debug.getinfo(1, "S").source:match("^@(.*)/installation%.lua$") or "."

local checkout = LIBRARY:match("^(.-)/?stdlib/moonboot$")
if checkout == "" then checkout = "." end

return {
  --- The folder of the ready-made scripts: experiments/, installers/, grammars/, layouts/.
  scripts = (checkout or LIBRARY) .. "/scripts",
  --- The folder of the demo guest: demo.elf, demo.iso. Made by `make`.
  guest = checkout and checkout .. "/build/guest" or LIBRARY .. "/guest",
}

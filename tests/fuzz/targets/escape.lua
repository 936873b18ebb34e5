-- Text made safe for a terminal: any bytes become valid UTF-8 without controls.
local material = require "tests.fuzz.targets.material"
local text = require "moonboot.text"

return function(rng)
  local escaped = text.escape(material.bytes(rng, 200))
  assert(utf8.len(escaped), "not UTF-8")
  assert(not escaped:find "[%c\127]", "a control character")
  for _, code in utf8.codes(escaped) do assert(code < 0x80 or code > 0x9f, "a C1 control") end
end

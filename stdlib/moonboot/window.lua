--- A terminal's window: how wide it is now.
-- @module moonboot.window
local uv = require "luv"

local window = {}

local Window = {}
Window.__index = Window

-- Where the terminal does not say.
local DEFAULT_COLUMNS = 80

--- Looks at the terminal behind a descriptor.
-- @int fd
-- @treturn Window `window:columns()`, `window:close()`
function window.open(fd)
  local tty = uv.guess_handle(fd) == "tty" and uv.new_tty(fd, false) or nil
  -- luv makes the descriptor non-blocking, and C's output would lose what the terminal cannot take at once.
  if tty then tty:set_blocking(true) end
  return setmetatable({ tty = tty }, Window)
end

--- How many columns it has now.
-- @treturn int
function Window:columns()
  local columns = self.tty and self.tty:get_winsize()
  return columns and columns > 0 and columns or DEFAULT_COLUMNS
end

--- Idempotent.
function Window:close()
  if self.tty then self.tty:close() end
  self.tty = nil
end

Window.__close = Window.close

return window

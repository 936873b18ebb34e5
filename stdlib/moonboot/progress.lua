--- What long work says while it goes on: one live line on a terminal, plain lines elsewhere, on standard error.
-- @module moonboot.progress
local uv = require "luv"

local progress = {}

local Progress = {}
Progress.__index = Progress

--- Makes a progress display.
-- @tparam[opt] table options `quiet = true` says nothing but warnings
-- @treturn Progress
function progress.new(options)
  local quiet = options and options.quiet or false
  return setmetatable({
    quiet = quiet,
    terminal = not quiet and uv.guess_handle(2) == "tty" and os.getenv "TERM" ~= "dumb",
    shown = false,
  }, Progress)
end

local function width()
  local tty = uv.new_tty(2, false)
  if not tty then return 80 end
  local columns = tty:get_winsize()
  tty:close()
  return columns or 80
end

local function erase(self)
  if self.shown then io.stderr:write("\r\27[K") end
  self.shown = false
end

--- Replaces the live line; says nothing where there is no terminal.
-- @string text one line
function Progress:live(text)
  if not self.terminal then return end
  erase(self)
  io.stderr:write(text:sub(1, width() - 1))
  io.stderr:flush()
  self.shown = true
end

--- Says a line that stays.
-- @string text
function Progress:note(text)
  if self.quiet then return end
  erase(self)
  io.stderr:write(text, "\n")
end

--- Says a line that stays, also when quiet.
-- @string text
function Progress:warn(text)
  erase(self)
  io.stderr:write("moonboot: ", text, "\n")
end

--- Takes the live line away.
function Progress:clear()
  erase(self)
  io.stderr:flush()
end

return progress

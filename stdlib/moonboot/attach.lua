--- Talking to a guest directly: the terminal becomes the console's, until Ctrl-].
-- This is the one place where a guest's bytes reach the terminal as they are, because that is what is asked for.
-- @module moonboot.attach
local uv = require "luv"
local task = require "moonboot.task"
local text = require "moonboot.text"

local LEAVE = "\x1d" -- Ctrl-]
local STDIN, STDOUT = 0, 1

-- What a full-screen program may have switched on: attributes, the alternate screen, a hidden cursor, mouse reports,
-- bracketed paste.
local RESET = "\27[0m\27[?1049l\27[?25h\27[?1000l\27[?1006l\27[?2004l"

local Raw = {}

function Raw.__close(self)
  self.console:show_bytes(nil)
  self.tty:set_mode(0)
  self.tty:close()
  io.stdout:write(self.console.gone and RESET or "", "\r\n")
  io.stdout:flush()
  task.settle()
end

local function write(bytes)
  io.stdout:write(bytes)
  io.stdout:flush()
end

-- Sends what is typed, in order, while the loop goes on.
local function sender(console, over)
  local queue, sending = "", false
  return function(bytes)
    queue = queue .. bytes
    if sending then return end
    sending = true
    task.spawn(function()
      while queue ~= "" do
        local typed = queue
        queue = ""
        local sent, message = console:send(typed)
        if not sent then over:set(message) end
      end
      sending = false
    end)
  end
end

--- Connects the terminal with a console until Ctrl-] is typed or the guest ends. All other keys go to the guest,
-- Ctrl-C too.
-- @tparam Console console
-- @treturn ?boolean true, or nil and a message
return function(console)
  if uv.guess_handle(STDIN) ~= "tty" or uv.guess_handle(STDOUT) ~= "tty" then
    return nil, "attach needs a terminal: standard input and output must be one"
  end
  if console.gone then return nil, ("%s: %s"):format(console.name, console.gone) end
  local tty, message = uv.new_tty(STDIN, true)
  if not tty then return nil, message end
  local over = task.event()
  write(("%s: Ctrl-] leaves\n%s"):format(console.name, text.escape((console:unfinished()))))
  local _ <close> = setmetatable({ tty = tty, console = console }, Raw)
  tty:set_mode(1)
  console:show_bytes(write)
  local send = sender(console, over)
  tty:read_start(function(failure, bytes)
    if failure or not bytes then return over:set(failure or "the terminal is closed") end
    local leave = bytes:find(LEAVE, 1, true)
    if leave ~= 1 then send(bytes:sub(1, leave and leave - 1)) end
    if leave then over:set("left") end
  end)
  local ended = task.spawn(function()
    while not console.gone do console:await() end
    over:set(console.gone)
  end)
  local _ <close> = setmetatable({}, { __close = function() ended:cancel() end })
  local why = over:wait()
  if why == "left" then return true end
  return nil, why
end

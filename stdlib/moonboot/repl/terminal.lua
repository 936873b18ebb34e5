--- Where the prompt's lines come from: a terminal with readline, or any stream of lines. Either way the loop goes on
-- while a line is waited for, so that guests are read.
-- @module moonboot.repl.terminal
local uv = require "luv"
local files = require "moonboot.files"
local task = require "moonboot.task"
local text = require "moonboot.text"
local window = require "moonboot.window"

local terminal = {}

local STDIN, STDOUT = 0, 1
local HISTORY_LINES = 5000
local READ_BYTES = 4096
-- What can be waited for; the rest (files, directories) is read at once.
local WAITED_FOR = { pipe = true, tty = true, tcp = true, udp = true }
local PRIVATE = tonumber("600", 8)

-- An open file description of our own: polling makes it non-blocking, which whoever shares ours must not suffer from.
local function reopen(fd)
  return uv.fs_open("/proc/self/fd/" .. fd, "r", 0) or fd
end

local function width()
  local screen <close> = window.open(STDOUT)
  return screen:columns()
end

-- -- readline --

local Editor = { interactive = true }
Editor.__index = Editor

local function new_editor(readline, completer)
  local fd = reopen(STDIN)
  local self = setmetatable({ readline = readline, poll = assert(uv.new_poll(fd)) }, Editor)
  assert(readline.open(fd, function(line, first, last) return completer:complete(line, first, last) end,
    function(candidates) return completer:list(candidates, width()) end))
  self.window = uv.new_signal()
  self.window:start("sigwinch", function() readline.resize() end)
  self.window:unref()
  local dir = files.state_dir()
  if files.make_dir(dir) then
    self.history = dir .. "/history"
    local file = uv.fs_open(self.history, "a", PRIVATE) -- readline appends to files that are there
    if file then uv.fs_close(file) end
    readline.read_history(self.history, HISTORY_LINES)
  end
  return self
end

--- Reads a line. Raises what interrupts the wait.
-- @string prompt
-- @treturn ?string nil at the end of the input
function Editor:read(prompt)
  local _ <close> = setmetatable({}, { __close = function() self.readline.cancel() end })
  self.readline.prompt(prompt)
  return task.wait(function(wake)
    self.poll:start("r", function()
      local done, line = self.readline.feed()
      if done then wake(line) end
    end)
    return function() self.poll:stop() end
  end)
end

--- Keeps a chunk in the history, on disk at once.
-- @string chunk
function Editor:remember(chunk)
  if chunk:find("%S") and self.readline.remember(chunk) and self.history then
    self.readline.append_history(self.history)
  end
end

--- Prints, above the prompt if one is shown.
-- @string line
function Editor:say(line)
  self.readline.say(text.escape(line, "\n\t") .. "\n")
end

--- Gives everything back. Idempotent.
function Editor:close()
  if not self.poll then return end
  self.poll:close()
  self.window:close()
  self.poll = nil
  self.readline.close()
end

-- -- a stream --

local Stream = { interactive = false }
Stream.__index = Stream

local function new_stream(prompting)
  local fd = reopen(STDIN)
  return setmetatable({ fd = fd, waits = WAITED_FOR[uv.guess_handle(STDIN)], rest = "", prompting = prompting,
    interactive = prompting }, Stream)
end

local function more(self)
  if self.waits then task.readable(self.fd) end
  local bytes, message, code = uv.fs_read(self.fd, READ_BYTES)
  if code == "EAGAIN" then return true end
  if not bytes then error("cannot read standard input: " .. message, 0) end
  self.rest = self.rest .. bytes
  return bytes ~= ""
end

function Stream:read(prompt)
  if self.prompting then
    io.stdout:write(prompt)
    io.stdout:flush()
  end
  while true do
    local line, after = self.rest:match("^([^\n]*)\n()")
    if line then
      self.rest = self.rest:sub(after)
      return line
    end
    if not more(self) then
      line, self.rest = self.rest, ""
      return line ~= "" and line or nil
    end
  end
end

function Stream.remember() end

function Stream.say(_, line)
  io.stdout:write(text.escape(line, "\n\t"), "\n")
end

function Stream:close()
  if self.fd ~= STDIN then uv.fs_close(self.fd) end
  self.fd = STDIN
end

--- Opens what the program's standard input is.
-- @tparam Completer completer
-- @treturn table `read(prompt)`, `remember(chunk)`, `say(line)`, `close()`; `interactive`
function terminal.open(completer)
  local interactive = uv.guess_handle(STDIN) == "tty" and uv.guess_handle(STDOUT) == "tty"
  if not interactive then return new_stream(false) end
  local found, readline = pcall(require, "moonboot.readline")
  if not found then return new_stream(true) end
  return new_editor(readline, completer)
end

terminal.width = width

return terminal

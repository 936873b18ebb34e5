--- A program on a terminal, as a person has it: keys go in, what the terminal was sent comes out.
-- script(1) makes the terminal.
local task = require "moonboot.task"
local uv = require "luv"

local pty = {}

local Pty = {}
Pty.__index = Pty

-- No test waits longer for anything.
local PATIENCE_S = 60

--- Starts a shell command on a terminal.
-- @string command
-- @tparam[opt] table env  variable = value, beside those of the caller
-- @int[opt=80] columns
-- @treturn Pty
function pty.open(command, env, columns)
  local stdin, stdout = uv.new_pipe(false), uv.new_pipe(false)
  local self = setmetatable({ stdin = stdin, stdout = stdout, said = "", looked = 1, news = task.event() }, Pty)
  local values, variables = uv.os_environ(), {}
  values.TERM, values.LC_ALL = "xterm", "C.UTF-8"
  for name, value in pairs(env or {}) do values[name] = value end
  for name, value in pairs(values) do table.insert(variables, name .. "=" .. value) end
  self.process, self.pid = assert(uv.spawn("script", {
    args = { "-qec", ("stty cols %d rows 24; exec %s"):format(columns or 80, command), "/dev/null" },
    env = variables,
    stdio = { stdin, stdout, 2 },
  }, function(code)
    self.code = code
    self.news:pulse()
  end))
  stdout:read_start(function(_, bytes)
    if bytes then self.said = self.said .. bytes else self.ended = true end
    self.news:pulse()
  end)
  return self
end

--- Types keys.
-- @string keys
function Pty:type(keys)
  self.stdin:write(keys)
end

--- Waits until the terminal has been sent a text, after the place of the last match.
-- @string wanted  literal
-- @treturn string what came before it
function Pty:expect(wanted)
  local deadline = uv.now() + PATIENCE_S * 1000
  while true do
    local first, last = self.said:find(wanted, self.looked, true)
    if first then
      local before = self.said:sub(self.looked, first - 1)
      self.looked = last + 1
      return before
    end
    local left = (deadline - uv.now()) / 1000
    if self.ended or left <= 0 then
      error(("the terminal was not sent %q but: %q"):format(wanted, self.said:sub(self.looked)), 2)
    end
    self.news:wait(left)
  end
end

--- Waits for the end of the program.
-- @treturn int exit status
function Pty:wait()
  while not (self.code and self.ended) do assert(self.news:wait(PATIENCE_S), "the program does not end") end
  return self.code
end

--- Sends the program's process a signal.
-- @string name  e.g. "sigterm"
function Pty:kill(name)
  uv.kill(self.pid, name)
end

--- Ends the program if it still runs. Idempotent.
function Pty:close()
  if not self.process:is_closing() then
    if not self.code then self.process:kill "sigkill" end
    while not self.code do self.news:wait() end
    self.process:close()
    self.stdin:close()
    self.stdout:close()
    task.settle()
  end
end

Pty.__close = Pty.close

return pty

--- What somebody who works with a running guest asks for: its last lines with their times, its markers so far.
-- @module moonboot.watching
local capture = require "moonboot.capture"
local grammar = require "moonboot.grammar"
local mark = require "moonboot.mark"
local task = require "moonboot.task"
local text = require "moonboot.text"

local watching = {}

local Tail = {}

local function shown(line)
  local time = line.t_ms and ("%12.3f"):format(line.t_ms) or (" "):rep(12)
  return ("%s  %s"):format(time, text.escape(line.text))
end

function Tail.__tostring(self)
  local lines = {}
  for i, line in ipairs(self) do lines[i] = shown(line) end
  return #lines > 0 and table.concat(lines, "\n") or "(nothing yet)"
end

local function ms_since(t_ns, t0_ns)
  return t_ns and t0_ns and (t_ns - t0_ns) / 1e6
end

--- The last lines of a console, the unfinished one included.
-- @tparam Console console
-- @tparam ?int t0_ns the guest's t0, CLOCK_MONOTONIC
-- @int[opt=20] count how many
-- @treturn {table,…} `{ text =, t_ms = }`, times since t0 in milliseconds; as a string a page, its bytes escaped
function watching.tail(console, t0_ns, count)
  local lines, began_ns = console:last_lines(count)
  local tail = setmetatable({}, Tail)
  for i, line in ipairs(lines) do tail[i] = { text = line, t_ms = ms_since(began_ns[i], t0_ns) } end
  return tail
end

--- Prints the lines of a console as they come, until the guest ends or the wait is interrupted.
-- @tparam Console console
-- @tparam ?int t0_ns
-- @tparam function say called with each line, its bytes escaped
function watching.follow(console, t0_ns, say)
  local listener = { partial = function() end }
  function listener.line(_, content, lines)
    say(shown { text = content, t_ms = ms_since(content ~= "" and lines:stamp(1) or nil, t0_ns) })
  end
  console:listen(listener)
  local _ <close> = setmetatable({}, { __close = function() console:ignore(listener) end })
  while not console.gone do console:await() end
end

local Outcome = {}

function Outcome.__tostring(self)
  local trace = #self.missing > 0 and mark.trace(self.paths, self.grammar, self.missing) or nil
  return (mark.text(self, trace):gsub("\n$", ""))
end

-- A grammar, however it is given.
local function grammar_of(given)
  if grammar.is(given) then return given end
  if type(given) == "string" then return grammar.load(given) end
  if type(given) ~= "table" then
    return nil, "markers needs a grammar, a table of rules, or the name of a grammar script, not a " .. type(given)
  end
  local ok, made = pcall(grammar.new, given)
  if not ok then return nil, tostring(made):gsub("^[^\n:]-:%d*:? ", "", 1) end
  return made
end

--- Applies a grammar to the captures of one boot, finished or not.
-- @tparam {string,…} paths of the logs
-- @param given a grammar, a table of rules, or the path or name of a grammar script, which is read anew each time
-- @treturn ?table as `capture.mark`; as a string a page that also shows what came nearest to rules that did not match.
--   Or nil and a message
function watching.markers(paths, given)
  local used, message = grammar_of(given)
  if not used then return nil, message end
  local outcome
  outcome, message = capture.mark(paths, used)
  if not outcome then return nil, message end
  outcome.paths, outcome.grammar = paths, used
  return setmetatable(outcome, Outcome)
end

--- Waits until what the drain threads hold is in the captures.
-- @tparam {Console,…} consoles
function watching.settle(consoles)
  -- A drain thread sleeps at most some milliseconds between two looks at its line.
  task.sleep(0.02)
  for _, console in ipairs(consoles) do console:pump() end
end

return watching

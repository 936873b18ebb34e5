--- Waiting for what a guest says, and answering it.
-- The functions here are methods of a console (`vm.com1:expect(…)`) and, for its first console, of a guest
-- (`vm:expect(…)`). They look at complete lines and at the unfinished one, as a terminal would show them (`\b`, `\r`
-- and escape sequences resolved), and never twice at what a match has consumed.
--
-- A pattern is a string, taken literally, or an LPeg pattern, searched for anywhere in a line.
-- @module moonboot.expect
local engine = require "moonboot.engine"
local lpeg = require "lpeg"
local text = require "moonboot.text"

local expect = {}

local DEFAULT_TIMEOUT = 60
local CONTEXT_LINES = 20

local finders = setmetatable({}, { __mode = "k" })

-- finder(subject, init) -> first, last, captures: the leftmost match at or after `init`.
local function finder(pattern, level)
  if type(pattern) == "string" then
    if pattern == "" then error("an empty pattern matches anything", level + 1) end
    return function(subject, init)
      local first, last = subject:find(pattern, init, true)
      return first, last, {}
    end
  end
  if lpeg.type(pattern) ~= "pattern" then
    error("a pattern must be a string or an LPeg pattern, not a " .. type(pattern), level + 1)
  end
  if not finders[pattern] then
    local position = lpeg.Cp()
    local anywhere = lpeg.P { position * lpeg.Ct(pattern) * position + 1 * lpeg.V(1) }
    finders[pattern] = function(subject, init)
      local first, captures, after = anywhere:match(subject, init)
      if first then return first, after - 1, captures end
    end
  end
  return finders[pattern]
end

local function describe(pattern)
  return type(pattern) == "string" and '"' .. text.escape(pattern) .. '"' or "an LPeg pattern"
end

-- The leftmost match of any branch in one text; at the same place the earlier branch wins.
local function leftmost(branches, subject, init, admits)
  local best
  for _, branch in ipairs(branches) do
    local from = init
    while true do
      local first, last, captures = branch.find(subject, from)
      if not first or (best and first >= best.first) then break end
      if admits(first) then
        best = { branch = branch, first = first, last = last, captures = captures }
        break
      end
      from = first + 1
    end
  end
  return best
end

local function anything() return true end

-- Looks at what has come and is not consumed, oldest first; consumes up to the end of the match.
local function search(self, branches)
  local before = {}
  for i = self.backlog_first, #self.backlog do
    local line = self.backlog[i]
    local found = leftmost(branches, line.text, line.from, anything)
    if found then
      table.insert(before, line.text:sub(line.from, found.first - 1))
      found.t_ns = string.unpack("=i8", line.stamps, 8 * found.first - 7)
      found.line = line.text
      line.from = found.last + 1
      self.backlog_first = line.from > #line.text and i + 1 or i
      return found, before
    end
    table.insert(before, line.text:sub(line.from))
  end
  local lines = self.lines
  local unfinished = lines:partial()
  local function fresh(i)
    local _, offset = lines:stamp(i)
    return offset >= self.consumed
  end
  local found = leftmost(branches, unfinished, 1, fresh)
  if not found then return nil end
  local shown_from = found.first
  while shown_from > 1 and fresh(shown_from - 1) do shown_from = shown_from - 1 end
  table.insert(before, unfinished:sub(shown_from, found.first - 1))
  found.t_ns = lines:stamp(found.first)
  found.line = unfinished
  for i = found.first, found.last do
    local _, offset = lines:stamp(i)
    self.consumed = math.max(self.consumed, offset + 1)
  end
  self.backlog, self.backlog_first = {}, 1
  return found, before
end

local function nearest(self, branches)
  local best, best_length = nil, 3
  for _, branch in ipairs(branches) do
    if type(branch.pattern) == "string" then
      for _, line in ipairs(self:last_lines(CONTEXT_LINES)) do
        local common = text.common(branch.pattern, line)
        if #common > best_length then
          best, best_length = { common = common, pattern = branch.pattern, line = line }, #common
        end
      end
    end
  end
  if not best then return nil end
  local common, line = text.escape(best.common), text.escape(best.line)
  return ('nearest: "%s" of %s in "%s"'):format(common, describe(best.pattern), line)
end

-- What the guest's user would see, indented below the message.
local function context(self)
  local shown = {}
  for _, line in ipairs(self:last_lines(CONTEXT_LINES)) do
    table.insert(shown, "  | " .. text.escape(line))
  end
  if #shown == 0 then return "  | (the guest has said nothing on " .. self.name .. ")" end
  return table.concat(shown, "\n")
end

local function failure(self, label, what, branches)
  local step = self.step and ("step '%s': "):format(self.step) or ""
  local message = { ("%s: %s%s: %s"):format(self.name, step, label, what) }
  local near = nearest(self, branches)
  if near then table.insert(message, "  " .. near) end
  table.insert(message, context(self))
  local whole = table.concat(message, "\n")
  if self.transcript then self.transcript:failed(self, whole) end
  return whole
end

local function seconds_since(start_ns)
  return (engine.clock.now() - start_ns) / 1e9
end

-- Waits for the first branch to match. -> found, before | nil, message
local function wait_for(self, wanted, fails, options, label)
  local all = {}
  table.move(fails, 1, #fails, 1, all)
  table.move(wanted, 1, #wanted, #all + 1, all)
  local start_ns = engine.clock.now()
  local nudge_ns = options.nudge and start_ns + math.floor(options.nudge * 1e9)
  while true do
    local found, before = search(self, all)
    if found and found.branch.fails then
      return nil, failure(self, label, ("the guest said %s"):format(describe(found.branch.pattern)), wanted)
    elseif found then
      if self.transcript then self.transcript:matched(self, label, found) end
      return found, before
    end
    if self.gone then return nil, failure(self, label, self.gone .. " before it came", wanted) end
    local left = options.timeout - seconds_since(start_ns)
    if left <= 0 then
      return nil, failure(self, label, ("did not come within %g s"):format(options.timeout), wanted)
    end
    if nudge_ns then
      local until_nudge = (nudge_ns - engine.clock.now()) / 1e9
      if until_nudge <= 0 then
        self:send("\r")
        nudge_ns = engine.clock.now() + math.floor(options.nudge * 1e9)
        until_nudge = options.nudge
      end
      left = math.min(left, until_nudge)
    end
    self.news:wait(left)
  end
end

local function failing(self, extra, level)
  local fails = {}
  local function add(pattern)
    table.insert(fails, { pattern = pattern, find = finder(pattern, level + 1), fails = true })
  end
  for _, pattern in ipairs(self.failures) do add(pattern) end
  if type(extra) == "table" then
    for _, pattern in ipairs(extra) do add(pattern) end
  elseif extra ~= nil then
    add(extra)
  end
  return fails
end

local function result(found, before)
  return {
    text = found.line:sub(found.first, found.last),
    line = found.line,
    before = table.concat(before, "\n"),
    captures = found.captures,
    t_ns = found.t_ns,
    index = found.branch.index,
  }
end

local function reply(self, branch, match)
  local answer = branch[2]
  if type(answer) == "function" then return answer(self, match) end
  if type(answer) == "string" then
    local sent, message = self:send(answer)
    if not sent then return nil, message end
  end
  return true
end

local function branch_list(dialogue, level)
  local branches = {}
  for i, spec in ipairs(dialogue) do
    if type(spec) ~= "table" or spec[1] == nil then
      error(("branch %d must be a table {pattern, reply}"):format(i), level + 1)
    end
    for key in pairs(spec) do
      if type(key) == "string" and not (key == "optional" or key == "repeats" or key == "done" or key == "label") then
        error(("unknown key '%s' in branch %d (known: optional, repeats, done, label)"):format(key, i), level + 1)
      end
    end
    branches[i] = { pattern = spec[1], find = finder(spec[1], level + 1), spec = spec, index = i, seen = 0 }
  end
  if #branches == 0 then error("a dialogue needs at least one branch", level + 1) end
  return branches
end

-- Branches that may still come: each once, unless it repeats.
local function open_branches(branches)
  local open, needed = {}, 0
  for _, branch in ipairs(branches) do
    local repeats = branch.spec.repeats
    local most = repeats == true and math.huge or repeats or 1
    if branch.seen < most then table.insert(open, branch) end
    if branch.seen == 0 and not branch.spec.optional then needed = needed + 1 end
  end
  return open, needed
end

local function converse(self, dialogue, level)
  local branches = branch_list(dialogue, level + 1)
  local fails = failing(self, dialogue.fail, level + 1)
  local options = { timeout = dialogue.timeout or DEFAULT_TIMEOUT, nudge = dialogue.nudge }
  while true do
    local open, needed = open_branches(branches)
    if needed == 0 then return true end
    local names = {}
    for _, branch in ipairs(open) do table.insert(names, branch.spec.label or describe(branch.pattern)) end
    local label = dialogue.label or "one of " .. table.concat(names, ", ")
    local found, before = wait_for(self, open, fails, options, label)
    if not found then return nil, before end
    local branch = found.branch
    branch.seen = branch.seen + 1
    local match = result(found, before)
    local answered, message = reply(self, branch.spec, match)
    if answered == nil and message then return nil, message end
    if branch.spec.done or branch.spec[2] == nil then return match end
  end
end

--- Waits for a pattern, or holds a dialogue.
--
-- `console:expect(pattern, options)` waits for one pattern. `console:expect { {pattern, reply}, …, options… }` answers
-- prompts that may come in any order: each branch is `{pattern, reply}`, where the reply is a string to send or a
-- function `(console, match)`. A branch comes once, unless it has `repeats = true` (or a number), and need not come
-- if it is `optional`. The dialogue is over when a branch without a reply, or with `done = true`, has come, or when
-- every branch that is not optional has.
--
-- Options: `timeout` in seconds for each wait (default 60), `label` for messages, `fail`: a pattern or a list of
-- patterns that end the wait at once, `nudge`: after so many seconds of waiting send ENTER, each time (for prompts
-- that a log line may have overwritten).
-- @tparam Console self
-- @param pattern a string, an LPeg pattern, or a dialogue
-- @tparam[opt] table options
-- @treturn ?table the match `{ text, line, before, captures, t_ns, index }` (`t_ns`: CLOCK_MONOTONIC time of its first
--   byte; `before`: what came between the last match and this one), or nil and a message that shows what the guest said
function expect.expect(self, pattern, options)
  if type(pattern) == "table" and lpeg.type(pattern) ~= "pattern" then
    return converse(self, pattern, 2)
  end
  options = options or {}
  local branch = { pattern = pattern, find = finder(pattern, 2), index = 1 }
  local fails = failing(self, options.fail, 2)
  local limits = { timeout = options.timeout or DEFAULT_TIMEOUT, nudge = options.nudge }
  local found, before = wait_for(self, { branch }, fails, limits, options.label or describe(pattern))
  if not found then return nil, before end
  return result(found, before)
end

--- Calls a function while a pattern means failure: every wait inside it ends at once when the guest says it.
-- @tparam Console self
-- @param pattern a string or an LPeg pattern
-- @tparam function fn
-- @param ... its arguments
-- @return what `fn` returns
function expect.guard(self, pattern, fn, ...)
  finder(pattern, 2)
  table.insert(self.failures, pattern)
  local results = table.pack(pcall(fn, ...))
  table.remove(self.failures)
  if not results[1] then error(results[2], 0) end
  return table.unpack(results, 2, results.n)
end

--- Runs a shell command in the guest and waits for its end. A shell prompt must be waiting.
-- The end is marked by a word that the echo of the command does not contain, because the shell completes it with the
-- exit status.
-- @tparam Console self
-- @string command one line for a Bourne-like shell
-- @tparam[opt] table options those of `expect`
-- @treturn ?string what it printed, or nil and a message
-- @treturn ?int its exit status
function expect.run(self, command, options)
  options = options or {}
  local word = ("mb%08x"):format(engine.clock.now() & 0xffffffff)
  local typed = word .. "$?" .. word
  local sent, message = self:sendline(command .. "; echo " .. typed, options)
  if not sent then return nil, message end
  local ended = lpeg.P(word) * lpeg.C(lpeg.R "09" ^ 1) * word
  local match
  match, message = self:expect(ended, {
    timeout = options.timeout,
    fail = options.fail,
    label = options.label or ("the end of '%s'"):format(command),
  })
  if not match then return nil, message end
  local output = match.before
  local _, echo_end = output:find(typed, 1, true)
  local line_end = output:find("\n", echo_end or 1, true)
  output = line_end and output:sub(line_end + 1) or ""
  return output, math.tointeger(tonumber(match.captures[1]))
end

return expect

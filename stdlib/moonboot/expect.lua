--- Waiting for what a guest says, and answering it.
-- The functions here are methods of a console (`vm.com1:expect(…)`), of the screen (`vm.screen:expect(…)`) and, for its
-- first console, of a guest (`vm:expect(…)`). On a console they look at complete lines and at the unfinished one, as a
-- terminal would show them (`\b`, `\r` and escape sequences resolved); on the screen at its rows. Never twice at what
-- a match has consumed.
--
-- A pattern is a string, taken literally, or an LPeg pattern, searched for anywhere in a line. A prompt into whose
-- middle somebody else has written (a kernel that logs) is recognised too, once the guest has gone quiet.
-- @module moonboot.expect
local engine = require "moonboot.engine"
local lpeg = require "lpeg"
local dialogue = require "moonboot.dialogue"
local pattern = require "moonboot.pattern"
local task = require "moonboot.task"
local text = require "moonboot.text"

local expect = {}

local DEFAULT_TIMEOUT, ECHO_SECONDS = 60, 30
local CONTEXT_LINES = 20

-- A guest that has said nothing for so long has said its prompt.
local QUIET_SECONDS = 0.4

local OPTIONS = { timeout = true, label = true, fail = true, nudge = true, quiet = true, echo = true, per_char = true }

local function branch_of(wanted, level)
  return { pattern = wanted, find = pattern.finder(wanted, level + 1) }
end

-- The branches that end a wait: those always in force, and the wait's own.
local function failures_of(self, own, level)
  local fails = table.move(self.watch.failures, 1, #self.watch.failures, 1, {})
  for _, wanted in ipairs(pattern.list(own)) do
    table.insert(fails, branch_of(wanted, level + 1))
  end
  return fails
end

local function nearest(lines, branches)
  local best, best_length = nil, 3
  for _, branch in ipairs(branches) do
    if type(branch.pattern) == "string" then
      for _, line in ipairs(lines) do
        local common = text.common(branch.pattern, line)
        if #common > best_length then
          best, best_length = { common = common, pattern = branch.pattern, line = line }, #common
        end
      end
    end
  end
  if not best then return nil end
  local common, line = text.escape(best.common), text.escape(best.line)
  return ('nearest: "%s" of %s in "%s"'):format(common, pattern.describe(best.pattern), line)
end

-- A message of several lines: what went wrong, the nearest there was, and what the guest's user would see.
local function failure(self, label, what, branches)
  local step = self.step and ("step '%s': "):format(self.step) or ""
  local message = { ("%s: %s%s: %s"):format(self.name, step, label, what) }
  local lines = self:last_lines(CONTEXT_LINES)
  local near = nearest(lines, branches)
  if near then table.insert(message, "  " .. near) end
  for _, line in ipairs(lines) do table.insert(message, "  | " .. text.escape(line)) end
  if #lines == 0 then table.insert(message, ("  | (the guest has said nothing on %s)"):format(self.name)) end
  local whole = table.concat(message, "\n")
  if self.transcript then self.transcript:failed(self, whole) end
  return whole
end

-- What a search of a place finds, or nil, nil and in words which pattern took too long.
local function searched(branches, search, ...)
  local done, found, before = pcall(search, ...)
  if done then return found, before end
  if not pattern.is_overrun(found) then error(found, 0) end
  local name
  for _, branch in ipairs(branches) do
    if branch.pattern == found.pattern then name = branch.label or pattern.describe(branch.pattern) end
  end
  return nil, nil, name .. " " .. found.words
end

-- What makes every wait fail, seen on another console than the one that is waited at.
local function trouble_elsewhere(self)
  if #self.watch.failures == 0 then return nil end
  for _, other in ipairs(self.watch.consoles) do
    if other ~= self then
      local found, _, trouble = searched(self.watch.failures, other.backlog.glance, other.backlog, self.watch.failures)
      if trouble then return ("%s, looked for on %s"):format(trouble, other.name) end
      if found then
        return ('the guest said %s on %s: "%s"'):format(pattern.describe(found.branch.pattern), other.name,
          text.escape(found.line))
      end
    end
  end
end

local function seconds_since(start_ns)
  return (engine.clock.now() - start_ns) / 1e9
end

-- A line that ends as questions and shell prompts do.
local function asks(line)
  return line:find("[?:>%]#$%%] *$") ~= nil
end

-- Why to give up now, in words; or nil and how many seconds there are until something else is to be done.
local function next_move(self, wait)
  local elsewhere = trouble_elsewhere(self)
  if elsewhere then return elsewhere end
  if self.gone then return self.gone .. " before it came" end
  local left = wait.timeout - seconds_since(wait.start_ns)
  if left <= 0 then return ("did not come within %g s"):format(wait.timeout) end
  local line, fresh = self:unfinished()
  if wait.quiet and fresh and asks(line) then
    local until_quiet = wait.quiet - self:quiet_for()
    if until_quiet <= 0 then
      return ('the guest waits at something that is not expected: "%s"'):format(text.escape(line))
    end
    left = math.min(left, until_quiet)
  end
  if wait.nudge then
    local until_nudge = (wait.nudge_ns - engine.clock.now()) / 1e9
    if until_nudge <= 0 then
      self:send("\r")
      wait.nudge_ns = engine.clock.now() + math.floor(wait.nudge * 1e9)
      until_nudge = wait.nudge
    end
    left = math.min(left, until_nudge)
  end
  local until_torn = QUIET_SECONDS - self:quiet_for()
  return nil, fresh and until_torn > 0 and math.min(left, until_torn) or left
end

local function find(self, wait, wanted, fails)
  local found, before, trouble = searched(wait.all, self.search, self, wait.all, wait)
  if not found and not trouble and self:quiet_for() >= QUIET_SECONDS then
    found, before, trouble = searched(wanted, self.torn, self, wanted)
  end
  if trouble then return nil, trouble end
  if found and fails[found.branch] then
    return nil, ("the guest said %s"):format(pattern.describe(found.branch.pattern))
  end
  return found, before
end

-- Waits for the first branch to match. -> found, before | nil, message
local function wait_for(self, wanted, options, label, level)
  local fails = failures_of(self, options.fail, level + 1)
  local wait = {
    start_ns = engine.clock.now(),
    timeout = options.timeout or DEFAULT_TIMEOUT,
    quiet = options.quiet,
    nudge = options.nudge,
    all = table.move(wanted, 1, #wanted, #fails + 1, table.move(fails, 1, #fails, 1, {})),
  }
  wait.nudge_ns = wait.nudge and wait.start_ns + math.floor(wait.nudge * 1e9)
  local is_failure = {}
  for _, branch in ipairs(fails) do is_failure[branch] = true end
  while true do
    local found, before = find(self, wait, wanted, is_failure)
    if found then
      if self.transcript and label then self.transcript:matched(self, label, found) end
      return found, before
    end
    local why, left = before, nil
    if not why then why, left = next_move(self, wait) end
    if why then return nil, failure(self, label or options.label, why, wanted) end
    self:await(left)
  end
end

local function result(found, before)
  return {
    text = found.text,
    line = found.line,
    row = found.row,
    before = table.concat(before, "\n"),
    captures = found.captures,
    t_ns = found.t_ns,
    index = found.branch.index,
  }
end

local function check_options(options, level)
  for key in pairs(options) do
    if type(key) == "string" and not OPTIONS[key] then
      local known = {}
      for name in pairs(OPTIONS) do table.insert(known, name) end
      error(("expect has no option '%s'%s"):format(text.escape(key), text.suggest(key, known)), level + 1)
    end
  end
  return options
end

--- Waits for a pattern, or holds a dialogue.
--
-- `console:expect(pattern, options)` waits for one pattern. `console:expect { {pattern, reply}, …, options… }` answers
-- prompts that may come in any order: each branch is `{pattern, reply}` (or a pattern alone), where the reply is a
-- string to send or a function `(console, match)`, which may return nil and a message to give up. A branch comes once,
-- unless it has `repeats = true` (or a number: the dialogue fails when it comes more often), and need not come if it is
-- `optional`. The dialogue is over when a branch without a reply, or with `done = true`, has come, or when every
-- branch that is not optional has.
--
-- Options: `timeout` in seconds for each wait (default 60), `label` for messages, `fail`: a pattern or a list of
-- patterns that end the wait at once, `quiet`: give up when the guest has been waiting for so many seconds at the end
-- of a line that looks like a question and is none of those expected, `nudge`: after so many seconds of waiting send
-- ENTER, each time (for guests that repeat a prompt when asked).
-- @tparam Console|Screen self
-- @param wanted a string, an LPeg pattern, or a dialogue
-- @tparam[opt] table options
-- @treturn ?table the match `{ text, line, before, captures, t_ns, index }` (`t_ns`: CLOCK_MONOTONIC time of its first
--   byte, none on the screen; `before`: what came between the last match and this one; `row`: on the screen), or true
--   when a dialogue ended because all had come, or nil and a message that shows what the guest said
function expect.expect(self, wanted, options)
  if type(wanted) == "table" and lpeg.type(wanted) ~= "pattern" then
    check_options(wanted, 2)
    -- No tail call: it would take this function off the stack, whose levels the messages count.
    local ended, message = dialogue.hold(self, wanted, function(branches, label)
      local found, before = wait_for(self, branches, wanted, label, 4)
      if not found then return nil, before end
      return result(found, before), found.branch
    end, function(branch, what) return failure(self, branch.label, what, {}) end, 2)
    return ended, message
  end
  options = check_options(options or {}, 2)
  local branch = branch_of(wanted, 2)
  branch.index = 1
  local found, before = wait_for(self, { branch }, options, options.label or pattern.describe(wanted), 2)
  if not found then return nil, before end
  return result(found, before)
end

-- What a terminal echoes as it is.
local function is_printable(byte)
  return byte:find("^[\32-\126]$") ~= nil
end

--- Sends bytes at the pace that is asked for.
-- @tparam Console|Screen self
-- @string bytes
-- @tparam table options `per_char`: seconds to wait after each byte; `echo = true`: wait for the echo of each printable
--   byte before the next is sent; `timeout`: seconds that an echo may take (default 30)
-- @tparam function put `put(bytes)` sends some of them -> true, or nil and a message
-- @treturn ?boolean true, or nil and a message
function expect.send_slowly(self, bytes, options, put)
  if not (options.per_char or options.echo) then return put(bytes) end
  for at = 1, #bytes do
    local byte = bytes:sub(at, at)
    local sent, message = put(byte)
    if sent and options.echo and is_printable(byte) then
      sent, message = wait_for(self, { branch_of(byte, 1) }, {
        timeout = options.timeout or ECHO_SECONDS,
        label = ('the echo of byte %d of "%s"'):format(at, text.escape(bytes)),
      }, nil, 1)
    end
    if not sent then return nil, message end
    if options.per_char then task.sleep(options.per_char) end
  end
  return true
end

--- Calls a function while a pattern means failure: every wait inside it, at any console of the guest and at its screen,
-- ends at once when the guest says it. What it said before does not count.
-- @tparam Console|Screen self
-- @param wanted a string or an LPeg pattern
-- @tparam function fn
-- @param ... its arguments
-- @return what `fn` returns
function expect.guard(self, wanted, fn, ...)
  local branch = branch_of(wanted, 2)
  branch.since = {}
  for _, console in ipairs(self.watch.consoles) do branch.since[console.backlog] = console.backlog.last + 1 end
  local failures = self.watch.failures
  table.insert(failures, branch)
  local results = table.pack(pcall(fn, ...))
  for i, entry in ipairs(failures) do
    if entry == branch then
      table.remove(failures, i)
      break
    end
  end
  if not results[1] then error(results[2], 0) end
  return table.unpack(results, 2, results.n)
end

--- Runs a shell command in the guest and waits for its end. A shell prompt must be waiting.
-- Its output lies between two words that the echo of what is typed does not contain, however the terminal wraps or
-- redraws it: the shell takes a pair of quotes out of the first and puts the exit status into the second.
-- @tparam Console|Screen self
-- @string command one line for a Bourne-like shell
-- @tparam[opt] table options those of `expect`, and those of `sendline`
-- @treturn ?string what it printed, or nil and a message
-- @treturn ?int its exit status
function expect.run(self, command, options)
  if type(command) ~= "string" or command:find("[\r\n]") then error("a command is one line of text", 2) end
  options = check_options(options or {}, 2)
  local word = ("mb%08x"):format(engine.clock.now() & 0xffffffff)
  local sent, message = self:sendline(('echo %s""s; %s; echo %s$?e'):format(word, command, word), options)
  if not sent then return nil, message end
  local waiting = {
    timeout = options.timeout,
    fail = options.fail,
    label = options.label or ("the start of '%s'"):format(command),
  }
  local begun, match
  begun, message = self:expect(word .. "s", waiting)
  if not begun then return nil, message end
  waiting.label = options.label or ("the end of '%s'"):format(command)
  match, message = self:expect(lpeg.P(word) * lpeg.C(lpeg.R "09" ^ 1) * "e", waiting)
  if not match then return nil, message end
  return (match.before:gsub("^\n", "")), math.tointeger(tonumber(match.captures[1]))
end

return expect

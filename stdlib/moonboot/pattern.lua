--- Patterns that a dialogue waits for: a string, taken literally, or an LPeg pattern, searched for anywhere in a line.
-- A match has at least one byte: what matches nothing in particular matches nothing.
-- @module moonboot.pattern
local bounded = require "moonboot.bounded"
local lpeg = require "lpeg"
local text = require "moonboot.text"

local pattern = {}

local finders = setmetatable({}, { __mode = "k" })

-- Raised when an LPeg pattern takes too long.
local Overrun = {}

local function literal(wanted)
  return function(subject, init)
    local first, last = subject:find(wanted, init, true)
    return first, last, {}
  end
end

local function grammar(wanted)
  local position = lpeg.Cp()
  local anywhere = lpeg.P { position * lpeg.Ct(wanted) * position + 1 * lpeg.V(1) }
  -- A function of the script in it may not be ready for an empty line.
  pcall(bounded.compile, anywhere)
  return function(subject, init)
    -- LPeg takes a place behind the end for the end.
    while init <= #subject do
      local matched, first, captures, after = bounded.match(anywhere, subject, init)
      if matched == nil then
        error(setmetatable({ pattern = wanted, words = bounded.untried(subject, first) }, Overrun), 0)
      end
      if not matched then error(first, 0) end
      if not first then return nil end
      if after > first then return first, after - 1, captures end
      init = first + 1
    end
  end
end

--- How to look for a pattern. Raises when it is none.
-- @param wanted a string or an LPeg pattern
-- @int level of the caller to blame, as for `error`
-- @treturn function `find(subject, init) -> first, last, captures`: the leftmost match at or after `init`, or nil;
--   raises when it takes too long
function pattern.finder(wanted, level)
  if type(wanted) == "string" then
    if wanted == "" then error("an empty pattern matches anything", level + 1) end
    return literal(wanted)
  end
  if lpeg.type(wanted) ~= "pattern" then
    error("a pattern must be a string or an LPeg pattern, not a " .. type(wanted), level + 1)
  end
  if not finders[wanted] then finders[wanted] = grammar(wanted) end
  return finders[wanted]
end

--- Whether an error is that of a pattern that took too long.
-- @param err
-- @treturn boolean then it is a table `{ pattern =, words = }`
function pattern.is_overrun(err)
  return getmetatable(err) == Overrun
end

--- A pattern in words.
-- @param wanted
-- @treturn string
function pattern.describe(wanted)
  return type(wanted) == "string" and '"' .. text.escape(wanted) .. '"' or "an LPeg pattern"
end

--- Patterns from one of them, a list of them, or nil.
-- @param patterns
-- @treturn table a list
function pattern.list(patterns)
  if patterns == nil then return {} end
  if type(patterns) ~= "table" or lpeg.type(patterns) == "pattern" then return { patterns } end
  return patterns
end

local function anywhere_in_text() return true end

--- The leftmost match of any branch in one text; at the same place the earlier branch wins.
-- @tparam {table,…} branches each with `find`
-- @string subject
-- @int init
-- @tparam[opt] function admits `admits(first)`: whether a match may begin there
-- @treturn ?table `{ branch, first, last, captures }`
function pattern.leftmost(branches, subject, init, admits)
  admits = admits or anywhere_in_text
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

-- A literal whose beginning is somewhere in `head` and whose rest is all of `tail`.
local function torn_literal(wanted, head, tail)
  local rest = #wanted - #tail
  if rest < 1 or wanted:sub(rest + 1) ~= tail then return nil end
  local first = head:find(wanted:sub(1, rest), 1, true)
  if first then return first, {} end
end

local function torn_grammar(find, head, tail)
  local joined, from = head .. tail, 1
  while true do
    local first, last, captures = find(joined, from)
    if not first or first > #head then return nil end
    if last == #joined then return first, captures end
    from = first + 1
  end
end

--- A match that a message of somebody else has torn apart: it begins in one line and goes on, after that message, as
-- all of the last one.
-- @tparam {table,…} branches each with `pattern` and `find`
-- @string head an earlier line
-- @string tail the last line
-- @treturn ?table `{ branch, first, captures, text }`, `first` being in `head`
function pattern.torn(branches, head, tail)
  if head == "" or tail == "" then return nil end
  for _, branch in ipairs(branches) do
    local first, captures
    if type(branch.pattern) == "string" then
      first, captures = torn_literal(branch.pattern, head, tail)
    else
      first, captures = torn_grammar(branch.find, head, tail)
    end
    if first then
      local whole = type(branch.pattern) == "string" and branch.pattern or head:sub(first) .. tail
      return { branch = branch, first = first, captures = captures, text = whole }
    end
  end
end

return pattern

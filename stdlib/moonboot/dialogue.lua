--- The branches of a dialogue: which of them may still come, what is answered, when it is over.
-- See `moonboot.expect` for what a script writes.
-- @module moonboot.dialogue
local lpeg = require "lpeg"
local pattern = require "moonboot.pattern"
local text = require "moonboot.text"

local dialogue = {}

local KEYS = { "optional", "repeats", "done", "label" }

local function check_branch(spec, i, level)
  if type(spec) ~= "table" or spec[1] == nil then
    error(("branch %d must be a pattern or a table {pattern, reply}"):format(i), level + 1)
  end
  for key in pairs(spec) do
    local known = type(key) ~= "string"
    for _, name in ipairs(KEYS) do known = known or key == name end
    if not known then
      error(("unknown key '%s' in branch %d%s"):format(text.escape(key), i, text.suggest(key, KEYS)), level + 1)
    end
  end
  local kind = type(spec[2])
  if kind ~= "nil" and kind ~= "string" and kind ~= "function" then
    error(("branch %d: a reply must be a string or a function, not a %s"):format(i, kind), level + 1)
  end
end

local function branch_list(specs, level)
  local branches = {}
  for i, spec in ipairs(specs) do
    if type(spec) == "string" or lpeg.type(spec) == "pattern" then spec = { spec } end
    check_branch(spec, i, level + 1)
    local repeats = spec.repeats
    branches[i] = {
      pattern = spec[1],
      find = pattern.finder(spec[1], level + 1),
      reply = spec[2],
      label = spec.label or pattern.describe(spec[1]),
      optional = spec.optional,
      done = spec.done or spec[2] == nil,
      most = repeats == true and math.huge or repeats or 1,
      -- Who says how often a prompt may come wants to know when it comes more often.
      counted = type(repeats) == "number",
      index = i,
      seen = 0,
    }
  end
  if #branches == 0 then error("a dialogue needs at least one branch", level + 1) end
  return branches
end

-- The branches to look for, their labels, and how many must still come.
local function open_branches(branches)
  local open, labels, needed = {}, {}, 0
  for _, branch in ipairs(branches) do
    if branch.seen < branch.most then table.insert(labels, branch.label) end
    if branch.seen < branch.most or branch.counted then table.insert(open, branch) end
    if branch.seen == 0 and not branch.optional then needed = needed + 1 end
  end
  return open, labels, needed
end

local function answer(front, branch, match)
  if type(branch.reply) == "function" then
    local answered, message = branch.reply(front, match)
    if answered == nil and message ~= nil then return nil, message end
  elseif branch.reply then
    return front:send(branch.reply)
  end
  return true
end

--- Holds a dialogue until it is over.
-- @param front where it is held: `front:send(text)`
-- @tparam table specs branches, and options as for `moonboot.expect`
-- @tparam function wait `wait(branches, label)` -> match, the branch that matched; or nil and a message
-- @tparam function give_up `give_up(branch, what)` makes a message of what went wrong
-- @int level of the caller to blame for wrong branches
-- @treturn ?table|boolean the match that ended it, or true; nil and a message
function dialogue.hold(front, specs, wait, give_up, level)
  local branches = branch_list(specs, level + 1)
  while true do
    local open, labels, needed = open_branches(branches)
    if needed == 0 then return true end
    local match, branch = wait(open, specs.label or "one of " .. table.concat(labels, ", "))
    if not match then return nil, branch end
    if branch.seen >= branch.most then
      return nil, give_up(branch, ('the guest asks again, though it was answered %d time%s: "%s"'):format(branch.seen,
        branch.seen == 1 and "" or "s", text.escape(match.line)))
    end
    branch.seen = branch.seen + 1
    local answered, message = answer(front, branch, match)
    if not answered then return nil, message end
    if branch.done then return match end
  end
end

return dialogue

--- Finds a grammar's markers in the lines of a boot.
-- Consoles may be fed in any order and any pieces: what counts is the time of each byte, not when it was looked at.
-- Use `grammar:matcher()` to make one.
-- @module moonboot.matcher
local engine = require "moonboot.engine"

local matcher = {}

local Matcher = {}
Matcher.__index = Matcher

local function concerns(entry, channel)
  return not entry.rule.channel or entry.rule.channel == channel
end

-- The engine's filter for lines that can matter; nil when any line can.
local function filter_of(rules, failures)
  local literals = {}
  for _, list in ipairs { rules, failures } do
    for _, entry in ipairs(list) do
      if not entry.clues then return nil end
      table.move(entry.clues, 1, #entry.clues, #literals + 1, literals)
    end
  end
  -- Too many literals for the engine: then without.
  return (engine.lines.literals(literals))
end

local function new_channel(self, name, rank)
  local channel = { name = name, rank = rank, rules = {}, partial_rules = {}, matched_to = {} }
  for _, entry in ipairs(self.compiled) do
    if concerns(entry, name) then
      table.insert(channel.rules, entry)
      if entry.rule.partial then table.insert(channel.partial_rules, entry) end
    end
  end
  channel.filter = filter_of(channel.rules, self.failures)
  return channel
end

--- Used by `grammar:matcher()`.
-- @tparam {table,…} compiled  rules: `rule` (options), `find(text)`, `clues`
-- @tparam {table,…} failures  `label`, `find(text)`, `clues`
-- @tparam table options  those of `grammar:matcher()`
-- @treturn Matcher
function matcher.new(compiled, failures, options)
  local self = setmetatable({
    compiled = compiled,
    failures = failures,
    on_marker = options.on_marker,
    found = {},
    channels = {},
    channel_count = 0,
    fixed = options.channels ~= nil,
    unmet = 0,
  }, Matcher)
  for _, entry in ipairs(compiled) do
    if not entry.rule.optional then self.unmet = self.unmet + 1 end
  end
  for rank, name in ipairs(options.channels or {}) do self.channels[name] = new_channel(self, name, rank) end
  return self
end

local function channel_of(self, name)
  local channel = self.channels[name]
  if channel then return channel end
  if self.fixed then error(("matcher: '%s' is not one of its channels"):format(name), 3) end
  self.channel_count = self.channel_count + 1
  channel = new_channel(self, name, self.channel_count)
  self.channels[name] = channel
  return channel
end

local function named(captures)
  local out = {}
  for key, value in pairs(captures or out) do
    local kind = type(value)
    if type(key) == "string" and (kind == "string" or kind == "number" or kind == "boolean") then out[key] = value end
  end
  return out
end

-- Unknown times come after all known ones.
local function before(a_ns, b_ns)
  if not a_ns or not b_ns then return a_ns ~= nil and b_ns == nil end
  return a_ns < b_ns
end

-- What others get to see of a marker.
local function describe(found)
  local marker = found.marker
  return {
    name = marker.name,
    t_ns = marker.t_ns,
    channel = marker.channel,
    line = marker.line,
    line_number = marker.line_number,
    count = found.count,
    captures = marker.captures,
  }
end

local function set_marker(self, entry, marker)
  local found = self.found[entry]
  if not found then
    found = { count = 0 }
    self.found[entry] = found
    if not entry.rule.optional then self.unmet = self.unmet - 1 end
  end
  found.count = found.count + 1
  local old = found.marker
  local moves
  if entry.rule.last then
    moves = not old or not before(marker.t_ns, old.t_ns)
  else
    -- Another console may have said it earlier, and been fed later.
    moves = not old or before(marker.t_ns, old.t_ns)
  end
  if not moves then return end
  found.marker = marker
  if self.on_marker then self.on_marker(describe(found)) end
end

-- Tries a rule on the current text of `lines`.
local function try(self, channel, entry, content, lines, number)
  local first, last, captures = entry.find(content)
  if not first then return end
  -- A match without bytes of its own (what follows is looked at, not taken) stands where it was found.
  first = math.min(first, #content)
  last = math.max(first, last)
  local t_ns, offset = lines:stamp(first)
  if offset < (channel.matched_to[entry] or 0) then return end -- seen when the line was not complete
  local _, last_offset = lines:stamp(last)
  channel.matched_to[entry] = math.max(offset, last_offset) + 1
  set_marker(self, entry, {
    name = entry.rule.name,
    t_ns = t_ns,
    offset = offset,
    channel = channel.name,
    rank = channel.rank,
    line = content,
    line_number = number,
    captures = named(captures),
  })
end

local function try_failures(self, channel, content, lines, number)
  local known = self.failed
  -- A panic seen before its line was complete: keep the whole line.
  if known and known.channel == channel.name and known.line_number == number then known.line = content end
  for _, failure in ipairs(self.failures) do
    local first = failure.find(content)
    if first then
      local t_ns = lines:stamp(math.min(first, #content))
      if not known or before(t_ns, known.t_ns) then
        known = { pattern = failure.label, line = content, line_number = number, t_ns = t_ns, channel = channel.name }
        self.failed = known
      end
    end
  end
end

-- Tries all that there is on a complete line.
local function look(self, channel, content, lines, number)
  if content == "" then return end
  for _, entry in ipairs(channel.rules) do try(self, channel, entry, content, lines, number) end
  try_failures(self, channel, content, lines, number)
end

--- Looks at a complete line, the current one of `lines`.
-- @string channel  the console's name
-- @string content  the line's text
-- @param lines  its engine lines, for `lines:stamp(i)`
-- @int number  of the line on that console, from 1
function Matcher:line(channel, content, lines, number)
  local state = channel_of(self, channel)
  if state.filter and not state.filter:occur(content) then return end
  look(self, state, content, lines, number)
end

--- Looks at the unfinished line, if it has changed, with the `partial` rules and the `fail` patterns.
-- @string channel
-- @param lines  engine lines
function Matcher:partial(channel, lines)
  local state = channel_of(self, channel)
  local content, number = lines:partial()
  if content == "" or content == state.partial_text and number == state.partial_number then return end
  state.partial_text, state.partial_number = content, number
  if state.filter and not state.filter:occur(content) then return end
  for _, entry in ipairs(state.partial_rules) do try(self, state, entry, content, lines, number) end
  try_failures(self, state, content, lines, number)
end

--- Takes all complete lines and looks at the unfinished one.
-- @string channel
-- @param lines  engine lines
function Matcher:feed(channel, lines)
  local state = channel_of(self, channel)
  local content, number = lines:next(state.filter)
  while content do
    look(self, state, content, lines, number)
    content, number = lines:next(state.filter)
  end
  self:partial(channel, lines)
end

--- Whether all rules that are not optional have matched.
-- @treturn boolean
function Matcher:complete()
  return self.unmet == 0
end

--- The rules that are not optional and have not matched, in the order of the grammar.
-- @treturn {string,…} names
function Matcher:missing()
  local names = {}
  for _, entry in ipairs(self.compiled) do
    if not entry.rule.optional and not self.found[entry] then table.insert(names, entry.rule.name) end
  end
  return names
end

--- All rules that have not matched, optional ones included, in the order of the grammar.
-- @treturn {string,…} names
function Matcher:unmatched()
  local names = {}
  for _, entry in ipairs(self.compiled) do
    if not self.found[entry] then table.insert(names, entry.rule.name) end
  end
  return names
end

--- The first thing the guest said that a `fail` pattern matches.
-- @treturn ?table `{ pattern =, line =, line_number =, t_ns =, channel = }`; `pattern` is the literal, or "fail[2]"
function Matcher:failure()
  return self.failed
end

--- The markers, in the order of their times (without times: in that of the consoles and of their bytes).
-- @treturn {table,…} `{ name =, t_ns = (nil when unknown), channel =, line =, line_number =, count = (lines that
--   matched), captures = {} }`
function Matcher:markers()
  local list = {}
  for index, entry in ipairs(self.compiled) do
    local found = self.found[entry]
    if found then table.insert(list, { found = found, marker = found.marker, index = index }) end
  end
  table.sort(list, function(a, b)
    local x, y = a.marker, b.marker
    if before(x.t_ns, y.t_ns) then return true end
    if before(y.t_ns, x.t_ns) then return false end
    if x.rank ~= y.rank then return x.rank < y.rank end
    if x.offset ~= y.offset then return x.offset < y.offset end
    return a.index < b.index
  end)
  for i, item in ipairs(list) do list[i] = describe(item.found) end
  return list
end

return matcher

--- What a console has said and nobody has consumed yet: complete lines, and the unfinished one, as a terminal would
-- show them. A search goes through it from the oldest byte on and consumes everything up to the end of its match, so
-- that nothing is matched twice: what was consumed while a line was unfinished stays consumed when it is complete.
-- @module moonboot.backlog
local engine = require "moonboot.engine"
local pattern = require "moonboot.pattern"

local backlog = {}

local Backlog = {}
Backlog.__index = Backlog

-- What a script has not looked at is dropped beyond this many lines, or bytes, each of which has a stamp of eight; the
-- capture file keeps everything.
local KEPT_LINES, KEPT_BYTES = 5000, 1 << 20
local TAIL_LINES = 200

-- How many lines a message of somebody else may put into the middle of a prompt.
local TORN_LINES = 3

--- Makes an empty one.
-- @treturn Backlog
function backlog.new()
  return setmetatable({
    lines = engine.lines.new(),
    entries = {}, -- by the numbers of the lines; a line with nothing left to match has none
    bytes = 0, -- in their texts
    first = 1,
    last = 0,
    tail = {},
    tail_ns = {},
    consumed = 0, -- raw bytes, counted from the beginning, that matches in unfinished lines have used up
    consumed_line = 0, -- the last line in which one did
    glanced = 1,
  }, Backlog)
end

-- Whether nobody has consumed byte `i` of the current text.
local function is_fresh(self, i)
  local _, offset = self.lines:stamp(i)
  return offset >= self.consumed
end

-- Where what nobody has consumed begins, and which bytes behind it are consumed all the same: they were left standing
-- when others were overwritten. nil: all of it is consumed.
local function unconsumed(self, content)
  local from, used
  for i = 1, #content do
    if is_fresh(self, i) then
      from = from or i
    elseif from then
      used = used or {}
      used[i] = true
    end
  end
  return from, used
end

local function drop_first(self)
  local entry = self.entries[self.first]
  if entry then self.bytes = self.bytes - #entry.text end
  self.entries[self.first] = nil
  self.first = self.first + 1
end

--- Takes in the line that the engine has just completed, its current text.
-- @string content
function Backlog:keep(content)
  self.last = self.last + 1
  local place = (self.last - 1) % TAIL_LINES + 1
  self.tail[place], self.tail_ns[place] = content, content ~= "" and self.lines:stamp(1) or nil
  local from, used = 1, nil
  if self.last == self.consumed_line then from, used = unconsumed(self, content) end
  if from then
    self.entries[self.last] = { text = content, from = from, used = used, stamps = self.lines:stamps() }
    self.bytes = self.bytes + #content
  end
  while self.last - self.first >= KEPT_LINES or self.bytes > KEPT_BYTES do drop_first(self) end
end

-- The unconsumed texts of complete lines up to `last`, oldest first.
local function remains(self, last)
  local texts = {}
  for number = self.first, last do
    local entry = self.entries[number]
    if entry then texts[#texts + 1] = entry.text:sub(entry.from) end
  end
  return texts
end

local function forget(self, last)
  while self.first <= last do drop_first(self) end
end

-- Branches that count in a line: a guard counts from the line on that was unfinished when it was set.
local function in_force(self, branches, number)
  local out = branches
  for i, branch in ipairs(branches) do
    local since = branch.since and branch.since[self]
    local counts = not since or number >= since
    if not counts and out == branches then out = table.move(branches, 1, i - 1, 1, {}) end
    if counts and out ~= branches then out[#out + 1] = branch end
  end
  return out
end

local function find_in_entry(self, branches, number)
  local entry = self.entries[number]
  if not entry then return nil end
  local used = entry.used
  local found = pattern.leftmost(in_force(self, branches, number), entry.text, entry.from,
    used and function(i) return not used[i] end)
  return found, entry
end

local function find_in_unfinished(self, branches, content)
  return pattern.leftmost(in_force(self, branches, self.last + 1), content, 1,
    function(i) return is_fresh(self, i) end)
end

local function consume_unfinished(self, first, last)
  for i = first, last do
    local _, offset = self.lines:stamp(i)
    self.consumed = math.max(self.consumed, offset + 1)
  end
  self.consumed_line = self.last + 1
  forget(self, self.last)
end

--- Looks for the first match in what is not consumed, and consumes up to its end.
-- @tparam {table,…} branches each `{ pattern, find, since }`; `since[backlog]`: number of the first line that counts
-- @tparam table state of one wait, empty at first: lines that were searched with these branches are not searched again
-- @treturn ?table `{ branch, first, last, captures, line, text, t_ns }`, `t_ns` being the CLOCK_MONOTONIC time of the
--   first byte
-- @treturn ?{string,…} what stood before the match, a line each
function Backlog:search(branches, state)
  for number = math.max(self.first, state.searched or 1), self.last do
    local found, entry = find_in_entry(self, branches, number)
    if found then
      local before = remains(self, number - 1)
      table.insert(before, entry.text:sub(entry.from, found.first - 1))
      found.t_ns = string.unpack("=i8", entry.stamps, 8 * found.first - 7)
      found.line, found.text = entry.text, entry.text:sub(found.first, found.last)
      entry.from = found.last + 1
      forget(self, entry.from > #entry.text and number or number - 1)
      return found, before
    end
  end
  state.searched = self.last + 1
  local content = self.lines:partial()
  local found = find_in_unfinished(self, branches, content)
  if not found then return nil end
  local before = remains(self, self.last)
  local shown_from = found.first
  while shown_from > 1 and is_fresh(self, shown_from - 1) do shown_from = shown_from - 1 end
  table.insert(before, content:sub(shown_from, found.first - 1))
  found.t_ns = self.lines:stamp(found.first)
  found.line, found.text = content, content:sub(found.first, found.last)
  consume_unfinished(self, found.first, found.last)
  return found, before
end

--- Looks for a prompt whose two parts have somebody else's message between them; for when the guest has gone quiet.
-- @tparam {table,…} branches
-- @treturn ?table as for `search`
-- @treturn ?{string,…} what stood before it
function Backlog:torn(branches)
  local content = self.lines:partial()
  if content == "" or not is_fresh(self, 1) then return nil end
  for number = self.last, math.max(self.first, self.last - TORN_LINES), -1 do
    local entry = self.entries[number]
    local head = entry and not entry.used and entry.text:sub(entry.from) or ""
    local found = pattern.torn(branches, head, content)
    if found then
      local before = remains(self, number - 1)
      table.insert(before, head:sub(1, found.first - 1))
      found.t_ns = string.unpack("=i8", entry.stamps, 8 * (entry.from + found.first - 1) - 7)
      found.line = found.text
      consume_unfinished(self, 1, #content)
      return found, before
    end
  end
end

--- Looks for a match and consumes nothing; what was glanced at once is not glanced at again.
-- @tparam {table,…} branches
-- @treturn ?table `{ branch, line }`
function Backlog:glance(branches)
  for number = math.max(self.first, self.glanced), self.last do
    local found, entry = find_in_entry(self, branches, number)
    self.glanced = number + 1
    if found then return { branch = found.branch, line = entry.text } end
  end
  if self.glanced > self.last + 1 then return nil end
  self.glanced = self.last + 1
  local content = self.lines:partial()
  local found = find_in_unfinished(self, branches, content)
  if not found then return nil end
  self.glanced = self.last + 2
  return { branch = found.branch, line = content }
end

--- The line that is not complete.
-- @treturn string may be empty
-- @treturn bool whether any of it is not consumed
function Backlog:unfinished()
  local content = self.lines:partial()
  for i = #content, 1, -1 do
    if is_fresh(self, i) then return content, true end
  end
  return content, false
end

--- The last lines, consumed or not, the unfinished one included.
-- @int count
-- @treturn {string,…}
-- @treturn table when each began, CLOCK_MONOTONIC ns by its place in the list; none for empty lines
function Backlog:last_lines(count)
  count = math.min(count, TAIL_LINES)
  local out, began_ns = {}, {}
  for number = math.max(1, self.last - count + 1), self.last do
    local place = (number - 1) % TAIL_LINES + 1
    table.insert(out, self.tail[place])
    began_ns[#out] = self.tail_ns[place]
  end
  local unfinished = self.lines:partial()
  if unfinished ~= "" then
    table.insert(out, unfinished)
    began_ns[#out] = self.lines:stamp(1)
  end
  return out, began_ns
end

return backlog

--- What the TAB key offers: variables, fields and methods that begin with what is typed, and how a function is called.
-- Nothing is called to find out: names are followed from variable to field.
-- @module moonboot.repl.complete
local docs = require "moonboot.docs"
local keywords = require "moonboot.repl.keywords"
local names = require "moonboot.names"
local text = require "moonboot.text"

local complete = {}

local Completer = {}
Completer.__index = Completer

--- Makes a completer.
-- @tparam table environment  of the chunks; its `__keys` list the variables
-- @tparam {string,…} commands  names of the prompt's own commands (`help` for `:help`)
-- @treturn Completer
function complete.new(environment, commands)
  return setmetatable({ environment = environment, commands = commands }, Completer)
end

-- Reads without raising.
local function get(value, key)
  local ok, found = pcall(function() return value[key] end)
  if ok then return found end
  return nil
end

-- Whether the end of `line` is inside a string.
local function inside_string(line)
  local quote
  local i = 1
  while i <= #line do
    local c = line:sub(i, i)
    if quote and c == "\\" then
      i = i + 1
    elseif quote == c then
      quote = nil
    elseif not quote and (c == '"' or c == "'") then
      quote = c
    end
    i = i + 1
  end
  return quote ~= nil
end

--- The value that a path of names stands for, and the value that holds it.
-- @string path  e.g. "vm.com1:expect"
-- @return the value; nil when there is none
-- @return what it is a field of; nil for a variable
function Completer:resolve(path)
  local value, holder
  for word in path:gmatch("[^.:]+") do
    if value == nil and holder ~= nil then return nil end
    holder = value
    if holder == nil then value = get(self.environment, word) else value = get(holder, word) end
    if value == nil then return nil end
  end
  return value, holder
end

local function beginning_with(word, list)
  local found = {}
  for _, name in ipairs(list) do
    if name:sub(1, #word) == word then found[#found + 1] = name end
  end
  table.sort(found)
  return found
end

local function hint_of(value, path)
  if type(value) ~= "function" then return nil end
  local doc = docs.of(value, path)
  local hint = docs.signature(value, path)
  return text.escape(doc and #doc.text > 0 and hint .. "   " .. docs.summary(doc) or hint)
end

--- Offers what may be meant.
-- @string line  up to the cursor
-- @int first  where the word to complete begins
-- @int last  where it ends
-- @treturn ?{string,…} candidates; nil where a file's name is wanted
-- @treturn ?string how the only candidate, or the function whose arguments are being typed, is called
function Completer:complete(line, first, last)
  local word, before = line:sub(first, last), line:sub(1, first - 1)
  self.owner, self.separator = nil, nil
  if line:find("^:") then
    if before == ":" then return beginning_with(word, self.commands) end
    before = before:gsub("^:%a*%s*", "")
  elseif inside_string(line) then
    return nil
  end
  local called = word == "" and before:match("([%a_][%w_.:]*)%s*[({]%s*$")
  if called then return {}, hint_of(self:resolve(called), called) end
  local path, separator = before:match("([%a_][%w_.:]*)([.:])$")
  local list
  if path then
    local owner = self:resolve(path)
    if owner == nil then return {} end
    self.owner, self.separator = owner, separator
    list = names.of(owner)
    if separator == ":" then
      local methods = {}
      for _, name in ipairs(list) do
        if type(get(owner, name)) == "function" then methods[#methods + 1] = name end
      end
      list = methods
    end
  else
    list = names.of(self.environment)
    table.move(keywords, 1, #keywords, #list + 1, list)
  end
  local found = beginning_with(word, list)
  if #found ~= 1 then return found end
  local whole = (path and path .. separator or "") .. found[1]
  return found, hint_of(self:resolve(whole), whole)
end

--- Lists candidates of the last `complete`, functions with their arguments, in columns.
-- @tparam {string,…} candidates
-- @int width  of the terminal
-- @treturn string
function Completer:list(candidates, width)
  local shown, longest = {}, 1
  for i, name in ipairs(candidates) do
    local value = get(self.owner == nil and self.environment or self.owner, name)
    local whole = type(value) == "function" and docs.signature(value, (self.separator or "") .. name) or name
    shown[i] = text.escape(whole)
    longest = math.max(longest, utf8.len(shown[i]) or #shown[i])
  end
  local columns = math.max(1, width // (longest + 2))
  local rows = math.ceil(#shown / columns)
  local lines = {}
  for row = 1, rows do
    local cells = {}
    for i = row, #shown, rows do
      cells[#cells + 1] = shown[i] .. (" "):rep(longest - (utf8.len(shown[i]) or #shown[i]))
    end
    lines[row] = (table.concat(cells, "  "):gsub("%s+$", ""))
  end
  return table.concat(lines, "\n")
end

return complete

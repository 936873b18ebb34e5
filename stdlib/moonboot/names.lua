--- Wrong names: says which right one was probably meant.
-- A name of a moonboot object that is near to one of its own, and is not one, raises; others are nil, as in any table.
-- @module moonboot.names
local text = require "moonboot.text"

local names = {}

-- The library reads its objects' absent fields all the time; only scripts are told.
local LIBRARY = debug.getinfo(1, "S").source:match("^(@.*)names%.lua$") or "@?"

local function add_keys(keys, value, depth)
  if type(value) == "table" then
    for key in next, value do
      if type(key) == "string" and key:find("^[%a_]") and not key:find("^__") then keys[key] = true end
    end
  end
  local meta = debug.getmetatable(value)
  if type(meta) ~= "table" or depth > 4 then return end
  local listed = rawget(meta, "__keys")
  if listed then
    for _, key in ipairs(listed(value)) do keys[key] = true end
  end
  local index = rawget(meta, "__index")
  if type(index) == "table" and index ~= value then add_keys(keys, index, depth + 1) end
end

--- The names that a value can be indexed with, those of its metatables included.
-- A metatable with an `__index` function lists the names behind it in `__keys`, a function of the value.
-- @param value
-- @treturn {string,…} sorted
function names.of(value)
  local keys, list = {}, {}
  add_keys(keys, value, 1)
  for key in pairs(keys) do list[#list + 1] = key end
  table.sort(list)
  return list
end

local function called_by_library(level)
  local info = debug.getinfo(level + 1, "S")
  return not info or info.source:sub(1, #LIBRARY) == LIBRARY
end

--- For `__index` functions that have found nothing: raises when a script meant another name, else returns nil.
-- @string what  the kind of object, for the message
-- @param key
-- @tparam {string,…} known  names it has
-- @int[opt=1] level  of the `__index` function: 1 when that one calls
function names.miss(what, key, known, level)
  level = (level or 1) + 2
  if type(key) ~= "string" or key:find("^__") or called_by_library(level) then return nil end
  local meant = text.nearest(key, known)
  if not meant then return nil end
  error(("%s has no '%s' (did you mean '%s'?)"):format(what, text.escape(key), meant), level)
end

--- Makes a class tell about wrong names of its objects.
-- @tparam table class  the `__index` of its objects
-- @string what  the kind of object, for messages
-- @tparam[opt] {string,…} fields  names that may well be absent
function names.guard(class, what, fields)
  local absent = {}
  for _, field in ipairs(fields or {}) do absent[field] = true end
  setmetatable(class, {
    __index = function(_, key)
      if absent[key] then return nil end
      local known = names.of(class)
      table.move(fields or {}, 1, #(fields or {}), #known + 1, known)
      -- In parentheses: a tail call would take this function off the stack, whose levels miss counts.
      return (names.miss(what, key, known))
    end,
  })
end

-- The value of a variable as the function at `level` sees it.
local function variable(level, name)
  local found
  for i = 1, 250 do
    local known, value = debug.getlocal(level + 1, i)
    if not known then break end
    if known == name then found = value end
  end
  if found ~= nil then return found end
  local fn = debug.getinfo(level + 1, "f").func
  local environment = _G
  for i = 1, 255 do
    local known, value = debug.getupvalue(fn, i)
    if not known then break end
    if known == name then return value end
    if known == "_ENV" then environment = value end
  end
  local ok, value = pcall(function() return environment[name] end)
  return ok and value or nil, environment
end

local function index(value, key)
  local ok, found = pcall(function() return value[key] end)
  return ok and found or nil
end

local function source_line(info, source)
  local path = info.source:match("^@(.*)")
  local whole = not path and (source or info.source)
  local number = 0
  local function nth(lines)
    for line in lines do
      number = number + 1
      if number == info.currentline then return line end
    end
    return nil
  end
  if whole then return nth((whole .. "\n"):gmatch("([^\n]*)\n")) end
  local file = io.open(path, "r")
  if not file then return nil end
  local line = nth(file:lines())
  file:close()
  return line
end

-- What the field or method was looked for in: the names before it on its line, followed from variable to field.
local function owner(level, name, source)
  local line = source_line(debug.getinfo(level + 1, "Sl"), source)
  local path = line and line:match("([%a_][%w_.]*)%s*[.:]%s*" .. name .. "%f[^%w_]")
  if not path then return nil end
  local value
  for word in path:gmatch("[%w_]+") do
    if value == nil then
      value = variable(level + 1, word)
    else
      value = index(value, word)
    end
    if value == nil then return nil end
  end
  return value
end

--- Adds the name that was probably meant to Lua's message about a nil value. For message handlers, which
-- must not end with this call (a tail call shifts the levels).
-- @string message
-- @int level  of the function that failed, as its caller counts (2 in a message handler)
-- @string[opt] source  of a chunk that is in no file
-- @treturn string
function names.explain(message, level, source)
  local kind, name = message:match("^[^\n]*nil value %((%a+) '([%a_][%w_]*)'%)$")
  if not kind then return message end
  local known = {}
  if kind == "global" then
    local _, environment = variable(level + 1, name)
    known = names.of(environment or _G)
  elseif kind == "field" or kind == "method" then
    known = names.of(owner(level + 1, name, source))
  end
  return message .. text.suggest(name, known)
end

return names

--- Checks the tables people write: unknown keys, wrong types, and whose line is to blame.
-- A check returns `nil, message, key`; `check.fail` raises the message with the position of the key in the script.
-- @module moonboot.check
local text = require "moonboot.text"

local check = {}

local LIBRARY = debug.getinfo(1, "S").source:match("^(@.*)check%.lua$") or "@?"

-- The scripts being loaded, innermost last. `return mb.experiment {…}` is a tail call, which takes the script's own
-- frame off the stack before the table is checked; this remembers whose it was.
local scripts = {}
local leave = setmetatable({}, { __close = function() scripts[#scripts] = nil end })

local function a(name)
  return (name:find("^[aeiou]") and "an " or "a ") .. name
end

local function shown(value)
  if type(value) == "string" then
    return ("'%s'"):format(text.escape(#value > 60 and value:sub(1, 57) .. "..." or value))
  end
  if type(value) == "number" or type(value) == "boolean" then return tostring(value) end
  return a(type(value))
end

local function keys_of(schema)
  local keys = {}
  for key in pairs(schema) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

local function matches(value, wanted)
  if wanted == "integer" then return type(value) == "number" and math.tointeger(value) ~= nil end
  if wanted == "number" then return type(value) == "number" and value == value and math.abs(value) ~= math.huge end
  if wanted == "callable" then
    local meta = getmetatable(value)
    return type(value) == "function" or type(meta) == "table" and meta.__call ~= nil
  end
  return type(value) == wanted
end

--- Checks one value.
-- @param value
-- @tparam table rule  `type` (a name or a list of names; `integer` and `callable` are types too), `choices` (list),
--   `min`, `max` (numbers), `check` (a function of the value that returns `true` or `nil, message`)
-- @string where  how to call the value in a message, as in `'samples' in experiment`
-- @return the value (integers as integers), or nil
-- @treturn ?string message
function check.value(value, rule, where)
  local types = type(rule.type) == "table" and rule.type or { rule.type }
  local ok = #types == 0
  for _, wanted in ipairs(types) do
    if matches(value, wanted) then
      ok = true
      if wanted == "integer" then value = math.tointeger(value) end
      break
    end
  end
  if not ok then
    local names = {}
    for i, name in ipairs(types) do names[i] = a(name == "callable" and "function" or name) end
    return nil, ("%s must be %s, not %s"):format(where, text.list(names), shown(value))
  end
  if rule.choices then
    local found, names = false, {}
    for i, choice in ipairs(rule.choices) do
      found = found or choice == value
      names[i] = tostring(choice)
    end
    if not found then
      return nil, ("%s must be %s, not %s%s"):format(where, text.list(names), shown(value),
        type(value) == "string" and text.suggest(value, names) or "")
    end
  end
  if type(value) == "number" then
    local bound = rule.min and value < rule.min and "at least " .. rule.min
      or rule.max and value > rule.max and "at most " .. rule.max
    if bound then return nil, ("%s must be %s, not %s"):format(where, bound, value) end
  end
  if rule.check then
    local good, message = rule.check(value)
    if not good then return nil, ("%s %s"):format(where, message) end
  end
  return value
end

--- Checks a table against a schema and gives a copy with the defaults filled in (the values themselves are shared).
-- @tparam table value
-- @tparam {[string]=table,…} schema  a rule as for `check.value` for each key, with `default` and `required` as well
-- @string what  what the table is, as in `experiment`
-- @treturn ?table nil when it does not fit
-- @treturn ?string message, without a position
-- @treturn ?string the key at fault
function check.table(value, schema, what)
  if type(value) ~= "table" then return nil, ("%s must be a table, not %s"):format(what, shown(value)) end
  local out = {}
  local given = {}
  for key in pairs(value) do given[#given + 1] = key end
  table.sort(given, function(x, y) return tostring(x) < tostring(y) end)
  for _, key in ipairs(given) do
    local rule = schema[key]
    if not rule then
      if type(key) ~= "string" then
        return nil, ("%s has a value without a key, %s"):format(what, shown(value[key]))
      end
      return nil, ("unknown key '%s' in %s%s"):format(text.escape(key), what, text.suggest(key, keys_of(schema))), key
    end
    local good, message = check.value(value[key], rule, ("'%s' in %s"):format(key, what))
    if message then return nil, message, key end
    out[key] = good
  end
  for _, key in ipairs(keys_of(schema)) do
    local rule = schema[key]
    if out[key] == nil then
      if rule.required then return nil, ("%s has no '%s'"):format(what, key) end
      out[key] = rule.default
    end
  end
  return out
end

--- Whether a string may be part of a file name: letters, digits, `.`, `_`, `-`; no dot in front, not too long.
-- @string value
-- @treturn ?boolean true, or nil
-- @treturn ?string message
function check.file_name_part(value)
  if value:find("^[%w_-][%w._-]*$") and #value <= 100 then return true end
  return nil, ("becomes part of file names: up to 100 letters, digits, '.', '_' and '-', not starting with '.'; not %s")
    :format(shown(value))
end

--- The bytes that a size such as `"512M"` or `"2G"` stands for (powers of 1024).
-- @string value
-- @treturn ?integer nil when it is no size
-- @treturn ?string message
function check.size(value)
  local digits, unit = tostring(value):match("^(%d+)([KMGTkmgt]?)[iI]?[bB]?$")
  local shift = digits and ({ [""] = 0, k = 10, m = 20, g = 30, t = 40 })[unit:lower()]
  local count = digits and #digits <= 15 and math.tointeger(tonumber(digits))
  if not count or count == 0 or count > math.maxinteger >> shift then
    return nil, ("must be a size like 512M or 2G, not %s"):format(shown(value))
  end
  return count << shift
end

--- Runs a function on behalf of a script, so that an error in one of the script's tables names the script.
-- @string path  as messages are to show it
-- @tparam function fn
-- @param ...  its arguments
-- @return what `fn` returns; its errors pass through
function check.loading(path, fn, ...)
  scripts[#scripts + 1] = path
  local _ <close> = leave
  local results = table.pack(fn(...))
  return table.unpack(results, 1, results.n)
end

-- The first line, from `from` on, where a key of that name is given a value.
local function line_of(path, keys, from)
  local file = io.open(path, "r")
  if not file then return nil end
  local number, found, wanted = 0, nil, 1
  for line in file:lines() do
    number = number + 1
    if number >= from then
      local code = line:gsub("%-%-.*$", "")
      while keys[wanted] do
        local _, stop = code:find("%f[%w_]" .. keys[wanted]:gsub("%W", "%%%0") .. "%f[^%w_]%s*[\"']?%]?%s*=%f[^=]")
        if not stop then break end
        found, wanted, code = number, wanted + 1, code:sub(stop + 1)
      end
      if not keys[wanted] then break end
    end
  end
  file:close()
  return found
end

-- Who called the library: path and line of the nearest frame outside it, or the script that is being loaded.
local function culprit()
  local level = 3
  while true do
    local info = debug.getinfo(level, "Slf")
    if not info then break end
    if info.func == check.loading then break end
    if info.what ~= "C" and info.source:sub(1, #LIBRARY) ~= LIBRARY then
      return info.source:match("^@(.*)"), info.currentline
    end
    level = level + 1
  end
  return scripts[#scripts], nil
end

--- Where in a script a key is given its value, as the beginning of a message.
-- @string path
-- @string ...  the key, after the keys of the tables around it; none: the script as a whole
-- @treturn string "path:14: ", or "path: " when the line cannot be found
function check.position(path, ...)
  local line = select("#", ...) > 0 and line_of(path, { ... }, 1)
  return ("%s:%s "):format(path, line and line .. ":" or "")
end

--- Raises a message with the position of the script to blame, as exactly as it can be found: the line of the key,
-- else the line of the call, else the file.
-- @string message
-- @string ...  the key at fault, after the keys of the tables around it
function check.fail(message, ...)
  local path, call_line = culprit()
  if not path then error(message, 0) end
  local line = select("#", ...) > 0 and line_of(path, { ... }, call_line or 1) or call_line
  error(("%s:%s %s"):format(path, line and line .. ":" or "", message), 0)
end

return check

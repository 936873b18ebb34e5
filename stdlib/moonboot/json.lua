--- JSON as moonboot writes and reads it: ordered keys, whole numbers kept whole, never NaN.
-- lua-cjson does the parsing. The engine does the writing, as cjson has no stable order of keys (a results file is
-- diffed and cited), no decimals, no integers beyond 2^53 (times in nanoseconds since 1970), and no UTF-8 that every
-- reader accepts although a guest may print any byte.
-- @module moonboot.json
local cjson = require "cjson"
local engine = require("moonboot.engine").json

local json = {}

--- What stands for JSON's null inside tables.
json.null = cjson.null

local ARRAY = { __name = "json.array" }

--- Marks a table as an array, so that it is written as `[]` even when it is empty.
-- @tparam[opt={}] table t
-- @treturn table the same table
function json.array(t)
  return setmetatable(t or {}, ARRAY)
end

local function ranks(order)
  local rank = {}
  for i, name in ipairs(order or {}) do rank[name] = rank[name] or i end
  return rank
end

-- Ranked names first, by rank; the others after them, by name.
local function comparison(rank)
  return function(a, b)
    local ra, rb = rank[a], rank[b]
    if ra and rb then return ra < rb end
    if ra or rb then return ra ~= nil end
    return a < b
  end
end

local function sorting(before)
  return function(t)
    local keys = {}
    for k in next, t do keys[#keys + 1] = k end
    table.sort(keys, before)
    return keys
  end
end

-- A table that is too long for one line has a line for each of its members, and so do those of them that are.
local function broken(value, line, style, indent)
  if type(value) ~= "table" or #line + 2 <= style.width then return line end
  local open, close, members = line:sub(1, 1), line:sub(-1), {}
  local one_line, deeper = style.one_line, indent + 1
  if open == "[" then
    for i, member in ipairs(value) do members[i] = broken(member, one_line(member), style, deeper) end
  else
    for i, key in ipairs(style.keys_of(value)) do
      members[i] = one_line(key) .. ": " .. broken(value[key], one_line(value[key]), style, deeper)
    end
  end
  local inner = "\n" .. ("  "):rep(deeper)
  return open .. inner .. table.concat(members, "," .. inner) .. "\n" .. ("  "):rep(indent) .. close
end

--- Makes a function that writes values as JSON; worth it when there are many.
-- @tparam[opt] table options `order`, a list of keys to put first in every object, in that order (the others
--   follow alphabetically); `width`, to indent and to keep what fits into so many columns on one line (one
--   line for everything when absent); `indent`, the indentation to begin with; `decimals` that a fraction keeps at most
--   (all that matter when absent)
-- @treturn function value -> string without a newline at its end; it raises on NaN, an infinity, a function, a
--   key that is no string, naming the place
function json.encoder(options)
  options = options or {}
  local style = { keys_of = sorting(comparison(ranks(options.order))), width = options.width }
  style.one_line = engine.encoder {
    keys = style.keys_of, array = ARRAY, decimals = options.decimals, spaced = options.width ~= nil,
  }
  if not options.width then return style.one_line end
  return function(value)
    local ok, line = pcall(style.one_line, value)
    if not ok then error(line, 2) end
    return broken(value, line, style, options.indent or 0)
  end
end

--- Writes one value as JSON.
-- @param value tables, strings, finite numbers, booleans, `json.null`
-- @tparam[opt] table options as for `json.encoder`
-- @treturn string
-- @raise as what `json.encoder` returns
function json.encode(value, options)
  local ok, text = pcall(json.encoder(options), value)
  if not ok then error(text, 2) end
  return text
end

-- cjson reads every number as a double. Whole ones become integers again; beyond 2^53 their digits are taken
-- from the text, where they follow a quote and a colon.
local DIGITS = ("%d"):rep(16)

local function large_integers(text)
  local large = {}
  for digits in text:gmatch('":%s?(%-?' .. DIGITS .. "%d*)") do
    local exact = math.tointeger(tonumber(digits))
    if exact then large[exact + 0.0] = exact end
  end
  return large
end

local function whole(v, large)
  local n = math.tointeger(v)
  if not n then return v end
  return large and large[v] or n
end

local function restore(t, large)
  for k, v in next, t do
    local kind = type(v)
    if kind == "number" then
      t[k] = whole(v, large)
    elseif kind == "table" then
      restore(v, large)
    end
  end
end

--- Makes whole numbers integers again in what cjson decoded.
-- @param value changed where it is a table
-- @string text it was decoded from
-- @return value
function json.restore(value, text)
  local large = text:find(DIGITS) and large_integers(text) or nil
  if type(value) == "table" then
    restore(value, large)
  elseif type(value) == "number" then
    value = whole(value, large)
  end
  return value
end

--- Reads JSON. Null becomes `json.null`; whole numbers become integers.
-- @string text
-- @return the value, or nil and a message
function json.decode(text)
  local ok, value = pcall(cjson.decode, text)
  if not ok then return nil, (tostring(value):gsub("^.-:%d+: ", "")) end
  return json.restore(value, text)
end

--- A value as Lua likes it: nil for JSON's null.
-- @param v
-- @return v, or nil if it is `json.null`
function json.value(v)
  if v == json.null then return nil end
  return v
end

return json

--- JSON as moonboot writes and reads it: ordered keys, whole numbers kept whole, never NaN.
-- lua-cjson does the parsing and the quoting. What it cannot do is done here: a stable order of keys (a
-- results file is diffed and cited), integers beyond 2^53 (times in nanoseconds since 1970), and UTF-8 that
-- every reader accepts although a guest may print any byte.
-- @module moonboot.json
local cjson = require "cjson"

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

local function is_array(t)
  local mt = getmetatable(t)
  if mt == ARRAY or (mt ~= nil and mt == cjson.empty_array_mt) then return true end
  return t[1] ~= nil
end

-- Every byte that is not part of valid UTF-8 becomes U+FFFD; the exact bytes are in the capture.
local function valid_utf8(s)
  local out, from = {}, 1
  while true do
    local ok, bad = utf8.len(s, from)
    if ok then break end
    out[#out + 1] = s:sub(from, bad - 1)
    out[#out + 1] = "\u{FFFD}"
    from = bad + 1
  end
  out[#out + 1] = s:sub(from)
  return table.concat(out)
end

local function quote(s)
  -- Nearly all strings are plain words: no call into cjson for those.
  if not s:find("[^%w _.,:;/+%-]") then return '"' .. s .. '"' end
  if not utf8.len(s) then s = valid_utf8(s) end
  return (cjson.encode(s):gsub("\\/", "/"))
end

-- Where in the value an error is: only asked for when there is one.
local function misfit(state, depth, what)
  local place = { "value" }
  for i = 1, depth do
    local key = state.at[i]
    place[i + 1] = type(key) == "string" and "." .. key or "[" .. key .. "]"
  end
  error(table.concat(place) .. what, 0)
end

local ZERO = ("0"):byte()

local function number(v, state, depth)
  if math.type(v) == "integer" then return ("%d"):format(v) end
  if v ~= v or v == math.huge or v == -math.huge then
    misfit(state, depth, (" is %s, which JSON cannot hold"):format(v))
  end
  local whole = math.tointeger(v)
  if whole and whole > -2 ^ 53 and whole < 2 ^ 53 then return ("%d"):format(whole) end
  local s
  if state.decimals then
    s = state.decimals:format(v)
    if s:byte(-1) ~= ZERO then return s end
    s = s:gsub("%.?0+$", "")
    -- What has no unit may be tiny (a p-value): its leading digits then, never a made-up zero.
    if s ~= "0" and s ~= "-0" then return s end
    return ("%.6g"):format(v)
  end
  s = ("%.14g"):format(v)
  if tonumber(s) ~= v then s = ("%.17g"):format(v) end
  return s
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

-- Whether a list of keys is that of a table with as many keys.
local function fits(keys, t)
  for i = 1, #keys do
    if t[keys[i]] == nil then return false end
  end
  return true
end

-- Most objects of a large document look alike: the last order of as many keys is tried before sorting.
local function sorted_keys(t, state, depth)
  local n = 0
  for k in next, t do
    if type(k) ~= "string" then misfit(state, depth, (" has a key of type %s"):format(type(k))) end
    n = n + 1
  end
  local keys = state.shapes[n]
  if keys and fits(keys, t) then return keys end
  keys = {}
  for k in next, t do keys[#keys + 1] = k end
  table.sort(keys, state.before)
  state.shapes[n] = keys
  return keys
end

local encode

local function encode_array(t, state, depth)
  local n, parts = #t, {}
  for i = 1, n do
    state.at[depth + 1] = i
    parts[i] = encode(t[i], state, depth + 1)
  end
  return parts, "[", "]"
end

local function encode_object(t, state, depth)
  local keys, parts = sorted_keys(t, state, depth), {}
  local quoted, at = state.quoted, state.at
  for i = 1, #keys do
    local k = keys[i]
    local name = quoted[k]
    if not name then
      name = quote(k) .. state.colon
      quoted[k] = name
    end
    at[depth + 1] = k
    local v = t[k]
    parts[i] = name .. (type(v) == "string" and quote(v) or encode(v, state, depth + 1))
  end
  return parts, "{", "}"
end

local function layout(parts, open, close, state, depth)
  if #parts == 0 then return open .. close end
  if not state.width then return open .. table.concat(parts, ",") .. close end
  local length = 4
  for _, part in ipairs(parts) do
    length = length + #part + 2
    if length > state.width or part:find("\n", 1, true) then length = math.huge break end
  end
  if length <= state.width then return open .. " " .. table.concat(parts, ", ") .. " " .. close end
  local inner = "\n" .. ("  "):rep(depth + 1)
  return open .. inner .. table.concat(parts, "," .. inner) .. "\n" .. ("  "):rep(depth) .. close
end

function encode(v, state, depth)
  local kind = type(v)
  if kind == "string" then return quote(v) end
  if kind == "number" then return number(v, state, depth) end
  if kind == "boolean" then return v and "true" or "false" end
  if v == json.null then return "null" end
  if kind ~= "table" then misfit(state, depth, (" is a %s, which JSON cannot hold"):format(kind)) end
  if depth > 100 then misfit(state, depth, " is nested too deeply") end
  local parts, open, close = (is_array(v) and encode_array or encode_object)(v, state, depth)
  return layout(parts, open, close, state, depth + state.indent)
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
  local state = {
    before = comparison(ranks(options.order)),
    width = options.width,
    colon = options.width and ": " or ":",
    indent = options.indent or 0,
    decimals = options.decimals and ("%%.%df"):format(options.decimals),
    shapes = {},
    quoted = {},
    at = {},
  }
  return function(value)
    local ok, text = pcall(encode, value, state, 0)
    if not ok then error(text, 2) end
    return text
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

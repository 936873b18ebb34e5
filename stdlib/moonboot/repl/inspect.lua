--- Values as a person wants to read them: sorted, cut where they are long or deep, every byte safe to print.
-- @module moonboot.repl.inspect
local docs = require "moonboot.docs"
local json = require "moonboot.json"
local keywords = require "moonboot.repl.keywords"
local text = require "moonboot.text"
local wording = require "moonboot.wording"

local RESULTS = "moonboot-results/1" -- analysis.SCHEMA, without loading it
local DEPTH, ITEMS, STRING_BYTES, WIDTH = 4, 40, 400, 100

local function quoted(value)
  local cut = #value > STRING_BYTES
  local shown = text.escape(((cut and value:sub(1, STRING_BYTES) or value):gsub('["\\]', "\\%0")))
  return '"' .. shown .. '"' .. (cut and ("… (%d bytes)"):format(#value) or "")
end

local function by_kind_and_name(a, b)
  local x, y = type(a), type(b)
  if x ~= y then return x < y end
  if x == "number" or x == "string" then return a < b end
  return tostring(a) < tostring(b)
end

local reserved = {}
for _, word in ipairs(keywords) do reserved[word] = true end

local render

local function rendered_key(key)
  if type(key) == "string" and key:find("^[%a_][%w_]*$") and not reserved[key] then return key end
  return "[" .. render(key, math.huge, {}, 0) .. "]"
end

-- The parts of a table: its list without keys, then the rest by key.
local function parts_of(value, depth, seen, indent)
  local parts, length = {}, 0
  while rawget(value, length + 1) ~= nil do length = length + 1 end
  for i = 1, math.min(length, ITEMS) do parts[i] = render(value[i], depth + 1, seen, indent + 2) end
  local keys = {}
  for key in next, value do
    if not (math.type(key) == "integer" and key >= 1 and key <= length) then keys[#keys + 1] = key end
  end
  table.sort(keys, by_kind_and_name)
  local hidden = math.max(0, length - ITEMS)
  for _, key in ipairs(keys) do
    if #parts >= ITEMS then
      hidden = hidden + 1
    else
      parts[#parts + 1] = rendered_key(key) .. " = " .. render(rawget(value, key), depth + 1, seen, indent + 2)
    end
  end
  if hidden > 0 then parts[#parts + 1] = ("… (%d more)"):format(hidden) end
  return parts
end

-- The results of a run have thousands of fields; what a person asks for first is a line for each configuration.
local function rendered_results(results)
  local experiment = results.experiment
  local lines = { ("results of %s: %s, %s"):format(experiment.name, wording.measure(experiment.measure),
    experiment.complete and "complete" or "not complete") }
  for _, key in ipairs(results.order) do
    local s = results[key].statistics
    lines[#lines + 1] = ("  %s: %s, n %d%s"):format(key,
      s.median_ms and "median " .. wording.ms(s.median_ms) or "no boot time", s.n,
      s.failed > 0 and (", %d not ok"):format(s.failed) or "")
  end
  return text.escape(table.concat(lines, "\n"), "\n")
end

local function rendered_table(value, depth, seen, indent)
  local meta = debug.getmetatable(value)
  if type(meta) == "table" and rawget(meta, "__tostring") then
    local ok, said = pcall(tostring, value)
    said = text.escape(ok and said or "a table that cannot be shown", "\n")
    return depth > 1 and "<" .. said:match("^[^\n]*") .. ">" or said
  end
  if seen[value] then return "<seen above>" end
  if next(value) == nil then return "{}" end
  if depth == 1 and rawget(value, "schema") == RESULTS then return rendered_results(value) end
  if depth > DEPTH then return "{…}" end
  seen[value] = true
  local parts = parts_of(value, depth, seen, indent)
  seen[value] = nil
  local line = "{ " .. table.concat(parts, ", ") .. " }"
  if #line + indent <= WIDTH and not line:find("\n", 1, true) then return line end
  local pad = (" "):rep(indent + 2)
  return "{\n" .. pad .. table.concat(parts, ",\n" .. pad) .. "\n" .. (" "):rep(indent) .. "}"
end

function render(value, depth, seen, indent)
  local kind = type(value)
  if kind == "string" then return quoted(value) end
  if kind == "table" then return rendered_table(value, depth, seen, indent) end
  if kind == "function" then return "function" .. docs.signature(value, ""):gsub("^[^(]*", " ") end
  if value == json.null then return "null" end
  return text.escape(tostring(value))
end

--- Renders a value.
-- A string of several lines comes as it is, all else as Lua would write it; what has a `__tostring` speaks for itself.
-- @param value
-- @treturn string one or more lines
return function(value)
  if type(value) == "string" and value:find("\n", 1, true) then return (text.escape(value, "\n\t"):gsub("\n$", "")) end
  return render(value, 1, {}, 0)
end

--- The matrix of an experiment: axes in, configurations out. Pure.
-- @module moonboot.matrix
local text = require "moonboot.text"

local matrix = {}

-- A label is a part of file names, which end at 255 bytes.
local LABEL_BYTES = 150

local function shown(value)
  return text.escape(type(value) == "string" and ("'%s'"):format(value) or tostring(value))
end

-- How a value reads in a key: 4, 512M, cortex-a57; what could not stand in a file name becomes "_".
local function word(value)
  return (tostring(value):gsub("[^%w_-]", "_"))
end

local function axis(name, values)
  if type(name) ~= "string" or not name:find("^[%a_][%w_]*$") then
    return nil, ("a matrix axis needs a name made of letters, digits and '_', not %s"):format(shown(name))
  end
  if type(values) ~= "table" then values = { values } end
  local out, seen, words, count = {}, {}, {}, 0
  for _ in pairs(values) do count = count + 1 end
  if count == 0 then return nil, ("matrix axis '%s' has no values"):format(name) end
  if count ~= #values then
    return nil, ("matrix axis '%s' must be a list without gaps, as in { 1, 2, 4 }"):format(name)
  end
  for i, value in ipairs(values) do
    local kind = type(value)
    if kind ~= "string" and kind ~= "number" and kind ~= "boolean" or value ~= value or value == "" then
      return nil, ("matrix axis '%s': value %d must be a number, a string or a boolean, not %s"):format(name, i,
        value == "" and "an empty string" or value ~= value and "NaN" or "a " .. kind)
    end
    if kind == "number" then value = math.tointeger(value) or value end
    if seen[value] then return nil, ("matrix axis '%s' has the value %s twice"):format(name, shown(value)) end
    local same = words[word(value)]
    if same ~= nil then
      return nil, ("matrix axis '%s': %s and %s cannot be told apart in file names, where both read '%s'"):format(name,
        shown(same), shown(value), word(value))
    end
    seen[value], words[word(value)], out[i] = true, value, value
  end
  return { name = name, values = out }
end

--- Checks axes and puts them in order.
-- @tparam table axes  a map `{ cpus = { 1, 2 }, memory = { "256M" } }` (`cpus` comes first, the rest by alphabet), or a
--   list `{ { "cpus", { 1, 2 } }, … }`, whose order is kept; a single value stands for a list of one
-- @treturn ?{table,…} list of `{ name =, values = }`; nil when something is wrong
-- @treturn ?string what
-- @treturn ?string the axis at fault
function matrix.axes(axes)
  local pairs_in_order = {}
  for key, value in pairs(axes) do
    if math.type(key) == "integer" then
      if type(value) ~= "table" then
        return nil, ("'matrix' must be a table of axes, as in { cpus = { 1, 2, 4 } }, not a list with %s")
          :format(shown(value))
      end
      local entry = value.name and { value.name, value.values } or value
      pairs_in_order[#pairs_in_order + 1] = { entry[1], entry[2], key }
    else
      pairs_in_order[#pairs_in_order + 1] = { key, value, key == "cpus" and "" or tostring(key) }
    end
  end
  table.sort(pairs_in_order, function(x, y)
    if type(x[3]) ~= type(y[3]) then return type(x[3]) == "number" end
    return x[3] < y[3]
  end)
  local out, seen = {}, {}
  for i, entry in ipairs(pairs_in_order) do
    local good, message = axis(entry[1], entry[2])
    if not good then return nil, message, type(entry[1]) == "string" and entry[1] or nil end
    if seen[good.name] then return nil, ("matrix axis '%s' is there twice"):format(good.name), good.name end
    seen[good.name], out[i] = true, good
  end
  return out
end

local function name_of(settings, axes, cpus)
  local keys, labels, has_cpus = {}, {}, false
  for i, entry in ipairs(axes) do
    local value = word(settings[entry.name])
    if entry.name == "cpus" then
      has_cpus = true
      keys[i] = "cpu_" .. value
      table.insert(labels, 1, value .. "cpu")
    else
      keys[i] = entry.name .. "_" .. value
      labels[#labels + 1] = keys[i]
    end
  end
  if not has_cpus then
    table.insert(labels, 1, word(cpus) .. "cpu")
    if #keys == 0 then keys[1] = "cpu_" .. word(cpus) end
  end
  return table.concat(keys, "."), table.concat(labels, "-")
end

--- Every combination of the axes' values; the last axis varies fastest.
-- @tparam {table,…} axes  from `matrix.axes`
-- @int[opt=1] cpus  the machine's vCPUs, for configurations that do not set them
-- @treturn ?{table,…} configurations, each `{ key = "cpu_4.memory_512M", label = "4cpu-memory_512M", index = 1,
--   settings = { cpus = 4, memory = "512M" } }`; nil when two would have one name
-- @treturn ?string which
function matrix.expand(axes, cpus)
  local all = { {} }
  for _, entry in ipairs(axes) do
    local longer = {}
    for _, settings in ipairs(all) do
      for _, value in ipairs(entry.values) do
        local copy = { [entry.name] = value }
        for name, other in pairs(settings) do copy[name] = other end
        longer[#longer + 1] = copy
      end
    end
    all = longer
    if #all > 10000 then return nil, "the matrix has more than 10000 configurations" end
  end
  local out, taken = {}, {}
  for i, settings in ipairs(all) do
    local key, label = name_of(settings, axes, cpus or 1)
    if taken[key] or taken[label] then
      return nil, ("two configurations of the matrix would both be called '%s'"):format(taken[key] and key or label)
    end
    if #label > LABEL_BYTES then
      return nil, ("configuration '%s…' has too long a name for its files: use shorter values, or fewer axes")
        :format(label:sub(1, 40))
    end
    taken[key], taken[label] = true, true
    out[i] = { key = key, label = label, index = i, settings = settings }
  end
  return out
end

--- Reads `AXIS=V,V` from a command line. What looks like a number is one, `true` and `false` are booleans.
-- @string argument
-- @treturn ?string the axis' name; nil when it cannot be read
-- @treturn ?table|string its values, or what is wrong
function matrix.parse(argument)
  local name, list = argument:match("^([%a_][%w_]*)=(.+)$")
  if not name then
    return nil, ("'%s' must be AXIS=VALUE,VALUE…, as in cpus=1,2,4"):format(text.escape(argument))
  end
  local values = {}
  for value in (list .. ","):gmatch("([^,]*),") do
    if value == "" then return nil, ("'%s' has an empty value"):format(text.escape(argument)) end
    local number = value:find("^-?%d+%.?%d*$") and tonumber(value)
    if number then value = number elseif value == "true" or value == "false" then value = value == "true" end
    values[#values + 1] = value
  end
  return name, values
end

return matrix

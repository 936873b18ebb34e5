--- What a script wants to be told: options declared as data, given on the command line or in a table.
--
--     options = {
--       iso   = { "installation medium", type = "file", required = true },  -- --iso FILE
--       disk_size = { "size of the new disk", type = "size", default = "2G" },  -- --disk-size SIZE
--       modules = { "boot modules, in order", type = "file", many = true },  -- --modules FILE FILE…
--       debug = { "more messages", type = "boolean" },  -- --debug, --no-debug
--       mode  = { "how to boot", choices = { "disk", "direct" }, default = "disk" },
--     }
--
-- Types: string (the default), file (must exist and be readable), directory, number, integer, boolean, choice, size.
-- @module moonboot.options
local check = require "moonboot.check"
local text = require "moonboot.text"

local options = {}

local TYPES = { "string", "file", "directory", "number", "integer", "boolean", "choice", "size" }
local PLACEHOLDER = { file = "FILE", directory = "DIR", number = "N", integer = "N", size = "SIZE" }

local DECLARATION = {
  description = { type = "string", required = true },
  type = { type = "string", choices = TYPES },
  choices = { type = "table" },
  required = { type = "boolean", default = false },
  many = { type = "boolean", default = false },
  default = {},
}

local function readable(path)
  local file, message = io.open(path, "rb")
  if not file then return nil, message end
  -- A directory opens, and only then refuses to be read.
  local _, trouble, code = file:read(0)
  if not trouble then _, trouble, code = file:read(1) end
  file:close()
  if trouble then return nil, ("%s: %s"):format(path, trouble), code end
  return true
end

local function number(value, integer)
  local result = type(value) == "number" and value
    or type(value) == "string" and value:find("^%s*[+-]?[%d.]") and tonumber(value)
  if integer then result = result and math.tointeger(result) end
  if not result or result ~= result or math.abs(result) == math.huge then
    return nil, integer and "must be a whole number" or "must be a number"
  end
  return result
end

local CONVERT = {
  string = function(value) return value end,
  file = function(value)
    local ok, message = readable(value)
    if not ok then return nil, "cannot be read: " .. message end
    return value
  end,
  directory = function(value)
    local file = io.open(value .. "/.", "rb")
    if not file then return nil, ("is not a directory: %s"):format(value) end
    file:close()
    return value
  end,
  number = function(value) return number(value, false) end,
  integer = function(value) return number(value, true) end,
  size = function(value)
    local size, message = check.size(value)
    if not size then return nil, message end
    return tostring(value)
  end,
  boolean = function(value)
    if type(value) == "boolean" then return value end
    if value == "true" or value == "yes" or value == "on" then return true end
    if value == "false" or value == "no" or value == "off" then return false end
    return nil, "must be true or false"
  end,
}

-- `-> value`, or nil and the rest of a sentence about it.
local function convert(option, value)
  if option.type == "boolean" or option.type == "number" or option.type == "integer" or option.type == "size" then
    return CONVERT[option.type](value)
  end
  if type(value) ~= "string" then return nil, "must be a string" end
  if value:find("\0", 1, true) then return nil, "must not contain a NUL byte" end
  if option.type == "choice" then
    for _, choice in ipairs(option.choices) do
      if choice == value then return value end
    end
    return nil, ("must be %s, not '%s'%s"):format(text.list(option.choices), value,
      text.suggest(value, option.choices))
  end
  if value == "" and option.type ~= "string" then return nil, "must not be empty" end
  return CONVERT[option.type](value)
end

local function convert_all(option, value)
  if not option.many then return convert(option, value) end
  local out = {}
  for i, entry in ipairs(type(value) == "table" and value or { value }) do
    local good, message = convert(option, entry)
    if good == nil then return nil, message end
    out[i] = good
  end
  return out
end

local function declare(name, spec)
  if type(name) ~= "string" or not name:find("^%l[%l%d_]+$") then
    return nil, ("option '%s' needs a name of small letters, digits and '_'"):format(text.escape(tostring(name)))
  end
  if type(spec) ~= "table" then
    return nil, ("option '%s' must be a table, as in { \"what it is\", type = \"file\" }"):format(name)
  end
  local fields = {}
  for key, value in pairs(spec) do fields[key == 1 and "description" or key] = value end
  -- `type = { "disk", "direct" }` is short for a choice.
  if type(fields.type) == "table" then fields.type, fields.choices = "choice", fields.type end
  local option, message = check.table(fields, DECLARATION, ("option '%s'"):format(name))
  if not option then return nil, message end
  option.type = option.type or option.choices and "choice" or "string"
  if option.type == "choice" then
    if not option.choices or #option.choices == 0 then return nil, ("option '%s' has no choices"):format(name) end
    for _, choice in ipairs(option.choices) do
      if type(choice) ~= "string" then return nil, ("option '%s': choices must be strings"):format(name) end
    end
  end
  if option.type == "boolean" and option.many then
    return nil, ("option '%s': a boolean cannot be 'many'"):format(name)
  end
  if option.type == "boolean" and option.default == nil and not option.required then option.default = false end
  -- A default path need not exist where it is not used; everything else can be judged now.
  if option.default ~= nil and option.type ~= "file" and option.type ~= "directory" then
    option.default, message = convert_all(option, option.default)
    if option.default == nil then return nil, ("option '%s': the default %s"):format(name, message) end
  end
  option.name, option.flag = name, "--" .. name:gsub("_", "-")
  option.placeholder = PLACEHOLDER[option.type] or name:upper()
  return option
end

--- Checks declarations.
-- @tparam table specs  name = declaration
-- @treturn ?{table,…} sorted by name, each with `name`, `flag` (`--disk-size`), `description`, `type`, `required`,
--   `many`, `default`, `choices`, `placeholder`; nil when something is wrong
-- @treturn ?string what
-- @treturn ?string the option at fault
function options.declare(specs)
  local names, out = {}, {}
  for name in pairs(specs) do names[#names + 1] = name end
  table.sort(names, function(x, y) return tostring(x) < tostring(y) end)
  for i, name in ipairs(names) do
    local option, message = declare(name, specs[name])
    if not option then return nil, message, type(name) == "string" and name or nil end
    out[i] = option
  end
  return out
end

local function names_of(declared)
  local names = {}
  for i, option in ipairs(declared) do names[i] = option.name end
  return names
end

--- The values of all options: those given, converted and checked, and the defaults of the others.
-- @tparam {table,…} declared  from `options.declare`
-- @tparam[opt] table given  name = value, as strings (from a command line) or as what they are
-- @treturn ?table name = value; nil when something is wrong
-- @treturn ?string what, in terms of the command line: either begins with "option", or goes on after the script's name
function options.values(declared, given)
  given = given or {}
  local known, out = {}, {}
  for _, option in ipairs(declared) do
    known[option.name] = true
    local value = given[option.name]
    if option.many and type(value) == "table" and #value == 0 then value = nil end
    if value == nil then value = option.default end
    if value ~= nil then
      local good, message = convert_all(option, value)
      if good == nil then
        return nil, text.escape(("option %s (%s) %s"):format(option.flag, option.description, message))
      end
      out[option.name] = good
    elseif option.required then
      return nil, ("needs %s %s (%s)"):format(option.flag, option.placeholder, text.escape(option.description))
    end
  end
  for name in pairs(given) do
    if not known[name] then
      name = tostring(name)
      return nil, ("has no option '%s'%s"):format(text.escape(name), text.suggest(name, names_of(declared)))
    end
  end
  return out
end

--- Adds options to a command line.
-- @tparam {table,…} declared
-- @param parser  of argparse
-- @string[opt=""] prefix  of the names under which the values are found in the result
-- @treturn {table,…} the elements made, for a group of the help
function options.configure(declared, parser, prefix)
  local elements = {}
  for i, option in ipairs(declared) do
    local description = text.escape(option.description)
    if option.choices then description = ("%s: %s"):format(description, text.list(option.choices)) end
    if option.required then
      description = description .. " (required)"
    elseif option.default ~= nil and option.default ~= false and type(option.default) ~= "table" then
      description = ("%s (default: %s)"):format(description, text.escape(tostring(option.default)))
    end
    local element
    local target = (prefix or "") .. option.name
    if option.type == "boolean" then
      element = parser:flag(option.flag):action("store_true")
      parser:flag("--no-" .. option.flag:sub(3)):target(target):action("store_false"):hidden(true)
    else
      element = parser:option(option.flag):argname(option.placeholder)
      if option.many then
        element:args("+"):count("*"):action(function(result, key, values)
          result[key] = table.move(values, 1, #values, #(result[key] or {}) + 1, result[key] or {})
        end)
      end
    end
    element:target(target):description(description)
    elements[i] = element
  end
  return elements
end

return options

--- moonboot: profile how an operating system boots.
-- `local mb = require "moonboot"`; every module of the library is a field, loaded when first used:
-- `mb.stats` is `require "moonboot.stats"`.
-- @module moonboot
local moonboot = { _VERSION = "0.1.0" }

--- Checks and completes an experiment; see `moonboot.experiment`.
-- @tparam table spec
-- @treturn table the experiment
function moonboot.experiment(spec)
  return require("moonboot.experiment").new(spec)
end

--- Compiles a marker grammar; see `moonboot.grammar`.
-- @tparam table rules
-- @treturn table the grammar
function moonboot.grammar(rules)
  return require("moonboot.grammar").new(rules)
end

-- The modules that there are, beside this file.
local function modules()
  local names, dir = {}, debug.getinfo(1, "S").source:match("^@(.*/)[^/]*$")
  if dir then
    for entry in require("moonboot.files").entries(dir) do names[#names + 1] = entry:match("^([%w_]+)%.lua$") end
  end
  for name in pairs(moonboot) do names[#names + 1] = name end
  return names
end

local function load(self, name)
  if type(name) ~= "string" or name:find("^__") then return nil end
  local ok, module = pcall(require, "moonboot." .. name)
  if not ok then
    local text = require "moonboot.text"
    if not tostring(module):find(("module 'moonboot.%s' not found"):format(name), 1, true) then error(module, 0) end
    error(("moonboot has no '%s'%s"):format(text.escape(name), text.suggest(name, modules())), 2)
  end
  if type(module) == "table" and not getmetatable(module) then
    require("moonboot.names").guard(module, "moonboot." .. name)
  end
  rawset(self, name, module)
  return module
end

return setmetatable(moonboot, { __index = load, __keys = modules })

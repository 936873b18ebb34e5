--- From an experiment as a script declares it to one that can be run: options, axes and overrides filled in.
-- @module moonboot.settle
local check = require "moonboot.check"
local fault = require "moonboot.fault"
local machine = require "moonboot.machine"
local matrix = require "moonboot.matrix"
local options = require "moonboot.options"
local text = require "moonboot.text"

local stop, need = fault.stop, fault.need

-- A function of the script: its errors are the script's, and have a position already.
local function call(fn, key, wanted, ...)
  local ok, result = pcall(fn, ...)
  if not ok then fault.stop_placed(tostring(result)) end
  if type(result) ~= "table" then
    stop(("the function '%s' must give a table%s, not a %s"):format(key, wanted, type(result)), key)
  end
  return result
end

local function axes_of(e, values, sets)
  local given = e.matrix
  if type(given) ~= "table" then given = call(given, "matrix", " of axes", values) end
  local axes = need({ "matrix" }, matrix.axes(given))
  if not sets or #sets == 0 then return axes end
  local at = {}
  for i, axis in ipairs(axes) do at[axis.name] = i end
  for _, set in ipairs(sets) do
    if not at[set.name] and not machine.has(set.name) then
      local known = machine.fields()
      for _, axis in ipairs(axes) do known[#known + 1] = axis.name end
      fault.stop_placed(("--set %s: no such axis or machine field%s"):format(text.escape(set.name),
        text.suggest(set.name, known)))
    end
    local list = {}
    for i, value in ipairs(set.values) do list[i] = machine.coerce(set.name, value) end
    at[set.name] = at[set.name] or #axes + 1
    axes[at[set.name]] = { name = set.name, values = list }
  end
  local result, message
  if #given > 0 then
    result, message = matrix.axes(axes)
  else
    local map = {}
    for _, axis in ipairs(axes) do map[axis.name] = axis.values end
    result, message = matrix.axes(map)
  end
  if not result then fault.stop_placed("--set: " .. message) end
  return result
end

-- The machine of one configuration.
local function machine_for(e, request, values, settings)
  local base = e.machine
  if type(base) ~= "table" then base = call(base, "machine", " that describes a machine", values, settings) end
  local changes = { deterministic = e.deterministic or nil }
  for name, value in pairs(settings) do
    if machine.has(name) then changes[name] = value end
  end
  local good, message, key = machine.with(base, changes)
  if good then return good end
  for _, set in ipairs(request.sets or {}) do
    if set.name == key then fault.stop_placed(("--set %s: %s"):format(key, message)) end
  end
  return stop(message, key and changes[key] ~= nil and "matrix" or "machine", key)
end

-- A rule that nothing can match would only show after a timeout.
local function check_channels(e, configuration)
  local has = {}
  for _, name in ipairs(configuration.machine.consoles) do has[name] = true end
  for _, rule in ipairs(e.grammar.rules) do
    if type(rule.channel) == "string" and not rule.optional and not has[rule.channel] then
      stop(("rule '%s' of the grammar listens to %s, which the machine does not have (consoles: %s)"):format(rule.name,
        text.escape(rule.channel), table.concat(configuration.machine.consoles, ", ")), "machine", "consoles")
    end
  end
end

local function check_axes(e, axes)
  for _, axis in ipairs(axes) do
    if not machine.has(axis.name) and type(e.machine) == "table" and not e.hooks.prepare then
      stop(("matrix axis '%s' is no machine field, and there is no machine function or 'prepare' hook to use it%s")
        :format(axis.name, text.suggest(axis.name, machine.fields())), "matrix", axis.name)
    end
  end
end

local function first_settings(axes)
  local settings = {}
  for _, axis in ipairs(axes) do settings[axis.name] = axis.values[1] end
  return settings
end

local OVERRIDABLE = { "warmup", "timeout", "seed", "jobs", "deterministic", "disk_size", "per", "install_timeout" }

local function override(e, request)
  local function given(key, rule)
    local value = request.overrides[key]
    if value == nil then return nil end
    local good, message = check.value(value, rule or request.schema[key], "--" .. key:gsub("_", "-"))
    if message then fault.stop_placed(message) end
    return good
  end
  local until_ci, count = given("until_ci", request.adaptive.until_ci), given("samples")
  if until_ci then
    -- A number of samples beside it is where it gives up.
    local max = math.tointeger(count) or e.samples.max or 50
    e.samples = { min = math.min(e.samples.min or 5, max), max = max, until_ci = until_ci }
  elseif count then
    e.samples = request.samples(count)
  end
  for _, key in ipairs(OVERRIDABLE) do
    local value = given(key)
    if value ~= nil then e[key] = value end
  end
end

-- The keys that `configure` replaces, and all others as they were. -> experiment, option values (an installer that only
-- `configure` names brings defaults of its own)
local function reconfigured(self, request, values)
  local spec = {}
  for key, value in pairs(self.spec) do spec[key] = value end
  for key, value in pairs(call(self.configure, "configure", " of keys to replace", values)) do
    if value == false and key ~= "deterministic" then spec[key] = nil else spec[key] = value end
  end
  local e = request.examine(spec)
  local known = {}
  for _, option in ipairs(e.options) do known[option.name] = values[option.name] end
  local completed = need({ "options" }, options.values(e.options, known))
  for name, value in pairs(values) do completed[name] = value end
  e.source, e.path, e.options = self.source, self.path, self.options
  return e, completed
end

--- Fills in what an experiment left open. Stops with a fault when something does not fit.
-- @tparam Experiment self
-- @tparam table request  `values`, `sets`, `overrides` as for `Experiment:resolve`; `schema` and `adaptive`, the rules
--   for overrides; `examine` and `samples`, the checks of `moonboot.experiment`
-- @treturn table
local function settle(self, request)
  local values, message = options.values(self.options, request.values)
  if not values then
    if not message:find("^option ") then message = ("experiment %s %s"):format(self.name, message) end
    fault.stop_placed(message)
  end
  local e = {}
  for key, value in pairs(self) do e[key] = value end
  if self.configure then e, values = reconfigured(self, request, values) end
  override(e, request)
  e.option_values = values
  e.axes = axes_of(e, values, request.sets)
  check_axes(e, e.axes)
  local base = machine_for(e, request, values, first_settings(e.axes))
  e.configurations = need({ "matrix" }, matrix.expand(e.axes, base.cpus))
  local deterministic = 0
  for _, configuration in ipairs(e.configurations) do
    configuration.machine = machine_for(e, request, values, configuration.settings)
    check_channels(e, configuration)
    if configuration.machine.deterministic then deterministic = deterministic + 1 end
  end
  if deterministic > 0 and deterministic < #e.configurations then
    stop("virtual and real time cannot be compared: either all configurations are deterministic or none", "matrix",
      "deterministic")
  end
  e.deterministic = deterministic > 0
  e.machine, e.resolved = base, true
  e.matrix, e.spec, e.configure = nil, nil, nil
  return e
end

return settle

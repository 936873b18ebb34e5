--- Experiments: what to boot, in which configurations, how often, what to look for.
-- `experiment.new` checks the table that a script writes; `resolve` turns it, once the option values are known, into
-- the plain description that plan, runner and analysis work on.
--
-- Keys of the table; all but `name` and `grammar` may be left out:
--
-- - `name`, `guest` (default: the name): parts of file names; `title`, `description`: text for people
-- - `options`: what the script wants to be told, see `moonboot.options`
-- - `machine`: see `moonboot.machine`; or a function of the option values and a configuration's settings that gives
--   such a table
-- - `matrix`: axes, see `moonboot.matrix`; or a function of the option values. An axis overrides the machine field of
--   its name; any other needs a `machine` function or a `prepare` hook to make a difference
-- - `install`: an installer, a function of the guest and the option values, called once per image; or a table
--   `{ run = function, options = {…}, boot = … }`, whose options join the experiment's; `boot`: a kernel to boot in
--   place of the medium's loader, `{ kernel =, initrd =, append = }` with paths inside the medium, or a function of the
--   machine and the option values that gives such a table. `per`: "image" (default) or "configuration"; `disk_size`
--   (default "2G"); `install_timeout` (seconds, default 1800)
-- - `samples`: a number (default 5), or `{ min =, max =, until_ci = }`; `warmup`: boots before them (default 0)
-- - `timeout`: seconds a sample may take (default 120)
-- - `grammar`: see `moonboot.grammar`; `measure`: `{ from =, to = }`, rules of the grammar (default: first and last
--   that are not optional)
-- - `phases`: stretches of a boot with names of their own, reported beside the intervals between its markers: a list of
--   `{ name = "loader", from =, to = }`, with rules of the grammar, or "t0"
-- - `baseline`: `{ estimated_ms =, name =, from =, to =, source = }`, or `baselines`, a list of them
-- - `hypotheses`, `accept`: see `moonboot.analysis`; `report`: layouts (default `{ "json", "text" }`)
-- - `prepare(guest, configuration)`, `on_marker(guest, marker)`, `on_sample(record)`, `conclude(results)`: hooks
-- - `deterministic`: true for virtual time; `seed`: of the order of samples; `jobs`: boots at once, or "auto"
-- - `configure`: a function of the option values that gives a table of keys to replace (`false` takes a key away), for
--   experiments whose options change more than the machine
-- @module moonboot.experiment
local check = require "moonboot.check"
local fault = require "moonboot.fault"
local machine = require "moonboot.machine"
local matrix = require "moonboot.matrix"
local options = require "moonboot.options"
local phases = require "moonboot.phases"
local settle = require "moonboot.settle"
local text = require "moonboot.text"

local stop, need = fault.stop, fault.need

local experiment = {}

local Experiment = {}
Experiment.__index = Experiment
Experiment.__name = "moonboot.experiment"

local HOOKS = { "prepare", "on_marker", "on_sample", "conclude" }

local function positive(value)
  if value > 0 then return true end
  return nil, ("must be above 0, not %s"):format(value)
end

local function jobs(value)
  if type(value) == "number" and value >= 1 or value == "auto" then return true end
  return nil, ("must be a number of boots at once, or 'auto', not %s"):format(text.escape(tostring(value)))
end

local SCHEMA = {
  name = { type = "string", required = true, check = check.file_name_part },
  guest = { type = "string", check = check.file_name_part },
  title = { type = "string" },
  description = { type = "string" },
  options = { type = "table" },
  machine = { type = { "table", "function" } },
  matrix = { type = { "table", "function" } },
  install = { type = { "callable", "table" } },
  per = { type = "string", choices = { "image", "configuration" }, default = "image" },
  disk_size = { type = "string", check = check.size, default = "2G" },
  install_timeout = { type = "number", check = positive, default = 1800 },
  samples = { type = { "integer", "table" }, min = 1, default = 5 },
  warmup = { type = "integer", min = 0, default = 0 },
  timeout = { type = "number", check = positive, default = 120 },
  grammar = { type = "table", required = true },
  measure = { type = "table" },
  phases = { type = "table" },
  baseline = { type = "table" },
  baselines = { type = "table" },
  hypotheses = { type = "table" },
  accept = { type = "table" },
  report = { type = { "table", "string" } },
  prepare = { type = "callable" },
  on_marker = { type = "callable" },
  on_sample = { type = "callable" },
  conclude = { type = "callable" },
  configure = { type = "callable" },
  deterministic = { type = "boolean", default = false },
  seed = { type = "integer", min = 0 },
  jobs = { type = { "integer", "string" }, check = jobs, default = 1 },
}

local ADAPTIVE = {
  min = { type = "integer", min = 1, default = 5 },
  max = { type = "integer", min = 1, default = 50 },
  until_ci = { type = "number", required = true, check = function(value)
    if value > 0 and value < 1 then return true end
    return nil, ("is a share of the median between 0 and 1, such as 0.02, not %s"):format(value)
  end },
}

local MEASURE = { from = { type = "string" }, to = { type = "string" } }

local PHASE = {
  name = { type = "string", required = true },
  from = { type = "string", required = true },
  to = { type = "string", required = true },
}

local BASELINE = {
  name = { type = "string", default = "default" },
  estimated_ms = { type = "number", required = true, check = positive },
  from = { type = "string" },
  to = { type = "string" },
  source = { type = "string" },
}

local INSTALLER = {
  run = { type = "callable", required = true },
  name = { type = "string" },
  description = { type = "string" },
  options = { type = "table" },
  boot = { type = { "table", "function" } },
}

-- A kernel inside the medium, booted in place of the medium's loader.
local INSTALLER_BOOT = {
  kernel = { type = "string", required = true },
  initrd = { type = { "string", "table" } },
  append = { type = "string" },
}

local function samples_of(value)
  if type(value) == "number" then return { count = value } end
  local out = need({ "samples" }, check.table(value, ADAPTIVE, "samples"))
  if out.max < out.min then stop(("samples: max (%d) is below min (%d)"):format(out.max, out.min), "samples", "max") end
  return out
end

local function rule_names(grammar)
  local names, firm, known = {}, {}, {}
  for i, rule in ipairs(grammar.rules) do
    names[i], known[rule.name] = rule.name, true
    if not rule.optional then firm[#firm + 1] = rule.name end
  end
  return names, firm, known
end

local function interval(given, fallback, names, known, what, ...)
  local out = { from = given.from or fallback.from, to = given.to or fallback.to }
  for _, side in ipairs { "from", "to" } do
    local name = out[side]
    if not name then stop(("the grammar has no rules, so %s has no '%s'"):format(what, side), ...) end
    if not known[name] then
      local keys = { ... }
      keys[#keys + 1] = side
      stop(("%s: '%s' is '%s', which is no rule of the grammar%s"):format(what, side, text.escape(name),
        text.suggest(name, names)), table.unpack(keys))
    end
  end
  if out.from == out.to then stop(("%s begins and ends with '%s'"):format(what, out.from), ...) end
  return out
end

local function baselines(spec, measure, names, known)
  if spec.baseline and spec.baselines then stop("give 'baseline' or 'baselines', not both", "baseline") end
  local list = spec.baselines or { spec.baseline }
  local key = spec.baselines and "baselines" or "baseline"
  local out, seen = {}, {}
  for i, entry in ipairs(list) do
    local what = key == "baseline" and "baseline" or ("baseline %d"):format(i)
    local good = need({ key }, check.table(entry, BASELINE, what))
    local covered = interval(good, measure, names, known, what, key)
    good.from, good.to = covered.from, covered.to
    if seen[good.name] then stop(("two baselines are called '%s'"):format(text.escape(good.name)), key) end
    seen[good.name], out[i] = true, good
  end
  for name in pairs(list) do
    if math.type(name) ~= "integer" then
      stop("'baselines' must be a list of tables, as in { { estimated_ms = 65 } }", "baselines")
    end
  end
  return out
end

-- -> a list of `{ name =, from =, to = }`
local function named_phases(list, names, known)
  local out, seen = {}, {}
  for i, entry in ipairs(list) do
    local what = ("phase %d"):format(i)
    local good = need({ "phases" }, check.table(entry, PHASE, what))
    local known_or_t0 = setmetatable({ [phases.T0] = true }, { __index = known })
    local covered = interval(good, {}, names, known_or_t0, what, "phases")
    if seen[good.name] then stop(("two phases are called '%s'"):format(text.escape(good.name)), "phases") end
    seen[good.name], out[i] = true, { name = good.name, from = covered.from, to = covered.to }
  end
  if #out == 0 or next(list, #list) ~= nil then
    stop("'phases' must be a list of tables, as in { { name = \"loader\", from = …, to = … } }", "phases")
  end
  return out
end

local function reports(value)
  local list = type(value) == "string" and { value } or value or { "json", "text" }
  for name, layout in pairs(list) do
    if math.type(name) ~= "integer" or type(layout) ~= "string" and type(layout) ~= "function" then
      stop("'report' must be a list of layouts: names or functions", "report")
    end
  end
  return list
end

-- -> function, declared options of the installer, what it boots, the file it is written in
local function installer(value)
  if value == nil then return nil end
  local fn, declared, boot = value, nil, nil
  if type(value) == "table" and not (getmetatable(value) or {}).__call then
    local good = need({ "install" }, check.table(value, INSTALLER, "install"))
    fn, declared, boot = good.run, good.options, good.boot
    if type(boot) == "table" then need({ "install", "boot" }, check.table(boot, INSTALLER_BOOT, "boot")) end
  end
  local source = type(fn) == "function" and debug.getinfo(fn, "S").source:match("^@(.*)")
  return fn, declared, boot, source or nil
end

-- Everything that does not depend on option values.
local function examine(spec)
  local e = need({}, check.table(spec, SCHEMA, "experiment"))
  if type(e.grammar.rules) ~= "table" then
    stop("'grammar' in experiment must be made by mb.grammar { … } (or be required from grammars/)", "grammar")
  end
  e.guest = e.guest or e.name
  e.samples = samples_of(e.samples)
  local names, firm, known = rule_names(e.grammar)
  local measured = need({ "measure" }, check.table(e.measure or {}, MEASURE, "measure"))
  e.measure = interval(measured, { from = firm[1] or names[1], to = firm[#firm] or names[#names] }, names, known,
    "measure", "measure")
  if e.phases then e.phases = named_phases(e.phases, names, known) end
  e.baselines = baselines(e, e.measure, names, known)
  e.baseline = nil
  e.report = reports(e.report)
  -- Loaded only where they are wanted: most experiments have neither.
  if e.hypotheses then
    e.hypotheses = need({ "hypotheses" }, require("moonboot.hypotheses").normalise(e.hypotheses))
  end
  if e.accept then e.accept = need({ "accept" }, require("moonboot.acceptance").normalise(e.accept)) end
  local installer_options
  e.install, installer_options, e.install_boot, e.installer_source = installer(e.install)
  local declared = {}
  for _, source in ipairs { installer_options or {}, e.options or {} } do
    for name, option in pairs(source) do declared[name] = option end
  end
  e.options = need({ "options" }, options.declare(declared))
  e.hooks = {}
  for _, hook in ipairs(HOOKS) do e.hooks[hook], e[hook] = e[hook], nil end
  e.machine = e.machine or {}
  if type(e.machine) == "table" then need({ "machine" }, machine.normalise(e.machine)) end
  e.matrix = e.matrix or {}
  if type(e.matrix) == "table" then need({ "matrix" }, matrix.axes(e.matrix)) end
  return e
end

--- Checks an experiment. Raises when something is wrong, and blames the line of the script.
-- @tparam table spec  see above; not modified
-- @treturn Experiment
function experiment.new(spec)
  local examined, found = fault.catch(examine, spec)
  if not examined then check.fail(found.message, table.unpack(found.keys)) end
  local copy = {}
  for key, value in pairs(spec) do copy[key] = value end
  examined.spec = copy
  return setmetatable(examined, Experiment)
end

--- Whether a value is an experiment.
-- @param value
-- @treturn boolean
function experiment.is(value)
  return getmetatable(value) == Experiment
end

--- The experiment with the option values filled in, ready to be planned and run.
-- @tparam[opt] table values  option = value: strings from a command line, or what they are
-- @tparam[opt] {table,…} sets  axes to replace or add: `{ name =, values = }`
-- @tparam[opt] table overrides  `samples`, `until_ci`, `warmup`, `timeout`, `seed`, `jobs`, `deterministic`,
--   `disk_size`, `per`, `install_timeout`: take the place of the script's
-- @treturn ?Experiment a copy with `resolved = true`, `machine` (that of the first configuration), `axes`,
--   `configurations` (each with its `machine`), `option_values`, `hooks`, `samples` (`{ count = }` or `{ min =, max =,
--   until_ci = }`) and the keys of the script; nil when something is wrong
-- @treturn ?string what, with the script's line where it is the script's fault
function Experiment:resolve(values, sets, overrides)
  if self.resolved then error("resolve: this experiment is resolved already", 2) end
  local request = { values = values, sets = sets, overrides = overrides or {}, schema = SCHEMA, adaptive = ADAPTIVE,
    examine = examine, samples = samples_of }
  local settled, found = fault.catch(settle, self, request)
  if settled then return setmetatable(settled, Experiment) end
  local path = not found.placed and (self.path or self.source)
  return nil, (path and check.position(path, table.unpack(found.keys)) or "") .. found.message
end

return experiment

--- Hypotheses: claims about a whole run, judged by tests rather than by eye.
-- In an experiment they stand in a list; a ready-made one is a table of plain data, so that a journal can hold it:
--
--     hypotheses = {
--       mb.hypotheses.accuracy { below = 10 },
--       mb.hypotheses.monotone { axis = "cpus" },
--       { "boots within a second", function(results) return results.cpu_1.statistics.max_ms < 1000 end },
--     }
--
-- or by name, `hypotheses = { accuracy = { below = 10 }, ["boots within a second"] = function … end }`.
-- A verdict is SUPPORTED or REJECTED only where a test at the 5 % level says so; otherwise it is UNDECIDED, with the
-- number of samples that would probably decide, where one can be given.
-- @module moonboot.hypotheses
local check = require "moonboot.check"
local json = require "moonboot.json"
local judge = require "moonboot.hypotheses.judge"
local text = require "moonboot.text"

local hypotheses = {}

local positive = function(x) return x > 0 or nil, "must be above 0" end

local NAME = { type = "string" }

local SCHEMA = {
  accuracy = {
    name = NAME,
    below = { type = "number", default = 10, check = positive },
    baseline = { type = "string" },
    configuration = { type = "string" },
  },
  monotone = {
    name = NAME,
    axis = { type = "string", default = "cpus" },
    direction = { type = "string", default = "falling", choices = { "falling", "rising" } },
  },
  decreasing_efficiency = { name = NAME },
  repeatability = { name = NAME, cv = { type = "number", default = 0.05, check = positive } },
}

local KINDS = {}
for kind in pairs(SCHEMA) do KINDS[#KINDS + 1] = kind end
table.sort(KINDS)

local DEFAULT_NAME = {
  accuracy = function(h) return ("error below %g %%"):format(h.below) end,
  monotone = function(h)
    return ("boot time %s with %s"):format(h.direction == "rising" and "rises" or "falls", h.axis)
  end,
  decreasing_efficiency = function() return "parallel efficiency decreases with cpus" end,
  repeatability = function(h) return ("coefficient of variation below %g %%"):format(100 * h.cv) end,
}

-- A ready-made hypothesis as plain data; nil and why not.
local function ready_made(kind, options)
  local h, message, key = check.table(options, SCHEMA[kind], ("hypothesis '%s'"):format(kind))
  if not h then return nil, message, key end
  h.kind = kind
  h.name = h.name or DEFAULT_NAME[kind](h)
  return h
end

local function constructor(kind)
  return function(options)
    local h, message = ready_made(kind, options or {})
    if not h then error(message, 2) end
    return h
  end
end

--- The error against a baseline is below a limit, in every configuration that has one.
-- Test: the interval of the mean lies within the limits (SUPPORTED) or outside them (REJECTED); the former is two
-- one-sided tests (Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15, 1987).
-- @function hypotheses.accuracy
-- @tparam[opt] table options  `below` (percent, 10), `baseline` (its name; the default one), `configuration` (its key;
--   all), `name`
-- @treturn table
hypotheses.accuracy = constructor "accuracy"

--- Boot time falls from each value of an axis to the next: T(1) > T(2) > T(4). (Or rises: `direction = "rising"`.)
-- Test: Mann-Whitney for each step, two-sided, Holm-corrected over the steps. SUPPORTED if every step is significant in
-- that direction, REJECTED if one is in the other. Each combination of the other axes is a sequence of its own. On the
-- cpus axis oversubscribed configurations and those where the guest brought up fewer CPUs are left out.
-- @function hypotheses.monotone
-- @tparam[opt] table options  `axis` ("cpus"), `direction` ("falling", "rising"), `name`
-- @treturn table
hypotheses.monotone = constructor "monotone"

--- Parallel efficiency T(1) / (p T(p)) falls from each number of CPUs to the next.
-- That is: the CPU time p T(p) rises, tested like `monotone`.
-- @function hypotheses.decreasing_efficiency
-- @tparam[opt] table options  `name`
-- @treturn table
hypotheses.decreasing_efficiency = constructor "decreasing_efficiency"

--- The coefficient of variation is below a limit, in every configuration.
-- Test: its interval (`stats.cv`, for normal data) lies below the limit (SUPPORTED) or above (REJECTED).
-- @function hypotheses.repeatability
-- @tparam[opt] table options  `cv` (0.05), `name`
-- @treturn table
hypotheses.repeatability = constructor "repeatability"

local function normal_form(key, value)
  if type(value) == "function" then
    return { kind = "custom", name = type(key) == "string" and key or "hypothesis " .. key, test = value }
  end
  if type(value) ~= "table" then
    return nil, ("hypothesis %s must be a function or a table, not %s"):format(key, type(value)), key
  end
  if type(value[1]) == "string" and type(value[2]) == "function" then
    return { kind = "custom", name = value[1], test = value[2] }
  end
  if value.kind == "custom" then return { kind = "custom", name = value.name or tostring(key), test = value.test } end
  local kind = value.kind or key
  if not SCHEMA[kind] then
    if type(kind) ~= "string" then
      return nil, ("hypothesis %s: neither a ready-made one nor { name, function }"):format(key), key
    end
    return nil, ("unknown hypothesis '%s'%s"):format(kind, text.suggest(kind, KINDS)), kind
  end
  local options = {}
  for name, option in pairs(value) do
    if name ~= "kind" then options[name] = option end
  end
  if kind ~= key and type(key) == "string" then options.name = options.name or key end
  return ready_made(kind, options)
end

--- Checks the `hypotheses` of an experiment and brings them into one form.
-- @tparam table list  as in the examples above; those with a name as key come last, by name
-- @treturn ?{table,…} nil when one is wrong. `name`, `kind`, the options; `test`, a function, where `kind` is "custom"
-- @treturn ?string message
-- @treturn ?string the key at fault
function hypotheses.normalise(list)
  if type(list) ~= "table" then return nil, "hypotheses must be a table, not a " .. type(list) end
  local keys, normal = {}, json.array()
  for key in pairs(list) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b)
    if type(a) == type(b) then return a < b end
    return type(a) == "number"
  end)
  for _, key in ipairs(keys) do
    local h, message, at_fault = normal_form(key, list[key])
    if not h then return nil, message, at_fault end
    normal[#normal + 1] = h
  end
  return normal
end

--- What a journal keeps of hypotheses: everything but the functions.
-- @tparam {table,…} list  from `normalise`
-- @treturn {table,…}
function hypotheses.describe(list)
  local described = json.array()
  for i, h in ipairs(list) do
    described[i] = {}
    for key, value in pairs(h) do
      if type(value) ~= "function" then described[i][key] = value end
    end
  end
  return described
end

--- Judges hypotheses.
-- @tparam table list  from `normalise`, or read back from a journal
-- @tparam table results  as `moonboot.analysis` makes them
-- @treturn {table,…} `name`, `verdict` ("SUPPORTED", "REJECTED", "UNDECIDED"), `evidence` (text; user functions may
--   give none), `test` (text), `more_samples` (per configuration; nil unless UNDECIDED and a number can be given)
function hypotheses.evaluate(list, results)
  local normal, message = hypotheses.normalise(list)
  if not normal then error(message, 2) end
  local verdicts = json.array()
  for i, h in ipairs(normal) do
    verdicts[i] = judge[h.kind](h, results)
    verdicts[i].name = h.name
  end
  return verdicts
end

return hypotheses

--- Acceptance criteria: what a run must fulfil to be used, as a checklist with figures.
-- `accept = { all_ok = true, min_samples = 5, cv = 0.05 }` in an experiment. A criterion is met, not met, or cannot be
-- told (nil); none is met for lack of data.
-- @module moonboot.acceptance
local check = require "moonboot.check"
local json = require "moonboot.json"
local selection = require "moonboot.selection"
local stats = require "moonboot.stats"

local acceptance = {}

local function count(least) return { type = "integer", min = least } end

local function above_zero(x) return x > 0 or nil, "must be above 0" end

local SCHEMA = {
  all_ok = { type = "boolean" },
  guest_cpus = { type = "boolean" },
  hypotheses = { type = "boolean" },
  min_samples = count(1),
  min_markers = count(0),
  min_log_bytes = count(0),
  cv = { type = "number", check = above_zero },
  ci = { type = "number", check = above_zero },
  max_error_percent = { type = "number", check = above_zero },
}

-- The order of the checklist.
local ORDER = {
  "all_ok", "min_samples", "min_markers", "min_log_bytes", "cv", "ci", "max_error_percent", "guest_cpus", "hypotheses",
}

--- Checks the `accept` table of an experiment.
-- Keys: `all_ok` (every sample has status ok), `min_samples` (ok samples in each configuration), `min_markers` and
-- `min_log_bytes` (in every sample, failed ones too), `cv` (coefficient of variation in each configuration, below this
-- share), `ci` (interval of the median within this share of it, in each configuration), `max_error_percent` (against
-- the baseline, each configuration, below this), `guest_cpus` (the guest brought up every CPU it was given),
-- `hypotheses` (all SUPPORTED). Those that are false or absent are not asked for.
-- @tparam table accept
-- @treturn ?table a copy; nil when it is wrong
-- @treturn ?string message, naming the nearest valid key
-- @treturn ?string the key at fault
function acceptance.normalise(accept)
  return check.table(accept, SCHEMA, "accept")
end

-- The worst value that `get` finds, where it was, and whether any was unknown.
local function worst(list, get, worse)
  local found, where, unknown
  for _, item in ipairs(list) do
    local value, name, why = get(item)
    if type(value) ~= "number" then
      unknown = unknown or why and ("%s (%s)"):format(name, why) or name
    elseif found == nil or worse(value, found) then
      found, where = value, name
    end
  end
  return found, where, unknown
end

local function less(a, b) return a < b end
local function more(a, b) return a > b end

local function samples_of(results)
  local list = {}
  for _, configuration in ipairs(selection.configurations(results)) do
    for i, sample in ipairs(configuration.samples or {}) do
      list[#list + 1] = { sample = sample, name = ("%s sample %d"):format(configuration.key, sample.index or i) }
    end
  end
  return list
end

-- A criterion on the worst value: one bad value decides it; all must be known for it to be met.
local function bounded(list, get, limit, below, show)
  local value, where, unknown = worst(list, get, below and more or less)
  local item = { value = value, limit = limit }
  local good = value ~= nil and (below and value < limit or not below and value >= limit)
  if value ~= nil and not good then
    item.met = false
  elseif value ~= nil and not unknown then
    item.met = true
  end
  item.figure = value and ("%s (%s)"):format(show(value), where) or nil
  if item.met == nil then
    local lacking = unknown and "unknown for " .. unknown or "nothing to judge"
    item.figure = item.figure and item.figure .. ", " .. lacking or lacking
  end
  item.wanted = (below and "below %s" or "at least %s"):format(show(limit))
  return item
end

local function whole(x) return ("%d"):format(math.tointeger(x) or math.floor(x)) end
local function percent(x) return ("%.2f %%"):format(x) end
local function share(x) return percent(100 * x) end

local function of_sample(field)
  return function(item) return item.sample[field], item.name end
end

local CHECK = {}

function CHECK.all_ok(_, results)
  local samples, ok = samples_of(results), 0
  for _, item in ipairs(samples) do
    if item.sample.status == "ok" then ok = ok + 1 end
  end
  local met
  if #samples > 0 then met = ok == #samples end
  return { met = met, value = ok, limit = #samples, figure = ("%d of %d"):format(ok, #samples), wanted = "all" }
end

function CHECK.min_samples(limit, results)
  return bounded(selection.configurations(results), function(c)
    return #selection.times(c), c.key
  end, limit, false, whole)
end

function CHECK.min_markers(limit, results)
  return bounded(samples_of(results), of_sample "marker_count", limit, false, whole)
end

function CHECK.min_log_bytes(limit, results)
  return bounded(samples_of(results), of_sample "log_bytes", limit, false, whole)
end

function CHECK.cv(limit, results)
  return bounded(selection.configurations(results), function(c)
    return (stats.cv(selection.times(c))), c.key
  end, limit, true, share)
end

function CHECK.ci(limit, results)
  return bounded(selection.configurations(results), function(c)
    local halfwidth, why = stats.relative_halfwidth(selection.times(c))
    return halfwidth, c.key, why
  end, limit, true, share)
end

function CHECK.max_error_percent(limit, results)
  return bounded(selection.configurations(results), function(c)
    local compared = c.whitepaper_comparison
    local error_percent = type(compared) == "table" and compared.error_percent
    return type(error_percent) == "number" and math.abs(error_percent), c.key
  end, limit, true, percent)
end

function CHECK.guest_cpus(_, results)
  local least, unknown
  for _, c in ipairs(selection.configurations(results)) do
    if type(c.guest_cpus) ~= "number" or not c.cpus then
      unknown = unknown or c.key
    elseif c.guest_cpus < c.cpus then
      least = least or c
    end
  end
  local item = { wanted = "all given" }
  if least then
    item.met, item.figure = false, ("%d of %d (%s)"):format(least.guest_cpus, least.cpus, least.key)
  elseif unknown then
    item.figure = ("unknown for %s: the grammar captures no number of CPUs"):format(unknown)
  elseif #selection.configurations(results) > 0 then
    item.met, item.figure = true, "all"
  else
    item.figure = "nothing to judge"
  end
  return item
end

function CHECK.hypotheses(_, results)
  local verdicts = results.hypotheses or {}
  local supported, rejected = 0, 0
  for _, h in ipairs(verdicts) do
    if h.verdict == "SUPPORTED" then supported = supported + 1 end
    if h.verdict == "REJECTED" then rejected = rejected + 1 end
  end
  local met
  if rejected > 0 then met = false elseif #verdicts > 0 and supported == #verdicts then met = true end
  return { met = met, figure = ("%d of %d supported"):format(supported, #verdicts), wanted = "all" }
end

--- The checklist of a run.
-- @tparam table accept  from the experiment or the journal
-- @tparam table results  as `moonboot.analysis` makes them (with its `hypotheses`, if they are a criterion)
-- @treturn {table,…} in a fixed order: `name`, `met` (true, false, nil: cannot be told), `figure` and `wanted` (texts),
--   `value` and `limit` (numbers, where the criterion has them)
function acceptance.check(accept, results)
  local criteria, message = acceptance.normalise(accept)
  if not criteria then error(message, 2) end
  local list = json.array()
  for _, name in ipairs(ORDER) do
    if criteria[name] then
      local item = CHECK[name](criteria[name], results)
      item.name = name
      list[#list + 1] = item
    end
  end
  return list
end

--- Whether a checklist is met as a whole.
-- @tparam {table,…} list  from `check`
-- @treturn ?boolean false if any criterion is not met; nil if none is, but some cannot be told; true for an empty list
function acceptance.met(list)
  local all = true
  for _, item in ipairs(list) do
    if item.met == false then return false end
    if item.met == nil then all = nil end
  end
  return all
end

return acceptance

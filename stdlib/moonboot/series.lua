--- How boot time changes along one axis of the matrix: speed-up, efficiency, fits.
-- The axis is `cpus` if the matrix has it, else the first one. Every combination of the other axes is a group
-- of its own, with its own reference point.
-- @module moonboot.series
local fits = require "moonboot.series.fits"
local json = require "moonboot.json"
local phase_scaling = require "moonboot.series.phases"
local selection = require "moonboot.selection"
local stats = require "moonboot.stats"

local series = {}

local function main_axis(axes)
  for _, axis in ipairs(axes) do
    if axis.name == "cpus" then return axis end
  end
  return axes[1]
end

-- The settings of a configuration but for one axis, and a text that is the same for equal ones.
local function others(configuration, axes, but)
  local where, id = {}, {}
  for _, axis in ipairs(axes) do
    if axis.name ~= but then
      where[axis.name] = configuration.settings[axis.name]
      id[#id + 1] = tostring(configuration.settings[axis.name])
    end
  end
  return where, table.concat(id, "\0")
end

local function place_of(axis)
  local place = {}
  for i, v in ipairs(axis.values or {}) do place[tostring(v)] = i end
  return place
end

local function groups_of(configurations, axes, axis)
  local groups, by_id, place = {}, {}, place_of(axis)
  for _, configuration in ipairs(configurations) do
    local where, id = others(configuration, axes, axis.name)
    local group = by_id[id]
    if not group then
      group = { where = where, members = {} }
      by_id[id] = group
      table.insert(groups, group)
    end
    table.insert(group.members, configuration)
  end
  for _, group in ipairs(groups) do
    table.sort(group.members, function(a, b)
      local va, vb = a.settings[axis.name], b.settings[axis.name]
      if math.type(va) and math.type(vb) and va ~= vb then return va < vb end
      local pa, pb = place[tostring(va)] or math.huge, place[tostring(vb)] or math.huge
      if pa ~= pb then return pa < pb end
      return (a.index or 0) < (b.index or 0)
    end)
  end
  return groups
end

-- Why a configuration says nothing about how the guest scales; nil if it does.
local function exclusion(configuration, cores)
  local cpus, up = configuration.cpus, configuration.guest_cpus
  if configuration.time == "virtual" and cpus and cpus > 1 then return "virtual time: vCPUs run one after another" end
  if cpus and up and up < cpus then return ("the guest brought up %d of %d CPUs"):format(up, cpus) end
  if configuration.oversubscribed then
    return ("oversubscribed: %d vCPUs on %d host cores"):format(cpus, cores)
  end
end

local function add_ratio(point, reference, configuration, times, options)
  local a, b = reference.statistics, configuration.statistics
  point.speedup = a.median_ms / b.median_ms
  point.speedup_mean = a.mean_ms / b.mean_ms
  if reference ~= configuration then
    point.speedup_low, point.speedup_high = stats.ratio_interval(times[reference.key], times[configuration.key], {
      statistic = "median", level = options.level, seed = options.seed, resamples = fits.resamples_for(a.n + b.n),
    })
  end
  local from, to = reference.cpus, configuration.cpus
  if options.axis == "cpus" and from and to then
    local share = from / to
    point.efficiency = point.speedup * share
    point.efficiency_low = point.speedup_low and point.speedup_low * share
    point.efficiency_high = point.speedup_high and point.speedup_high * share
  end
end

local function notes_of(group, is_cpus, virtual)
  local notes = json.array()
  local left_out, fewer, most = {}, nil, nil
  for _, point in ipairs(group.points) do
    if point.excluded then left_out[#left_out + 1] = point.key end
    if point.guest_cpus and point.cpus and point.guest_cpus < point.cpus then fewer = point end
    if point.guest_cpus then most = math.max(most or 0, point.guest_cpus) end
  end
  if not is_cpus then return notes end
  if fewer then
    table.insert(notes, most == 1
      and ("the guest brought up 1 of %d CPUs: this sweep shows what QEMU does, not how the guest scales"):format(
        fewer.cpus)
      or ("the guest brought up %d of %d CPUs: beyond that this sweep shows what QEMU does, not how the guest scales")
        :format(fewer.guest_cpus, fewer.cpus))
  end
  if #left_out > 0 then
    table.insert(notes, ("left out of the fits: %s (%s)"):format(table.concat(left_out, ", "),
      virtual and "in virtual time the vCPUs run one after another: nothing here is a speed-up"
        or "more vCPUs than host cores, or fewer CPUs brought up than given"))
  end
  local fit = group.fits or {}
  if not fit.amdahl then
    table.insert(notes, ("no fit of Amdahl's law: %s"):format(fit.amdahl_reason or group.fits_reason
      or "there is nothing to fit"))
  end
  return notes
end

local function finish(group, axis, options)
  local is_cpus = axis.name == "cpus"
  local times, reference = {}, nil
  group.points = json.array()
  for _, configuration in ipairs(group.members) do
    local statistics = configuration.statistics
    times[configuration.key] = stats.sorted(selection.times(configuration))
    if statistics.n > 0 then
      reference = reference or configuration
      local point = {
        key = configuration.key, value = configuration.settings[axis.name], cpus = configuration.cpus,
        n = statistics.n, mean_ms = statistics.mean_ms, median_ms = statistics.median_ms,
        guest_cpus = configuration.guest_cpus, oversubscribed = configuration.oversubscribed,
        excluded = is_cpus and exclusion(configuration, options.cores) or nil,
      }
      add_ratio(point, reference, configuration, times, {
        axis = axis.name, level = options.level, seed = options.seed,
      })
      table.insert(group.points, point)
    end
  end
  group.reference = reference and reference.key
  if is_cpus then
    group.fits, group.fits_reason = fits.of(group.points, times, options)
  end
  group.phases = reference and phase_scaling.build(group, reference.phases, is_cpus, options) or json.array()
  group.notes = notes_of(group, is_cpus, reference and reference.time == "virtual")
  group.members = nil
  return group
end

--- Builds the `scaling` part of the results.
-- @tparam {table,…} configurations of the results, in plan order
-- @tparam {table,…} axes as the run lists them
-- @tparam table options `cores` of the host, `level`, `seed`, `columns` (by key, of the samples with a boot time)
-- @treturn table `axis` (nil without a matrix), `statistic` ("median": speed-up is median over median), `groups`,
--   each with `where` (settings of the other axes), `reference` (key), `points` (`speedup` with its interval and, on a
--   cpus axis, `efficiency`; `excluded`: why it is in no fit), `fits`, `phases`, `notes`
function series.build(configurations, axes, options)
  local axis = main_axis(axes)
  local result = { axis = axis and axis.name, statistic = "median", groups = json.array() }
  if not axis then return result end
  for _, group in ipairs(groups_of(configurations, axes, axis)) do
    table.insert(result.groups, finish(group, axis, options))
  end
  return result
end

return series

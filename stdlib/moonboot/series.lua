--- How boot time changes along one axis of the matrix: speed-up, efficiency, fits.
-- The axis is `cpus` if the matrix has it, else the first one. Every combination of the other axes is a group
-- of its own, with its own reference point.
-- @module moonboot.series
local json = require "moonboot.json"
local scaling = require "moonboot.scaling"
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
  if cpus and up and up < cpus then return ("the guest brought up %d of %d CPUs"):format(up, cpus) end
  if configuration.oversubscribed then
    return ("oversubscribed: %d vCPUs on %d host cores"):format(cpus, cores)
  end
end

local function times_of(configuration)
  local xs = {}
  for _, sample in ipairs(configuration.samples) do xs[#xs + 1] = sample.boot_time_ms end
  return xs
end

local function add_ratio(point, reference, configuration, options)
  local a, b = reference.statistics, configuration.statistics
  point.speedup = a.mean_ms / b.mean_ms
  point.speedup_median = a.median_ms / b.median_ms
  local low, high
  if reference == configuration then
    low, high = 1.0, 1.0
  else
    low, high = stats.ratio_interval(times_of(reference), times_of(configuration), options)
  end
  point.speedup_low, point.speedup_high = low, high
  local from, to = reference.cpus, configuration.cpus
  if options.axis == "cpus" and from and to then
    local share = from / to
    point.efficiency = point.speedup * share
    point.efficiency_low, point.efficiency_high = low and low * share, high and high * share
  end
end

local function fit_of(points, time_of)
  local list = {}
  for _, point in ipairs(points) do
    local t = not point.excluded and time_of(point) or nil
    if t and t > 0 then list[#list + 1] = { n = point.cpus, time_ms = t } end
  end
  if #list < 2 then return nil end
  return (scaling.fit(list))
end

local function phase_medians(configuration)
  local medians = {}
  for _, phase in ipairs(configuration.phases) do medians[phase.name] = phase.median_ms end
  return medians
end

-- How each phase of the reference changes along the axis.
local function phase_series(group, reference, is_cpus)
  local list, medians = {}, {}
  for _, configuration in ipairs(group.members) do medians[configuration.key] = phase_medians(configuration) end
  for _, phase in ipairs(reference.phases) do
    local row = { name = phase.name, points = {} }
    for _, point in ipairs(group.points) do
      local t = medians[point.key][phase.name]
      if t then
        local speedup = t > 0 and phase.median_ms / t or nil
        table.insert(row.points, { key = point.key, median_ms = t, speedup = speedup })
      end
    end
    row.fits = is_cpus and fit_of(group.points, function(point) return medians[point.key][phase.name] end) or nil
    list[#list + 1] = row
  end
  return list
end

local function notes_of(group, is_cpus)
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
      "more vCPUs than host cores, or fewer CPUs brought up than given"))
  end
  if not group.fits then
    table.insert(notes, "no fit of Amdahl's law: it needs at least two configurations that the host has cores for")
  end
  return notes
end

local function finish(group, axis, cores, options)
  local is_cpus = axis.name == "cpus"
  local reference
  group.points = json.array()
  for _, configuration in ipairs(group.members) do
    local statistics = configuration.statistics
    if statistics.n > 0 then
      reference = reference or configuration
      local point = {
        key = configuration.key, value = configuration.settings[axis.name], cpus = configuration.cpus,
        n = statistics.n, mean_ms = statistics.mean_ms, median_ms = statistics.median_ms,
        guest_cpus = configuration.guest_cpus, oversubscribed = configuration.oversubscribed,
        excluded = is_cpus and exclusion(configuration, cores) or nil,
      }
      add_ratio(point, reference, configuration, { axis = axis.name, level = options.level, seed = options.seed })
      table.insert(group.points, point)
    end
  end
  group.reference = reference and reference.key
  if is_cpus then group.fits = fit_of(group.points, function(point) return point.mean_ms end) end
  group.phases = json.array(reference and phase_series(group, reference, is_cpus) or {})
  group.notes = notes_of(group, is_cpus)
  group.members = nil
  return group
end

--- Builds the `scaling` part of the results.
-- @tparam {table,…} configurations of the results, in plan order
-- @tparam {table,…} axes as the run lists them
-- @tparam table options `cores` of the host, `level`, `seed`
-- @treturn table `axis` (nil without a matrix), `statistic` ("mean": speed-up is mean over mean), `groups`, each with
--   `where` (settings of the other axes), `reference` (key), `points` (`speedup` and its interval, `efficiency` on a
--   cpus axis, `excluded`: why it is in no fit), `fits`, `phases` and `notes`
function series.build(configurations, axes, options)
  local axis = main_axis(axes)
  local result = { axis = axis and axis.name, statistic = "mean", groups = json.array() }
  if not axis then return result end
  for _, group in ipairs(groups_of(configurations, axes, axis)) do
    table.insert(result.groups, finish(group, axis, options.cores, options))
  end
  return result
end

return series

--- Results of the Python profilers that moonboot replaces, read for what they are.
-- They timed QEMU's process from start to end and called that a boot time, whatever ended it: their own time-out, or a
-- QEMU that refused its arguments. Their phase times were guesses from line numbers. So no sample of theirs has a boot
-- time; each is listed with what was published for it and what it looks like.
-- @module moonboot.predecessor
local analysis = require "moonboot.analysis"
local matrix = require "moonboot.matrix"
local text = require "moonboot.text"

local predecessor = {}

-- They were started under timeout(1), always for a whole number of tens of seconds, and end a moment after it.
local TIMEOUT_STEP_MS, TIMEOUT_SLACK_MS = 10000, 500
-- Firmware alone takes longer than this; QEMU gives up on bad arguments sooner.
local NO_BOOT_MS = 100

-- The status of a sample, and why.
local function judge(published_ms, marker_count)
  local past = published_ms % TIMEOUT_STEP_MS
  if published_ms >= TIMEOUT_STEP_MS and past < TIMEOUT_SLACK_MS then
    return "timeout", ("published as a boot time of %.0f ms: a time-out of %.0f s, not a measurement"):format(
      published_ms, (published_ms - past) / 1000)
  end
  local marked = marker_count and marker_count > 0
  if published_ms < NO_BOOT_MS and not marked then
    return "qemu_exit", ("published as a boot time of %.0f ms: QEMU ended before any guest could have booted")
      :format(published_ms)
  end
  return "missing_marker", ("published as a boot time of %.0f ms: how long QEMU's process lived%s"):format(
    published_ms, marked and "; its markers were timed by line number" or "")
end

local function number(value)
  return type(value) == "number" and value == value and math.abs(value) ~= math.huge and value or nil
end

-- `cpu_N.samples` and the like: configurations by their key, samples as tables.
local function by_configuration(results)
  local points = {}
  for key, entry in pairs(results) do
    local cpus = type(key) == "string" and math.tointeger(tonumber(key:match "^cpu_(%d+)$"))
    if cpus and type(entry) == "table" and type(entry.samples) == "table" then
      local point = { settings = { cpus = cpus }, samples = {} }
      for _, sample in ipairs(entry.samples) do
        local ms = type(sample) == "table" and number(sample.boot_time_ms)
        if ms then table.insert(point.samples, { ms = ms, marker_count = number(sample.marker_count) }) end
      end
      local claim = entry.whitepaper_comparison
      points.estimated_ms = points.estimated_ms or type(claim) == "table" and number(claim.estimated_ms) or nil
      table.insert(points, point)
    end
  end
  return points
end

-- `multiprocessor.MODEL.N.samples`: lists of milliseconds, by CPU model and number of vCPUs.
local function by_model(results)
  local points = {}
  for model, counts in pairs(type(results.multiprocessor) == "table" and results.multiprocessor or {}) do
    for count, entry in pairs(type(counts) == "table" and counts or {}) do
      local cpus = math.tointeger(tonumber(count))
      if cpus and type(entry) == "table" and type(entry.samples) == "table" then
        local point = { settings = { cpus = cpus, cpu_model = tostring(model) }, samples = {} }
        for _, ms in ipairs(entry.samples) do
          if number(ms) then table.insert(point.samples, { ms = ms }) end
        end
        table.insert(points, point)
      end
    end
  end
  return points
end

local function axes_of(points)
  local values = {}
  for _, point in ipairs(points) do
    for name, value in pairs(point.settings) do
      values[name] = values[name] or {}
      values[name][value] = true
    end
  end
  local axes = {}
  for name, set in pairs(values) do
    axes[name] = {}
    for value in pairs(set) do table.insert(axes[name], value) end
    table.sort(axes[name])
  end
  return matrix.axes(axes)
end

local function same(a, b)
  for name, value in pairs(a) do
    if b[name] ~= value then return false end
  end
  return true
end

local function records_of(points, axes, path)
  local most = 0
  for _, point in ipairs(points) do most = math.max(most, #point.samples) end
  local records = { {
    type = "run",
    name = "phase-7-5",
    title = "Results of an earlier tool, none of which is a boot time",
    description = ("Read from %s."):format(text.escape(path)),
    axes = axes,
    samples = most,
    rules = {},
    baselines = points.estimated_ms and { { name = "default", estimated_ms = points.estimated_ms } } or nil,
  } }
  for _, configuration in ipairs(matrix.expand(axes)) do
    for _, point in ipairs(points) do
      if same(configuration.settings, point.settings) then
        table.insert(records, {
          type = "configuration",
          key = configuration.key,
          index = configuration.index,
          settings = configuration.settings,
          cpus = point.settings.cpus,
        })
        for index, sample in ipairs(point.samples) do
          local status, reason = judge(sample.ms, sample.marker_count)
          table.insert(records, { type = "sample", key = configuration.key, index = index, status = status,
            reason = reason })
        end
      end
    end
  end
  table.insert(records, { type = "conclusion" })
  return records
end

--- Reads results of the earlier tools.
-- @tparam table results what the JSON file held
-- @string path of the file, for messages
-- @treturn ?table results as of `moonboot.analysis`, without a boot time; nil when these are no such results
function predecessor.read(results, path)
  local points = by_configuration(results)
  if #points == 0 then points = by_model(results) end
  local axes = #points > 0 and axes_of(points)
  return axes and analysis.results(records_of(points, axes, path)) or nil
end

return predecessor

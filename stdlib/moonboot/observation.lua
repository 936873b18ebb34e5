--- A sample as the analysis keeps it: small, in milliseconds, without nulls.
-- @module moonboot.observation
local json = require "moonboot.json"
local phases = require "moonboot.phases"

local observation = {}

local value = json.value

-- A quick reader leaves whole numbers as doubles.
local function count_of(v)
  v = value(v)
  return v and (math.tointeger(v) or v)
end

local function ms(ns)
  ns = value(ns)
  return ns and ns / 1e6
end

--- A table out of JSON, or an empty one where it is null or missing.
-- @param t
-- @treturn table
function observation.object(t)
  t = value(t)
  return type(t) == "table" and t or {}
end

--- A copy of an object out of JSON in which nulls are absent.
-- @param t
-- @treturn table
function observation.known(t)
  local copy = {}
  for k, v in pairs(observation.object(t)) do
    if v ~= json.null then copy[k] = v end
  end
  return copy
end

local object, known = observation.object, observation.known

local function add_markers(sample, record)
  local markers, count, last = sample.markers, 0, -math.huge
  for _, marker in ipairs(object(record.markers)) do
    local name, t = value(marker.name), ms(marker.t_ns)
    if name and t then
      count = count + 1
      markers[name] = t
      if t < last then sample.disordered = true end
      last = t
      local times = count_of(marker.count)
      if times and times > 1 then
        sample.repeated = sample.repeated or {}
        sample.repeated[name] = times
      end
    end
  end
  sample.marker_count = count
end

local function add_consoles(sample, record)
  local bytes, overruns
  for i, console in ipairs(object(record.consoles)) do
    local log, timing = value(console.log), value(console.timing)
    if i == 1 then
      sample.log, sample.timing, sample.clock_source = log, timing, value(console.clock_source)
    else
      sample.further_logs = sample.further_logs or {}
      table.insert(sample.further_logs, { name = value(console.name), log = log, timing = timing })
    end
    local written, missed = count_of(console.bytes), count_of(console.overruns)
    if written then bytes = (bytes or 0) + written end
    if missed and missed > 0 then overruns = (overruns or 0) + missed end
  end
  sample.log_bytes, sample.overruns = bytes, overruns
end

local function host_times_of(record)
  local times
  for name, t in next, object(record.host_times_ns) do
    if type(t) == "number" then
      times = times or {}
      times[name] = t / 1e6
    end
  end
  return times
end

local function qemu_of(record)
  local qemu = object(record.qemu)
  local known_of = {
    code = count_of(qemu.code), user_ms = ms(qemu.user_ns), system_ms = ms(qemu.system_ns),
    max_rss_bytes = count_of(qemu.max_rss_bytes),
  }
  known_of.signal, known_of.stderr = value(qemu.signal), value(qemu.stderr)
  return known_of
end

-- nil where there is nothing in it.
local function filled(t)
  return next(t) ~= nil and t or nil
end

--- Reads a sample's record.
-- @tparam table record from the journal
-- @treturn table the sample as it goes into results files
function observation.of(record)
  -- With what nearly every sample has in the constructor, the table is made in the size that it keeps.
  local sample = {
    status = value(record.status) or "error",
    reason = value(record.reason),
    index = count_of(record.index),
    order = count_of(record.order),
    markers = {},
    marker_count = 0,
    log = nil, timing = nil, clock_source = nil, log_bytes = nil,
    t0_realtime_ns = count_of(record.t0_realtime_ns),
    ended_at = value(record.ended_at),
    host_times_ms = host_times_of(record),
    qemu = qemu_of(record),
    captures = filled(known(record.captures)),
  }
  if record.warmup == true then sample.warmup = true end
  add_markers(sample, record)
  add_consoles(sample, record)
  local flags, noise, disturbance = object(record.flags), object(record.noise), known(record.disturbance)
  if flags[1] then sample.flags = flags end
  if noise[1] then sample.noise = noise end
  if next(disturbance) then sample.disturbance = disturbance end
  return sample
end

--- Gives a sample its boot time; one that lacks a marker for it is no longer `ok`.
-- @tparam table sample changed
-- @tparam table measured `from` (nil: t0), `to`
function observation.measure(sample, measured)
  if sample.status ~= "ok" then return end
  local total = phases.between(sample, measured.from, measured.to)
  if total then
    sample.boot_time_ms = total
    return
  end
  local lacking = phases.at(sample, measured.from) and measured.to or measured.from
  sample.status = "missing_marker"
  sample.reason = lacking and ("the marker '%s', which the boot time needs, is missing"):format(lacking)
    or "nothing says which marker the boot time ends at"
end

return observation

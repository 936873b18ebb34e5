--- A sample as the analysis keeps it: small, in milliseconds, without nulls.
-- @module moonboot.observation
local json = require "moonboot.json"
local phases = require "moonboot.phases"

local observation = {}

local value = json.value

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
  local count, last, in_order = 0, -math.huge, {}
  for _, marker in ipairs(object(record.markers)) do
    local name, t = value(marker.name), ms(marker.t_ns)
    if name and t then
      count = count + 1
      sample.markers[name] = t
      in_order[count] = name
      if t < last then sample.disordered = true end
      last = t
      local times = value(marker.count)
      if times and times > 1 then
        sample.repeated = sample.repeated or {}
        sample.repeated[name] = times
      end
    end
  end
  sample.marker_count = count
  return table.concat(in_order, "\n")
end

local function add_consoles(sample, record)
  local bytes, overruns
  for i, console in ipairs(object(record.consoles)) do
    console = known(console)
    if i == 1 then
      sample.log, sample.timing, sample.clock_source = console.log, console.timing, console.clock_source
    else
      sample.further_logs = sample.further_logs or {}
      table.insert(sample.further_logs, { name = console.name, log = console.log, timing = console.timing })
    end
    if console.bytes then bytes = (bytes or 0) + console.bytes end
    if console.overruns and console.overruns > 0 then overruns = (overruns or 0) + console.overruns end
  end
  sample.log_bytes, sample.overruns = bytes, overruns
end

local function add_host_side(sample, record)
  local host = known(record.host_times_ns)
  if next(host) then
    sample.host_times_ms = {}
    for name, t in pairs(host) do
      if type(t) == "number" then sample.host_times_ms[name] = ms(t) end
    end
  end
  local qemu = known(record.qemu)
  local user, system = ms(qemu.user_ns), ms(qemu.system_ns)
  if user and system then sample.qemu_cpu_ms = user + system end
  sample.qemu_user_ms, sample.qemu_system_ms = user, system
  sample.max_rss_bytes = qemu.max_rss_bytes
  sample.exit_code, sample.exit_signal, sample.stderr = qemu.code, qemu.signal, qemu.stderr
end

--- Reads a sample's record.
-- @tparam table record from the journal
-- @tparam table sequences marker sequences seen so far; samples with the same one share its text
-- @treturn table the sample as it goes into results files
function observation.of(record, sequences)
  local sample = {
    status = value(record.status) or "error",
    reason = value(record.reason),
    index = value(record.index),
    order = value(record.order),
    warmup = record.warmup == true or nil,
    markers = {},
    t0_realtime_ns = value(record.t0_realtime_ns),
    ended_at = value(record.ended_at),
  }
  local sequence = add_markers(sample, record)
  add_consoles(sample, record)
  add_host_side(sample, record)
  local captures = known(record.captures)
  if next(captures) then sample.captures = captures end
  local flags = object(record.flags)
  if flags[1] then sample.flags = flags end
  -- One string for all samples with the same sequence.
  sequences[sequence] = sequences[sequence] or sequence
  sample.sequence = sequences[sequence]
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
  sample.reason = ("the marker '%s', which the boot time needs, is missing"):format(lacking)
end

return observation

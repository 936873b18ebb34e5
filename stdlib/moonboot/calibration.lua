--- The record of calibrations: what `moonboot calibrate` found on each host, for every report to state.
-- It is a file in the cache directory; a host's newest calibration of each transport is kept.
-- @module moonboot.calibration
local files = require "moonboot.files"
local json = require "moonboot.json"
local host = require "moonboot.host"

local calibration = {}

local function path()
  return files.cache_dir() .. "/calibrations.json"
end

local function records()
  local kept = json.decode(files.read(path()) or "")
  return type(kept) == "table" and kept or {}
end

--- Keeps a calibration as its host's newest.
-- @tparam table result  of `moonboot.calibrate`
-- @treturn ?boolean true, or nil and a message
function calibration.keep(result)
  local made, message = files.make_dir(files.cache_dir())
  if not made then return nil, message end
  local all = records()
  local own = type(all[result.hostname]) == "table" and all[result.hostname] or {}
  local kept = {}
  for name, value in pairs(result) do
    if name ~= "histogram" and name ~= "schema" then kept[name] = value end
  end
  own[result.transport], all[result.hostname] = kept, own
  return files.write(path(), json.encode(all) .. "\n")
end

--- This host's newest calibration.
-- @string[opt="kernel"] transport
-- @treturn ?table as kept: the figures of `moonboot.calibrate`; nil when there is none
function calibration.latest(transport)
  local own = records()[host.name() or ""]
  local kept = type(own) == "table" and own[transport or "kernel"]
  return type(kept) == "table" and type(kept.p99_us) == "number" and kept or nil
end

local function microseconds(x)
  return x and ("%.1f us"):format(x) or "unknown"
end

local function loops(count)
  if not count or count == 0 then return "without other load" end
  return ("beside %d busy loop%s"):format(count, count == 1 and "" or "s")
end

local CONDITIONS = { { "qemu_version", "QEMU" }, { "kernel", "the kernel" }, { "accelerator", "the accelerator" } }

-- What is no longer as it was when the calibration was made.
local function changes(kept, h)
  local list = {}
  for _, entry in ipairs(CONDITIONS) do
    local was, is = kept[entry[1]], h[entry[1]]
    if was and is and was ~= is then list[#list + 1] = ("%s was %s"):format(entry[2], was) end
  end
  return #list > 0 and "; then " .. table.concat(list, ", ") or ""
end

--- What a report says of the error of its stamps.
-- @tparam table h  the host block of results; its `calibration` is what `calibration.latest` gave when the run began
-- @treturn string a sentence without a full stop
function calibration.sentence(h)
  local kept = h.calibration
  if type(kept) ~= "table" or type(kept.p99_us) ~= "number" then
    return "no calibration of this host is on record, so the error of the time stamps is not known: "
      .. "`moonboot calibrate`"
  end
  return ("stamp error of this host by its latest calibration (%s, %s, transport %s): p50 %s, p99 %s, p99.9 %s, "
    .. "max %s; %s of %d bytes lost%s"):format(kept.taken_at or "when unknown", loops(kept.load),
    kept.transport or "unknown", microseconds(kept.p50_us), microseconds(kept.p99_us), microseconds(kept.p999_us),
    microseconds(kept.max_us), kept.lost or "unknown", kept.bytes or 0, changes(kept, h))
end

return calibration

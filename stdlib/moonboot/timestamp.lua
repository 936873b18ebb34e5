--- Points in time for file names and records: UTC, to the microsecond, ISO 8601.
-- @module moonboot.timestamp
local engine = require "moonboot.engine"

local timestamp = {}

--- Formats a CLOCK_REALTIME instant.
-- @int[opt] realtime_ns nanoseconds since 1970, now if absent
-- @treturn string e.g. "2026-11-23T05:42:12.128486"
function timestamp.iso(realtime_ns)
  realtime_ns = realtime_ns or engine.clock.realtime()
  local seconds, rest_ns = realtime_ns // 1000000000, realtime_ns % 1000000000
  return os.date("!%Y-%m-%dT%H:%M:%S", seconds) .. (".%06d"):format(rest_ns // 1000)
end

return timestamp

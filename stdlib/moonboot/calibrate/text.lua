--- A calibration as text.
-- @module moonboot.calibrate.text
local text = require "moonboot.text"
local wording = require "moonboot.wording"

local BAR = 48

local function range(bin)
  if not bin.from_us then return ("below %d us"):format(bin.to_us) end
  return ("%d to %d us"):format(bin.from_us, bin.to_us)
end

local function histogram(add, bins)
  local most, rows = 1, {}
  for _, bin in ipairs(bins) do most = math.max(most, bin.count) end
  for i, bin in ipairs(bins) do
    -- A bin that holds anything shows it, however little beside the largest.
    local length = bin.count > 0 and math.max(1, (bin.count * BAR) // most) or 0
    rows[i] = { "  " .. range(bin), tostring(bin.count), ("#"):rep(length) }
  end
  for _, line in ipairs(wording.columns(rows, "rrl")) do add(line) end
end

-- What this host did not grant, and what that means.
local function shortcomings(add, result)
  if result.clock_source ~= result.transport then
    add("The kernel cannot stamp a console here: bytes were stamped when they were read.")
  end
  if result.scheduling ~= "fifo" then
    add("No right to SCHED_FIFO: the drain thread is %s. Stamps by the kernel do not depend on it, stamps by read do.",
      result.scheduling == "nice" and "niced" or "scheduled like any other")
  end
  if result.sndbuf_bytes < 1 << 20 then
    add("A send buffer of %s is all that this host grants: a guest that prints fast has to wait for its reader.",
      wording.bytes(result.sndbuf_bytes))
  end
  if result.clock_step_ns > 100000 then
    add("The host's clock was stepped by %.1f ms meanwhile: calibrate again.", result.clock_step_ns / 1e6)
  end
  if result.strange > 0 then add("%d bytes arrived that the guest did not send.", result.strange) end
end

--- Writes a calibration as text.
-- @tparam table result of `moonboot.calibrate`
-- @treturn string
return function(result)
  local lines = {}
  local function add(format, ...)
    lines[#lines + 1] = text.escape(select("#", ...) > 0 and format:format(...) or format)
  end
  add("Stamp - reference (QEMU's own trace) on %s, %s %s, %s, %s", result.hostname, "QEMU", result.qemu_version,
    result.accelerator, result.load == 0 and "without other load" or ("beside %d busy loops"):format(result.load))
  add("Stamped by: %s   bytes: %d   lost: %d   took %.1f s", result.clock_source, result.bytes, result.lost,
    result.duration_s)
  add("")
  local rows = { { "  p50", "p90", "p99", "p99.9", "max" }, {} }
  for i, name in ipairs { "p50_us", "p90_us", "p99_us", "p999_us", "max_us" } do
    rows[2][i] = result[name] and ("%s%.1f us"):format(i == 1 and "  " or "", result[name]) or "unknown"
  end
  for _, line in ipairs(wording.columns(rows, "rrrrr")) do add(line) end
  add("")
  histogram(add, result.histogram)
  add("")
  shortcomings(add, result)
  add("Both clocks are read in whole microseconds; the time QEMU takes from its trace to the stamp counts as error.")
  return table.concat(lines, "\n") .. "\n"
end

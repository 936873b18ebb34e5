--- The reference for stamps: QEMU's own trace of when the guest wrote each byte to its UART.
-- QEMU stamps the trace event inside the vCPU thread, before it sends the byte, with microseconds of CLOCK_REALTIME
-- (truncated). Trace events do not say which UART they are of: a guest that is traced has one console.
--
--     local guest = mb.vm.start { kernel = "demo.elf", args = mb.oracle.args "/dev/shm/trace" }
--     mb.oracle.reserve("/dev/shm/trace", 20000)
--     guest:resume()
--     …
--     local reference = mb.oracle.read "/dev/shm/trace"
--     local errors_ns, lost = mb.oracle.errors(reference, stamped)
--
-- @module moonboot.oracle
local oracle = {}

-- Registers of a 16550, as offsets from its base port, and the bits that divert what is written to the first.
local DATA, LINE_CONTROL, MODEM_CONTROL = 0, 3, 4
local DIVISOR_LATCH, LOOPBACK = 0x80, 0x10

local ADVICE = "; there is nothing to compare stamps with: use a QEMU with the trace backend 'log'"

-- About what a line of the trace takes, and how many of them room is made for at a time.
local EVENT_BYTES, BLOCK_EVENTS = 72, 4096

-- After a lost byte, this many bytes in a row must agree before the two are taken to be in step again.
local AGREEMENT = 16

--- What to add to QEMU's command line (field `args` of a machine) to have the trace written.
-- @string path  of the trace
-- @treturn {string,…}
function oracle.args(path)
  return { "-msg", "timestamp=on", "-trace", "serial_write", "-D", path }
end

--- Gives the trace its room in memory before the guest runs. QEMU writes the trace between reference and stamp: without
-- this, every sixtieth byte or so is late by what a new page costs. Call it when QEMU runs and the guest does not yet.
-- @string path  of the trace, in a file system that is memory
-- @int bytes  how many the guest will send, about
-- @treturn ?boolean true; or nil and
-- @treturn ?string why there is no room
function oracle.reserve(path, bytes)
  local file, message = io.open(path, "r+b")
  if not file then return nil, ("QEMU has begun no trace: %s%s"):format(message, ADVICE) end
  local _ <close> = file
  for _ = 1, bytes // BLOCK_EVENTS + 1 do
    local written
    written, message = file:write(("\0"):rep(BLOCK_EVENTS * EVENT_BYTES))
    if not written then return nil, ("no room for QEMU's trace: %s"):format(message) end
  end
  return true
end

--- Reads a trace.
-- @string path
-- @treturn ?table `data`, the bytes that the guest sent, and `times_ns`, the CLOCK_REALTIME of each, in nanoseconds;
--   or nil and
-- @treturn ?string why there is none
function oracle.read(path)
  local file, message = io.open(path, "r")
  if not file then return nil, ("cannot read QEMU's trace: %s"):format(message) end
  local _ <close> = file
  local bytes, times_ns, diverted_by = {}, {}, { [LINE_CONTROL] = 0, [MODEM_CONTROL] = 0 }
  local events = 0
  for line in file:lines() do
    local s, us, address, value = line:match("@(%d+)%.(%d+):serial_write write addr 0x(%x+) val 0x(%x+)")
    if s then
      events = events + 1
      address, value = tonumber(address, 16), tonumber(value, 16)
      if address == LINE_CONTROL then
        diverted_by[address] = value & DIVISOR_LATCH
      elseif address == MODEM_CONTROL then
        diverted_by[address] = value & LOOPBACK
      elseif address == DATA and diverted_by[LINE_CONTROL] | diverted_by[MODEM_CONTROL] == 0 then
        bytes[#bytes + 1] = string.char(value)
        times_ns[#times_ns + 1] = (s * 1000000 + us) * 1000
      end
    end
  end
  if events == 0 then return nil, ("%s has no serial_write events%s"):format(path, ADVICE) end
  return { data = table.concat(bytes), times_ns = times_ns }
end

--- Gives a capture the form of a trace.
-- @string log  path
-- @string timing  path
-- @int t0_realtime_ns  the origin of the capture's times
-- @treturn ?table `data` and `times_ns` (to a microsecond, as the timing file has them); or nil and
-- @treturn ?string why there is none
function oracle.capture(log, timing, t0_realtime_ns)
  local file, message = io.open(log, "rb")
  if not file then return nil, message end
  local data = file:read("a")
  file:close()
  file, message = io.open(timing, "r")
  if not file then return nil, message end
  local _ <close> = file
  local times_ns, t_ns = {}, t0_realtime_ns
  for sign, s, us, count in file:read("a"):gmatch("(-?)(%d+)%.(%d%d%d%d%d%d) (%d+)\n") do
    local delta_ns = (s * 1000000 + us) * 1000
    t_ns = t_ns + (sign == "-" and -delta_ns or delta_ns)
    for _ = 1, math.tointeger(count) do times_ns[#times_ns + 1] = t_ns end
  end
  if #times_ns ~= #data then
    return nil, ("%s tells of %d bytes, %s has %d"):format(timing, #times_ns, log, #data)
  end
  return { data = data, times_ns = times_ns }
end

--- Compares stamps with the reference, byte by byte. Bytes that are missing among the stamped ones are passed over and
-- counted; so are bytes that the guest never sent.
-- @tparam table reference  as from `read`
-- @tparam table stamped  of the same form; a byte whose time is false has no stamp of its own, and so no error
-- @treturn {int,…} stamp - reference in nanoseconds, for each byte that is in both, in their order
-- @treturn int bytes lost
-- @treturn int bytes that are not the guest's
function oracle.errors(reference, stamped)
  local errors_ns, lost, strange = {}, 0, 0
  local sent, got = reference.data, stamped.data
  local i, j = 1, 1
  while i <= #sent and j <= #got do
    if sent:byte(i) == got:byte(j) then
      local t_ns = stamped.times_ns[j]
      if t_ns then errors_ns[#errors_ns + 1] = t_ns - reference.times_ns[i] end
      i, j = i + 1, j + 1
    else
      local found = sent:find(got:sub(j, j + AGREEMENT - 1), i, true)
      if found then
        lost, i = lost + found - i, found
      else
        strange, j = strange + 1, j + 1
      end
    end
  end
  return errors_ns, lost + #sent - i + 1, strange + #got - j + 1
end

return oracle

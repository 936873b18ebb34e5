--- How far this host's stamps are from the truth: a guest whose every byte QEMU itself stamps as well.
-- The reference is `moonboot.oracle`, QEMU's trace: it is taken in the vCPU's thread before the byte is sent, in whole
-- microseconds. What is between the two (writing the trace included) counts as error, so that the figures are an upper
-- bound; both are true to a microsecond.
-- @module moonboot.calibrate
local accelerator = require "moonboot.accelerator"
local engine = require "moonboot.engine"
local files = require "moonboot.files"
local host = require "moonboot.host"
local installation = require "moonboot.installation"
local json = require "moonboot.json"
local oracle = require "moonboot.oracle"
local stats = require "moonboot.stats"
local timestamp = require "moonboot.timestamp"
local uv = require "luv"
local vm = require "moonboot.vm"

local calibrate = {}

--- The version of the table that `calibrate.run` gives.
calibrate.SCHEMA = "moonboot-calibration/1"

--- Bytes that are sent unless told otherwise: enough for 20 beyond the 99.9th percentile, few enough for some seconds.
calibrate.BYTES = 20000

-- The guest (examples/guest/calibrate.S): where its boot sector holds the number of bytes, and how it ends QEMU.
local COUNT_OFFSET = 4
local EXIT_STATUS = 0x10 << 1 | 1

--- The most bytes: the trace of a million takes some 70 MB.
calibrate.MOST_BYTES = 1000000

-- A guest that sends slower than this (2 ms a byte, twenty times what it takes beside three busy loops) is not served.
local START_S, BYTES_PER_S = 30, 500

-- The trace is written between reference and stamp: to a disk, that takes some stamps twice as long (p99 25 us where
-- memory gives 14).
local MEMORY = "/dev/shm"

local function prepare(dir, bytes)
  local sector, message = files.read(installation.guest .. "/calibrate.img")
  if not sector then return nil, message end
  sector = sector:sub(1, COUNT_OFFSET) .. ("<I4"):pack(bytes) .. sector:sub(COUNT_OFFSET + 5)
  return files.write(dir .. "/calibrate.img", sector)
end

local function end_all(processes)
  for _, process in ipairs(processes) do process:close() end
end

-- Processes that do nothing but keep cores busy.
local function busy_loops(count)
  local loops = setmetatable({}, { __close = end_all })
  for i = 1, count do
    local loop, message = engine.process.spawn { argv = { "sh", "-c", "while :; do :; done" } }
    if not loop then
      end_all(loops)
      return nil, message
    end
    loops[i] = loop
  end
  return loops
end

-- Boots the guest and waits for its end.
local function boot(dir, accel, options)
  local args = oracle.args(dir .. "/trace")
  table.move({ "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04" }, 1, 2, #args + 1, args)
  local guest, message = vm.start(
    { arch = "i386", qemu = options.program, memory = "16M", disk = dir .. "/calibrate.img", args = args },
    { accel = accel, dir = dir, name = "calibrate", transport = options.transport })
  if not guest then return nil, message end
  local _ <close> = guest
  local reserved, resumed
  reserved, message = oracle.reserve(dir .. "/trace", options.bytes)
  if not reserved then return nil, message end
  resumed, message = guest:resume()
  if not resumed then return nil, message end
  local limit_s = START_S + options.bytes / BYTES_PER_S
  local exit = guest:wait(limit_s)
  if not exit then return nil, ("the guest did not send %d bytes within %d s"):format(options.bytes, limit_s // 1) end
  local console = guest.consoles[1]:stats()
  if exit.code ~= EXIT_STATUS then return nil, guest:ending() end
  if guest:capture_error() then return nil, guest:capture_error() end
  return {
    t0_realtime_ns = guest.t0_realtime_ns, qemu_version = guest.qemu_version, console = console,
    clock_step_ns = console.offset_max_ns - console.offset_min_ns,
  }
end

--- Counts errors in bins that double in width.
-- @tparam {number,…} errors_us
-- @treturn {table,…} from the first bin that is not empty to the last: `from_us` (nil: from below), `to_us`, `count`
function calibrate.histogram(errors_us)
  local counts, highest, lowest = {}, 0, math.huge
  for _, us in ipairs(errors_us) do
    local bin = us < 1 and 0 or math.floor(math.log(us, 2) + 1e-12) + 1
    counts[bin] = (counts[bin] or 0) + 1
    highest, lowest = math.max(highest, bin), math.min(lowest, bin)
  end
  local bins = json.array()
  for bin = lowest, #errors_us > 0 and highest or -1 do
    table.insert(bins, { from_us = bin > 0 and 1 << (bin - 1) or nil, to_us = 1 << bin, count = counts[bin] or 0 })
  end
  return bins
end

--- Puts the figures of a calibration together.
-- @tparam {int,…} errors_ns  stamp - reference
-- @int lost
-- @treturn table `bytes` (sent), `lost`, `p50_us`, `p90_us`, `p99_us`, `p999_us`, `max_us` (nil when nothing arrived),
--   `histogram`
function calibrate.figures(errors_ns, lost)
  local errors_us = {}
  for i, ns in ipairs(errors_ns) do errors_us[i] = ns / 1000 end
  local figures = { bytes = #errors_us + lost, lost = lost, histogram = calibrate.histogram(errors_us) }
  if #errors_us == 0 then return figures end
  for name, p in pairs { p50_us = 50, p90_us = 90, p99_us = 99, p999_us = 99.9 } do
    figures[name] = stats.percentile(errors_us, p)
  end
  figures.max_us = stats.max(errors_us)
  return figures
end

local function measure(dir, accel, options)
  local prepared, message = prepare(dir, options.bytes)
  if not prepared then return nil, message end
  local loops <close>, why = busy_loops(options.load)
  if not loops then return nil, why end
  local booted, reference, stamped
  booted, message = boot(dir, accel, options)
  if not booted then return nil, message end
  reference, message = oracle.read(dir .. "/trace")
  if not reference then return nil, message end
  if #reference.data < options.bytes then
    return nil, ("QEMU's trace holds %d of %d bytes: is there no room in %s?"):format(#reference.data, options.bytes,
      dir)
  end
  stamped, message = oracle.capture(dir .. "/calibrate.log", dir .. "/calibrate.timing", booted.t0_realtime_ns)
  if not stamped then return nil, message end
  local errors_ns, lost, strange = oracle.errors(reference, stamped)
  local result = calibrate.figures(errors_ns, lost)
  result.strange, result.qemu_version, result.clock_step_ns = strange, booted.qemu_version, booted.clock_step_ns
  result.clock_source, result.scheduling = booted.console.clock_source, booted.console.scheduling
  result.sndbuf_bytes = booted.console.sndbuf_bytes
  return result
end

--- Calibrates this host.
-- @tparam[opt] table options  `bytes` (default 20,000), `load` (busy loops beside it; default 0), `transport`
--   ("kernel", the default, or "read"), `accel` (default: the one that runs would choose), `program` (QEMU's path)
-- @treturn ?table the fields of `calibrate.figures`; `strange` (bytes that the guest did not send), `clock_source`
--   ("kernel" or "read": what the stamps really are), `clock_step_ns` (by how much the host's clock moved meanwhile),
--   `scheduling` (of the drain thread), `sndbuf_bytes`, `transport`, `load`, `taken_at`, `duration_s`, `hostname`,
--   `kernel`, `cpu_model`, `cores`, `qemu_version`, `accelerator`; or nil and
-- @treturn ?string why this host cannot be calibrated
function calibrate.run(options)
  options = options or {}
  local wanted = {
    bytes = options.bytes or calibrate.BYTES, load = options.load or 0, transport = options.transport or "kernel",
    program = options.program,
  }
  local accel, message = options.accel, nil
  if not accel then accel, message = accelerator.choose("i386", { program = wanted.program }) end
  if not accel then return nil, message end
  local temporary <close>, why = files.temp_dir("moonboot-calibrate-", uv.fs_access(MEMORY, "W") and MEMORY or nil)
  if not temporary then return nil, why end
  local began_ns = engine.clock.now()
  local result
  result, message = measure(temporary.path, accel, wanted)
  if not result then return nil, message end
  local cpus = host.cpus ""
  result.schema, result.taken_at = calibrate.SCHEMA, timestamp.iso() .. "Z"
  result.duration_s = (engine.clock.now() - began_ns) / 1e9
  result.transport, result.load, result.accelerator = wanted.transport, wanted.load, accel
  result.hostname, result.kernel = host.name() or "unknown", host.kernel()
  result.cpu_model, result.cores = cpus.cpu_model, cpus.cores
  return result
end

return calibrate

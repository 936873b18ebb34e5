--- Was a boot disturbed by something else on the host? The host is looked at before and after; the judgement is a pure
-- function of the two looks. A disturbed sample is flagged `noisy` with its reasons, and kept.
--
-- The limit of each share is 5 %. Each is a share of the boot's own time, so that a disturbance can lengthen a boot by
-- about as much and no more: what is not flagged may have cost half of the 10 % at which the verdict on a claim turns
-- (`moonboot.baseline`), and so cannot turn it alone.
-- @module moonboot.noise
local engine = require "moonboot.engine"
local host = require "moonboot.host"
local json = require "moonboot.json"
local uv = require "luv"

local noise = {}

--- The largest share that is not called a disturbance.
noise.LIMIT = 0.05

--- Kernel stamps are CLOCK_REALTIME; a step of it larger than this makes the stamps of a boot doubtful. Slewing is no
-- step: CLOCK_MONOTONIC is slewed along with it (clock_gettime(2)). Two measurements of their distance differ by
-- the time between two readings, a few hundred nanoseconds; the rest is room for a reader that was interrupted.
noise.CLOCK_STEP_NS = 100000

-- What /proc/stat and /proc/PID/stat count in: 100 a second on every architecture that QEMU's Debian packages are for.
-- A difference of two counts is true to one tick, so that fewer than two say nothing.
local TICK_NS, LEAST_TICKS = 10000000, 2

-- CPU time that a process has used: utime and stime (proc(5): the 14th and 15th field; the second may hold blanks).
local function process_ns(pid)
  local file = io.open(("/proc/%d/stat"):format(pid), "r")
  if not file then return nil end
  local line = file:read("a")
  file:close()
  local user, system = line:match("^.*%) %S" .. (" %S+"):rep(10) .. " (%d+) (%d+)")
  return user and (math.tointeger(user) + math.tointeger(system)) * TICK_NS
end

local function own_ns()
  local usage = uv.getrusage()
  return (usage.utime.sec + usage.stime.sec) * 1000000000 + (usage.utime.usec + usage.stime.usec) * 1000
end

--- Looks at the host.
-- @tparam[opt] int pid  of QEMU
-- @treturn table `taken_ns`, `own_ns` (CPU time of this process), `guest_ns` (of QEMU), and the fields of
--   `host.counters`; unknown ones are nil
function noise.look(pid)
  local seen = host.counters()
  seen.taken_ns, seen.own_ns = engine.clock.now(), own_ns()
  seen.guest_ns = pid and process_ns(pid)
  return seen
end

local function difference(before, after, name)
  return before[name] and after[name] and after[name] - before[name]
end

local function ticks_share(ticks, elapsed_ns)
  if not ticks then return nil end
  return ticks < LEAST_TICKS and 0.0 or ticks * TICK_NS / elapsed_ns
end

-- CPU time that neither QEMU nor moonboot had, as a share of one core.
local function other_load(before, after, elapsed_ns)
  local busy, own, guest = difference(before, after, "busy_ticks"), difference(before, after, "own_ns"),
    difference(before, after, "guest_ns")
  if not (busy and own and guest) then return nil end
  return ticks_share(busy - (own + guest) // TICK_NS, elapsed_ns)
end

--- What changed between two looks.
-- @tparam table before  from `noise.look`
-- @tparam table after
-- @treturn table shares of the time between: `pressure_share` (some task waited for a CPU), `steal_share` (of a core: a
--   hypervisor took it), `other_load_share` (of a core: had by neither QEMU nor moonboot), and `frequency_change` (of
--   the fastest core's clock rate: -0.2 when it fell by a fifth); nil where unknown
function noise.between(before, after)
  local elapsed_ns = math.max(after.taken_ns - before.taken_ns, 1)
  local pressure_us = difference(before, after, "pressure_us")
  local change_khz = difference(before, after, "frequency_khz")
  return {
    pressure_share = pressure_us and pressure_us * 1000 / elapsed_ns,
    steal_share = ticks_share(difference(before, after, "steal_ticks"), elapsed_ns),
    other_load_share = other_load(before, after, elapsed_ns),
    frequency_change = change_khz and change_khz / before.frequency_khz,
  }
end

--- Judges what changed.
-- Where a core is left over, tasks that wait are a sign of others: the pressure counts. Where the vCPUs take every core
-- they make the guest's own threads wait, so that what counts is the CPU time that others had; with several boots at
-- once that cannot be told apart from theirs, and only the hypervisor, the clock rate and the clock are judged.
-- @tparam table change  from `noise.between`
-- @tparam table how  `crowded` (true when the vCPUs of all boots under way took every core), `alone` (true when no
--   other boot was under way), `clock_step_ns` (by how much CLOCK_REALTIME moved against CLOCK_MONOTONIC)
-- @treturn {string,…} reasons, each "kind: figures"; empty for a quiet boot
function noise.judge(change, how)
  local reasons = json.array()
  local function check(kind, share, sentence)
    if share and share > noise.LIMIT then
      reasons[#reasons + 1] = ("%s: " .. sentence):format(kind, 100 * share)
    end
  end
  if not how.crowded then
    check("pressure", change.pressure_share, "tasks waited for a CPU during %.1f %% of the boot")
  elseif how.alone then
    check("load", change.other_load_share, "other processes had %.1f %% of a core during the boot")
  end
  check("steal", change.steal_share, "the hypervisor took %.1f %% of a core away during the boot")
  if change.frequency_change and math.abs(change.frequency_change) > noise.LIMIT then
    reasons[#reasons + 1] = ("frequency: the cores' clock rate changed by %+.1f %% during the boot"):format(
      100 * change.frequency_change)
  end
  if how.clock_step_ns and how.clock_step_ns > noise.CLOCK_STEP_NS then
    reasons[#reasons + 1] = ("clock: the host's clock was stepped by %.1f ms during the boot"):format(
      how.clock_step_ns / 1e6)
  end
  return reasons
end

--- The kind of a reason: "pressure", "load", "steal", "frequency" or "clock".
-- @string reason
-- @treturn string
function noise.kind(reason)
  return reason:match("^[^:]*")
end

return noise

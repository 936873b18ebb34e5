--- What moonboot costs a boot: the wall time of a Linux boot, from QEMU's start to its end, beside that of the bare
-- QEMU with its serial line in a file; and moonboot's CPU time beside QEMU's.
local guests = require "tests.bench.support.guests"
local measure = require "tests.bench.support.measure"
local sample = require "moonboot.sample"
local stats = require "moonboot.stats"
local uv = require "luv"

local function cpu_ns()
  local usage = uv.getrusage()
  return (usage.utime.sec + usage.stime.sec) * 1000000000 + (usage.utime.usec + usage.stime.usec) * 1000
end

return function(bench)
  local machine = guests.linux()
  local shares, bytes = {}, nil
  -- This boot never gets to a prompt: moonboot watches until QEMU ends by itself.
  local grammar = require("grammars.linux"):requiring { "shell_prompt" }

  local function with_moonboot()
    local before_ns = cpu_ns()
    local record = sample.boot {
      machine = machine, configuration = { key = "linux" }, index = 1, order = 1, warmup = false, grammar = grammar,
      timeout = 120, dir = bench.dir, name = "boot", report = error,
    }
    local own_ns = cpu_ns() - before_ns
    if record.qemu.code ~= 0 then error("the boot failed: " .. tostring(record.reason)) end
    table.insert(shares, own_ns / (record.qemu.user_ns + record.qemu.system_ns))
    bytes = record.consoles[1].bytes
    return (record.host_times_ns.ended - record.host_times_ns.spawned) / 1e6
  end
  local function bare()
    return measure.run(guests.bare(machine, "file:" .. bench.dir .. "/bare.log")).wall_ns / 1e6
  end

  bare() -- the kernel's image into the page cache
  local values = measure.interleaved(bench.rounds(15), { { "moonboot", with_moonboot }, { "bare", bare } })
  local ratio, low, high = measure.ratio(values.moonboot, values.bare)
  bench.row {
    what = "wall time of a Linux boot", unit = "ms", value = stats.median(values.moonboot),
    peer = "qemu -serial file:", peer_value = stats.median(values.bare),
    ratio = ratio, bars = { { of = "ratio", at_most = 1.01 } },
    note = ("median of %d pairs, booted in turns%s"):format(#values.bare,
      low and ("; its 95 %% interval is %.3f to %.3f"):format(low, high) or ""),
  }
  bench.row {
    what = ("CPU time of that boot (%d console bytes)"):format(bytes), unit = "% of QEMU's",
    value = stats.median(shares) * 100, bars = { { of = "value", at_most = 2 } },
  }
end

--- What moonboot keeps in memory: four guests at once, and a run whose guests exit at once, sample after sample.
local files = require "moonboot.files"
local guests = require "tests.bench.support.guests"
local json = require "moonboot.json"
local measure = require "tests.bench.support.measure"
local task = require "moonboot.task"

-- A run of so many samples takes half an hour: MOONBOOT_BENCH_SAMPLES asks for them, or any other number.
local WHOLE_RUN = 10000

local FOUR_GUESTS = [[
local mb = require "moonboot"
local machine = mb.json.decode(%q)
local grammar = require("grammars.linux"):requiring { "shell_prompt" }
mb.task.all((function()
  local boots = {}
  for i = 1, 4 do
    boots[i] = function()
      return mb.sample.boot { machine = machine, configuration = { key = "linux" }, index = i, order = i,
        warmup = false, grammar = grammar, timeout = 180, dir = %q, name = "boot-" .. i, report = error }
    end
  end
  return boots
end)())
io.write(io.open("/proc/self/status"):read("a"))
]]

local EXPERIMENT = [[
local mb = require "moonboot"
return mb.experiment {
  name = "exits",
  machine = { arch = "i386", accel = "tcg", memory = "16M", kernel = %q, append = "exit" },
  samples = 1,
  grammar = mb.grammar { { "firmware", "demo: firmware" }, { "never", "the guest never says this" } },
  report = { "json" },
}
]]

local function four_guests(bench)
  local script = bench.dir .. "/four.lua"
  local machine = guests.linux()
  machine.consoles = nil
  assert(files.write(script, FOUR_GUESTS:format(json.encode(machine), bench.dir)))
  local status = measure.run({ bench.build .. "/moonboot", script }).stdout
  bench.row { what = "resident memory, 4 Linux guests at once", unit = "MB",
    value = math.tointeger(status:match("VmHWM:%s*(%d+) kB")) / 1024, bars = { { of = "value", at_most = 24 } } }
end

-- Says how many samples a journal holds, whenever it is asked.
local function counter(path)
  local file, count = nil, 0
  return function()
    file = file or io.open(path)
    for _ in (file and file:read "a" or ""):gmatch '"type":"sample"' do count = count + 1 end
    return count
  end
end

-- The largest memory with all samples done, before the report and with it; what a sample adds once everything is warm,
-- which is after a fifth of them.
local function long_run(bench, samples)
  local script, directory = bench.dir .. "/exits.lua", bench.dir .. "/exits"
  assert(files.write(script, EXPERIMENT:format(files.absolute(guests.root .. "/guest/demo.elf"))))
  local process <close> = measure.start { bench.build .. "/moonboot", "run", script, "--samples", tostring(samples),
    "--output", directory, "--quiet" }
  local done, warm, warm_bytes, booted, booted_bytes, last_bytes = counter(directory .. "/journal.jsonl")
  while not process:poll() do
    last_bytes = measure.memory(process:pid(), "VmHWM") or last_bytes
    local count = done()
    if count < samples then booted, booted_bytes = count, last_bytes end
    if not warm and count >= samples // 5 then warm, warm_bytes = count, last_bytes end
    task.sleep(0.1)
  end
  if done() ~= samples then error("the run ended early: " .. process:stderr()) end
  return booted_bytes, last_bytes, (booted_bytes - warm_bytes) / (booted - warm)
end

return function(bench)
  four_guests(bench)
  local samples = math.tointeger(tonumber(os.getenv "MOONBOOT_BENCH_SAMPLES")) or bench.quick and 20 or 300
  local booted_bytes, bytes, per_sample = long_run(bench, samples)
  bench.row { what = ("memory of a run, %d samples, before its report"):format(samples), unit = "MB",
    value = booted_bytes / 2 ^ 20 }
  bench.row { what = "and with its report", unit = "MB", value = bytes / 2 ^ 20 }
  bench.row { what = "what a sample adds to it before the report", unit = "kB", value = per_sample / 1024,
    note = not bench.quick and samples < WHOLE_RUN and ("a run of %d samples would take %.0f MB"):format(WHOLE_RUN,
      (booted_bytes + per_sample * (WHOLE_RUN - samples)) / 2 ^ 20) or nil }
end

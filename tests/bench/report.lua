--- How reports grow: generated journals of 10, 1,000 and 100,000 samples.
local journals = require "tests.stdlib.support.journals"
local json = require "moonboot.json"
local files = require "moonboot.files"
local measure = require "tests.bench.support.measure"
local random = require "moonboot.random"
local stats = require "moonboot.stats"

local CPUS = { 1, 2, 4, 8 }
local SIZES = { 10, 1000, 100000 }

-- Writes a run of so many samples over four configurations, with 2 % of noise, a failure in fifty.
local function write_run(directory, samples)
  assert(files.make_dir(directory))
  local file <close> = assert(io.open(directory .. "/journal.jsonl", "wb"))
  local encode, rng = json.encoder(), random.new(samples)
  local function put(record) assert(file:write(encode(record), "\n")) end
  put(journals.run { axes = { { name = "cpus", values = CPUS } }, samples = samples // #CPUS })
  for i, cpus in ipairs(CPUS) do put(journals.configuration("cpu_" .. cpus, i, { cpus = cpus })) end
  for order = 1, samples do
    local cpus = CPUS[(order - 1) % #CPUS + 1]
    local make = order % 50 == 0 and journals.failed or journals.sample
    put(make("cpu_" .. cpus, (order - 1) // #CPUS + 1, order, make == journals.sample and {
      scale = (0.3 + 0.7 / cpus) * (0.99 + rng:integer(1000) / 50000), guest_cpus = tostring(cpus),
    } or nil))
  end
  put(journals.conclusion())
end

local function report(bench, directory, format)
  return function()
    local result = measure.run { bench.build .. "/moonboot", "report", directory, "--format", format, "-o",
      bench.dir .. "/report" }
    return result.wall_ns / 1e9, result.max_rss_bytes / 1e6
  end
end

-- How much longer a sample takes in the large run than in the middle one, what every run takes aside.
local function growth(seconds, sizes)
  local function per_sample(i) return (seconds[i] - seconds[1]) / (sizes[i] - sizes[1]) end
  return per_sample(3) / per_sample(2)
end

return function(bench)
  local rounds = { bench.rounds(5), bench.rounds(5), 1 }
  local sizes = bench.quick and { 10, 1000, 10000 } or SIZES
  for i, samples in ipairs(sizes) do write_run(bench.dir .. "/run-" .. i, samples) end
  for _, format in ipairs { "json", "text" } do
    local seconds, megabytes = {}, nil
    for i in ipairs(sizes) do
      local times = {}
      for round = 1, rounds[i] do times[round], megabytes = report(bench, bench.dir .. "/run-" .. i, format)() end
      seconds[i] = stats.median(times)
    end
    bench.row { what = ("report --format %s, %d samples"):format(format, sizes[3]), value = seconds[3], unit = "s",
      bars = { { of = "value", at_most = 10 } }, note = ("%d samples %.0f ms, %d samples %.0f ms"):format(
        sizes[1], seconds[1] * 1e3, sizes[2], seconds[2] * 1e3) }
    bench.row { what = "its memory", value = megabytes, unit = "MB", bars = { { of = "value", at_most = 500 } } }
    bench.row { what = ("its time per sample over that of %d samples"):format(sizes[2]), value = growth(seconds, sizes),
      bars = { { of = "value", at_most = 1.5 } } }
  end
end

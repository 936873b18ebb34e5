--- The demo experiment, 4 configurations of 5 samples, against what its users did before: a shell script that boots
-- each for a fixed time. That script gets the shortest time-out that cuts no boot, which it could not know.
local files = require "moonboot.files"
local guests = require "tests.bench.support.guests"
local json = require "moonboot.json"
local measure = require "tests.bench.support.measure"

-- A time-out that turned out to cut a boot is raised by so much.
local RAISE = 1.1

local function quoted(word)
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

-- Runs the experiment, its image installed before. -> seconds, results
local function with_moonboot(bench, samples)
  local program, directory = bench.build .. "/moonboot", bench.dir .. "/matrix"
  measure.run { program, "run", "demo", "--samples", "1", "--set", "cpus=1", "--output", bench.dir .. "/installs" }
  local result = measure.run { program, "run", "demo", "--samples", tostring(samples), "--output", directory }
  local path
  for name in files.entries(directory) do
    if name:find "-results-" then path = directory .. "/" .. name end
  end
  return result.wall_ns / 1e9, json.decode(assert(files.read(path))), directory
end

-- From QEMU's start to the prompt, for the slowest boot.
local function longest_s(results)
  local longest_ms = 0
  for _, key in ipairs(results.order) do
    for _, sample in ipairs(results[key].samples) do
      longest_ms = math.max(longest_ms, sample.markers.login_prompt - sample.host_times_ms.spawned)
    end
  end
  return longest_ms / 1e3
end

-- Boots every sample for a fixed time. -> seconds; nil when a boot was cut
local function with_script(bench, results, directory, samples, timeout_s)
  local lines, logs = {}, {}
  for _, key in ipairs(results.order) do
    for index = 1, samples do
      local log = ("%s/%s-%d.log"):format(bench.dir, key, index)
      local argv = guests.without_moonboot(results[key].argv, "file:" .. log)
      local drive = ("file=%s/%s,format=qcow2,if=ide,snapshot=on"):format(directory, results[key].image)
      table.move({ "-drive", drive }, 1, 2, #argv + 1, argv)
      for i, word in ipairs(argv) do argv[i] = quoted(word) end
      table.insert(lines, ("timeout -s KILL %.2f %s"):format(timeout_s, table.concat(argv, " ")))
      table.insert(logs, log)
    end
  end
  table.insert(lines, "true")
  local wall_ns = measure.run({ "sh", "-c", table.concat(lines, "\n") }).wall_ns
  for _, log in ipairs(logs) do
    if not assert(files.read(log)):find("login: ", 1, true) then return nil end
  end
  return wall_ns / 1e9
end

return function(bench)
  local samples = bench.quick and 1 or 5
  local ours_s, results, directory = with_moonboot(bench, samples)
  local timeout_s, theirs_s = longest_s(results), nil
  while not theirs_s do
    timeout_s = timeout_s * RAISE
    theirs_s = with_script(bench, results, directory, samples, timeout_s)
  end
  bench.row {
    what = ("the demo experiment, %d boots"):format(4 * samples), unit = "s", value = ours_s,
    peer = ("shell, %.1f s each"):format(timeout_s), peer_value = theirs_s,
  }
end

-- Looks over what a run of the campaign has left.
local campaign = require "tests.torture.campaign"
local capture = require "moonboot.capture"
local files = require "moonboot.files"
local journal = require "moonboot.journal"
local loader = require "moonboot.loader"
local plan = require "moonboot.plan"
local rundir = require "tests.system.support.rundir"

local checker = {}

-- Few are open at once; one that is lost with each boot would soon be more.
local MOST_FILES = 60

local STATUSES = { ok = true, qemu_exit = true, timeout = true, no_output = true, missing_marker = true, error = true }

-- What was on disk when moonboot had ended is still there, but for a line that was cut off.
local function check_history(history, final, found)
  for i, text in ipairs(history.journals) do
    local whole = text:match("^(.*\n)") or ""
    if final:sub(1, #whole) ~= whole then
      found(("records that were in the journal after start %d are lost"):format(i))
    end
  end
end

local function check_order(place, samples, found)
  local planned = plan.new {
    configurations = { { key = "cpu_1" }, { key = "cpu_2" } },
    samples = { count = campaign.SAMPLES },
    seed = place.seed,
  }
  if #samples ~= #planned.entries then found(("%d samples, %d were planned"):format(#samples, #planned.entries)) end
  for i, entry in ipairs(planned.entries) do
    local sample = samples[i]
    if not sample or sample.order ~= entry.order or sample.key ~= entry.key or sample.index ~= entry.index then
      found(("sample %d of the journal is not number %d of the plan"):format(i, entry.order))
      return
    end
  end
end

-- The markers that the capture gives by itself; nil and a message when it cannot be read.
local function mark_again(place, sample, grammar)
  local console = sample.consoles[1]
  if not console then return nil, "it has no console" end
  local path = place.run_dir .. "/" .. console.log
  local bytes = files.read(path)
  if not bytes then return nil, console.log .. " is not there" end
  if #bytes ~= console.bytes then
    return nil, ("%s has %d bytes, the journal says %d"):format(console.log, #bytes, console.bytes)
  end
  return capture.mark({ path }, grammar)
end

local function check_sample(place, sample, grammar, found)
  local function wrong(what) found(("sample %d (%s): %s"):format(sample.order, sample.status, what)) end
  if not STATUSES[sample.status] then return wrong "a status that no fault explains" end
  if sample.status ~= "ok" and not sample.reason then return wrong "no reason" end
  if sample.status == "error" then return end -- it never came to a boot
  local marked, message = mark_again(place, sample, grammar)
  if not marked then
    if sample.status == "ok" or sample.consoles[1] then wrong(message) end
    return
  end
  local complete = #marked.missing == 0
  if complete ~= (sample.status == "ok") then
    return wrong(complete and "its capture is complete" or "its capture lacks " .. table.concat(marked.missing, ", "))
  end
  for i, marker in ipairs(marked.markers) do
    local recorded = sample.markers[i]
    if not recorded or recorded.name ~= marker.name then
      return wrong("the marker " .. marker.name .. " is not recorded")
    end
    -- A capture's times are rounded to a microsecond.
    if math.abs(recorded.t_ns - marker.t_ns) > 1000 then
      return wrong(("%s at %d ns in the journal, %d ns in the capture"):format(marker.name, recorded.t_ns, marker.t_ns))
    end
  end
end

--- Checks a run. -> how many samples it has
function checker.check(place, history, found)
  local path = place.run_dir .. "/journal.jsonl"
  local records, torn = journal.read(path)
  if not records then
    found("the journal cannot be read: " .. tostring(torn))
    return 0
  end
  if torn then found "the last line of a finished journal is cut off" end
  check_history(history, assert(files.read(path)), found)
  local samples = rundir.samples(place.run_dir)
  check_order(place, samples, found)
  local grammar = assert(loader.grammar "demo")
  for _, sample in ipairs(samples) do check_sample(place, sample, grammar, found) end
  for _, name in ipairs(rundir.leftovers(place.run_dir)) do found("left in the run directory: " .. name) end
  for name in files.entries(place.tmp) do found("left among the temporary files: " .. name) end
  if campaign.shared_memory() ~= place.shm then found "left in /dev/shm: something" end
  if history.most_files > MOST_FILES then found(("moonboot had %d files open"):format(history.most_files)) end
  return #samples
end

return checker

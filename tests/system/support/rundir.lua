--- What runs leave in their directories.
local files = require "moonboot.files"
local journal = require "moonboot.journal"
local json = require "moonboot.json"
local program = require "tests.system.support.program"
local uv = require "luv"

local rundir = {}

--- The records of a run's journal; none while there is no journal.
function rundir.records(dir)
  return journal.read(dir .. "/" .. journal.NAME) or {}
end

--- The records of its samples, in the order written.
function rundir.samples(dir)
  local samples = {}
  for _, record in ipairs(rundir.records(dir)) do
    if record.type == "sample" then samples[#samples + 1] = record end
  end
  return samples
end

--- Waits until so many samples are in the journal.
function rundir.await_samples(dir, count)
  program.await(function() return #rundir.samples(dir) >= count end, count .. " samples")
end

--- Waits until a guest of a run has said something.
function rundir.await_output(dir)
  program.await(function()
    for name in files.entries(dir) do
      local log = name:find "%.log$" and uv.fs_stat(dir .. "/" .. name)
      if log and log.size > 0 then return true end
    end
  end, "the first word of a guest")
end

--- The results that a run wrote.
function rundir.results(dir)
  for name in files.entries(dir) do
    if name:find("%-results%-.*%.json$") then return assert(json.decode(files.read(dir .. "/" .. name))) end
  end
  error("no results in " .. dir)
end

--- The names that a finished run must not leave.
function rundir.leftovers(dir)
  local left = {}
  for name in files.entries(dir) do
    if name:find("^%.") or name:find("^lock") or name:find("%.tmp$") then left[#left + 1] = name end
  end
  return left
end

return rundir

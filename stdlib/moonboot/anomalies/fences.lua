--- Phases that took much longer, or shorter, in one boot than in the others of its configuration.
-- @module moonboot.anomalies.fences
local columns = require "moonboot.columns"
local stats = require "moonboot.stats"
local text = require "moonboot.text"
local wording = require "moonboot.wording"

local fences = {}

-- Phases of one boot that are named; the others are counted.
local NAMED = 3

-- Every time beyond a fence, by sample.
local function beyond(configuration)
  local by_sample, list, booted = {}, {}, {}
  for _, sample in ipairs(configuration.samples) do
    if sample.boot_time_ms then booted[#booted + 1] = sample end
  end
  local of_markers = columns.of(booted)
  for _, phase in ipairs(configuration.phases) do
    local times, places = of_markers:between(phase.from, phase.to)
    local outside, low, high = stats.tukey(times)
    for _, i in ipairs(outside) do
      local sample, t_ms = booted[places[i]], times[i]
      if not by_sample[sample] then
        by_sample[sample] = { sample = sample, phases = {}, beyond_ms = 0 }
        list[#list + 1] = by_sample[sample]
      end
      local find = by_sample[sample]
      local beyond_ms = t_ms > high and t_ms - high or low - t_ms
      find.beyond_ms = find.beyond_ms + beyond_ms
      table.insert(find.phases, { phase = phase, t_ms = t_ms, low = low, high = high, beyond_ms = beyond_ms })
    end
  end
  return list
end

local function describe(find)
  local parts = {}
  for i = 1, math.min(#find.phases, NAMED) do
    local one = find.phases[i]
    parts[i] = ("%s took %s (fences %s and %s)"):format(one.phase.name, wording.ms(one.t_ms),
      wording.figure(math.max(0, one.low)), wording.figure(one.high))
  end
  local more = #find.phases - NAMED
  if more > 0 then parts[#parts + 1] = ("%d more phase%s"):format(more, more == 1 and "" or "s") end
  return text.list(parts, "and")
end

--- Finds them by Tukey's fences, those of `stats.tukey`: n of at least 5.
-- @tparam table configuration of the results
-- @treturn {table,…} a find for each boot, the one with the most time beyond its fences first: `sample`, `phase` (of
--   the configuration, the one farthest beyond its fences), `text`
function fences.find(configuration)
  local found = beyond(configuration)
  table.sort(found, function(a, b)
    if a.beyond_ms ~= b.beyond_ms then return a.beyond_ms > b.beyond_ms end
    return (a.sample.order or a.sample.index or 0) < (b.sample.order or b.sample.index or 0)
  end)
  for _, find in ipairs(found) do
    table.sort(find.phases, function(a, b)
      if a.beyond_ms ~= b.beyond_ms then return a.beyond_ms > b.beyond_ms end
      return a.phase.name < b.phase.name
    end)
    find.phase, find.text = find.phases[1].phase, describe(find)
  end
  return found
end

return fences

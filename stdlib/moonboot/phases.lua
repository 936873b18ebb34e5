--- Phases: what lies between two consecutive markers of a boot.
-- A phase is a difference inside one sample; only then are samples put together. (Subtracting the minimum of
-- one marker from the minimum of another mixes boots that never happened.)
-- @module moonboot.phases
local stats = require "moonboot.stats"

local phases = {}

--- The name of the instant the guest may first execute, in places where a marker's name stands.
phases.T0 = "t0"

--- When a marker came in a sample.
-- @tparam table sample with `markers`, milliseconds since t0 by name
-- @tparam ?string name a marker's name; nil or "t0" is the start
-- @treturn ?number milliseconds since t0; nil if the marker is missing
function phases.at(sample, name)
  if name == nil or name == phases.T0 then return 0.0 end
  return sample.markers[name]
end

--- The time between two markers inside a sample.
-- @tparam table sample
-- @tparam ?string from nil: t0
-- @tparam ?string to
-- @treturn ?number milliseconds; nil if either marker is missing, or there is no `to`
function phases.between(sample, from, to)
  if to == nil then return nil end
  local a, b = phases.at(sample, from), phases.at(sample, to)
  return a and b and b - a
end

--- The markers of a set of samples, in the order they typically come in.
-- @tparam Columns columns of the samples
-- @tparam[opt={}] table rank marker name -> place in the grammar; decides between markers at the same time
-- @treturn {table,…} `name`, `n` (samples that have it), `median_ms` since t0
function phases.markers(columns, rank)
  rank = rank or {}
  local list = {}
  for name in pairs(columns.times) do
    local xs = columns:between(nil, name)
    list[#list + 1] = { name = name, n = #xs, median_ms = (stats.median(xs)) }
  end
  table.sort(list, function(a, b)
    if a.median_ms ~= b.median_ms then return a.median_ms < b.median_ms end
    local ra, rb = rank[a.name] or math.huge, rank[b.name] or math.huge
    if ra ~= rb then return ra < rb end
    return a.name < b.name
  end)
  return list
end

-- From the first marker to the last, through all in between that most samples have.
local function boundaries(markers, n, measure)
  local from, to = measure.from or phases.T0, measure.to
  local names, begun = { from }, from == phases.T0
  for _, marker in ipairs(markers) do
    if marker.name == to then
      if begun then names[#names + 1] = to end
      return begun and names or {}
    elseif marker.name == from then
      begun = true
    elseif begun and marker.n * 2 > n then
      names[#names + 1] = marker.name
    end
  end
  return {}
end

-- What is known of one phase; nil if no sample has both its markers.
local function summary(columns, name, from, to, total_ms)
  local sorted = columns:sorted_between(from, to)
  if #sorted == 0 then return nil end
  local median, low, high = stats.median(sorted)
  return {
    name = name, from = from, to = to, n = #sorted,
    median_ms = median, median_low_ms = low, median_high_ms = high,
    mean_ms = stats.mean(sorted), min_ms = sorted[1], max_ms = sorted[#sorted],
    share = total_ms and total_ms > 0 and median / total_ms or nil,
  }
end

--- The phases of a set of samples between the markers that are measured.
-- @tparam Columns columns of those with a boot time
-- @tparam {table,…} markers from `phases.markers`
-- @tparam table measure `from` (nil: t0) and `to`, marker names
-- @tparam ?number total_ms median time of the whole, to take shares of
-- @treturn {table,…} `name` ("from -> to"), `from`, `to`, `n`, `median_ms`, `median_low_ms`, `median_high_ms`
--   (nil if there are too few samples), `min_ms`, `max_ms`, `mean_ms`, `share` of the median total (0 to 1). Shares
--   are of medians and need not add up to 1.
function phases.table(columns, markers, measure, total_ms)
  local names, list = boundaries(markers, columns.n, measure), {}
  for i = 1, #names - 1 do
    list[#list + 1] = summary(columns, names[i] .. " -> " .. names[i + 1], names[i], names[i + 1], total_ms)
  end
  return list
end

--- The phases that an experiment gives names to. They may overlap, and lie outside of what is measured.
-- @tparam Columns columns of those with a boot time
-- @tparam {table,…} wanted `name`, `from` (a marker or "t0"), `to`
-- @treturn {table,…} as for `phases.table`, without shares; those that no sample has are left out
function phases.named(columns, wanted)
  local list = {}
  for _, phase in ipairs(wanted) do
    list[#list + 1] = summary(columns, phase.name, phase.from, phase.to)
  end
  return list
end

return phases

--- What earlier samples say about the boots under way: how far one has come, and how long the rest will take.
-- Pure: times come in as arguments.
-- @module moonboot.progress.forecast
local stats = require "moonboot.stats"

local forecast = {}

local Forecast = {}
Forecast.__index = Forecast

--- Makes a forecast that knows nothing yet.
-- @treturn Forecast
function forecast.new()
  return setmetatable({ known = {} }, Forecast)
end

local function of(self, key)
  local known = self.known[key]
  if not known then
    known = { markers = {}, times = {}, walls = {} }
    self.known[key] = known
  end
  return known
end

local function median(xs)
  return #xs > 0 and stats.median(xs) or nil
end

--- Learns from a sample.
-- @string key of its configuration
-- @tparam table sample `markers` (name = milliseconds since t0), `boot_time_ms` (nil when it has none), `wall_s` (how
--   long it took, all in all; nil when unknown), `ok`
function Forecast:learn(key, sample)
  local known = of(self, key)
  table.insert(known.times, sample.boot_time_ms)
  table.insert(known.walls, sample.wall_s)
  if not sample.ok then return end
  known.path = nil
  for name, ms in pairs(sample.markers) do
    known.markers[name] = known.markers[name] or {}
    table.insert(known.markers[name], ms)
  end
end

-- The markers in the order of their median times.
local function path_of(self, key)
  local known = of(self, key)
  if not known.path then
    known.path = {}
    for name, times in pairs(known.markers) do table.insert(known.path, { name = name, ms = median(times) }) end
    table.sort(known.path, function(a, b)
      if a.ms ~= b.ms then return a.ms < b.ms end
      return a.name < b.name
    end)
  end
  return known.path
end

--- The median boot time so far.
-- @string key
-- @treturn ?number milliseconds
-- @treturn int of how many samples
function Forecast:median(key)
  local times = of(self, key).times
  return median(times), #times
end

--- How long a sample of a configuration takes: its median, else that of all others.
-- @string key
-- @treturn ?number seconds; nil while nothing is known
function Forecast:wall_s(key)
  local own = median(of(self, key).walls)
  if own then return own end
  local all = {}
  for _, known in pairs(self.known) do table.move(known.walls, 1, #known.walls, #all + 1, all) end
  return median(all)
end

--- How far a boot has come. It waits before a marker that is late; it never goes back.
-- @string key
-- @tparam table reached markers seen: name = milliseconds since t0
-- @number elapsed_ms since t0
-- @treturn ?number share of the boot, 0 to 1; nil while nothing is known
-- @treturn ?number milliseconds that are probably left
-- @treturn ?string the marker that should come next
function Forecast:position(key, reached, elapsed_ms)
  local path = path_of(self, key)
  local whole_ms = #path > 0 and path[#path].ms or 0
  if whole_ms <= 0 then return nil end
  local last, seen_ms, at_ms = 0, 0, 0
  for i, marker in ipairs(path) do
    if reached[marker.name] then last, seen_ms, at_ms = i, reached[marker.name], marker.ms end
  end
  local following = path[last + 1]
  if not following then return 1, 0 end
  local into_ms = math.max(0, math.min(elapsed_ms - seen_ms, following.ms - at_ms))
  return (at_ms + into_ms) / whole_ms, whole_ms - at_ms - into_ms, following.name
end

--- How long a run will still take.
-- @tparam table waiting boots not begun yet: key = how many
-- @tparam {table,…} running `{ key =, elapsed_s = }`
-- @treturn ?number seconds; nil while nothing is known
function Forecast:left_s(waiting, running)
  local sum_s = 0
  for key, count in pairs(waiting) do
    local wall_s = self:wall_s(key)
    if not wall_s then return nil end
    sum_s = sum_s + count * wall_s
  end
  for _, job in ipairs(running) do
    local wall_s = self:wall_s(job.key)
    if not wall_s then return nil end
    sum_s = sum_s + math.max(0, wall_s - job.elapsed_s)
  end
  return sum_s / math.max(1, #running)
end

return forecast

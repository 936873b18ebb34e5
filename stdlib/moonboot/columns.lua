--- The marker times of many samples, a list for each marker: what is asked of all samples is then read from a few lists
-- instead of from as many tables.
-- @module moonboot.columns
local phases = require "moonboot.phases"
local stats = require "moonboot.stats"

local columns = {}

local Columns = {}
Columns.__index = Columns

--- Takes the times out of samples.
-- @tparam {table,…} samples with `markers`, milliseconds since t0 by name
-- @treturn Columns with `n`, how many samples there are, and `times`: by the name of a marker a list of milliseconds,
--   false for a sample that has no such marker
function columns.of(samples)
  local times = {}
  for i = 1, #samples do
    for name in next, samples[i].markers do times[name] = times[name] or {} end
  end
  for i = 1, #samples do
    local markers = samples[i].markers
    for name, column in next, times do column[i] = markers[name] or false end
  end
  return setmetatable({ n = #samples, times = times, sorted = {} }, Columns)
end

function Columns:_column(name)
  if name ~= phases.T0 then return name and self.times[name] or {} end
  if not self.start then
    self.start = {}
    for i = 1, self.n do self.start[i] = 0.0 end
  end
  return self.start
end

--- The times between two markers inside each sample that has both.
-- @tparam ?string from nil: t0
-- @tparam ?string to
-- @treturn {number,…} milliseconds, in the order of the samples
-- @treturn {int,…} the places of these samples among all
function Columns:between(from, to)
  local a, b, xs, places, n = self:_column(from or phases.T0), self:_column(to), {}, {}, 0
  for i = 1, self.n do
    local first, last = a[i], b[i]
    if first and last then
      n = n + 1
      xs[n], places[n] = last - first, i
    end
  end
  return xs, places
end

--- The same times sorted, for `moonboot.stats`; sorted once, however often they are asked for.
-- @tparam ?string from nil: t0
-- @tparam ?string to
-- @treturn {number,…} not to be changed
function Columns:sorted_between(from, to)
  local id = ("%s\0%s"):format(from, to)
  local sorted = self.sorted[id] or stats.sorted((self:between(from, to)))
  self.sorted[id] = sorted
  return sorted
end

return columns

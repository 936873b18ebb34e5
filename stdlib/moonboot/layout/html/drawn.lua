--- Which samples a page draws one by one: all, or of very many those that tell the most.
-- @module moonboot.layout.html.drawn
local selection = require "moonboot.selection"

local drawn = {}

--- Rows of the timeline, of all configurations.
drawn.ROWS = 240

--- Rows of the timeline that each configuration has at least.
drawn.LEAST = 8

local function add_special(take, configuration, anomalies, most)
  local fastest, slowest
  for _, sample in ipairs(configuration.samples) do
    local t_ms = sample.boot_time_ms
    if t_ms and (not fastest or t_ms < fastest.boot_time_ms) then fastest = sample end
    if t_ms and (not slowest or t_ms > slowest.boot_time_ms) then slowest = sample end
  end
  take(selection.median_sample(configuration))
  take(fastest)
  take(slowest)
  local apart = {}
  for _, anomaly in ipairs(anomalies or {}) do
    if anomaly.key == configuration.key and anomaly.index then apart[anomaly.index] = true end
  end
  for _, sample in ipairs(configuration.samples) do
    if apart[sample.index] then take(sample, most) end
  end
  for _, sample in ipairs(configuration.samples) do
    if sample.status ~= "ok" then take(sample, most) end
  end
end

--- Chooses the samples of a configuration.
-- @tparam table configuration of the results
-- @tparam table results
-- @treturn {table,…} in run order; where not all: the median one, the fastest and the slowest, those with anomalies and
--   without a boot time (up to half), and others evenly over the run
function drawn.choose(configuration, results)
  local samples = configuration.samples
  local most = math.max(drawn.LEAST, drawn.ROWS // #results.order)
  if #samples <= most then return samples end
  local chosen, n = {}, 0
  local function take(sample, limit)
    if sample and not chosen[sample] and n < (limit or most) then chosen[sample], n = true, n + 1 end
  end
  add_special(take, configuration, results.anomalies, most // 2)
  local places = most - n
  for i = 0, places - 1 do take(samples[1 + i * #samples // places]) end
  local list = {}
  for _, sample in ipairs(samples) do
    if chosen[sample] then list[#list + 1] = sample end
  end
  return list
end

return drawn

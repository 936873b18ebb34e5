--- What a judgement takes from results.
-- @module moonboot.selection
local selection = {}

--- The configurations of results, in plan order.
-- @tparam table results
-- @treturn {table,…}
function selection.configurations(results)
  local list = {}
  for _, key in ipairs(results.order or {}) do
    if type(results[key]) == "table" then list[#list + 1] = results[key] end
  end
  return list
end

--- The boot times of a configuration: of its samples with status ok, warm-ups not among them.
-- @tparam table configuration
-- @treturn {number,…} milliseconds, a new list
function selection.times(configuration)
  local times = {}
  for _, sample in ipairs(configuration.samples or {}) do
    if sample.status == "ok" and not sample.warmup and type(sample.boot_time_ms) == "number" then
      times[#times + 1] = sample.boot_time_ms
    end
  end
  return times
end

return selection

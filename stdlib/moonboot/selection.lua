--- What a judgement or a layout takes from results.
-- @module moonboot.selection
local phases = require "moonboot.phases"
local text = require "moonboot.text"

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

--- A sample by its name.
-- @tparam table results
-- @string name  such as "cpu_2:1": a configuration's key and the index of a sample
-- @treturn ?table the sample, or nil and a message
-- @treturn string the configuration's key
function selection.sample(results, name)
  local key, index = name:match("^(.+):(%d+)$")
  local configuration = key and type(results[key]) == "table" and results[key]
  if not configuration or not configuration.samples then
    return nil, ("no sample '%s': a sample is named like %s:1%s"):format(text.escape(name), results.order[1] or "cpu_1",
      text.suggest(key or name, results.order))
  end
  for _, sample in ipairs(configuration.samples) do
    if sample.index == tonumber(index) then return sample, key end
  end
  return nil, ("%s has no sample %s, only %d samples"):format(key, index, #configuration.samples)
end

--- The sample of a configuration whose boot time is the (lower) median.
-- @tparam table configuration
-- @treturn ?table nil where no sample is ok
function selection.median_sample(configuration)
  local ok = {}
  for _, sample in ipairs(configuration.samples) do
    if sample.boot_time_ms then ok[#ok + 1] = sample end
  end
  table.sort(ok, function(a, b)
    if a.boot_time_ms ~= b.boot_time_ms then return a.boot_time_ms < b.boot_time_ms end
    return (a.index or 0) < (b.index or 0)
  end)
  return ok[(#ok + 1) // 2]
end

--- The sample to show for all: the median one of the first configuration that has a boot time, else the first with a
-- log.
-- @tparam table results
-- @treturn ?table nil where there is none
-- @treturn ?string the configuration's key
function selection.typical(results)
  for _, configuration in ipairs(selection.configurations(results)) do
    local sample = selection.median_sample(configuration)
    if sample then return sample, configuration.key end
  end
  for _, configuration in ipairs(selection.configurations(results)) do
    for _, sample in ipairs(configuration.samples) do
      if sample.log then return sample, configuration.key end
    end
  end
  return nil
end

--- How long a phase took in a configuration: differences inside its samples with a boot time.
-- @tparam table configuration
-- @tparam table phase with `from` and `to`
-- @treturn {number,…} milliseconds, a new list; samples without either marker are not in it
function selection.differences(configuration, phase)
  local xs = {}
  for _, sample in ipairs(configuration.samples or {}) do
    if sample.boot_time_ms then xs[#xs + 1] = phases.between(sample, phase.from, phase.to) end
  end
  return xs
end

return selection

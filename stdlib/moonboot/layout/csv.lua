--- One row per sample and phase, for R, pandas and spreadsheets: `filter(phase == "total")` gives the boot times.
-- A sample that is not ok has its rows too, with an empty time; so has a phase whose markers are not both there.
-- @module moonboot.layout.csv
local phases = require "moonboot.phases"
local text = require "moonboot.text"
local wording = require "moonboot.wording"

-- RFC 4180, but for line ends, which are those of every other Unix tool.
local function cell(value)
  if value == nil then return "" end
  if math.type(value) == "float" then return ("%.6f"):format(value) end
  local word = text.escape(tostring(value))
  if word:find('[",]') then word = '"' .. word:gsub('"', '""') .. '"' end
  return word
end

local function row(values, n)
  local cells = {}
  for i = 1, n do cells[i] = cell(values[i]) end
  return table.concat(cells, ",")
end

local BEFORE = { "experiment", "configuration" }
local AFTER = {
  "cpus", "guest_cpus", "sample", "run_order", "warmup", "status", "phase", "from", "to", "time_ms", "outlier",
  "log", "reason", "clock_source",
}

-- The axes, but for `cpus`, which has a column anyway.
local function further_axes(results)
  local axes = {}
  for _, axis in ipairs(wording.axes(results)) do
    if axis ~= "cpus" then axes[#axes + 1] = axis end
  end
  return axes
end

-- The whole, then its phases, then those with names of their own.
local function intervals(results, configuration)
  local measure = results.experiment.measure
  local list = { { name = "total", from = measure.from, to = measure.to } }
  for _, phases_of in ipairs { configuration.phases, configuration.named_phases or {} } do
    for _, phase in ipairs(phases_of) do list[#list + 1] = { name = phase.name, from = phase.from, to = phase.to } end
  end
  for _, phase in ipairs(list) do phase.cells = row({ phase.name, phase.from or phases.T0, phase.to }, 3) .. "," end
  return list
end

local function add_sample(lines, head, sample, list)
  -- What is the same in every row of a sample is written once: there may be half a million rows.
  local before = ("%s,%s,"):format(head, row({
    sample.index, sample.order, sample.warmup and "yes" or "no", sample.status,
  }, 4))
  local after = "," .. row({ sample.outlier, sample.log, sample.reason, sample.clock_source }, 4)
  for _, phase in ipairs(list) do
    local time = sample.boot_time_ms and phases.between(sample, phase.from, phase.to)
    lines[#lines + 1] = before .. phase.cells .. cell(time) .. after
  end
end

--- Writes results as comma-separated values with a header line.
-- Columns: `experiment`, `configuration` (its key), one for each further axis of the matrix, `cpus` (given),
-- `guest_cpus` (brought up), `sample`, `run_order`, `warmup` (yes, no: not in any statistic), `status`, `phase`
-- ("total" for the boot time), `from` and `to` (markers), `time_ms` (six decimals, a nanosecond), `outlier` (kind, if
-- it was flagged as one), `log`, `reason` (why it is not ok), `clock_source` (of the stamps: kernel, read, or virtual,
-- which is no clock's time).
-- @tparam table results
-- @treturn string
return function(results)
  local axes = further_axes(results)
  local names = table.move(BEFORE, 1, #BEFORE, 1, {})
  table.move(axes, 1, #axes, #names + 1, names)
  table.move(AFTER, 1, #AFTER, #names + 1, names)
  local lines = { row(names, #names) }
  for _, key in ipairs(results.order) do
    local configuration = results[key]
    local head = { results.experiment.name, key }
    for i, axis in ipairs(axes) do head[2 + i] = configuration.settings[axis] end
    head[3 + #axes], head[4 + #axes] = configuration.cpus, configuration.guest_cpus
    local prefix, list = row(head, 4 + #axes), intervals(results, configuration)
    for _, sample in ipairs(configuration.warmup_samples or {}) do add_sample(lines, prefix, sample, list) end
    for _, sample in ipairs(configuration.samples) do add_sample(lines, prefix, sample, list) end
  end
  return table.concat(lines, "\n") .. "\n"
end

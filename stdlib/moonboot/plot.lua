--- Results as bars and sparklines, for a terminal.
-- @module moonboot.plot
local text = require "moonboot.text"
local wording = require "moonboot.wording"

local EIGHTHS = { "▏", "▎", "▍", "▌", "▋", "▊", "▉" }
local LEVELS = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" }
local FAILED = "×"

local function bar(share, width)
  local eighths = math.floor(share * width * 8 + 0.5)
  if share > 0 then eighths = math.max(1, eighths) end
  return ("█"):rep(eighths // 8) .. (EIGHTHS[eighths % 8] or "")
end

local function length(s)
  return utf8.len(s) or #s
end

local function pad(s, width)
  return s .. (" "):rep(math.max(0, width - length(s)))
end

-- The samples in the order of the run: low to high between the extremes, a cross for one without a time.
local function sparkline(configuration, most)
  local s = configuration.statistics
  local cells = {}
  local samples = configuration.samples
  for i = math.max(1, #samples - most + 1), #samples do
    local ms = samples[i].boot_time_ms
    if not ms then
      cells[#cells + 1] = FAILED
    else
      local range = s.max_ms - s.min_ms
      local level = range > 0 and math.floor((ms - s.min_ms) / range * 7 + 0.5) + 1 or 4
      cells[#cells + 1] = LEVELS[level]
    end
  end
  return table.concat(cells)
end

local function bars(add, results, width)
  local longest, label_width = 0, 0
  local rows = {}
  for _, key in ipairs(results.order) do
    local configuration = results[key]
    local median = configuration.statistics.median_ms
    longest = math.max(longest, median or 0)
    rows[#rows + 1] = { label = text.escape(wording.title(results, configuration)), median = median,
      configuration = configuration }
    label_width = math.max(label_width, length(rows[#rows].label))
  end
  local room = math.max(8, width - label_width - 30)
  add("median boot time, %s", wording.measure(results.experiment.measure))
  for _, row in ipairs(rows) do
    local s = row.configuration.statistics
    local failed = s.failed > 0 and (", %d not ok"):format(s.failed) or ""
    if row.median then
      add("  %s  %s %s (n %d%s)", pad(row.label, label_width), bar(row.median / longest, room), wording.ms(row.median),
        s.n, failed)
    else
      add("  %s  no boot time (n 0%s)", pad(row.label, label_width), failed)
    end
  end
  add("")
  add "samples in run order, each between the lowest and the highest of its configuration"
  for _, row in ipairs(rows) do
    local s = row.configuration.statistics
    local range = row.median and ("  %s to %s"):format(wording.ms(s.min_ms), wording.ms(s.max_ms)) or ""
    add("  %s  %s%s", pad(row.label, label_width), sparkline(row.configuration, room), range)
  end
end

local function phase_bars(add, results, width)
  for _, key in ipairs(results.order) do
    local configuration = results[key]
    local longest, label_width = 0, 0
    for _, phase in ipairs(configuration.phases) do
      longest = math.max(longest, phase.median_ms)
      label_width = math.max(label_width, length(phase.name))
    end
    if longest > 0 and #configuration.phases > 1 then
      add("")
      add("phases of %s, medians", wording.title(results, configuration))
      local room = math.max(8, width - label_width - 18)
      for _, phase in ipairs(configuration.phases) do
        add("  %s  %s %s", pad(phase.name, label_width), bar(math.max(0, phase.median_ms) / longest, room),
          wording.ms(phase.median_ms))
      end
    end
  end
end

--- Draws results. Only samples that are ok have a bar; the others are counted.
-- @tparam table results of `moonboot.analysis`
-- @tparam[opt] table options `width` in columns (default 80)
-- @treturn string
return function(results, options)
  local width = math.max(40, math.min(options and options.width or 80, 120))
  local page = {}
  local function add(format, ...)
    local line = select("#", ...) > 0 and format:format(...) or format
    page[#page + 1] = text.escape(line):gsub("%s+$", "")
  end
  bars(add, results, width)
  phase_bars(add, results, width)
  return table.concat(page, "\n") .. "\n"
end

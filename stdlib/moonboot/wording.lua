--- The words and figures that all layouts share: titles, times, percentages. Plain text; a layout escapes it for
-- its own format.
-- @module moonboot.wording
local text = require "moonboot.text"

local wording = {}

--- What to do about figures that contradict each other.
wording.ADVICE = "Try: nothing else running on the host, --jobs 1, more samples (--samples), fewer vCPUs than host "
  .. "cores, a claim about other markers; and look at the logs of the slowest samples before quoting any figure."

--- A figure with as many decimals as it deserves: two, more below 1, so that nothing but zero becomes zero.
-- @tparam ?number x
-- @string[opt="-"] unknown what to say for nil
-- @treturn string
function wording.figure(x, unknown)
  if not x then return unknown or "-" end
  local size = math.abs(x)
  if size >= 1 or size == 0 then return ("%.2f"):format(x) end
  if size >= 0.1 then return ("%.3f"):format(x) end
  if size >= 0.0001 then return ("%.4f"):format(x) end
  return ("%.1g"):format(x)
end

--- A full sentence out of one that has neither a capital nor a full stop. A name at its beginning stays as it is.
-- @string words
-- @treturn string
function wording.sentence(words)
  return (words:find "^%l+[%s,]" and words:gsub("^%l", string.upper) or words) .. "."
end

--- A time.
-- @tparam ?number ms milliseconds
-- @treturn string such as "66.00 ms", or "unknown"
function wording.ms(ms)
  return ms and wording.figure(ms) .. " ms" or "unknown"
end

--- A share or ratio as a percentage.
-- @tparam ?number share 0 to 1
-- @treturn string such as "70%"
function wording.percent(share)
  return share and ("%.0f%%"):format(share * 100) or "-"
end

--- A share with one decimal, for tables.
-- @tparam ?number share 0 to 1
-- @treturn string such as "12.5 %"; "< 0.1 %" rather than a zero that is none
function wording.share(share)
  if share and share > 0 and share < 0.0005 then return "< 0.1 %" end
  return share and ("%.1f %%"):format(share * 100) or "-"
end

--- A signed error.
-- @tparam ?number percent
-- @treturn string such as "+1.5%"
function wording.error(percent)
  return percent and ("%+.1f%%"):format(percent) or "unknown"
end

--- What an axis is called in headings.
-- @tparam ?string axis
-- @treturn string "CPU Count" for `cpus`
function wording.axis(axis)
  if axis == "cpus" then return "CPU Count" end
  return axis and (axis:gsub("_", " ")) or "Configuration"
end

--- One setting: "4 CPU", "memory 512M".
-- @string axis
-- @param v its value
-- @treturn string
function wording.setting(axis, v)
  if axis == "cpus" then return ("%s CPU"):format(v) end
  return ("%s %s"):format((axis:gsub("_", " ")), tostring(v))
end

--- The axes that tell configurations apart, or `cpus` where there is no matrix.
-- @tparam table results
-- @treturn {string,…}
function wording.axes(results)
  local names = {}
  for i, axis in ipairs(results.experiment.axes or {}) do names[i] = axis.name end
  return names
end

--- The title of a configuration: "4 CPU", "4 CPU, memory 512M", "4 CPU [virtual time]".
-- @tparam table results
-- @tparam table configuration one of the results'
-- @treturn string
function wording.title(results, configuration)
  local parts = {}
  for _, axis in ipairs(wording.axes(results)) do
    local v = configuration.settings[axis]
    if v ~= nil then parts[#parts + 1] = wording.setting(axis, v) end
  end
  local mark = results.experiment.deterministic and " [virtual time]" or ""
  if #parts > 0 then return table.concat(parts, ", ") .. mark end
  return (configuration.cpus and wording.setting("cpus", configuration.cpus) or configuration.key) .. mark
end

--- The beginning of a sentence about a configuration: "With 4 vCPUs and memory 512M".
-- @tparam table results
-- @tparam table configuration
-- @treturn string
function wording.with(results, configuration)
  local parts, cpus = {}, configuration.settings.cpus or configuration.cpus
  if cpus then parts[1] = ("%d vCPU%s"):format(cpus, cpus == 1 and "" or "s") end
  for _, axis in ipairs(wording.axes(results)) do
    local v = configuration.settings[axis]
    if axis ~= "cpus" and v ~= nil then parts[#parts + 1] = wording.setting(axis, v) end
  end
  return parts[1] and "With " .. text.list(parts, "and") or ("In %s"):format(configuration.key)
end

--- Settings of the other axes of a group: "memory 512M", "" when there are none.
-- @tparam table results
-- @tparam table where settings by axis
-- @treturn string
function wording.where(results, where)
  local parts = {}
  for _, axis in ipairs(wording.axes(results)) do
    if where[axis] ~= nil then parts[#parts + 1] = wording.setting(axis, where[axis]) end
  end
  return table.concat(parts, ", ")
end

--- Samples that are not ok, counted by status, most frequent first.
-- @tparam table configuration
-- @treturn string such as "2 timeout, 1 no_output"; "" if all are
function wording.not_ok(configuration)
  local names = {}
  for status in pairs(configuration.not_ok) do names[#names + 1] = status end
  local counts = configuration.not_ok
  table.sort(names, function(a, b)
    if counts[a] ~= counts[b] then return counts[a] > counts[b] end
    return a < b
  end)
  for i, status in ipairs(names) do names[i] = ("%d %s"):format(counts[status], status) end
  return table.concat(names, ", ")
end

--- The ends of an interval.
-- @tparam table t
-- @string name  of a field; its ends are `name_low`, `name_high`
-- @string[opt] format  of each end (default: as `wording.figure`)
-- @treturn string "1.20 .. 1.31", or "-" where there is no interval
function wording.range(t, name, format)
  local low, high = t[name .. "_low"], t[name .. "_high"]
  if not (low and high) then return "-" end
  if format then return (format .. " .. " .. format):format(low, high) end
  return wording.figure(low) .. " .. " .. wording.figure(high)
end

local GAINS = {
  scales = "scales", does_not_scale = "does not scale", slows = "slower with more CPUs", undecided = "undecided",
}

--- Whether a phase gains from more CPUs.
-- @tparam table gain of `moonboot.series.phases`
-- @treturn string
function wording.gain(gain)
  return GAINS[gain.verdict] .. (gain.needed_samples and (": need >= %d samples"):format(gain.needed_samples) or "")
end

--- A number of bytes.
-- @tparam ?number bytes
-- @treturn string such as "512.0 MiB"
function wording.bytes(bytes)
  if not bytes then return "unknown" end
  if bytes < 1024 then return ("%d bytes"):format(bytes) end
  if bytes < 1024 ^ 2 then return ("%.1f KiB"):format(bytes / 1024) end
  if bytes < 1024 ^ 3 then return ("%.1f MiB"):format(bytes / 1024 ^ 2) end
  return ("%.1f GiB"):format(bytes / 1024 ^ 3)
end

--- What is measured: "kernel_starts -> login".
-- @tparam table measure `from` (nil: t0), `to`
-- @treturn string
function wording.measure(measure)
  return ("%s -> %s"):format(measure.from or "t0", measure.to or "(no marker)")
end

--- Rows of cells as aligned lines.
-- @tparam {{string,…},…} rows
-- @string alignment a letter a column: "l" or "r"
-- @string[opt="  "] gap
-- @treturn {string,…} lines without trailing blanks
function wording.columns(rows, alignment, gap)
  local widths, lines = {}, {}
  local function width_of(cell) return utf8.len(cell) or #cell end
  for _, row in ipairs(rows) do
    for i, cell in ipairs(row) do widths[i] = math.max(widths[i] or 0, width_of(cell)) end
  end
  for r, row in ipairs(rows) do
    local cells = {}
    for i, cell in ipairs(row) do
      local pad = (" "):rep(widths[i] - width_of(cell))
      cells[i] = alignment:sub(i, i) == "r" and pad .. cell or cell .. pad
    end
    lines[r] = (table.concat(cells, gap or "  "):gsub("%s+$", ""))
  end
  return lines
end

return wording

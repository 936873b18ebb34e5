--- The phases of each configuration as stacked bars: part of `moonboot.layout.latex`.
-- Bars are stacks of means, which add up to the mean boot time; medians would not.
-- @module moonboot.layout.latex.phases
local plot = require "moonboot.layout.latex.plot"
local selection = require "moonboot.selection"
local tex = require "moonboot.layout.latex.tex"
local wording = require "moonboot.wording"

-- A reader tells so many colours apart; the shortest phases share the rest.
local MOST = 7

-- The phases of all configurations in the order they come in, each with its mean by configuration.
local function rows_of(configurations)
  local rows, by_name = {}, {}
  for c, configuration in ipairs(configurations) do
    for _, phase in ipairs(configuration.phases) do
      local row = by_name[phase.name]
      if not row then
        row = { name = phase.name, means = {}, largest = 0, place = #rows + 1 }
        by_name[phase.name], rows[#rows + 1] = row, row
      end
      row.means[c] = phase.mean_ms
      row.largest = math.max(row.largest, phase.mean_ms)
    end
  end
  return rows
end

-- Puts the shortest phases together where there are too many.
local function condensed(rows)
  if #rows <= MOST then return rows end
  local by_size, kept = table.move(rows, 1, #rows, 1, {}), {}
  table.sort(by_size, function(a, b)
    if a.largest ~= b.largest then return a.largest > b.largest end
    return a.place < b.place
  end)
  local others = { name = ("the other %d phases"):format(#rows - MOST + 1), means = {}, others = true }
  for i, row in ipairs(by_size) do
    if i < MOST then
      kept[#kept + 1] = row
    else
      for c, mean in pairs(row.means) do others.means[c] = (others.means[c] or 0) + mean end
    end
  end
  table.sort(kept, function(a, b) return a.place < b.place end)
  kept[#kept + 1] = others
  return kept
end

local function bars(rows, count)
  local lines = {}
  for i, row in ipairs(rows) do
    local list = {}
    for c = 1, count do list[c] = ("(%d,%.6f)"):format(c, row.means[c] or 0) end
    lines[#lines + 1] = ("  \\addplot[fill=%s, draw=white, line width=0.3pt] coordinates { %s };"):format(
      row.others and "black!25" or "moonboot" .. i, table.concat(list, " "))
    lines[#lines + 1] = ("  \\addlegendentry{%s}"):format(tex.escape(row.name))
  end
  return lines
end

local function tallest(rows, count)
  local most = 0
  for c = 1, count do
    local sum = 0
    for _, row in ipairs(rows) do sum = sum + (row.means[c] or 0) end
    most = math.max(most, sum)
  end
  return most
end

-- "4" on an axis that says vCPUs, the whole title where there are more axes.
local function labels_of(results, configurations)
  local axes = wording.axes(results)
  local one = #axes == 1 and axes[1]
  local labels, longest = {}, 0
  for i, configuration in ipairs(configurations) do
    local label = one and tostring(configuration.settings[one]) or wording.title(results, configuration)
    longest = math.max(longest, #label)
    labels[i] = "{" .. tex.escape(label) .. (configuration.oversubscribed and "\\ensuremath{^\\ast}" or "") .. "}"
  end
  -- Long labels stand on a slant, and need room below.
  local slanted = longest * #labels > 40
  return labels, one and (one == "cpus" and "vCPUs" or wording.axis(one)) or "", slanted, slanted and longest or 0
end

--- Makes the figure.
-- @tparam table results
-- @treturn table `title`, `kind`, `packages`, `body`
return function(results)
  local part = { title = "The phases of a boot.", kind = "figure", packages = { "pgfplots" } }
  local configurations = {}
  for _, configuration in ipairs(selection.configurations(results)) do
    if #configuration.phases > 0 then configurations[#configurations + 1] = configuration end
  end
  if #configurations == 0 then
    part.body = plot.nothing("no boot was ok, so no phase has a time")
    return part
  end
  local rows = condensed(rows_of(configurations))
  local labels, xlabel, slanted, longest = labels_of(results, configurations)
  local ticks, oversubscribed = {}, false
  for c, configuration in ipairs(configurations) do
    ticks[c], oversubscribed = c, oversubscribed or configuration.oversubscribed
  end
  local body = plot.prologue()
  table.move({
    "\\begin{tikzpicture}",
    "\\begin{axis}[",
    "  width=0.97\\linewidth, height=0.6\\linewidth, ybar stacked,",
    ("  bar width=%s, xmin=0.4, xmax=%s, ymin=0, ymax=%.6f,"):format(
      #configurations > 12 and ("%.2f\\linewidth"):format(0.55 / #configurations) or "1.6em", #configurations + 0.6,
      1.08 * tallest(rows, #configurations)),
    ("  xlabel={%s}, ylabel={Mean time (ms)},"):format(tex.escape(xlabel)),
    ("  xtick={%s}, xticklabels={%s},"):format(table.concat(ticks, ","), table.concat(labels, ",")),
    "  axis lines=left, ymajorgrids, grid style={black!12}, tick align=outside, xtick pos=lower,",
    slanted and "  x tick label style={rotate=45, anchor=east, font=\\footnotesize}," or "  % one line a tick",
    plot.legend(3.6 + 0.3 * longest) .. " area legend,",
    "]",
  }, 1, 10, #body + 1, body)
  for _, line in ipairs(bars(rows, #configurations)) do body[#body + 1] = line end
  if oversubscribed then
    body[#body + 1] = "  \\addlegendimage{empty legend}\\addlegendentry{\\ensuremath{^\\ast}more vCPUs than host cores}"
  end
  body[#body + 1] = "\\end{axis}"
  body[#body + 1] = "\\end{tikzpicture}"
  part.body = body
  return part
end

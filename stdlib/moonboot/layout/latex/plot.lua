--- Curves along an axis of the matrix, with intervals: part of `moonboot.layout.latex`.
-- @module moonboot.layout.latex.plot
local tex = require "moonboot.layout.latex.tex"
local wording = require "moonboot.wording"

local plot = {}

-- Okabe and Ito's colours, which stay apart for every kind of colour vision (jfly.uni-koeln.de/color, 2008).
plot.COLOURS = { "0072B2", "D55E00", "009E73", "CC79A7", "E69F00", "56B4E9", "F0E442" }

local MARKS = { "*", "square*", "triangle*", "diamond*", "pentagon*" }
local HOLLOW = { "o", "square", "triangle", "diamond", "pentagon" }

-- Curves of a law have so many points between two numbers of CPUs.
local STEPS = 8

-- Room at both ends of the horizontal axis, in doublings.
local MARGIN = 0.3

local function pick(list, i) return list[(i - 1) % #list + 1] end

-- Defines the colours `moonboot1`, `moonboot2`, …
local function colours()
  local lines = {}
  for i, hex in ipairs(plot.COLOURS) do
    lines[i] = ("\\definecolor{moonboot%d}{HTML}{%s}%%"):format(i, hex)
  end
  return lines
end

local function number(x)
  return ("%.6f"):format(x):gsub("%.?0+$", "")
end

-- Where each value of the axis stands: numbers of CPUs as doublings, anything else at 1, 2, 3 …
local function places(results)
  local axis, labels, xs, place = results.scaling.axis, {}, {}, {}
  local numeric = axis == "cpus"
  for _, group in ipairs(results.scaling.groups) do
    for _, point in ipairs(group.points) do
      local id = tostring(point.value)
      if not place[id] then
        place[id] = numeric and math.log(point.cpus or point.value, 2) or #labels + 1
        labels[#labels + 1], xs[#xs + 1] = id, place[id]
      end
    end
  end
  for i, label in ipairs(labels) do labels[i] = "{" .. tex.escape(label) .. "}" end
  local first, last = math.min(table.unpack(xs)), math.max(table.unpack(xs))
  for i, x in ipairs(xs) do xs[i] = number(x) end
  return place, xs, labels, number(first - MARGIN), number(last + MARGIN)
end

local function coordinates(points, place, read)
  local list = {}
  for _, point in ipairs(points) do
    local y, low, high = read(point)
    if y then
      list[#list + 1] = ("    (%s,%s) += (0,%s) -= (0,%s)"):format(number(place[tostring(point.value)]), number(y),
        number(high and high - y or 0), number(low and y - low or 0))
    end
  end
  return list
end

local function add_points(body, options, list, legend)
  if #list == 0 then return end
  body[#body + 1] = ("  \\addplot+[%s%s] coordinates {"):format(legend and "" or "forget plot, ", options)
  for _, line in ipairs(list) do body[#body + 1] = line end
  body[#body + 1] = legend and ("  };\\addlegendentry{%s}"):format(legend) or "  };"
end

local function add_curve(body, style, curve, legend)
  if not curve then return end
  local list = {}
  for i, xy in ipairs(curve) do list[i] = ("(%s,%s)"):format(number(xy[1]), number(xy[2])) end
  body[#body + 1] = ("  \\addplot[%s] coordinates { %s };\\addlegendentry{%s}"):format(style, table.concat(list, " "),
    legend)
end

--- The curve of a law between the fewest and the most CPUs that were fitted.
-- @tparam table results
-- @tparam table fits of a group
-- @tparam function time p -> milliseconds
-- @treturn {{number,number},…} (log2 p, time)
function plot.law(results, fits, time)
  local curve, low, high = {}, math.huge, 0
  for _, key in ipairs(fits.keys) do
    low, high = math.min(low, results[key].cpus), math.max(high, results[key].cpus)
  end
  local from, to = math.log(low, 2), math.log(high, 2)
  local steps = math.max(1, math.ceil((to - from) * STEPS))
  for i = 0, steps do
    local x = from + (to - from) * i / steps
    curve[#curve + 1] = { x, time(2 ^ x) }
  end
  return curve
end

local function split(points)
  local inside, outside = {}, {}
  for _, point in ipairs(points) do table.insert(point.excluded and outside or inside, point) end
  return inside, outside
end

-- Why some points are hollow; nil if none is.
local function hollow(results)
  local reasons, seen = {}, {}
  for _, group in ipairs(results.scaling.groups) do
    for _, point in ipairs(group.points) do
      local reason = point.excluded and (point.excluded:match "^(.-):" or "fewer CPUs brought up than given")
      if reason and not seen[reason] then
        reasons[#reasons + 1], seen[reason] = reason, true
      end
    end
  end
  return reasons[1] and table.concat(reasons, ", ")
end

-- The top of the vertical axis: a little above all bars.
local function top_of(results, read)
  local top = 0
  for _, group in ipairs(results.scaling.groups) do
    for _, point in ipairs(group.points) do
      local y, _, high = read(point)
      top = math.max(top, y or 0, high or 0)
    end
  end
  return top
end

local function group_name(results, group, fallback)
  local where = wording.where(results, group.where)
  return tex.escape(where ~= "" and where or fallback)
end

-- The points and what leads the eye through them: the curves of the laws, else straight lines.
local function draw_group(body, results, group, i, options, place)
  local curves = options.curves(group)
  local colour = ("moonboot%d"):format((i - 1) % #plot.COLOURS + 1)
  local bars = "only marks, error bars/.cd, y dir=both, y explicit"
  local inside, outside = split(group.points)
  local line = {}
  for _, point in ipairs(group.points) do
    local y = options.read(point)
    if y then line[#line + 1] = ("(%s,%s)"):format(number(place[tostring(point.value)]), number(y)) end
  end
  if #line > 1 and #curves == 0 then
    body[#body + 1] = ("  \\addplot[%s, thin, forget plot] coordinates { %s };"):format(colour, table.concat(line, " "))
  end
  local name = group_name(results, group, options.name)
  local style = ("%s, mark=%%s, mark options={solid, fill=%%s}, %s"):format(colour, bars)
  add_points(body, style:format(pick(MARKS, i), colour), coordinates(inside, place, options.read), name)
  add_points(body, style:format(pick(HOLLOW, i), "white"), coordinates(outside, place, options.read),
    #inside == 0 and name or nil)
  for _, curve in ipairs(curves) do
    add_curve(body, ("%s, %s, no marks"):format(colour, curve.style), curve.points, curve.legend)
  end
end

--- Lines before a picture: its colours, and how many columns of its legend there is room for.
-- @treturn {string,…}
function plot.prologue()
  local lines = colours()
  lines[#lines + 1] = "\\def\\moonbootcolumns{2}\\ifdim\\linewidth<300pt\\def\\moonbootcolumns{1}\\fi"
  return lines
end

--- Options of an axis that put the legend below it.
-- @number below  the room that labels need, in em
-- @treturn string
function plot.legend(below)
  return ("  legend style={at={(0.5,0)}, yshift=-%.1fem, anchor=north, draw=none, font=\\footnotesize, "
    .. "/tikz/every even column/.append style={column sep=1em}},\n"
    .. "  legend columns=\\moonbootcolumns, legend cell align=left,"):format(below)
end

--- Draws the groups of the series.
-- @tparam table results with at least one point
-- @tparam table options `read` (point -> value, low, high), `name` of the values, `ylabel`, `curves` (group -> list of
--   `points`, `style`, `legend` in TeX), `lines` (further lines of the axis), `top` (what the vertical axis holds at
--   least), `note` in the legend
-- @treturn {string,…} lines
function plot.draw(results, options)
  local place, xs, labels, xmin, xmax = places(results)
  local body = plot.prologue()
  table.move({
    "\\begin{tikzpicture}",
    "\\begin{axis}[",
    "  width=0.97\\linewidth, height=0.6\\linewidth,",
    ("  xlabel={%s}, ylabel={%s},"):format(tex.escape(results.scaling.axis == "cpus" and "vCPUs"
      or wording.axis(results.scaling.axis)), options.ylabel),
    ("  xtick={%s}, xticklabels={%s},"):format(table.concat(xs, ","), table.concat(labels, ",")),
    ("  xmin=%s, xmax=%s, ymin=0, ymax=%s,"):format(xmin, xmax,
      number(1.08 * math.max(top_of(results, options.read), options.top or 0))),
    "  axis lines=left, ymajorgrids, grid style={black!12}, tick align=outside,",
    "  error bars/error bar style={semithick},",
    plot.legend(3.6),
    "]",
  }, 1, 10, #body + 1, body)
  for i, group in ipairs(results.scaling.groups) do draw_group(body, results, group, i, options, place) end
  local why = hollow(results)
  if why then
    body[#body + 1] = ("  \\addlegendimage{only marks, mark=o}\\addlegendentry{%s}"):format(tex.escape(why))
  end
  for _, line in ipairs(options.lines or {}) do body[#body + 1] = line end
  body[#body + 1] = ("  \\addlegendimage{empty legend}\\addlegendentry{%s}"):format(tex.escape(options.note))
  body[#body + 1] = "\\end{axis}"
  body[#body + 1] = "\\end{tikzpicture}"
  return body
end

--- What stands where there is nothing to plot.
-- @string sentence plain text
-- @treturn {string,…} lines
function plot.nothing(sentence)
  return { ("\\emph{Nothing to plot: %s.}"):format(tex.escape(sentence)) }
end

return plot

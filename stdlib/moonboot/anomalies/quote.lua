--- The log lines that an anomaly is about, with their times.
-- @module moonboot.anomalies.quote
local bootlog = require "moonboot.bootlog"
local novelty = require "moonboot.anomalies.novelty"

local quote = {}

local TAIL = 4
local MOST = 8
local LINE_BYTES = 300

-- The two lines with the longest silence between them.
local function longest_silence(lines, first, last)
  local longest, at = -1, nil
  for i = first, last - 1 do
    local a, b = lines[i].last_ms, lines[i + 1].t_ms
    if a and b and b - a > longest then longest, at = b - a, i end
  end
  return at
end

-- Each way to focus adds the places of lines to show.
local FOCUS = {
  tail = function(add, _, lines)
    for i = math.max(1, #lines - TAIL + 1), #lines do add(i) end
  end,
  places = function(add, _, _, places)
    for _, i in ipairs(places) do add(i) end
  end,
  markers = function(add, sample, lines, names, focus)
    for _, name in ipairs(names) do
      local at = sample.markers[name] and bootlog.at(lines, sample.markers[name])
      for i = at or 1, at and at + (focus.after or 0) or 0 do add(i) end
    end
  end,
  like = function(add, sample, lines, name)
    local at = sample.markers[name] and bootlog.at(lines, sample.markers[name])
    local form = at and novelty.normal_form(lines[at].text)
    for i = 1, form and #lines or 0 do
      if novelty.normal_form(lines[i].text) == form then add(i) end
    end
  end,
  phase = function(add, sample, lines, phase)
    local first = phase.from and sample.markers[phase.from] and bootlog.at(lines, sample.markers[phase.from])
    local last = sample.markers[phase.to] and bootlog.at(lines, sample.markers[phase.to])
    add(first)
    add(last)
    local silence = last and longest_silence(lines, first or 1, last)
    add(silence)
    add(silence and silence + 1)
  end,
}

local function render(line, several)
  local when = line.t_ms and ("%10.3f ms"):format(line.t_ms) or (" "):rep(9) .. "- ms"
  local shown = #line.text > LINE_BYTES and line.text:sub(1, LINE_BYTES) .. "..." or line.text
  return ("%s  %s%s"):format(when, several and line.channel .. "  " or "", shown)
end

--- Quotes a boot's log.
-- @tparam table sample of the results
-- @tparam {table,…} lines from `bootlog.read`
-- @tparam table focus one of `tail` (true: its last lines), `places` (of lines), `markers` (names; `after`, so many
--   lines more), `like` (a marker: all lines like its own), `phase` (`from`, `to`: its ends and its longest silence)
-- @treturn {string,…} not escaped; "..." where lines are left out
function quote.lines(sample, lines, focus)
  local chosen, places = {}, {}
  local function add(i)
    if i and lines[i] and not chosen[i] then
      chosen[i] = true
      places[#places + 1] = i
    end
  end
  for kind, value in pairs(focus) do
    if FOCUS[kind] then FOCUS[kind](add, sample, lines, value, focus) end
  end
  table.sort(places)
  local several = #bootlog.paths(sample, "") > 1
  local shown, previous = {}, nil
  for n, i in ipairs(places) do
    if n > MOST then break end
    if previous and i > previous + 1 then shown[#shown + 1] = "..." end
    shown[#shown + 1] = render(lines[i], several)
    previous = i
  end
  if #places > MOST then shown[#shown + 1] = ("... and %d more lines"):format(#places - MOST) end
  return shown
end

return quote

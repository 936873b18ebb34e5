--- The report as a page for a browser: one file, no network, with plots, a timeline of every boot, and its log.
-- Plots are drawn by Chart.js of Debian's libjs-chart.js, which becomes part of the page; without it the tables stay.
-- @module moonboot.layout.html
local chartjs = require "moonboot.layout.html.chartjs"
local drawn = require "moonboot.layout.html.drawn"
local facts = require "moonboot.layout.html.facts"
local files = require "moonboot.files"
local json = require "moonboot.json"
local plotdata = require "moonboot.layout.html.plotdata"
local template = require "moonboot.layout.html.template"
local view = require "moonboot.layout.html.view"
local wording = require "moonboot.wording"

local FOLDER = debug.getinfo(1, "S").source:match("^@(.*)%.lua$")

local SCRIPTS = { "common.js", "boottime.js", "scaling.js", "phases.js", "log.js", "timeline.js", "main.js" }

-- JSON in a script element: nothing in it may end the element or begin a comment. Numbers keep all their digits, so
-- that they are rounded once only, as in the tables.
local function embedded(value)
  return (json.encode(value):gsub("[<>&]", function(character)
    return ("\\u%04x"):format(character:byte())
  end))
end

-- Phases as a page may write them.
local function arrow(words)
  return (tostring(words):gsub(" %-> ", " → "))
end

local function read(names)
  local parts = {}
  for i, name in ipairs(names) do
    local content, message = files.read(FOLDER .. "/" .. name)
    if not content then return nil, message end
    parts[i] = content
  end
  return table.concat(parts, "\n")
end

--- Writes results as a page.
-- @tparam table results of `moonboot.analysis`
-- @tparam[opt] table options `directory` of the run, for the logs
-- @treturn ?string nil when a part of the layout cannot be read
-- @treturn ?string why
return function(results, options)
  local render, message = template.load(FOLDER .. "/page.html")
  local style, script
  if render then style, message = read { "page.css" } end
  if style then script, message = read(SCRIPTS) end
  if not script then return nil, message end
  local chosen, all_drawn = {}, true
  for i, key in ipairs(results.order) do
    chosen[i] = drawn.choose(results[key], results)
    all_drawn = all_drawn and #chosen[i] == #results[key].samples
  end
  local directory = options and options.directory or results.directory
  return render {
    results = results, facts = facts, view = view, wording = wording, arrow = arrow, style = style, script = script,
    chart = chartjs.source(), chart_package = chartjs.PACKAGE, dots = plotdata.DOTS,
    drawn = chosen, all_drawn = all_drawn, data = embedded(plotdata.of(results, chosen, directory)),
  }
end

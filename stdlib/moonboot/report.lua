--- Reports: a run directory read, analysed, and laid out.
-- @module moonboot.report
local analysis = require "moonboot.analysis"
local anomalies = require "moonboot.anomalies"
local files = require "moonboot.files"
local journal = require "moonboot.journal"
local loader = require "moonboot.loader"
local resultsfile = require "moonboot.resultsfile"
local silence = require "moonboot.silence"
local text = require "moonboot.text"
local timestamp = require "moonboot.timestamp"

local report = {}

-- What a run directory calls the files of each format, and the parts that become files of their own.
local FORMATS = {
  text = { "report", "txt" },
  json = { "results", "json" },
  csv = { "results", "csv" },
  markdown = { "report", "md" },
  latex = { "report", "tex", parts = { "table", "figure-time", "figure-efficiency", "figure-phases" } },
  html = { "report", "html" },
  cast = { "boot", "cast" },
  prose = { "prose", "txt" },
}

--- The names of the formats that need no script, sorted.
-- @treturn {string,…}
function report.formats()
  local names = {}
  for name in pairs(FORMATS) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local function one_line(message)
  return (tostring(message):gsub("\n.*", ""))
end

--- Finds a layout.
-- @string name one of `report.formats()`, the path of a script, or the name of a ready-made one in scripts/layouts
-- @treturn function `layout(results, options) -> string`, or nil and a message
-- @treturn ?string the script's path, where it is one
function report.layout(name)
  if FORMATS[name] then return require("moonboot.layout." .. name) end
  local path, message = loader.find("layouts", name)
  if not path then return nil, message end
  local ok, layout = pcall(loader.run, path)
  if not ok then return nil, one_line(loader.explain(layout, path)) end
  if type(layout) ~= "function" then
    return nil, ("%s: a layout script returns a function(results, options), this one a %s"):format(path, type(layout))
  end
  return layout, path
end

--- Lays results out.
-- @tparam table results
-- @param format a layout's name, with `:part` behind it for a part (`latex:table`), or a layout itself: a function
-- @tparam[opt] table options handed to the layout
-- @treturn string, or nil and a message; an error in a layout script is such a message, with file and line
function report.render(results, format, options)
  local name, part = format, nil
  local layout, path = format, nil
  if type(format) == "string" then
    local known, piece = format:match "^(%w+):(.*)$"
    if FORMATS[known] then name, part = known, piece end
    layout, path = report.layout(name)
    if not layout then return nil, path end
    if part and not FORMATS[name].parts then
      return nil, ("layout %s has no parts, such as '%s'"):format(name, part)
    end
  else
    name = "of the experiment"
  end
  local all = { part = part }
  for k, v in pairs(options or {}) do all[k] = v end
  local ok, page, why = xpcall(layout, function(err) return loader.explain(err, path) end, results, all)
  if not ok then return nil, ("layout %s: %s"):format(name, one_line(page)) end
  if type(page) ~= "string" then
    return nil, ("layout %s: %s"):format(name, why and one_line(why) or "it returned no text")
  end
  return page
end

--- Adds what only the run directory knows: where it is, what the logs of silent guests say, and in which boots the
-- logs, or anything else, are not like the others.
-- @tparam table results changed
-- @string directory
-- @treturn table results
function report.enrich(results, directory)
  results.directory = directory
  for _, key in ipairs(results.order) do silence.note(results[key], directory) end
  if not results.anomalies then
    local unseen
    results.anomalies, unseen = anomalies.find(results, directory)
    table.move(unseen, 1, #unseen, #results.caveats + 1, results.caveats)
  end
  return results
end

--- Reads a run directory and analyses it. A run that is not finished gives what there is so far.
-- @string directory or a results file (`…-results-….json`) that moonboot wrote
-- @treturn table results, or nil and a message
function report.load(directory)
  if directory:find("%.json$") then return resultsfile.load(directory) end
  directory = directory:gsub("(.)/+$", "%1")
  local path = directory .. "/" .. journal.NAME
  local reader = journal.reader(path, { quick = true })
  if not reader then
    return nil, ("%s is no run directory: it has no readable %s"):format(text.escape(directory), journal.NAME)
  end
  local _ <close> = reader
  local results, message = analysis.results(reader)
  if not results then
    -- The reader's messages begin with the file at fault.
    return nil, message:sub(1, #path) == path and message or ("%s: %s"):format(text.escape(directory), message)
  end
  return report.enrich(results, directory)
end

local function file_name(results, what, extension)
  -- The name came from a script and becomes a file's: it must not lead out of the directory.
  local name = (results.experiment.name or "run"):gsub("[^%w_.-]", "_"):gsub("^%.+", "_")
  return ("%s-%s-%s.%s"):format(name, what, timestamp.iso(), extension)
end

-- The files a format consists of: name of the file -> format with its part.
local function pieces(results, format)
  local known = FORMATS[format]
  if not known then return { { file_name(results, "report", "txt"), format } } end
  if not known.parts then return { { file_name(results, known[1], known[2]), format } } end
  local list = {}
  for i, part in ipairs(known.parts) do
    list[i] = { file_name(results, part, known[2]), format .. ":" .. part }
  end
  return list
end

--- Writes reports into a run directory.
-- @tparam table results
-- @string directory
-- @tparam table formats a list of names of layouts, or of layouts themselves
-- @treturn {string,…} paths of what was written, or nil and a message (what could be written is there)
-- @treturn ?string what went wrong with some of the formats
function report.write(results, directory, formats)
  report.enrich(results, directory)
  local written, trouble = {}, nil
  for _, format in ipairs(formats) do
    for _, piece in ipairs(pieces(results, format)) do
      local path = directory .. "/" .. piece[1]
      local page, message = report.render(results, piece[2], { directory = directory })
      local done = page
      if page then done, message = files.write(path, page) end
      if done then written[#written + 1] = path else trouble = trouble or message end
    end
  end
  if trouble and #written == 0 then return nil, trouble end
  return written, trouble
end

return report

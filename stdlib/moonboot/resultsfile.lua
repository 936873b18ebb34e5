--- Reads results files.
-- They are what the layout `json` writes, and layout/results.schema.json describes them. A file states the version of
-- its schema. This version of moonboot reads version 1; a version that it does not know is refused, never guessed at.
-- Files of earlier tools state none; `moonboot.predecessor` knows these.
-- @module moonboot.resultsfile
local analysis = require "moonboot.analysis"
local files = require "moonboot.files"
local json = require "moonboot.json"

local resultsfile = {}

-- Unknown is null in a file and nil in a table.
local function without_nulls(t)
  for k, v in pairs(t) do
    if v == json.null then t[k] = nil elseif type(v) == "table" then without_nulls(v) end
  end
end

-- An empty list and an empty object are the same once they are tables: these are the lists.
local LISTS = {
  results = { "order", "caveats", "inconsistent", "hypotheses", "acceptance", "anomalies" },
  configuration = { "samples", "warmup_samples", "markers", "phases", "named_phases", "baselines" },
  group = { "points", "phases", "notes" },
}

local NEEDED = {
  results = { "experiment", "host", "scaling", "order", "caveats" },
  configuration = { "settings", "statistics", "not_ok", "samples", "markers", "phases" },
}

local function mark_lists(t, names)
  for _, name in ipairs(names) do
    if type(t[name]) == "table" then json.array(t[name]) end
  end
end

-- What every layout relies on. -> nil and the place of what is missing
local function whole(results)
  local function has(t, names, where)
    for _, name in ipairs(names) do
      if type(t[name]) ~= "table" then return nil, ("it has no '%s%s'"):format(where, name) end
    end
    return true
  end
  local ok, message = has(results, NEEDED.results, "")
  if not ok then return nil, message end
  ok, message = has(results.experiment, { "measure" }, "experiment.")
  if not ok then return nil, message end
  ok, message = has(results.scaling, { "groups" }, "scaling.")
  for _, key in ipairs(results.order) do
    ok, message = ok and has(results, { key }, ""), message
    if ok then
      ok, message = has(results[key], NEEDED.configuration, key .. ".")
    end
    if not ok then return nil, message end
  end
  return ok, message
end

-- The version that later ones build on needs nothing but what JSON cannot say.
local function version_1(results)
  without_nulls(results)
  local ok, message = whole(results)
  if not ok then return nil, message end
  mark_lists(results, LISTS.results)
  for _, key in ipairs(results.order) do mark_lists(results[key], LISTS.configuration) end
  mark_lists(results.scaling, { "groups" })
  for _, group in ipairs(results.scaling.groups) do
    mark_lists(group, LISTS.group)
    for _, phase in ipairs(group.phases or {}) do mark_lists(phase, { "points" }) end
  end
  return results
end

-- How to read each version of the schema as the present one.
local READERS = { [analysis.SCHEMA] = version_1 }

--- Reads a results file.
-- @string path
-- @treturn ?table results as `moonboot.analysis` makes them, with `directory`; nil when it is none, or of an unknown
--   version
-- @treturn ?string message, which begins with the path
function resultsfile.load(path)
  local content, message = files.read(path)
  if not content then return nil, ("cannot read results: %s"):format(message) end
  local results
  results, message = json.decode(content)
  if type(results) ~= "table" then return nil, ("%s is no JSON: %s"):format(path, message or "no object") end
  local earlier = results.schema == nil and require("moonboot.predecessor").read(results, path)
  if earlier then return earlier end
  local read = READERS[results.schema]
  if not read then
    return nil, ("%s: its schema is %s, this version of moonboot reads %s"):format(path,
      results.schema == nil and "not stated" or tostring(results.schema), analysis.SCHEMA)
  end
  results, message = read(results)
  if not results then return nil, ("%s is not whole: %s"):format(path, message) end
  results.directory = path:match("^(.*)/[^/]*$") or "."
  return results
end

return resultsfile

--- Finds and runs scripts: experiments, installers, grammars and layouts, by path or by ready-made name.
-- @module moonboot.loader
local check = require "moonboot.check"
local installation = require "moonboot.installation"
local text = require "moonboot.text"

local loader = {}

--- What scripts there are, in the order of `moonboot list`.
loader.KINDS = { "experiments", "installers", "grammars", "layouts" }

-- Folders that may hold scripts of a kind: one for each entry of package.path, and the ready-made ones, which are not
-- on the path of a stock Lua.
local function folders(kind)
  local out, seen = {}, {}
  local function add(folder)
    if not seen[folder] then out[#out + 1], seen[folder] = folder, true end
  end
  for template in (package.path .. ";" .. installation.scripts .. "/?.lua"):gmatch("[^;]+") do
    local root = template:match("^(.*)%?%.lua$")
    if root then
      add(root .. kind)
      if kind == "layouts" then add(root .. "moonboot/layout") end
    end
  end
  return out
end

local function readable(path)
  local file, message = io.open(path, "rb")
  if not file then return nil, message end
  local _, trouble = file:read(1)
  file:close()
  if trouble then return nil, ("%s: %s"):format(path, trouble) end
  return true
end

-- The first line of a script's documentation.
local function summary(path)
  local file = io.open(path, "r")
  if not file then return nil end
  local found
  for _ = 1, 20 do
    local line = file:read("l")
    if not line then break end
    found = line:match("^%-%-%-%s*(%S.*)$")
    if found then break end
  end
  file:close()
  return found and text.escape(found)
end

--- The ready-made scripts of a kind.
-- @string kind  one of `loader.KINDS`
-- @treturn {table,…} sorted by name, each `{ name =, path =, summary = string or nil }`
function loader.list(kind)
  local out, seen = {}, {}
  for _, folder in ipairs(folders(kind)) do
    for entry in require("moonboot.files").entries(folder) do
      local name = entry:match("^([%w_-]+)%.lua$")
      if name and not seen[name] then
        seen[name] = true
        local path = folder .. "/" .. entry
        out[#out + 1] = { name = name, path = path, summary = summary(path) }
      end
    end
  end
  table.sort(out, function(a, b) return a.name < b.name end)
  return out
end

--- Finds a script.
-- @string kind  one of `loader.KINDS`
-- @string name  a path, or the name of a ready-made one
-- @treturn ?string path; nil when there is none, or it cannot be read
-- @treturn ?string message, which names the nearest
function loader.find(kind, name)
  local ok, message = readable(name)
  if ok then return name end
  if name:find("/", 1, true) or name:find("%.lua$") then
    return nil, text.escape(("cannot read %s: %s"):format(kind:sub(1, -2), message))
  end
  if name:find("^[%w_-]+$") then
    for _, folder in ipairs(folders(kind)) do
      local path = ("%s/%s.lua"):format(folder, name)
      if readable(path) then return path end
    end
  end
  local names = {}
  for i, entry in ipairs(loader.list(kind)) do names[i] = entry.name end
  return nil, ("no %s '%s'%s; 'moonboot list' shows the ready-made ones"):format(kind:sub(1, -2), text.escape(name),
    text.suggest(name, names))
end

--- Turns an error of a script into a message that begins with a position, where Lua knows one.
-- @param err  what was raised
-- @string[opt] path  of the script
-- @treturn string
function loader.explain(err, path)
  local message = type(err) == "table" and not (getmetatable(err) or {}).__tostring
    and ("error object is a %s"):format(type(err)) or tostring(err)
  -- require tells where it looked, one line a place: of these only the first matters. A broken module's own error,
  -- with its own position, comes second.
  local broken = message:match("error loading module '[^']*' from file '[^\n]*':\n%s*([^\n]+)")
  if broken then
    message = broken
  else
    message = message:gsub("(module '[^']*' not found):\n[^\n]*no field package%.preload.*", "%1", 1)
  end
  -- Lua shortens a long chunk name to "...its/end.lua".
  local ending = path and message:match("^%.%.%.([^:\n]+):%d+:")
  if ending and path:sub(-#ending) == ending then message = path .. message:sub(4 + #ending) end
  if path and not message:find("^[^\n]-:%d+: ") and not message:find(path, 1, true) then
    message = ("%s: %s"):format(path, message)
  end
  return message
end

local function extend_path(path)
  local template = (path:match("^(.*)/[^/]*$") or ".") .. "/?.lua"
  -- Last, so that no file beside a script stands in for a library.
  if not (";" .. package.path .. ";"):find(";" .. template .. ";", 1, true) then
    package.path = package.path .. ";" .. template
  end
end

--- Runs a script as Lua does, with the modules of its own folder at hand. Its errors pass through.
-- @string path
-- @param ...  its arguments
-- @return what it returns
function loader.run(path, ...)
  local ok, message = readable(path)
  if not ok then error(("cannot read script: %s"):format(message), 0) end
  local chunk
  chunk, message = loadfile(path, "t")
  if not chunk then error(loader.explain(message, path), 0) end
  extend_path(path)
  return check.loading(path, chunk, ...)
end

-- For xpcall: an error of the script at `path`, in one line unless more was asked for.
local function traced(path)
  return function(err)
    local message = require("moonboot.names").explain(loader.explain(err, path), 2)
    return os.getenv "MOONBOOT_TRACE" and debug.traceback(message, 2) or message
  end
end

-- Runs a script that has to return something. -> its result, path | nil, message
local function load_script(kind, name)
  local path, message = loader.find(kind, name)
  if not path then return nil, message end
  local ok, result = xpcall(loader.run, traced(path), path)
  if not ok then return nil, result end
  if result == nil then result = false end
  return result, path
end

local function absolute(path)
  local ok, uv = pcall(require, "luv")
  return ok and uv.fs_realpath(path) or path
end

local function described(result, kind)
  return result == false and "nothing" or type(result) == "table" and "a table that is no " .. kind
    or "a " .. type(result)
end

--- Loads an experiment.
-- @string name  a path, or the name of a ready-made one
-- @treturn ?Experiment with `path` (as found) and `source` (absolute); nil when there is none or it is wrong
-- @treturn ?string one line
function loader.experiment(name)
  local result, path = load_script("experiments", name)
  if result == nil then return nil, path end
  local experiment = require "moonboot.experiment"
  if not experiment.is(result) then
    return nil, ("%s returns %s: an experiment script ends with 'return mb.experiment { … }'"):format(path,
      described(result, "experiment"))
  end
  result.path, result.source = path, absolute(path)
  return result
end

--- Loads what can be installed: an experiment, else an installer script, as an experiment that only installs.
-- @string name  a path, or the name of a ready-made one
-- @treturn ?Experiment as of `loader.experiment`; nil when there is none or it is wrong
-- @treturn ?string one line
function loader.installation(name)
  local kind = (loader.find("experiments", name) or not loader.find("installers", name)) and "experiments"
    or "installers"
  local result, path = load_script(kind, name)
  if result == nil then return nil, path end
  local experiment = require "moonboot.experiment"
  if not experiment.is(result) then
    local installs = type(result) == "function" or type(result) == "table" and type(result.run) == "function"
    if not installs then
      return nil, ("%s returns %s: what is to be installed is an experiment, or an installer, which ends with "
        .. "'return { options = { … }, run = function(vm, options) … end }'"):format(path,
        described(result, "installer"))
    end
    local wrong
    result, wrong = require("moonboot.install").alone(result, path:match("([^/]*)%.lua$") or "installation")
    if not result then return nil, ("%s: %s"):format(path, wrong) end
  end
  result.path, result.source = path, absolute(path)
  return result
end

--- Loads a grammar.
-- @string name  a path, or the name of a ready-made one; the script may also be an experiment with a grammar in it
-- @treturn ?table the grammar; nil when there is none or it is wrong
-- @treturn ?string one line; with a grammar, its path
function loader.grammar(name)
  local result, path = load_script("grammars", name)
  if result == nil then return nil, path end
  local experiment = package.loaded["moonboot.experiment"]
  if experiment and experiment.is(result) then return result.grammar, path end
  if type(result) ~= "table" or type(result.rules) ~= "table" then
    return nil, ("%s returns %s: a grammar script ends with 'return mb.grammar { … }'"):format(path,
      described(result, "grammar"))
  end
  return result, path
end

return loader

--- The prompt's own commands: `:help`, `:doc NAME`, `:trace`, `:quit`.
-- @module moonboot.repl.commands
local docs = require "moonboot.docs"
local names = require "moonboot.names"
local text = require "moonboot.text"

local commands = {}

local GUIDE = [[
Type Lua; what an expression gives is shown (`_` is the last one). A line that is not finished goes on in the next.
TAB completes and shows arguments. Ctrl-C interrupts what runs, Ctrl-D leaves and stops all guests.
]]

local METHODS = "A guest has vm:expect, sendline, send, tail, attach, markers, wait, close; vm.screen, vm.keyboard."

local function help(session)
  local page = { GUIDE }
  for _, name in ipairs(names.of(session.helpers)) do
    local fn = session.helpers[name]
    local found = type(fn) == "function" and docs.of(fn, name)
    if found then page[#page + 1] = ("  %-30s %s"):format(docs.signature(fn, name), docs.summary(found)) end
  end
  page[#page + 1] = ("  %-30s %s"):format("mb", "The library: mb.stats is require \"moonboot.stats\".")
  page[#page + 1] = "\n" .. METHODS .. "\n"
  for _, entry in ipairs(commands.list) do
    page[#page + 1] = ("  %-30s %s"):format(":" .. entry.name .. (entry.argument and " " .. entry.argument or ""),
      entry.summary)
  end
  return table.concat(page, "\n")
end

local function module_of(value)
  for name, loaded in pairs(package.loaded) do
    if loaded == value and type(name) == "string" and name:find("^moonboot") then return name end
  end
  return nil
end

local function unknown(session, path)
  local owner, word = path:match("^(.*)[.:]([^.:]*)$")
  local holder = owner and session.completer:resolve(owner)
  if owner and holder == nil then return unknown(session, owner) end
  local known = names.of(owner and holder or session.environment)
  return ("there is no '%s'%s"):format(path, text.suggest(word or path, known))
end

local function doc(session, argument)
  local path = argument:match("^([%a_][%w_.:]*)%s*%(?%)?$")
  if not path then return nil, "name what to look up, as in :doc vm:expect or :doc mb.stats" end
  local value = session.completer:resolve(path)
  if value == nil then return nil, unknown(session, path) end
  local page
  if type(value) == "function" then
    page = docs.page(value, path)
  else
    local module = module_of(value) or type(value) == "table" and rawget(debug.getmetatable(value) or {}, "__name")
    page = type(module) == "string" and docs.module_page(module)
  end
  if page then return page end
  if type(value) == "function" and debug.getinfo(value, "S").what == "C" then
    return nil, ("%s is a function in C without documentation here; Lua's own are in its reference manual"):format(path)
  end
  return nil, ("%s is a %s without documentation"):format(path, type(value))
end

local function trace(session)
  return session.traceback or "nothing has failed yet"
end

local function quit(session)
  session.leaving = true
end

--- The commands in the order of the help: `name`, `argument` (or nil), `summary`, `run(session, argument)`, which
-- returns what to show, or nil and what is wrong.
commands.list = {
  { name = "help", summary = "This page.", run = help },
  { name = "doc", argument = "NAME", summary = "The documentation of a function or module.", run = doc },
  { name = "trace", summary = "All of the last error, with its stack traceback.", run = trace },
  { name = "quit", summary = "Leaves, as Ctrl-D does.", run = quit },
}

--- The names of the commands.
-- @treturn {string,…}
function commands.names()
  local list = {}
  for i, entry in ipairs(commands.list) do list[i] = entry.name end
  return list
end

--- Carries out a command.
-- @tparam table session
-- @string line  with its colon
-- @treturn ?string what to show
-- @treturn ?string what is wrong
function commands.run(session, line)
  local name, argument = line:match("^:%s*(%a*)%s*(.-)%s*$")
  for _, entry in ipairs(commands.list) do
    if entry.name == name then return entry.run(session, argument) end
  end
  return nil, ("there is no ':%s'%s; :help lists what there is"):format(name or line:sub(2),
    text.suggest(name or "", commands.names()))
end

return commands

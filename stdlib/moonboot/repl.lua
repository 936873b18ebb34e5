--- The interactive session of `moonboot repl`: reads Lua, runs it, shows what it gives.
-- While a line is typed the loop goes on, so guests boot and are read; a statement that waits drives it itself.
-- @module moonboot.repl
local commands = require "moonboot.repl.commands"
local complete = require "moonboot.repl.complete"
local globals = require "moonboot.repl.globals"
local inspect = require "moonboot.repl.inspect"
local loader = require "moonboot.loader"
local names = require "moonboot.names"
local signals = require "moonboot.signals"
local task = require "moonboot.task"
local terminal = require "moonboot.repl.terminal"
local text = require "moonboot.text"

local repl = {}

local DONE, BAD = 0, 2
local INTERRUPTED = "interrupted"
local CHUNK = "=stdin"

local Session = {}
Session.__index = Session

-- Variables live in _G, like everybody's; what is at hand is found behind them. A name that is neither is an error.
local function new_environment(session)
  local helpers, declared = session.helpers, {}
  return setmetatable({}, {
    __index = function(_, name)
      local value = rawget(_G, name)
      if value == nil or name == "print" then value = helpers[name] or value end
      if value ~= nil or declared[name] or name == "_" then return value end
      error(("there is no variable '%s'%s"):format(text.escape(tostring(name)),
        text.suggest(tostring(name), names.of(session.environment))), 2)
    end,
    __newindex = function(_, name, value)
      declared[name] = true
      rawset(_G, name, value)
    end,
    __keys = function()
      local keys = names.of(_G)
      for name in pairs(helpers) do keys[#keys + 1] = name end
      return keys
    end,
  })
end

local function new_session()
  local session = setmetatable({ guests = {}, boots = 0, failures = 0, line = 0 }, Session)
  session.width = terminal.width
  session.say = function(line) session.terminal:say(line) end
  session.helpers = globals.new(session)
  session.environment = new_environment(session)
  session.completer = complete.new(session.environment, commands.names())
  return session
end

-- `local` at the start of a line would end with the line: at the prompt it makes a variable of the session.
local function without_local(source)
  if source:find("^%s*local%s+function%s") then return (source:gsub("^%s*local%s+", "", 1)) end
  local list = source:match("^%s*local%s+([%a_][%w_,%s]*)=%f[^=]")
  if list and not (list .. ","):find("[%w_]%s+[%w_]") then return (source:gsub("^%s*local%s+", "", 1)) end
  return source
end

-- -> function | nil, message, whether more lines may complete it
local function compile(session, source, first_line)
  -- Error messages count lines as the input does.
  local padding = ("\n"):rep(first_line - 1)
  source = without_local(source):gsub("^(%s*)=", "%1return ", 1)
  local fn = load(padding .. "return " .. source, CHUNK, "t", session.environment)
  if fn then return fn end
  local message
  fn, message = load(padding .. source, CHUNK, "t", session.environment)
  if fn then return fn end
  return nil, message, message:find("<eof>'?$") ~= nil
end

-- Reads a whole chunk. -> source, number of its first line; nil at the end of the input
local function read_chunk(session)
  local line = session.terminal:read("> ")
  if not line then return nil end
  session.line = session.line + 1
  local source, first = line, session.line
  if line:find("^%s*:") then return source, first end
  while select(3, compile(session, source, first)) do
    line = session.terminal:read(">> ")
    if not line then break end
    session.line = session.line + 1
    source = source .. "\n" .. line
  end
  return source, first
end

-- At a terminal the line is in sight, and its number says nothing.
function Session:complain(message)
  self.failures = self.failures + 1
  if self.terminal.interactive then message = message:gsub("^stdin:%d+: ", "", 1) end
  local first, rest = message:match("^([^\n]*)\n?(.*)$")
  io.stdout:flush()
  if message == INTERRUPTED and self.terminal.interactive then io.stderr:write("\n") end -- the terminal shows ^C
  io.stderr:write(text.escape(first), rest ~= "" and " (:trace shows more)" or "", "\n")
  io.stderr:flush()
end

function Session:show(results)
  if results.n == 0 then return end
  -- A failure by Lua's convention: its message is for reading.
  if results[1] == nil and type(results[2]) == "string" then
    self.say("nil, " .. results[2])
    return
  end
  local shown = {}
  for i = 1, results.n do shown[i] = inspect(results[i]) end
  self.say(table.concat(shown, "  "))
end

-- Runs a function; signals interrupt it, also those that come at its very end.
local function attended(session, fn, handler)
  local results = table.pack(xpcall(fn, handler))
  local signal = session.watch:renew()
  if not signal then return results end
  task.interrupt_main(nil)
  if signal ~= "SIGINT" then session.leaving = true end
  return results[1] and { false, INTERRUPTED, n = 2 } or results
end

local function run_chunk(session, source, first)
  local fn, message = compile(session, source, first)
  if not fn then return session:complain(message) end
  local results = attended(session, fn, function(err)
    local said = loader.explain(err)
    if type(err) == "string" then
      said = names.explain(said, 2, ("\n"):rep(first - 1) .. source)
    end
    session.traceback = text.escape(debug.traceback(said, 2), "\n\t"):gsub("\n\t%[C%]: in function 'xpcall'.*$", "")
    return said
  end)
  if not results[1] then
    -- A boot that was interrupted half-way has left a guest that nobody can name.
    collectgarbage()
    return session:complain(results[2])
  end
  results = table.pack(table.unpack(results, 2, results.n))
  if results.n > 0 then rawset(_G, "_", results[1]) end
  session:show(results)
end

local function run_line(session, source, first)
  if source:find("^%s*:") then
    local page, message = commands.run(session, source:match("^%s*(.*)$"))
    if page then session.say(page) elseif message then session:complain(message) end
  else
    run_chunk(session, source, first)
  end
end

-- One turn. False at the end of the input.
local function turn(session)
  local source, first
  local results = attended(session, function()
    source, first = read_chunk(session)
  end, function(err) return err end)
  if not results[1] then
    if results[2] ~= INTERRUPTED then error(results[2], 0) end
    if session.terminal.interactive then
      io.stdout:write("^C\n")
    else
      session.leaving, session.interrupted = true, true
    end
    return true
  end
  if not source then return false end
  session.terminal:remember(source)
  if source:find("%S") then run_line(session, source, first) end
  return true
end

local function stop_guests(session)
  for guest in pairs(session.guests) do guest:close() end
end

local function run_file(session, path)
  local results = attended(session, function() return loader.run(path) end, function(err)
    local said = names.explain(loader.explain(err, path), 2)
    session.traceback = text.escape(debug.traceback(said, 2), "\n\t")
    return said
  end)
  if not results[1] then return session:complain(results[2]) end
  if results.n > 1 then rawset(_G, "_", results[2]) end
end

--- Holds a session on standard input and output, until the input ends or the user leaves. All guests are stopped then.
-- @tparam[opt] table options `file`: a script to run first
-- @treturn int exit status: 0, or, when nobody types, 2 if anything failed and 130 if it was interrupted
function repl.run(options)
  local session = new_session()
  session.terminal = terminal.open(session.completer)
  -- As long as the session lasts, so that no signal finds nobody watching.
  local watch <close> = signals.watch(function() task.interrupt_main(INTERRUPTED) end, { impatient = true })
  session.watch = watch
  local _ <close> = setmetatable({}, { __close = function()
    stop_guests(session)
    session.terminal:close()
    task.settle()
  end })
  if session.terminal.interactive then
    io.stdout:write(("moonboot %s, %s. :help tells what there is, Ctrl-D leaves.\n"):format(session.helpers.mb._VERSION,
      _VERSION))
  end
  if options and options.file then run_file(session, options.file) end
  while not session.leaving do
    if not turn(session) then
      if session.terminal.interactive then io.stdout:write("\n") end
      break
    end
  end
  if session.interrupted then return 130 end
  return not session.terminal.interactive and session.failures > 0 and BAD or DONE
end

return repl

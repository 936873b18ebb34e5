--- The command line: finds the command or script that is meant and runs it.
-- Loads nothing that `moonboot --version` does not need; `moonboot.commandline` reads a command's arguments.
-- @module moonboot.cli
local cli = {}

local DONE, BAD, INTERRUPTED = 0, 2, 130

-- In the order of the help; a command is a module moonboot.commands.<name>.
local COMMANDS = { "run", "install", "report", "compare", "mark", "doctor", "calibrate", "images", "repl", "list" }

--- Says what went wrong, on one line of standard error that no guest's byte can disturb.
-- @string message
-- @int[opt=2] status
-- @treturn int the status, to be returned by a command
function cli.fail(message, status)
  io.stderr:write("moonboot: ", require("moonboot.text").escape(tostring(message), "\n\t"), "\n")
  return status or BAD
end

local function whole(text, least, wanted)
  local number = text:find("^[+-]?%d+$") and math.tointeger(tonumber(text))
  if number and number >= least then return number end
  return nil, ("'%s' is not %s"):format(text, wanted)
end

--- For argparse's `convert`: a whole number.
-- @string text
-- @treturn ?int
-- @treturn ?string message
function cli.integer(text)
  return whole(text, math.mininteger, "a whole number")
end

--- For argparse's `convert`: a whole number, not negative.
-- @string text
-- @treturn ?int
-- @treturn ?string message
function cli.natural(text)
  return whole(text, 0, "a whole number from 0 on")
end

--- For argparse's `convert`: a whole number above 0.
-- @string text
-- @treturn ?int
-- @treturn ?string message
function cli.positive_integer(text)
  return whole(text, 1, "a whole number from 1 on")
end

--- For argparse's `convert`: a duration in seconds, above 0.
-- @string text
-- @treturn ?number
-- @treturn ?string message
function cli.seconds(text)
  local number = text:find("^%d*%.?%d+s?$") and tonumber((text:gsub("s$", "")))
  if number and number > 0 then return number end
  return nil, ("'%s' is not a number of seconds"):format(text)
end

--- For argparse's `convert`: a share, as `2%` or `0.02`.
-- @string text
-- @treturn ?number
-- @treturn ?string message
function cli.share(text)
  local digits, sign = text:match("^(%d*%.?%d+)(%%?)$")
  local number = tonumber(digits)
  if number then return sign == "%" and number / 100 or number end
  return nil, ("'%s' is not a share such as 2%% or 0.02"):format(text)
end

--- For argparse's `convert`: a number of boots at once, or `auto`.
-- @string text
-- @treturn ?int|string
-- @treturn ?string message
function cli.jobs(text)
  if text == "auto" then return text end
  return whole(text, 1, "a whole number from 1 on, or 'auto'")
end

--- Makes a command take an experiment: its file, its own options behind it, and `--set`. When the command runs,
-- `args` holds `experiment` (resolved; the command's `--samples`, `--seed` and the like applied) and `definition` (as
-- loaded).
-- @param cmd  an argparse command
-- @tparam[opt] table how  `optional = true`: the file may be left out; `kinds`: what it may be (default: experiments)
function cli.experiment_options(cmd, how)
  require("moonboot.commandline").experiment_options(cmd, how)
end

local function exists(name)
  return name:find("^%l[%l%d_]*$") ~= nil and package.searchpath("moonboot.commands." .. name, package.path) ~= nil
end

local function available()
  local names = {}
  for _, name in ipairs(COMMANDS) do
    if exists(name) then names[#names + 1] = name end
  end
  return names
end

local function help()
  local lines = {
    "Usage: moonboot COMMAND [ARG…]",
    "       moonboot FILE.lua [ARG…]",
    "",
    "Profiles how operating systems boot: runs them in QEMU, stamps what they say on their serial",
    "lines, and reports where the time goes.",
    "",
    "Commands:",
  }
  for _, name in ipairs(available()) do
    local summary = require("moonboot.commands." .. name).summary
    lines[#lines + 1] = ("   %-12s%s"):format(name, (summary:gsub("^%l", string.upper):gsub("%.$", "")))
  end
  lines[#lines + 1] = ""
  lines[#lines + 1] = "'moonboot help COMMAND' tells more about one. Options: --help, --version."
  return table.concat(lines, "\n") .. "\n"
end

-- Not luv, which takes as long to load as all the rest: `moonboot doctor` names the version of everything.
local function version()
  local lpeg_version = require("lpeg").version
  return ("moonboot %s (commit %s)\n%s, LPeg %s, lua-cjson %s\n"):format(require("moonboot")._VERSION,
    require("moonboot.engine").commit, _VERSION,
    type(lpeg_version) == "function" and lpeg_version() or lpeg_version, -- a string since LPeg 1.1
    require("cjson")._VERSION)
end

local function run_command(name, args)
  return require("moonboot.commandline").run(require("moonboot.commands." .. name), name, args)
end

local function unknown(name)
  local text = require "moonboot.text"
  local names = available()
  names[#names + 1] = "help"
  local what = name:sub(1, 1) == "-" and "option" or "command or script"
  if what == "option" then names = { "--help", "--version" } end
  return cli.fail(("no %s '%s'%s; see 'moonboot --help'"):format(what, name, text.suggest(name, names)))
end

local function run_script(file, args)
  local loader = require "moonboot.loader"
  _G.arg = args
  local result = loader.run(file, table.unpack(args))
  -- `#!/usr/bin/env moonboot` on an experiment: running it is what it is for.
  local experiment = package.loaded["moonboot.experiment"]
  if experiment and experiment.is(result) and not result.resolved then
    return run_command("run", table.move(args, 0, #args, 1, {}))
  end
  return DONE
end

local function dispatch(args)
  local first = args[1]
  if not first then
    io.stderr:write(help())
    return BAD
  end
  if first == "--version" or first == "-V" then
    io.stdout:write(version())
    return DONE
  end
  if first == "--help" or first == "-h" or first == "help" and not args[2] then
    io.stdout:write(help())
    return DONE
  end
  local rest = table.move(args, 2, #args, 1, {})
  if first == "help" then
    if not exists(args[2]) then return unknown(args[2]) end
    return run_command(args[2], table.move({ "--help" }, 1, 1, #rest, rest))
  end
  if exists(first) then return run_command(first, rest) end
  local file = io.open(first, "rb")
  if file then
    file:close()
  elseif not first:find("/", 1, true) and not first:find("%.lua$") then
    return unknown(first)
  end
  rest[0] = first
  return run_script(first, rest)
end

local function explain(err)
  if type(err) == "table" and err.status then return err end
  local message = require("moonboot.names").explain(require("moonboot.loader").explain(err), 2)
  return os.getenv "MOONBOOT_TRACE" and debug.traceback(message, 2) or message
end

-- luv crashes when a Lua state ends while it still has a handle, open or closing.
local function close_handles()
  local uv = package.loaded.luv
  if not uv then return end
  uv.walk(function(handle)
    if not handle:is_closing() then handle:close() end
  end)
  uv.run()
end

--- Runs what the arguments say.
-- @tparam table args  as the global `arg`: the program is [0]
-- @treturn int exit status: 0 done; 1 not all is well; 2 usage or a bad script; 3 the host cannot do it; 130
--   interrupted
function cli.main(args)
  local ok, result = xpcall(dispatch, explain, args)
  local status
  if ok then
    status = math.tointeger(result) or DONE
  elseif type(result) == "table" then
    status = cli.fail(result.message or "failed", result.status)
  else
    status = result:find("interrupted!?$") and INTERRUPTED or cli.fail(result)
  end
  close_handles()
  local flushed, message, code = io.stdout:flush()
  -- Whoever closed the pipe (EPIPE) knows; a full disk is news.
  if not flushed and code ~= 32 then
    return cli.fail("cannot write to standard output: " .. message, status == DONE and 3 or status)
  end
  return status
end

return cli

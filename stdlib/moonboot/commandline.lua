--- A command's arguments: read by argparse, with one way to fail, and with the options of the experiment that is named
-- among them.
-- A command is a table `{ name =, summary =, configure = function(cmd), run = function(args) -> exit status }`.
-- @module moonboot.commandline
local argparse = require "argparse"
local matrix = require "moonboot.matrix"
local options = require "moonboot.options"
local text = require "moonboot.text"

local commandline = {}

local HELP = {}

-- Parsers of commands that take an experiment = how.
local experiments = setmetatable({}, { __mode = "k" })

-- Options of a command that take the place of what the experiment says.
local OVERRIDES = { "samples", "until_ci", "warmup", "timeout", "seed", "jobs", "deterministic", "disk_size", "per",
  "install_timeout" }

-- Where the values of an experiment's own options are kept, apart from the command's.
local PREFIX = "experiment option "

local function fault(message)
  error({ usage = message }, 0)
end

--- Makes a command take an experiment; see `cli.experiment_options`.
-- @param cmd  an argparse command
-- @tparam[opt] table how  `optional = true`: the file may be left out; `kinds`: what it may be, see `loader.KINDS`
--   (default: experiments only)
function commandline.experiment_options(cmd, how)
  how = how or {}
  experiments[cmd] = how
  how.kinds = how.kinds or { "experiments" }
  local argument = cmd:argument("file", ("An %s: a path, or the name of a ready-made one. Its own options follow it.")
    :format(table.concat(how.kinds, " or an "):gsub("s%f[%A]", "")))
  if how.optional then argument:args("?") end
  cmd:option("--set", "Replace or add an axis of the matrix."):argname("AXIS=V,V"):count("*")
    :convert(function(value)
      local name, values = matrix.parse(value)
      if not name then return nil, values end
      return { name = name, values = values }
    end)
end

-- argparse keeps its elements in fields that it does not document; this is the one place that looks at them.
-- -> the options' names, and how many arguments each takes
local function known_options(parser)
  local names, takes = {}, {}
  for _, element in ipairs(parser._options) do
    for _, alias in ipairs(element._aliases) do
      if not element._hidden then names[#names + 1] = alias end
      takes[alias] = element._maxargs
    end
  end
  return names, takes
end

-- A value that cannot be converted is reported with the option it was given to.
local function name_converters(parser)
  for _, element in ipairs(parser._options) do
    local convert = element._convert
    if type(convert) == "function" then
      local alias = element._aliases[#element._aliases]
      element._convert = function(value)
        local result, message = convert(value)
        if result ~= nil then return result end
        return nil, ("option '%s': %s"):format(alias, message
          or ("'%s' is not %s"):format(value, convert == tonumber and "a number" or "understood"))
      end
    end
  end
end

-- Arguments that may be the experiment's file. What follows an option nobody knows yet may be that option's value.
local function candidates(parser, argv)
  local _, takes = known_options(parser)
  local certain, doubtful = {}, {}
  local i, plain, after_unknown = 1, false, false
  while i <= #argv do
    local arg = argv[i]
    if plain or arg:sub(1, 1) ~= "-" or arg == "-" then
      local list = after_unknown and doubtful or certain
      list[#list + 1] = arg
      after_unknown = false
    elseif arg == "--" then
      plain = true
    else
      local long = arg:match("^(%-%-[^=]+)=")
      local name = long or arg:match("^%-%-") and arg or arg:sub(1, 2)
      local inline = long ~= nil or not arg:find("^%-%-") and #arg > 2
      local count = takes[name]
      after_unknown = not count and not inline
      if count and not inline and count > 0 then
        repeat
          i, count = i + 1, count - 1
        until count == 0 or (argv[i + 1] or "-"):sub(1, 1) == "-"
      end
    end
    i = i + 1
  end
  return certain, doubtful
end

local function load_experiment(parser, argv)
  local loader = require "moonboot.loader"
  local kinds = experiments[parser].kinds
  local load = #kinds > 1 and loader.installation or loader.experiment
  local function is_there(name)
    for _, kind in ipairs(kinds) do
      if loader.find(kind, name) then return true end
    end
    return false
  end
  local certain, doubtful = candidates(parser, argv)
  local first = certain[1] or doubtful[1]
  for _, list in ipairs { certain, doubtful } do
    for _, name in ipairs(list) do
      if (name:find("%.lua$") or not name:find("[/.]")) and is_there(name) then return load(name) end
    end
  end
  if not first then return nil end
  return load(first)
end

local function add_experiment(parser, experiment)
  local _, takes = known_options(parser)
  for _, option in ipairs(experiment.options) do
    if takes[option.flag] then
      error({ status = 2, message = ("%s: its option '%s' is one of moonboot's own (%s): give it another name")
        :format(experiment.path, option.name, option.flag) }, 0)
    end
  end
  local elements = options.configure(experiment.options, parser, PREFIX)
  if #elements > 0 then parser:group("Options of experiment " .. experiment.name, table.unpack(elements)) end
end

local function parse(parser, argv)
  parser.error = function(_, message)
    message = message:gsub("\nDid you mean.*$", "")
    local option = message:match("^unknown option '(.*)'$")
    fault(message .. (option and text.suggest(option, (known_options(parser))) or ""))
  end
  return parser:parse(argv)
end

local function wants_help(argv)
  for _, arg in ipairs(argv) do
    if arg == "--" then return false end
    if arg == "-h" or arg == "--help" then return true end
  end
  return false
end

-- The experiment, with all that the command line says about it.
local function resolve(args, experiment)
  local values, overrides = {}, {}
  for key, value in pairs(args) do
    local name = type(key) == "string" and key:sub(1, #PREFIX) == PREFIX and key:sub(#PREFIX + 1)
    if name then values[name] = value end
  end
  for name in pairs(values) do args[PREFIX .. name] = nil end
  for _, name in ipairs(OVERRIDES) do overrides[name] = args[name] end
  local resolved, message = experiment:resolve(values, args.set, overrides)
  if not resolved then error({ status = 2, message = message }, 0) end
  args.definition, args.experiment, args.option_values = experiment, resolved, resolved.option_values
end

local function prepare(command, name, argv)
  local parser = argparse("moonboot " .. name, command.summary):add_help(false)
  parser:flag("-h --help", "Show this help."):action(function() error(HELP, 0) end)
  command.configure(parser)
  name_converters(parser)
  if not experiments[parser] then return parser end
  local experiment, message = load_experiment(parser, argv)
  if experiment then
    add_experiment(parser, experiment)
  elseif message and not wants_help(argv) then
    error({ status = 2, message = message }, 0)
  end
  return parser, experiment
end

--- Runs a command.
-- @tparam table command
-- @string name  as typed
-- @tparam {string,…} argv  its arguments
-- @treturn int exit status
function commandline.run(command, name, argv)
  local parser, experiment = prepare(command, name, argv)
  local ok, args = pcall(parse, parser, argv)
  if not ok then
    if args == HELP then
      io.stdout:write(parser:get_help(), "\n")
      return 0
    end
    if type(args) ~= "table" or not args.usage then error(args, 0) end
    io.stderr:write(("moonboot %s: %s\n"):format(name, text.escape(args.usage)))
    io.stderr:write(("Try 'moonboot %s --help'.\n"):format(name))
    return 2
  end
  if experiment then resolve(args, experiment) end
  return command.run(args) or 0
end

return commandline

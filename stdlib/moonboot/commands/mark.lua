--- `moonboot mark LOG… --grammar G`: applies a grammar to captures.
-- @module moonboot.commands.mark
local cli = require "moonboot.cli"

local command = { name = "mark", summary = "Apply a grammar to captures, and say why a rule did not match." }

--- Adds the command's options.
-- @tparam table cmd an argparse command
function command.configure(cmd)
  cmd:argument("logs", "The logs of one boot, one for each console; X.timing beside X.log has the times.")
    :args("+"):argname "LOG"
  cmd:option("--grammar", "A grammar script, or the name of a ready-made one."):argname("G"):count(1)
  cmd:option("--trace", "Show the line nearest to each rule that never matched, or to this one.")
    :args("?"):argname "RULE"
  cmd:flag("--json", "Print one JSON document.")
end

-- argparse gives an option with an optional argument as a list.
local function traced_names(args, grammar, outcome)
  local name = type(args.trace) == "table" and args.trace[1] or nil
  if not name then return outcome.unmatched end
  local names = grammar:names()
  for _, known in ipairs(names) do
    if known == name then return { name } end
  end
  return nil, ("the grammar has no rule '%s'%s"):format(name, require("moonboot.text").suggest(name, names))
end

--- Runs the command.
-- @tparam table args from argparse
-- @treturn int exit status: 0 when all rules matched that are not optional, and nothing failed; 1 otherwise
function command.run(args)
  local mark = require "moonboot.mark"
  local grammar, message = require("moonboot.grammar").load(args.grammar)
  if not grammar then return cli.fail(message) end
  local outcome
  outcome, message = require("moonboot.capture").mark(args.logs, grammar)
  if not outcome then return cli.fail(message) end
  local trace
  if args.trace then
    local names
    names, message = traced_names(args, grammar, outcome)
    if not names then return cli.fail(message) end
    trace, message = mark.trace(args.logs, grammar, names)
    if not trace then return cli.fail(message) end
  end
  for _, console in ipairs(outcome.consoles) do
    if not console.timed then cli.fail(console.path .. ": has no .timing beside it, so its times are unknown") end
    if console.stats.mismatch then cli.fail(console.stats.mismatch) end
  end
  io.stdout:write(args.json and mark.json(outcome, trace) or mark.text(outcome, trace))
  return #outcome.missing == 0 and not outcome.failure and 0 or 1
end

return command

--- `moonboot run`: carries out an experiment and reports.
-- @module moonboot.commands.run
local cli = require "moonboot.cli"

local command = {
  name = "run",
  summary = "Boot every configuration of an experiment and report.",
}

--- Adds the command's options.
-- @tparam table cmd an argparse command
function command.configure(cmd)
  cli.experiment_options(cmd)
  cmd:option("--output", "Run directory (default: measurements/NAME-TIME)."):argname "DIR"
  cmd:option("--samples", "Boots of each configuration."):argname "N":convert(cli.positive_integer)
  cmd:option("--seed", "Seed of the order of the samples."):argname "N":convert(cli.integer)
  cmd:flag("--quiet", "Say nothing while it runs.")
  cmd:flag("--json", "Print the results as one JSON document.")
end

--- Runs the command.
-- @tparam table args from argparse, with `experiment` resolved
-- @treturn int exit status
function command.run(args)
  local progress = require("moonboot.progress").new { quiet = args.quiet }
  local runner = require "moonboot.runner"
  local outcome, message, status = runner.run(args.experiment, {
    output = args.output,
    seed = args.seed,
    progress = progress,
  })
  if not outcome then return cli.fail(message, status) end
  local layout = args.json and "json" or "text"
  io.stdout:write(require("moonboot.report").render(outcome.results, layout))
  if not args.json then
    io.stdout:write("\nFiles in ", outcome.dir, ":\n")
    for _, name in ipairs(outcome.files) do io.stdout:write("  ", name, "\n") end
  end
  if outcome.interrupted then return 130 end
  return outcome.not_ok > 0 and 1 or 0
end

return command

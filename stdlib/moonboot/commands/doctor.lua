--- `moonboot doctor`: is this host fit to measure?
-- @module moonboot.commands.doctor
local cli = require "moonboot.cli"

local command = {
  name = "doctor",
  summary = "Say whether this host is fit to measure, and what would make it fitter.",
}

local CANNOT = 3

--- Adds the command's options.
-- @tparam table cmd an argparse command
function command.configure(cmd)
  cli.experiment_options(cmd, { optional = true })
  cmd:option("--output", "Where the run directory would be (default: here)."):argname "DIR"
  cmd:flag("--no-probe", "Do not boot the accelerators' probe guest.")
  cmd:flag("--json", "Print one JSON document.")
end

--- Runs the command.
-- @tparam table args from argparse; `experiment` is the one whose needs are to be checked too, if one is named
-- @treturn int exit status
function command.run(args)
  local doctor = require "moonboot.doctor"
  local json = require "moonboot.json"
  local examination = doctor.examine(args.experiment, { dir = args.output, probe = not args.no_probe })
  if args.json then
    io.stdout:write(json.encode(examination, { width = 100, order = { "schema", "status", "name" } }), "\n")
  else
    io.stdout:write(doctor.format(examination))
  end
  return examination.status == "fail" and CANNOT or 0
end

return command

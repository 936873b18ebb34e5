--- `moonboot run`: carries out an experiment and reports.
-- @module moonboot.commands.run
local cli = require "moonboot.cli"

local command = {
  name = "run",
  summary = "Boot every configuration of an experiment and report.",
}

local INTERRUPTED = 130

--- Adds the command's options.
-- @tparam table cmd an argparse command
function command.configure(cmd)
  cli.experiment_options(cmd, { optional = true })
  cmd:option("--output", "Run directory (default: measurements/NAME-TIME)."):argname "DIR"
  cmd:option("--resume", "Go on with an interrupted run; its experiment and options are known."):argname "DIR"
  cmd:flag("--despite-changes", "Resume although the script, the image or QEMU has changed.")
  cmd:option("--samples", "Boots of each configuration."):argname "N":convert(cli.positive_integer)
  cmd:option("--until-ci", "Go on until the 95 % interval of the median is this narrow."):argname "SHARE"
    :convert(cli.share)
  cmd:option("--warmup", "Boots of each configuration before those that count."):argname "N":convert(cli.natural)
  cmd:option("--timeout", "Seconds that a boot may take."):argname "S":convert(cli.seconds)
  cmd:option("--jobs", "Boots at once, each on cores of its own, or 'auto'."):argname "N":convert(cli.jobs)
  cmd:flag("--deterministic", "Virtual time, the same at every load: count instructions (QEMU's -icount).")
  cmd:option("--seed", "Seed of the order of the samples."):argname "N":convert(cli.natural)
  cmd:option("--max-failures", "Stop when so many samples are not ok."):argname "N":convert(cli.positive_integer)
  cmd:option("--run-as", "Unprivileged user that QEMU becomes (needs root)."):argname "USER"
  cmd:flag("--quiet", "Say nothing while it runs.")
  cmd:flag("--json", "Print the results as one JSON document.")
end

-- The experiment that an interrupted run was made of, resolved as it was then.
local function recorded(dir)
  local json = require "moonboot.json"
  local run, message = require("moonboot.rundirectory").record(dir)
  if not run then return nil, message end
  if type(run.experiment_file) ~= "string" then
    return nil, ("cannot resume %s: its journal does not say of which script it is a run"):format(dir)
  end
  local definition
  definition, message = require("moonboot.loader").experiment(run.experiment_file)
  if not definition then return nil, message end
  local adaptive = json.value(run.adaptive)
  return definition:resolve(json.value(run.options), run.axes, {
    samples = adaptive and adaptive.max or run.samples,
    until_ci = adaptive and adaptive.until_ci,
    warmup = run.warmup,
    timeout = run.timeout_s,
    jobs = run.jobs,
    seed = run.seed,
    deterministic = json.value(run.deterministic),
  })
end

local function say(outcome, args)
  local report = require "moonboot.report"
  local text, message = report.render(outcome.results, args.json and "json" or "text")
  if not text then return cli.fail(message) end
  io.stdout:write(text)
  if args.json then return end
  io.stdout:write("\n")
  for _, path in ipairs(outcome.files) do io.stdout:write("  ", path, "\n") end
end

--- Runs the command.
-- @tparam table args from argparse, with `experiment` resolved
-- @treturn int exit status
function command.run(args)
  if not (args.experiment or args.resume) then
    return cli.fail "run: which experiment? Give a file or a name; 'moonboot list' shows the ready-made ones"
  end
  local experiment, message = args.experiment, nil
  if not experiment then experiment, message = recorded(args.resume) end
  if not experiment then return cli.fail(message) end
  local task = require "moonboot.task"
  local progress = require("moonboot.progress").new { quiet = args.quiet }
  local run
  -- Before the run is begun: it starts its first QEMU, which probes accelerators, at once.
  local watch <close> = require("moonboot.signals").watch(function(name)
    progress:note(("%s: stopping the guests; once more ends at once"):format(name))
    run:cancel("interrupted")
  end)
  run = task.spawn(pcall, require("moonboot.runner").run, experiment, {
    output = args.output,
    resume = args.resume,
    despite_changes = args.despite_changes,
    max_failures = args.max_failures,
    run_as = args.run_as,
    progress = progress,
  })
  local ok, outcome, why, status = run:join()
  watch:close()
  if not ok and outcome == "interrupted" then
    cli.fail "interrupted before the first boot; nothing was measured"
    return INTERRUPTED
  end
  if not ok then error(outcome, 0) end
  if not outcome then return cli.fail(why, status) end
  if not outcome.interrupted then
    say(outcome, args)
    local accepted = require("moonboot.acceptance").met(outcome.results.acceptance or {})
    return (outcome.not_ok > 0 or accepted == false) and 1 or 0
  end
  cli.fail(("interrupted; go on with: moonboot run --resume %s"):format(outcome.dir))
  return INTERRUPTED
end

return command

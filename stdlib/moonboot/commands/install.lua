--- `moonboot install`: installs the images of an experiment, or what an installer script installs, and boots nothing.
-- @module moonboot.commands.install
local cli = require "moonboot.cli"

local command = {
  name = "install",
  summary = "Install the images of an experiment, or by an installer script alone.",
}

local FAILED, BAD_INPUT, BAD_HOST, INTERRUPTED = 1, 2, 3, 130

--- Adds the command's options.
-- @tparam table cmd an argparse command
function command.configure(cmd)
  cli.experiment_options(cmd, { kinds = { "experiments", "installers" } })
  cmd:option("--transcript", "Where to keep the dialogue with the installer (default: beside the captures).")
    :argname "FILE"
  cmd:option("--output", "Where the captures of an installation go (default: measurements/install-NAME-TIME).")
    :argname "DIR"
  cmd:option("--disk-size", "Size of the new disk."):argname "SIZE"
  cmd:option("--timeout", "Seconds that an installation may take."):argname "S":target "install_timeout"
    :convert(cli.seconds)
  cmd:option("--run-as", "Unprivileged user that QEMU becomes (needs root)."):argname "USER"
  cmd:flag("--keep-going", "Go on with the other images when one cannot be installed.")
  cmd:flag("--quiet", "Say nothing while it works.")
end

-- A directory that is made when the first image is to be installed: what is in the cache needs none.
local function new_directory(name, path)
  local made
  return function()
    if not made then
      local message
      made, message = require("moonboot.rundirectory").create("install-" .. name, path, 0)
      if not made then return nil, message end
    end
    return made.path
  end
end

local function check(experiment)
  if not experiment.install then
    return nil, ("%s installs nothing: it has no 'install'"):format(experiment.name), BAD_INPUT
  end
  if not experiment.option_values.iso then
    return nil, "an installation needs its medium: give it with --iso FILE", BAD_INPUT
  end
  local medium, message = require("moonboot.install").medium(experiment, { hash = false })
  if not medium then return nil, message, BAD_HOST end
  return true
end

local function accelerator_for(experiment)
  local first = experiment.configurations[1].machine
  if first.accel then return first.accel end
  return require("moonboot.accelerator").choose(first.arch, { program = first.qemu })
end

-- Installs what is not in the cache. -> the paths of the images, and how many could not be installed
local function install_all(experiment, accel, args, progress)
  local install, timestamp = require "moonboot.install", require "moonboot.timestamp"
  local directory = new_directory(experiment.name, args.output)
  local paths, failed, seen = {}, 0, {}
  local configurations = experiment.per == "configuration" and experiment.configurations
    or { experiment.configurations[1] }
  for _, configuration in ipairs(configurations) do
    local job <close> = progress:job { title = "installing " .. experiment.guest }
    local installed = false
    local path, message = install.image(experiment, configuration, {
      accel = accel,
      dir = function()
        installed = true
        return directory()
      end,
      name = ("install-%s-%s"):format(configuration.label, timestamp.iso()),
      transcript = args.transcript,
      run_as = args.account,
      report = function(text) progress:note(text) end,
      on_step = function(label)
        job:step(label)
        if not progress.terminal then progress:note("  " .. label) end
      end,
    })
    if path and not installed then
      progress:note(("%s is installed already: nothing was done%s; `moonboot images --prune --all` removes it")
        :format(experiment.guest, args.transcript and ", there is no transcript" or ""))
    end
    if path and not seen[path] then
      table.insert(paths, path)
      seen[path] = true
    elseif not path then
      failed = failed + 1
      progress:warn(("cannot install %s: %s"):format(experiment.guest, message))
      if not args.keep_going then break end
    end
  end
  progress:clear()
  return paths, failed
end

--- Runs the command. Standard output is the paths of the images, a line each.
-- @tparam table args from argparse, with `experiment` resolved
-- @treturn int exit status: 0 all images are there; 1 one could not be installed
function command.run(args)
  local experiment = args.experiment
  if not experiment then return cli.fail "install: what? Give an experiment or an installer script" end
  local fit, message, status = check(experiment)
  if not fit then return cli.fail(message, status) end
  if args.run_as then
    args.account, message = require("moonboot.account").find(args.run_as)
    if not args.account then return cli.fail(message, BAD_INPUT) end
  end
  local accel
  accel, message = accelerator_for(experiment)
  if not accel then return cli.fail(message, BAD_HOST) end
  local progress = require("moonboot.progress").new { quiet = args.quiet }
  local work = require("moonboot.task").spawn(pcall, install_all, experiment, accel, args, progress)
  local watch <close> = require("moonboot.signals").watch(function(name)
    progress:note(("%s: stopping the guest; once more ends at once"):format(name))
    work:cancel("interrupted")
  end)
  local ok, paths, failed = work:join()
  watch:close()
  progress:clear()
  if not ok and paths == "interrupted" then
    cli.fail "interrupted; nothing half installed is kept, the same command begins anew"
    return INTERRUPTED
  end
  if not ok then error(paths, 0) end
  for _, path in ipairs(paths) do io.stdout:write(path, "\n") end
  return failed > 0 and FAILED or 0
end

return command

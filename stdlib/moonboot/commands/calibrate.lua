--- `moonboot calibrate`: how far this host's stamps are from the truth.
-- @module moonboot.commands.calibrate
local cli = require "moonboot.cli"

local command = {
  name = "calibrate",
  summary = "Measure this host's stamp error, as a distribution; reports then state it.",
}

local LOST, CANNOT, INTERRUPTED = 1, 3, 130

--- Adds the command's options.
-- @tparam table cmd an argparse command
function command.configure(cmd)
  cmd:option("--load", "Busy loops beside it (default: none)."):argname "N":convert(cli.natural)
  cmd:option("--transport", "How bytes are stamped: 'kernel', as runs do, or 'read', for comparison.")
    :choices { "kernel", "read" }
  cmd:option("--bytes", "Bytes that the guest sends (default: 20000)."):argname "N":convert(cli.positive_integer)
  cmd:flag("--json", "Print one JSON document.")
end

--- Runs the command.
-- @tparam table args from argparse
-- @treturn int exit status
function command.run(args)
  local calibrate = require "moonboot.calibrate"
  if args.bytes and args.bytes > calibrate.MOST_BYTES then
    return cli.fail(("option '--bytes': at most %d"):format(calibrate.MOST_BYTES))
  end
  local task = require "moonboot.task"
  local run = task.spawn(pcall, calibrate.run, { load = args.load, transport = args.transport, bytes = args.bytes })
  local watch <close> = require("moonboot.signals").watch(function() run:cancel("interrupted") end)
  local ok, result, message = run:join()
  watch:close()
  if not ok and result == "interrupted" then return cli.fail("interrupted", INTERRUPTED) end
  if not ok then error(result, 0) end
  if not result then return cli.fail("cannot calibrate this host: " .. message, CANNOT) end
  if args.json then
    local json = require "moonboot.json"
    local order = { "schema", "bytes", "lost", "p50_us", "p90_us", "p99_us", "p999_us", "max_us", "clock_source" }
    io.stdout:write(json.encode(result, { width = 100, decimals = 3, order = order }), "\n")
  else
    io.stdout:write(require "moonboot.calibrate.text"(result))
  end
  local kept
  kept, message = require("moonboot.calibration").keep(result)
  if not kept then cli.fail("the calibration is not kept, so reports cannot state it: " .. message) end
  return result.lost > 0 and LOST or 0
end

return command

--- `moonboot report DIR`: what a run found, from its directory alone.
local files = require "moonboot.files"
local report = require "moonboot.report"
local text = require "moonboot.text"

local command = { name = "report", summary = "Report on a run directory, finished or not." }

--- Declares the arguments.
-- @param cmd an argparse command
function command.configure(cmd)
  cmd:argument("dir", "Run directory, a journal.jsonl in one, or a results file, also of the Python profilers of old.")
  cmd:option("-f --format", ("A layout: %s; latex:table and other parts; or the path of a layout script.")
    :format(table.concat(report.formats(), ", "))):argname "FORMAT"
  cmd:option("-o --output", "Write to a file instead of standard output."):argname "FILE"
  cmd:option("--sample", "For cast: the sample to play, such as cpu_2:1."):argname "KEY:N"
  cmd:flag("--json", "The same as --format json.")
end

local BAD_INPUT, CANNOT_WRITE = 2, 3

local function fail(message, status)
  io.stderr:write("moonboot: ", text.escape(message), "\n")
  return status or BAD_INPUT
end

--- Runs the command.
-- @tparam table args
-- @treturn integer exit status
function command.run(args)
  local results, message = report.load((args.dir:gsub("/?journal%.jsonl$", function(s) return s:sub(1, 1) == "/" and ""
    or "." end)))
  if not results then return fail(message) end
  local page
  page, message = report.render(results, args.json and "json" or args.format or "text", {
    directory = results.directory, sample = args.sample,
  })
  if not page then return fail(message) end
  if args.output and args.output ~= "-" then
    local done
    done, message = files.write(args.output, page, { public = true })
    if not done then return fail(message, CANNOT_WRITE) end
    return 0
  end
  local done
  done, message = io.stdout:write(page)
  if not done then return fail("cannot write the report: " .. tostring(message), CANNOT_WRITE) end
  return 0
end

return command

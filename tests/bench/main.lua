--- `make bench`: moonboot beside its peers, each pair measured in turns in this one run.
-- usage: moonboot tests/bench/main.lua [--output DIR] [--quick] [NAME…]
local argparse = require "argparse"
local files = require "moonboot.files"
local guests = require "tests.bench.support.guests"
local host = require "moonboot.host"
local results = require "tests.bench.support.results"
local text = require "moonboot.text"
local timestamp = require "moonboot.timestamp"

local NAMES = { "startup", "matching", "throughput", "stamps", "boot", "matrix", "report", "memory" }

local parser = argparse("make bench", "Measures moonboot beside its peers.")
parser:argument("names", "Benchmarks: " .. table.concat(NAMES, ", ") .. " (all)."):args "*"
parser:option("--output", "Where bench.json and bench.md go."):default "build/bench":argname "DIR"
parser:flag("--quick", "Few rounds: does everything work?")
local args = parser:parse(arg)

for _, name in ipairs(args.names) do
  local known = false
  for _, other in ipairs(NAMES) do known = known or name == other end
  if not known then error(("no benchmark '%s'%s"):format(name, text.suggest(name, NAMES)), 0) end
end

assert(files.make_dir(args.output))
local scratch = assert(files.make_temp_dir(args.output .. "/.scratch-"))
local report = { schema = "moonboot-bench/1", started_at = timestamp.iso(), rows = {}, failed = {},
  host = host.facts { arch = "x86_64" } }

-- What a benchmark gets: `dir` for its files, `rounds(n)`, `row(row)`.
local function bench(name)
  return {
    dir = scratch,
    build = guests.root,
    quick = args.quick,
    rounds = function(n) return args.quick and math.min(n, 2) or n end,
    row = function(row)
      row.bench = name
      table.insert(report.rows, results.row(row))
      print(results.line(row))
    end,
  }
end

for _, name in ipairs(#args.names > 0 and args.names or NAMES) do
  print(("-- %s"):format(name))
  assert(files.make_dir(scratch))
  local ok, message = xpcall(require("tests.bench." .. name), debug.traceback, bench(name))
  if not ok then
    report.failed[name] = tostring(message)
    io.stderr:write(("bench %s could not run: %s\n"):format(name, message))
  end
  files.remove(scratch)
end

assert(files.write(args.output .. "/bench.json", results.json(report)))
assert(files.write(args.output .. "/bench.md", results.markdown(report)))
print(("-- %s/bench.json, %s/bench.md"):format(args.output, args.output))
if next(report.failed) then os.exit(1, true) end

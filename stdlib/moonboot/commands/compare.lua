--- `moonboot compare A B`: are these boots faster?
local command = {
  name = "compare",
  summary = "Compare runs with the first of them: are these boots faster?",
}

local REGRESSION = 1

local function limit(word)
  local cli = require "moonboot.cli"
  local what, share = word:match("^(%l+)=(.+)$")
  if what ~= "slower" and what ~= "phase" then
    return nil, ("'%s' is neither slower=SHARE nor phase=SHARE, such as slower=2%%"):format(word)
  end
  local number, message = cli.share(share)
  if not number then return nil, message end
  return { what = what, share = number }
end

--- Adds the command's options.
-- @tparam table cmd an argparse command
function command.configure(cmd)
  cmd:argument("runs", "Run directories, or results files; the first is what the others are compared with."):args "2+"
  cmd:option("--fail-on", "Exit with status 1 if a boot time (slower=2%) or a phase (phase=5%) is significantly slower "
    .. "and by at least so much, or if nothing boots any more."):argname "WHAT=SHARE":count "*":convert(limit)
  cmd:flag("--json", "Print one JSON document.")
end

--- Runs the command.
-- @tparam table args from argparse
-- @treturn int exit status
function command.run(args)
  local cli, compare, report = require "moonboot.cli", require "moonboot.compare", require "moonboot.report"
  local runs = {}
  for i, path in ipairs(args.runs) do
    local results, message = report.load(path)
    if not results then return cli.fail(message) end
    runs[i] = results
  end
  local compared, unlike = compare.runs(runs, args.runs)
  if not compared then return cli.fail(unlike) end
  local limits = {}
  for _, wanted in ipairs(args.fail_on or {}) do limits[wanted.what] = wanted.share end
  local regressions = compare.regressions(compared, limits)
  if args.json then
    local json = require "moonboot.json"
    compared.regressions = json.array(regressions)
    local order = { "schema", "name", "key", "verdict", "words" }
    io.stdout:write(json.encode(compared, { width = 100, decimals = 6, order = order }), "\n")
  else
    io.stdout:write(require "moonboot.compare.text"(compared, runs[1]))
    local text = require "moonboot.text"
    for _, sentence in ipairs(regressions) do io.stdout:write("REGRESSION: ", text.escape(sentence), "\n") end
  end
  return #regressions > 0 and REGRESSION or 0
end

return command

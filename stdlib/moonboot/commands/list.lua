--- `moonboot list`: the ready-made scripts, a line each.
-- @module moonboot.commands.list
local loader = require "moonboot.loader"

local command = {
  name = "list",
  summary = "List the ready-made experiments, installers, grammars and layouts.",
}

--- Adds the command's options.
-- @tparam table cmd an argparse command
function command.configure(cmd)
  cmd:argument("kind", "Only these."):args("?"):choices(loader.KINDS)
end

--- Runs the command.
-- @tparam table args from argparse
-- @treturn int exit status
function command.run(args)
  for _, kind in ipairs(args.kind and { args.kind } or loader.KINDS) do
    local lines = {}
    for i, script in ipairs(loader.list(kind)) do
      lines[i] = ("  %-12s %s"):format(script.name, script.summary or ""):gsub("%s+$", "") .. "\n"
    end
    io.stdout:write(kind, ":\n", #lines > 0 and table.concat(lines) or "  none\n")
  end
  return 0
end

return command

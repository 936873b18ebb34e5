--- `moonboot repl [FILE]`: an interactive session.
-- @module moonboot.commands.repl
local command = {
  name = "repl",
  summary = "Try things at a prompt: boot guests, talk to them, look at runs.",
}

--- Adds the command's options.
-- @tparam table cmd an argparse command
function command.configure(cmd)
  cmd:argument("file", "A Lua script to run first."):args("?")
end

--- Runs the command.
-- @tparam table args from argparse
-- @treturn int exit status
function command.run(args)
  return require("moonboot.repl").run { file = args.file }
end

return command

--- The command line.
-- @module moonboot.cli
local cli = {}

--- Runs a script: `moonboot FILE.lua [ARG…]`.
-- @tparam table args the command line: [0] the program, [1] the script, then its arguments
-- @treturn int exit status
function cli.main(args)
  local file = args[1]
  if not file then
    io.stderr:write("usage: moonboot FILE.lua [ARG…]\n")
    return 2
  end
  local shifted = table.move(args, 1, #args, 0, {})
  _G.arg = shifted
  local chunk, message = loadfile(file)
  if not chunk then
    io.stderr:write("moonboot: ", message, "\n")
    return 2
  end
  chunk(table.unpack(shifted))
  return 0
end

return cli

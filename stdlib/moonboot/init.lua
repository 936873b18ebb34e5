--- moonboot: profile how an operating system boots.
-- `local mb = require "moonboot"`; every module of the library is a field, loaded when first used:
-- `mb.stats` is `require "moonboot.stats"`.
-- @module moonboot
local moonboot = { _VERSION = "0.1.0" }

--- Checks and completes an experiment; see `moonboot.experiment`.
-- @tparam table spec
-- @treturn table the experiment
function moonboot.experiment(spec)
  return require("moonboot.experiment").new(spec)
end

--- Compiles a marker grammar; see `moonboot.grammar`.
-- @tparam table rules
-- @treturn table the grammar
function moonboot.grammar(rules)
  return require("moonboot.grammar").new(rules)
end

return setmetatable(moonboot, {
  __index = function(self, name)
    local module = require("moonboot." .. name)
    rawset(self, name, module)
    return module
  end,
})

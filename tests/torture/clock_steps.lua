-- Steps of the engine's test clock (clock_steps.c).
local command = require "moonboot.command"
local uv = require "luv"

local clock_steps = {}

local STEPS = 50

--- Makes the steps. -> how many there were
function clock_steps.run(rng, found)
  local program = uv.exepath():match("^(.*)/") .. "/tests/clock_steps"
  local done, message = command.run { program, tostring(rng:integer(1000000)), tostring(STEPS) }
  if not done then found("clock steps: " .. message) end
  return STEPS
end

return clock_steps

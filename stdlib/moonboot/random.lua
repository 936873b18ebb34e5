--- Seeded random numbers: the same sequence for the same seed, on every machine and in every version.
-- xoshiro256** in the engine. Lua's own generator, which a script may have seeded, is left alone.
-- @module moonboot.random
local resample = require("moonboot.engine").resample

local random = {}

local Random = {}
Random.__index = Random

--- A generator.
-- @int seed
-- @treturn Random
function random.new(seed)
  local whole = math.tointeger(seed)
  if not whole then error(("random.new: seed must be a whole number, not %s"):format(tostring(seed)), 2) end
  return setmetatable({ rng = resample.random(whole) }, Random)
end

--- A whole number, each as likely as the others.
-- @int n  1 or more
-- @treturn int 1 to n
function Random:integer(n)
  return self.rng:integer(n)
end

--- A number of [0, 1).
-- @treturn number
function Random:number()
  return self.rng:number()
end

--- A number from the standard normal distribution.
-- (Box and Muller, Annals of Mathematical Statistics 29, 1958)
-- @treturn number
function Random:normal()
  return math.sqrt(-2 * math.log(1 - self.rng:number())) * math.cos(2 * math.pi * self.rng:number())
end

--- Puts a copy of a list into random order, each order as likely as the others.
-- (Fisher and Yates, in Durstenfeld's form, CACM 7, 1964)
-- @tparam table list  not modified
-- @treturn table
function Random:shuffle(list)
  local copy = table.move(list, 1, #list, 1, {})
  for i = #copy, 2, -1 do
    local j = self.rng:integer(i)
    copy[i], copy[j] = copy[j], copy[i]
  end
  return copy
end

return random

--- The order of an experiment's boots: rounds, in each of which every configuration boots once, in random order.
-- Whatever drifts on the host (heat, other load, caches) then meets all configurations alike. A plan is a pure function
-- of configurations, numbers and seed: an interrupted run finds its order again.
-- @module moonboot.plan
local random = require "moonboot.random"

local plan = {}

local Plan = {}
Plan.__index = Plan

--- Draws a seed from the system. It is short enough to be typed again, and any JSON reader keeps all its digits.
-- @treturn int 1 to 2^31 - 1
function plan.draw_seed()
  local seed = os.time() & 0x7fffffff
  local source = io.open("/dev/urandom", "rb")
  if source then
    seed = string.unpack("<I4", source:read(4)) & 0x7fffffff
    source:close()
  end
  return math.max(seed, 1)
end

-- The permutations come from one generator, so that a round's order needs those of all rounds before it.
local function permutation(self, round)
  for r = #self.orders + 1, round do
    self.orders[r] = self.rng:shuffle(self.configurations)
  end
  return self.orders[round]
end

--- The boots of one round.
-- @int number  1 for the first; warm-up rounds come first
-- @treturn ?{table,…} entries: `order` (its number in the whole plan), `round`, `key`, `configuration`, `index` (1 for
--   a configuration's first sample, and for its first warm-up), `warmup`; nil when the plan has no such round
function Plan:round(number)
  if number < 1 or number > self.rounds then return nil end
  local entries = {}
  for i, configuration in ipairs(permutation(self, number)) do
    local warmup = number <= self.warmup
    entries[i] = {
      order = (number - 1) * #self.configurations + i,
      round = number,
      key = configuration.key,
      configuration = configuration,
      index = warmup and number or number - self.warmup,
      warmup = warmup,
    }
  end
  return entries
end

--- The boots of one round that are still wanted. Leaving some out changes neither order nor numbers of the rest.
-- @int number  of the round
-- @tparam[opt] table settled  configuration key = true for those that need no more samples
-- @treturn ?{table,…} entries; nil when every configuration is settled, or the plan has no such round
function Plan:wanted(number, settled)
  local entries = {}
  for _, entry in ipairs(self:round(number) or {}) do
    if not (settled and settled[entry.key]) then entries[#entries + 1] = entry end
  end
  return #entries > 0 and entries or nil
end

--- The entries that are not done yet, in order.
-- @tparam table done  order number = true
-- @treturn {table,…}
function Plan:remaining(done)
  local entries = {}
  for _, entry in ipairs(self.entries) do
    if not done[entry.order] then entries[#entries + 1] = entry end
  end
  return entries
end

--- Makes a plan.
-- @tparam table args  `configurations` (from a resolved experiment), `samples` (`{ count = }` or `{ min =, max =,
--   until_ci = }`), `warmup` (default 0), `seed` (a whole number; drawn when left out)
-- @treturn Plan `seed`; `entries`, all boots in order (of an adaptive plan: those that are sure to be wanted);
--   `adaptive`; `first_rounds` (how many rounds `entries` covers) and `rounds` (how many there can be)
function plan.new(args)
  local samples, warmup = args.samples, args.warmup or 0
  if #args.configurations == 0 then error("plan.new: no configurations", 2) end
  local least, most = samples.count or samples.min, samples.count or samples.max
  local seed = args.seed or plan.draw_seed()
  local self = setmetatable({
    seed = seed,
    configurations = args.configurations,
    warmup = warmup,
    adaptive = samples.until_ci ~= nil,
    first_rounds = warmup + least,
    rounds = warmup + most,
    rng = random.new(seed),
    orders = {},
    entries = {},
  }, Plan)
  for number = 1, self.first_rounds do
    for _, entry in ipairs(self:round(number)) do self.entries[#self.entries + 1] = entry end
  end
  return self
end

return plan

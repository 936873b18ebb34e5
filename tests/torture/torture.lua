-- A fault campaign: run after run of demo boots, each disturbed by random faults until it is complete, then looked over
-- by a checker. Arguments: minutes, and a seed (drawn if not given), which repeats the faults though not their moments.
local campaign = require "tests.torture.campaign"
local checker = require "tests.torture.checker"
local clock_steps = require "tests.torture.clock_steps"
local plan = require "moonboot.plan"
local random = require "moonboot.random"
local uv = require "luv"

local minutes = tonumber(arg[1]) or 5
local seed = math.tointeger(tonumber(arg[2])) or plan.draw_seed()
local rng = random.new(seed)
local deadline_ns = uv.hrtime() + minutes * 60 * 1000000000

print(("torture: %g minutes, seed %d"):format(minutes, seed))
local injected, findings, runs, samples = {}, {}, 0, 0

local function count(kind, n) injected[kind] = (injected[kind] or 0) + (n or 1) end
local function found(what)
  findings[#findings + 1] = what
  print("FINDING: " .. what)
end

count("clock stepped", clock_steps.run(rng, found))
while uv.hrtime() < deadline_ns do
  runs = runs + 1
  local place <close> = campaign.place(rng)
  local history = campaign.run(place, rng, { count = count, found = found, deadline_ns = deadline_ns })
  samples = samples + checker.check(place, history, found)
  if #findings > 0 and os.getenv "TORTURE_KEEP" then
    print("kept: " .. place:keep())
    break
  end
end

local total, kinds = 0, {}
for kind, n in pairs(injected) do
  total = total + n
  kinds[#kinds + 1] = ("  %4d  %s"):format(n, kind)
end
table.sort(kinds, function(a, b) return a > b end)
print(("torture: %d faults injected into %d runs with %d samples; %d findings"):format(total, runs, samples, #findings))
print(table.concat(kinds, "\n"))
os.exit(#findings == 0 and 0 or 1, true)

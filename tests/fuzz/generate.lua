-- Feeds the library with made-up input: generate.lua SECONDS SEED [TARGET [CASE]]. Each case has a generator of its
-- own, made from seed and number, so that a failure can be repeated by naming it.
local random = require "moonboot.random"
local uv = require "luv"

local TARGETS = { "qmp", "journal", "grammar", "escape" }
local STRIDE = 1000003 -- between the seeds of cases

local seconds, seed = tonumber(arg[1]) or 60, math.tointeger(tonumber(arg[2])) or 1
local only, only_case = arg[3], math.tointeger(tonumber(arg[4]))

local function try(name, target, case)
  local ok, trouble = xpcall(target, debug.traceback, random.new(seed + case * STRIDE))
  if ok then return end
  print(("%s: case %d fails; again: generate.lua %g %d %s %d\n%s"):format(name, case, seconds, seed, name, case,
    trouble))
  os.exit(1, true)
end

for _, name in ipairs(TARGETS) do
  if not only or only == name then
    local target = require("tests.fuzz.targets." .. name)
    local deadline_ns = uv.hrtime() + seconds * 1000000000
    local case = only_case or 1
    try(name, target, case)
    while not only_case and uv.hrtime() < deadline_ns do
      case = case + 1
      try(name, target, case)
    end
    print(("fuzz: %s: %d cases, seed %d"):format(name, case, seed))
  end
end

--- Installs the demo guest over and over, each time in an empty cache, and stops at the first failure.
-- usage: moonboot tests/soak/install.lua ROUNDS BUSY, beside so many busy loops
local engine = require "moonboot.engine"
local program = require "tests.system.support.program"
local support = require "tests.system.support.sandbox"
local uv = require "luv"

local rounds, busy = math.tointeger(tonumber(arg[1])), math.tointeger(tonumber(arg[2]))
local WAYS = { { "serial line" }, { "screen and keyboard", "--screen" } }

local loops = {}
for i = 1, busy do loops[i] = assert(engine.process.spawn { argv = { "sh", "-c", "while :; do :; done" } }) end

local failed
for _, way in ipairs(WAYS) do
  local longest_s, total_s = 0, 0
  for round = 1, rounds do
    local sandbox = support.sandbox()
    local began_ns = engine.clock.now()
    local code, _, err = program.run("install", "demo", "--quiet", "--output", sandbox.dir .. "/out",
      table.unpack(way, 2))
    local took_s = (engine.clock.now() - began_ns) / 1e9
    sandbox:close()
    if code ~= 0 then failed = ("%s, round %d: status %s: %s"):format(way[1], round, code, err) end
    if failed then break end
    longest_s, total_s = math.max(longest_s, took_s), total_s + took_s
  end
  if failed then break end
  print(("%d installations by %s beside %d busy loops: no failure; mean %.1f s, longest %.1f s"):format(rounds, way[1],
    busy, total_s / rounds, longest_s))
end

for _, loop in ipairs(loops) do loop:close() end
uv.run("nowait")
if failed then error(failed, 0) end

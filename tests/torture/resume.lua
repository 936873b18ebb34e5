-- 200 boots, interrupted 20 times at random moments and resumed, compared with a run that was left alone: the same
-- samples in the same order. Arguments: a seed, the number of boots, of interruptions (default: drawn, 200, 20).
local plan = require "moonboot.plan"
local program = require "tests.system.support.program"
local random = require "moonboot.random"
local rundir = require "tests.system.support.rundir"
local support = require "tests.system.support.sandbox"
local task = require "moonboot.task"

local seed = math.tointeger(tonumber(arg[1])) or plan.draw_seed()
local boots, interruptions = tonumber(arg[2]) or 200, tonumber(arg[3]) or 20
local rng = random.new(seed)
local SIGNALS = { "SIGINT", "SIGTERM", "SIGHUP", "SIGKILL" }

local sandbox = support.sandbox()
local dir = sandbox.dir
local script = sandbox:experiment("work=1",
  ("matrix = { cpus = { 1, 2 } }, samples = %d, timeout = 60,"):format(boots // 2))

-- The numbers of the boots after which to interrupt, ascending.
local function moments()
  local all = {}
  for i = 1, boots - 1 do all[i] = i end
  local chosen = table.move(rng:shuffle(all), 1, interruptions, 1, {})
  table.sort(chosen)
  return chosen
end

local function list(run_dir)
  local lines = {}
  for i, sample in ipairs(rundir.samples(run_dir)) do
    lines[i] = ("%d %s %d %s"):format(sample.order, sample.key, sample.index, sample.status)
  end
  return lines
end

print(("resume: %d boots, %d interruptions, seed %d"):format(boots, interruptions, seed))
assert(program.run("run", script, "--quiet", "--seed", tostring(seed), "--output", dir .. "/alone") == 0)
local argv, ended = { script, "--seed", tostring(seed), "--output", dir .. "/cut" }, {}
for _, moment in ipairs(moments()) do
  local started <close> = program.start("moonboot", "run", "--quiet", table.unpack(argv))
  rundir.await_samples(dir .. "/cut", moment)
  task.sleep(rng:number() * 0.2) -- anywhere in the next boot
  local signal = SIGNALS[rng:integer(#SIGNALS)]
  started:signal(signal)
  started:wait()
  ended[signal] = (ended[signal] or 0) + 1
  sandbox:assert_no_orphan()
  argv = { "--resume", dir .. "/cut" }
end
assert(program.run("run", "--quiet", table.unpack(argv)) == 0)

local alone, cut = list(dir .. "/alone"), list(dir .. "/cut")
local differences = math.abs(#alone - #cut)
for i = 1, math.min(#alone, #cut) do
  if alone[i] ~= cut[i] then
    differences = differences + 1
    print(("sample %d: left alone %s, interrupted %s"):format(i, alone[i], cut[i]))
  end
end
for signal, n in pairs(ended) do print(("  %2d  %s"):format(n, signal)) end
print(("resume: %d samples left alone, %d interrupted %d times; %d differences"):format(#alone, #cut, interruptions,
  differences))
sandbox:close()
os.exit(differences == 0 and 0 or 1, true)

--- Runs what is compared, in turns, and says how the figures relate.
local engine = require "moonboot.engine"
local stats = require "moonboot.stats"
local task = require "moonboot.task"

local measure = {}

--- Starts a program. It ends with its owner.
-- @tparam {string,…} argv
-- @tparam[opt] table options of `engine.process.spawn`
-- @return an engine process with `<close>`
function measure.start(argv, options)
  local how = { argv = argv }
  for name, value in pairs(options or {}) do how[name] = value end
  return assert(engine.process.spawn(how))
end

--- Waits for a program's end.
-- @param process
-- @number[opt=600] seconds the longest wait
-- @treturn table `code`, `signal`, `user_ns`, `system_ns`, `max_rss_bytes`, `ended_ns`
function measure.finish(process, seconds)
  local deadline_ns = engine.clock.now() + math.ceil((seconds or 600) * 1e9)
  local result = process:poll()
  while not result do
    local left_s = (deadline_ns - engine.clock.now()) / 1e9
    if left_s <= 0 then error(("a program is still running after %g s"):format(seconds or 600), 2) end
    task.readable(process:fd(), left_s)
    result = process:poll()
  end
  return result
end

--- Runs a program to its end. Raises when it does not end as it should.
-- @tparam {string,…} argv
-- @tparam[opt] table options of `engine.process.spawn`, and `status`: the exit status to expect (default 0)
-- @treturn table as from `measure.finish`, with `wall_ns`, `cpu_ns` and `stdout`
function measure.run(argv, options)
  options = options or {}
  local began_ns = engine.clock.now()
  local process <close> = measure.start(argv, { fds = options.fds, cwd = options.cwd })
  local result = measure.finish(process)
  result.wall_ns = result.ended_ns - began_ns
  result.cpu_ns = result.user_ns + result.system_ns
  result.stdout = process:stdout()
  if result.code ~= (options.status or 0) then
    error(("%s: %s: %s"):format(argv[1], result.signal or "exit status " .. result.code, process:stderr()), 2)
  end
  return result
end

--- The turns of contenders that are to suffer the same disturbances: there and back again (ABBA).
-- @int rounds
-- @int contenders
-- @treturn {{int,…},…} for each round the order of the contenders
function measure.turns(rounds, contenders)
  local turns = {}
  for round = 1, rounds do
    turns[round] = {}
    for i = 1, contenders do turns[round][i] = round % 2 == 1 and i or contenders - i + 1 end
  end
  return turns
end

--- Measures contenders in turns.
-- @int rounds
-- @tparam {{string,function},…} contenders  name and what measures it once: `function() -> number`
-- @treturn {[string]={number,…}} by name, in the order of the rounds
function measure.interleaved(rounds, contenders)
  local values = {}
  for _, contender in ipairs(contenders) do values[contender[1]] = {} end
  for _, order in ipairs(measure.turns(rounds, #contenders)) do
    for _, i in ipairs(order) do
      collectgarbage()
      table.insert(values[contenders[i][1]], (contenders[i][2]()))
    end
  end
  return values
end

--- The median of the ratios within the pairs: what disturbed both of a pair cancels out.
-- @tparam {number,…} ours
-- @tparam {number,…} theirs  of the same length
-- @treturn number
-- @treturn ?number its 95 % interval, nil for few pairs
-- @treturn ?number
function measure.ratio(ours, theirs)
  local ratios = {}
  for i = 1, #ours do ratios[i] = ours[i] / theirs[i] end
  return stats.median(ratios)
end

--- Reads a field of /proc/PID/status.
-- @int pid
-- @string name  e.g. "VmHWM"
-- @treturn ?int bytes; nil when the process is gone
function measure.memory(pid, name)
  local file = io.open(("/proc/%d/status"):format(pid))
  if not file then return nil end
  local kb = file:read("a"):match(name .. ":%s*(%d+) kB")
  file:close()
  return kb and math.tointeger(kb) * 1024
end

return measure

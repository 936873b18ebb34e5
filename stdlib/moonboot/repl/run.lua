--- Runs an experiment from the prompt.
-- @module moonboot.repl.run
local fault = require "moonboot.fault"
local loader = require "moonboot.loader"
local task = require "moonboot.task"
local text = require "moonboot.text"

-- Where each option goes: to the run, to what the experiment says, or to the experiment's own options.
local RUN = { output = true, max_failures = true, quiet = true }
local OVERRIDES = { samples = true, until_ci = true, warmup = true, timeout = true, seed = true, jobs = true,
  deterministic = true, disk_size = true, per = true, install_timeout = true }

-- -> the three; nil and a message when there is no such option
local function sorted(options, definition)
  local run, overrides, values, own = {}, {}, {}, {}
  for _, option in ipairs(definition.options) do own[option.name] = true end
  for key, value in pairs(options) do
    local where = RUN[key] and run or OVERRIDES[key] and overrides or own[key] and values
    if where then
      where[key] = value
    elseif key ~= "set" then
      local known = { "set" }
      for _, set in ipairs { RUN, OVERRIDES, own } do
        for name in pairs(set) do known[#known + 1] = name end
      end
      return nil, ("run: neither it nor the experiment has an option '%s'%s"):format(tostring(key),
        text.suggest(tostring(key), known))
    end
  end
  return run, overrides, values
end

local function axes(set)
  local list = {}
  for name, values in pairs(set or {}) do
    list[#list + 1] = { name = name, values = type(values) == "table" and values or { values } }
  end
  table.sort(list, function(a, b) return tostring(a.name) < tostring(b.name) end)
  return list
end

-- Joins a run; an interruption of the wait ends the run, which then keeps what is done.
local function finish(job)
  local joined = table.pack(pcall(job.join, job))
  if not joined[1] then
    job:cancel("interrupted")
    joined = table.pack(pcall(job.join, job))
  end
  if not joined[1] then error(joined[2], 0) end
  return table.unpack(joined, 2, joined.n)
end

--- Carries out an experiment.
-- @param experiment path or name, or what a script returned
-- @tparam table options
-- @treturn ?table outcome of `runner.run`, or nil and a message
return function(experiment, options)
  local definition, message = experiment, nil
  if type(experiment) == "string" then definition, message = loader.experiment(experiment) end
  if message then return nil, message end
  if not require("moonboot.experiment").is(definition) then
    return nil, 'run takes an experiment: the path of a script, or a name as in run "demo"'
  end
  if type(options) ~= "table" then
    return nil, 'run takes its options in a table, as in run("demo", { samples = 3 })'
  end
  local how, overrides, values = sorted(options, definition)
  if not how then return nil, overrides end
  local resolved
  local ok, problem = fault.catch(function()
    resolved, message = definition:resolve(values, axes(options.set), overrides)
    return true
  end)
  if not ok then return nil, problem.message end
  if not resolved then return nil, message end
  local progress = require("moonboot.progress").new { quiet = how.quiet }
  local job = task.spawn(pcall, require("moonboot.runner").run, resolved, {
    output = how.output,
    max_failures = how.max_failures,
    progress = progress,
  })
  local done, outcome, why = finish(job)
  if not done then
    if outcome == "interrupted" then return nil, "interrupted before the first boot" end
    error(outcome, 0)
  end
  if not outcome then return nil, why end
  return outcome
end

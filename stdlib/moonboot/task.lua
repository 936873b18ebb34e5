--- Tasks: code that looks sequential and runs concurrently, over the luv loop.
-- Inside a task a wait yields to the loop; at top level (a plain script, the REPL) the same wait drives
-- the loop until it is over. All durations are seconds.
-- @module moonboot.task
local engine = require "moonboot.engine"
local uv = require "luv"

local task = {}

local Task = {}
Task.__index = Task

-- The task of each coroutine that is one.
local task_of = setmetatable({}, { __mode = "k" })

-- The wait that the main program is in, if it is in one.
local top_level = { name = "main" }

-- Drives the loop from the main program.
local function drive(mode)
  top_level.driving = true
  uv.run(mode)
  top_level.driving = false
end

local function running()
  local co, is_main = coroutine.running()
  if is_main then
    if top_level.driving then error("a wait inside a callback of the loop; use task.spawn", 4) end
    return top_level
  end
  local t = task_of[co]
  if not t then error("a wait inside a coroutine that is not a task; use task.spawn", 4) end
  return t
end

local function finish(t, ok, ...)
  t.done, t.ok, t.results = true, ok, table.pack(...)
  local joiners = t.joiners
  t.joiners = nil
  if not ok and #joiners == 0 and not t.cancelled then
    io.stderr:write("moonboot: task ", t.name, " failed: ", tostring((...)), "\n")
  end
  for _, wake in ipairs(joiners) do wake() end
end

local function resume(t, ...)
  engine.interrupt.running(t.co)
  local results = table.pack(coroutine.resume(t.co, ...))
  engine.interrupt.running((coroutine.running()))
  if coroutine.status(t.co) == "dead" then finish(t, table.unpack(results, 2, results.n)) end
end

--- Lets the loop finish closing what was closed, if the main program calls this: luv crashes when a Lua state
-- ends while a handle is still closing.
function task.settle()
  if select(2, coroutine.running()) and not top_level.driving then drive("nowait") end
end

--- Waits until something calls `wake`. The primitive under every other wait.
-- @tparam function arm called as `arm(wake)`; may return a function that is called when the wait is over,
--   however it ends (to stop timers and watchers)
-- @return what `wake` was given
function task.wait(arm)
  local t = running()
  local woken
  local function finish_wait(outcome)
    if woken then return end
    woken = outcome
    if t.waiting then
      t.waiting = nil
      resume(t)
    elseif t.driving then
      -- A round of the loop runs timers before it polls, and polls without a limit when none is left: libuv up to 1.44.
      uv.stop()
    end
  end
  local function wake(...) finish_wait(table.pack(...)) end
  local function interrupt(reason) finish_wait { n = 0, raise = reason } end
  local pending = t.pending_interrupt
  if pending then
    t.pending_interrupt = nil
    t.raised = pending
    error(pending, 0)
  end
  local disarm = arm(wake)
  t.interrupt = interrupt
  if t == top_level then
    while not woken do drive("once") end
  elseif not woken then
    t.waiting = true
    coroutine.yield()
  end
  t.interrupt = nil
  if disarm then disarm() end
  task.settle()
  if woken.raise then
    t.raised = woken.raise
    error(woken.raise, 0)
  end
  return table.unpack(woken, 1, woken.n)
end

-- Raises `reason` inside `t`: at its present wait, or at its next one.
local function interrupt(t, reason)
  if t.interrupt then
    t.interrupt(reason)
  else
    t.pending_interrupt = reason
  end
end

--- Interrupts what the main program waits for: its wait raises `reason`, or its next one does if it is in none. For
-- signal handlers.
-- @param reason any error value; nil takes back what no wait has raised yet
function task.interrupt_main(reason)
  interrupt(top_level, reason)
end

--- Calls a function as pcall does, but lets pass what ends the task itself: a cancellation, a deadline.
-- @tparam function fn
-- @param ... its arguments
-- @return true and what `fn` returned, or false and its error
function task.protect(fn, ...)
  local results = table.pack(pcall(fn, ...))
  local t = running()
  if not results[1] and t.raised ~= nil and results[2] == t.raised then error(results[2], 0) end
  return table.unpack(results, 1, results.n)
end

--- Starts a task. It runs at once, up to its first wait.
-- @tparam function fn
-- @param ... its arguments
-- @treturn Task also a to-be-closed value, which cancels it
function task.spawn(fn, ...)
  local t = setmetatable({ joiners = {}, name = "task" }, Task)
  -- pcall, because a coroutine that dies of an error does not close its `<close>` variables.
  t.co = coroutine.create(function(...) return pcall(fn, ...) end)
  task_of[t.co] = t
  resume(t, ...)
  return t
end

--- Waits for a task to end.
-- @return what its function returned; an error in the task is raised here again
function Task:join()
  if not self.done then
    task.wait(function(wake) table.insert(self.joiners, wake) end)
  end
  if not self.ok then error(self.results[1], 0) end
  return table.unpack(self.results, 1, self.results.n)
end

--- Ends a task: the wait it is in raises `reason` ("cancelled" if none is given), so that its own
-- cleaning up (`<close>` variables, pcall) runs.
-- @param[opt="cancelled"] reason
function Task:cancel(reason)
  if self.done then return end
  self.cancelled = true
  interrupt(self, reason or "cancelled")
end

function Task:__close()
  self:cancel()
end

local function check_seconds(seconds, what)
  if type(seconds) ~= "number" then
    error(("%s takes a number of seconds, not %s"):format(what, type(seconds) == "nil" and "nothing" or "a "
      .. type(seconds)), 3)
  end
end

local function timer(seconds, fn)
  local handle = uv.new_timer()
  uv.update_time() -- the loop's clock stands still while a script computes, and timers count from there
  handle:start(math.max(0, math.ceil(seconds * 1000)), 0, fn)
  return function()
    if not handle:is_closing() then handle:close() end
  end
end

--- Waits.
-- @number seconds
function task.sleep(seconds)
  check_seconds(seconds, "sleep")
  task.wait(function(wake) return timer(seconds, wake) end)
end

--- Calls a function with a time limit.
-- @number seconds
-- @tparam function fn
-- @param ... its arguments
-- @return true and what `fn` returned, or nil and "timeout"; errors of `fn` are raised again
function task.deadline(seconds, fn, ...)
  check_seconds(seconds, "deadline")
  local expired = setmetatable({}, { __tostring = function() return "timeout" end })
  if select(2, coroutine.running()) then
    return task.spawn(task.deadline, seconds, fn, ...):join()
  end
  local t = running()
  local stop = timer(seconds, function() interrupt(t, expired) end)
  local results = table.pack(pcall(fn, ...))
  stop()
  if t.pending_interrupt == expired then t.pending_interrupt = nil end
  if results[1] then return table.unpack(results, 1, results.n) end
  if results[2] == expired then return nil, "timeout" end
  error(results[2], 0)
end

--- Waits until a file descriptor is readable.
-- @int fd
-- @number[opt] seconds the longest wait; none means for ever
-- @treturn ?boolean true, or nil and "timeout"
function task.readable(fd, seconds)
  return task.wait(function(wake)
    local poll = assert(uv.new_poll(fd))
    poll:start("r", function() wake(true) end)
    local stop = seconds and timer(seconds, function() wake(nil, "timeout") end)
    return function()
      poll:close()
      if stop then stop() end
    end
  end)
end

local Event = {}
Event.__index = Event

--- Makes an event: a value that tasks can wait for. Once set it stays set until cleared.
-- @treturn Event
function task.event()
  return setmetatable({ waiters = {} }, Event)
end

--- Sets the event and wakes every task that waits for it.
-- @param[opt=true] value what the waits return
function Event:set(value)
  if value == nil then value = true end
  self.value = value
  self:pulse(value)
end

--- Wakes every task that waits now; the event stays as it is.
-- @param[opt=true] value what the waits return
function Event:pulse(value)
  if value == nil then value = true end
  local waiters = self.waiters
  self.waiters = {}
  for wake in pairs(waiters) do wake(value) end
end

--- Makes the event wait again.
function Event:clear()
  self.value = nil
end

--- Waits until the event is set.
-- @number[opt] seconds the longest wait
-- @return the value, or nil and "timeout"
function Event:wait(seconds)
  if self.value ~= nil then return self.value end
  return task.wait(function(wake)
    self.waiters[wake] = true
    local stop = seconds and timer(seconds, function() wake(nil, "timeout") end)
    return function()
      self.waiters[wake] = nil
      if stop then stop() end
    end
  end)
end

--- Runs functions at the same time and waits for all of them.
-- @tparam {function,…} fns
-- @treturn table the first result of each, in the same order; the first error is raised when all have ended
function task.all(fns)
  local tasks, results = {}, {}
  for i, fn in ipairs(fns) do
    tasks[i] = task.spawn(function() return table.pack(pcall(fn)) end)
  end
  local failure
  for i, t in ipairs(tasks) do
    local outcome = t:join()
    results[i] = outcome[2]
    if not outcome[1] and failure == nil then failure = outcome[2] end
  end
  if failure ~= nil then error(failure, 0) end
  return results
end

return task

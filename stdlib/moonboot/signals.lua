--- Ending well when the user or the system asks for it: the first SIGINT, SIGTERM or SIGHUP is handed to a function,
-- the second one ends the process at once (QEMU goes with it: no child outlives its parent). A script that does not
-- let the loop run, so that the function cannot be called, gets an error after two seconds.
-- @module moonboot.signals
local interrupt = require("moonboot.engine").interrupt
local uv = require "luv"

local signals = {}

local Watch = {}
Watch.__index = Watch

-- What must not be stopped half-way: everything beside this file.
local LIBRARY = debug.getinfo(1, "S").source:match("^(.*/)[^/]*$")

--- Watches for signals.
-- @tparam function stop called once, with the signal's name
-- @tparam[opt] table options `impatient = true`: a script that does not let the loop run gets its error at once
-- @treturn Watch `watch:close()` gives the signals their old meaning; also a to-be-closed value
function signals.watch(stop, options)
  local poll = assert(uv.new_poll(assert(interrupt.watch(LIBRARY, options and options.impatient))))
  poll:start("r", function()
    local name = interrupt.take()
    if name then stop(name) end
  end)
  -- Waiting for a signal alone must not keep a loop running.
  poll:unref()
  return setmetatable({ poll = poll }, Watch)
end

--- Makes the next signal a first one again.
-- @treturn ?string name of the signal that has come since, whether or not `stop` was called for it
function Watch.renew()
  return interrupt.renew()
end

--- Stops watching. Idempotent.
function Watch:close()
  if not self.poll then return end
  self.poll:close()
  self.poll = nil
  interrupt.unwatch()
end

Watch.__close = Watch.close

return signals

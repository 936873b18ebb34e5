--- Ending well when the user or the system asks for it: the first SIGINT, SIGTERM or SIGHUP is handed to a function,
-- the second one ends the process at once (QEMU goes with it: every child has a parent-death signal).
-- @module moonboot.signals
local uv = require "luv"

local signals = {}

local Watch = {}
Watch.__index = Watch

local EXIT_INTERRUPTED = 130

--- Watches for signals.
-- @tparam function stop called once, with the signal's name
-- @treturn Watch `watch:close()` gives the signals their old meaning; also a to-be-closed value
function signals.watch(stop)
  local self = setmetatable({ handles = {} }, Watch)
  local seen = false
  for _, name in ipairs { "sigint", "sigterm", "sighup" } do
    local handle = uv.new_signal()
    handle:start(name, function()
      if seen then os.exit(EXIT_INTERRUPTED, false) end
      seen = true
      stop(name:upper())
    end)
    -- Waiting for a signal alone must not keep a loop running.
    handle:unref()
    table.insert(self.handles, handle)
  end
  return self
end

--- Stops watching. Idempotent.
function Watch:close()
  for _, handle in ipairs(self.handles) do
    if not handle:is_closing() then handle:close() end
  end
end

Watch.__close = Watch.close

return signals

--- Matches of LPeg patterns that end. A pattern that tries one place in several ways, inside another that does, may
-- need time exponential in the length of a line; matched here, it fails after one to two seconds of CPU time.
-- @module moonboot.bounded
local engine = require "moonboot.engine"
local lpeg = require "lpeg"
local text = require "moonboot.text"

local bounded = {}

local SHOWN_BYTES = 60

--- Compiles a pattern, as LPeg does at the first match. Raises what LPeg does.
-- @param wanted LPeg pattern
-- @treturn boolean whether it matches the empty string
function bounded.compile(wanted)
  return lpeg.match(wanted, "") ~= nil
end

--- Matches a pattern that `compile` was called for.
-- @function match
-- @param wanted LPeg pattern
-- @string subject
-- @int[opt=1] init
-- @return true and what LPeg returns; false and the error that it raises; nil and a message when it took too
--   long
bounded.match = engine.bounded.new(lpeg.match)

--- That a pattern cannot be tried on a text, in words.
-- @string subject
-- @param why
-- @treturn string "cannot be tried on …: …"
function bounded.untried(subject, why)
  local shown = #subject > SHOWN_BYTES and subject:sub(1, SHOWN_BYTES) .. "..." or subject
  return ('cannot be tried on "%s": %s'):format(text.escape(shown), tostring(why))
end

return bounded

--- How narrow the interval of a median has become, for runs that go on until it is narrow enough.
-- @module moonboot.precision
local stats = require "moonboot.stats"

local precision = {}

--- Judges the boot times of one configuration.
-- @tparam {number,…} times  of the samples that are ok, milliseconds
-- @number wanted  the largest half-width of the median's 95 % interval, as a share of the median
-- @bool finished  true when no more samples will come
-- @treturn table `wanted`; `reached`, the half-width as a share (nil when there are too few samples to tell); `met`;
--   `gave_up` (true when it is not met and will not be); `n`
function precision.of(times, wanted, finished)
  local reached = stats.relative_halfwidth(times)
  local met = reached ~= nil and reached <= wanted
  return { wanted = wanted, reached = reached, met = met, gave_up = finished and not met, n = #times }
end

--- Says it in words.
-- @tparam table judged  from `precision.of`
-- @treturn string such as "gave up after 50 samples: the 95 % interval of the median is within 3.1 % of it, wanted 2 %"
function precision.sentence(judged)
  local figure = judged.reached and ("is within %.2g %% of it"):format(100 * judged.reached)
    or "is unknown (too few samples are ok)"
  local outcome = judged.met and "precise enough" or judged.gave_up and "gave up" or "not yet precise enough"
  return ("%s after %d sample%s: the 95 %% interval of the median %s, wanted %.2g %%"):format(outcome, judged.n,
    judged.n == 1 and "" or "s", figure, 100 * judged.wanted)
end

return precision

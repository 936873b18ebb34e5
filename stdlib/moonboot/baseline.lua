--- A claim, such as a paper's estimate, against what was measured.
-- @module moonboot.baseline
local baseline = {}

--- Error, in percent of the claim, below which a claim is `VERIFIED`.
baseline.VERIFIED_BELOW = 10

--- Error, in percent of the claim, below which a claim is `PLAUSIBLE`.
baseline.PLAUSIBLE_BELOW = 20

local function positive(x)
  return type(x) == "number" and x > 0 and x < math.huge
end

--- Compares a claim with a sample of the same interval.
-- `error_percent` is (measured - estimated) / estimated, signed: positive means slower than claimed. Its size decides
-- the status: below 10 VERIFIED, below 20 PLAUSIBLE, else NEEDS_VALIDATION.
-- @number claim_ms  above 0
-- @tparam table summary  from `stats.summary`, of times in milliseconds
-- @treturn ?table `estimated_ms`, `measured_ms` (the mean), `measured_low_ms` and `measured_high_ms` (interval of the
--   mean, nil where the summary has none), `n`, `error_percent`, `status`, `inside_interval` (does the claim lie in the
--   interval of the mean; nil without one). nil if nothing was measured
-- @treturn ?string why there is no comparison
function baseline.compare(claim_ms, summary)
  if not positive(claim_ms) then
    error(("baseline.compare: a claim is a time above 0 ms, not %s"):format(tostring(claim_ms)), 2)
  end
  if not summary.mean then return nil, "nothing was measured" end
  local measured = summary.mean
  local error_percent = (measured - claim_ms) / claim_ms * 100
  -- An error of 10 % is not below 10 %, whatever the last bits of a division say.
  local size = math.abs(error_percent) + 1e-9
  local inside
  if summary.mean_low then inside = summary.mean_low <= claim_ms and claim_ms <= summary.mean_high end
  return {
    estimated_ms = claim_ms,
    measured_ms = measured,
    measured_low_ms = summary.mean_low,
    measured_high_ms = summary.mean_high,
    n = summary.n,
    error_percent = error_percent,
    status = size < baseline.VERIFIED_BELOW and "VERIFIED" or size < baseline.PLAUSIBLE_BELOW and "PLAUSIBLE"
      or "NEEDS_VALIDATION",
    inside_interval = inside,
  }
end

return baseline

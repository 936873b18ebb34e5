--- How each kind of hypothesis is judged: part of `moonboot.hypotheses`, which says what the kinds mean.
-- Every function takes a hypothesis in normal form and the results, and gives `verdict`, `evidence`, `test` and, if
-- more samples would probably decide, `more_samples`.
-- @module moonboot.hypotheses.judge
local selection = require "moonboot.selection"
local stats = require "moonboot.stats"

local judge = {}

local ALPHA = 0.05

local VERDICTS = { SUPPORTED = true, REJECTED = true, UNDECIDED = true }

local function p_text(p)
  return p < 0.001 and "p < 0.001" or ("p = %.3f"):format(p)
end

-- One verdict out of those of the parts, each { verdict, evidence, more_samples }.
local function combined(parts, test, nothing)
  if #parts == 0 then return { verdict = "UNDECIDED", evidence = nothing, test = test } end
  local evidence, more, worst = {}, nil, "SUPPORTED"
  local hopeless = false
  for i, part in ipairs(parts) do
    evidence[i] = part.evidence
    if part.verdict == "REJECTED" then
      worst = "REJECTED"
    elseif part.verdict == "UNDECIDED" then
      if worst == "SUPPORTED" then worst = "UNDECIDED" end
      if part.more_samples then more = math.max(more or 0, part.more_samples) else hopeless = true end
    end
  end
  return {
    verdict = worst, evidence = table.concat(evidence, "; "), test = test,
    more_samples = worst == "UNDECIDED" and not hopeless and more or nil,
  }
end

local function baseline_of(configuration, name)
  if not name then return configuration.whitepaper_comparison end
  for _, compared in ipairs(configuration.baselines or {}) do
    if compared.name == name then return compared end
  end
end

local function accurate(key, c, below)
  local part = { verdict = "UNDECIDED" }
  local n = c.n or 0
  if not c.measured_low_ms then
    part.evidence = ("%s: need >= 5 samples, there %s %d"):format(key, n == 1 and "is" or "are", n)
    part.more_samples = n < 5 and 5 - n or nil
    return part
  end
  local function percent(ms) return (ms - c.estimated_ms) / c.estimated_ms * 100 end
  local low, high, error_percent = percent(c.measured_low_ms), percent(c.measured_high_ms), percent(c.measured_ms)
  part.evidence = ("%s: %.2f ms against %g ms, error %+.1f %% [%+.1f, %+.1f]"):format(
    key, c.measured_ms, c.estimated_ms, error_percent, low, high)
  if low > -below and high < below then
    part.verdict = "SUPPORTED"
  elseif low >= below or high <= -below then
    part.verdict = "REJECTED"
  else
    local needed = stats.needed_samples(n, math.max(high - error_percent, error_percent - low),
      math.abs(below - math.abs(error_percent)))
    part.more_samples = needed and math.max(1, needed - n)
  end
  return part
end

--- The measured mean is within a share of a claim, in every configuration.
-- @tparam table h the hypothesis, in normal form
-- @tparam table results of `moonboot.analysis`
-- @treturn table verdict
function judge.accuracy(h, results)
  local parts = {}
  for _, configuration in ipairs(selection.configurations(results)) do
    local c = baseline_of(configuration, h.baseline)
    if c and (not h.configuration or h.configuration == configuration.key) then
      parts[#parts + 1] = accurate(configuration.key, c, h.below)
    end
  end
  local test = ("95 %% interval of the mean within %g %% of the claim"):format(h.below)
  return combined(parts, test, "no configuration has such a baseline")
end

--- The coefficient of variation is below a limit, in every configuration.
-- @tparam table h the hypothesis, in normal form
-- @tparam table results of `moonboot.analysis`
-- @treturn table verdict
function judge.repeatability(h, results)
  local parts = {}
  for i, configuration in ipairs(selection.configurations(results)) do
    local times = selection.times(configuration)
    local part = { verdict = "UNDECIDED" }
    local n, cv, low, high = #times, stats.cv(times)
    if n < 3 then
      part.evidence = ("%s: need >= 3 samples, there %s %d"):format(configuration.key, n == 1 and "is" or "are", n)
      part.more_samples = 3 - n
    elseif not low then
      part.evidence = ("%s: %s"):format(configuration.key,
        cv and ("CV %.1f %%, too large for an interval"):format(100 * cv) or "the mean is not above 0")
      part.verdict = cv and "REJECTED" or "UNDECIDED"
    else
      part.evidence = ("%s: CV %.2f %% [%.2f, %.2f]"):format(configuration.key, 100 * cv, 100 * low, 100 * high)
      if high < h.cv then
        part.verdict = "SUPPORTED"
      elseif low > h.cv then
        part.verdict = "REJECTED"
      else
        local needed = stats.needed_samples(n, cv < h.cv and high - cv or cv - low, math.abs(h.cv - cv))
        part.more_samples = needed and math.max(1, needed - n)
      end
    end
    parts[i] = part
  end
  local test = ("95 %% interval of the coefficient of variation (Vangel) against %g %%"):format(100 * h.cv)
  return combined(parts, test, "there are no configurations")
end

-- Why a configuration says nothing about how the guest scales; nil if it does.
local function exclusion(configuration)
  local cpus, up = configuration.cpus, configuration.guest_cpus
  if cpus and type(up) == "number" and up < cpus then
    return ("the guest brought up %d of %d CPUs"):format(up, cpus)
  end
  if configuration.oversubscribed == true then return "more vCPUs than host cores" end
end

local function axis_value(configuration, axis)
  local value = configuration.settings and configuration.settings[axis]
  if value == nil and axis == "cpus" then value = configuration.cpus end
  return value
end

-- The configurations along one axis, a list for each combination of the others, and words for those left out.
local function sequences(results, axis)
  local lists, by_others, left_out = {}, {}, {}
  for place, configuration in ipairs(selection.configurations(results)) do
    local value = axis_value(configuration, axis)
    local why = axis == "cpus" and exclusion(configuration)
    if why then
      left_out[#left_out + 1] = ("%s left out: %s"):format(configuration.key, why)
    elseif value ~= nil then
      local others = {}
      for name, other in pairs(configuration.settings or {}) do
        if name ~= axis then others[#others + 1] = ("%s=%s"):format(name, other) end
      end
      table.sort(others)
      local id = table.concat(others, "\0")
      if not by_others[id] then
        by_others[id] = {}
        lists[#lists + 1] = by_others[id]
      end
      local point = { key = configuration.key, value = value, place = place, times = selection.times(configuration) }
      table.insert(by_others[id], point)
    end
  end
  for _, list in ipairs(lists) do
    table.sort(list, function(a, b)
      local numbers = type(a.value) == "number" and type(b.value) == "number"
      if numbers and a.value ~= b.value then return a.value < b.value end
      return a.place < b.place
    end)
  end
  return lists, left_out
end

-- Tests that each step of the sequences goes the right way. `sign` 1: rising, -1: falling.
local function ordered(lists, left_out, sign, test)
  local steps, ps = {}, {}
  for _, list in ipairs(lists) do
    for i = 1, #list - 1 do
      local a, b = list[i], list[i + 1]
      local step = { a = a, b = b, n = math.min(#a.times, #b.times) }
      if step.n > 0 then
        step.p = stats.mann_whitney(a.times, b.times).p
        step.delta = stats.cliffs_delta(a.times, b.times) * sign
      end
      steps[#steps + 1], ps[#ps + 1] = step, step.p or 1
    end
  end
  local adjusted, least, parts = stats.holm(ps), stats.least_size(#ps, ALPHA), {}
  for i, step in ipairs(steps) do
    local a, b = step.a, step.b
    local part = { verdict = "UNDECIDED" }
    if step.n == 0 then
      part.evidence = ("%s: no boot times"):format(#a.times == 0 and a.key or b.key)
      part.more_samples = least
    else
      local ma, mb = stats.median(a.times), (stats.median(b.times))
      part.evidence = ("%s %.2f ms, %s %.2f ms (%s%s)"):format(a.key, ma, b.key, mb, p_text(adjusted[i]),
        step.n < least and (", need >= %d samples"):format(least) or "")
      if adjusted[i] < ALPHA and step.delta ~= 0 then
        part.verdict = step.delta > 0 and "SUPPORTED" or "REJECTED"
      else
        local needed = stats.samples_to_decide(a.times, b.times)
        part.more_samples = needed and math.max(1, math.max(needed, least) - step.n)
      end
    end
    parts[i] = part
  end
  local verdict = combined(parts, test, "fewer than two configurations to compare")
  if #left_out > 0 then verdict.evidence = verdict.evidence .. "; " .. table.concat(left_out, "; ") end
  return verdict
end

local STEP_TEST = "Mann-Whitney U for each step, Holm-corrected, 5 % level"

--- Boot time falls (or rises) from each step of an axis to the next.
-- @tparam table h the hypothesis, in normal form
-- @tparam table results of `moonboot.analysis`
-- @treturn table verdict
function judge.monotone(h, results)
  local lists, left_out = sequences(results, h.axis)
  return ordered(lists, left_out, h.direction == "rising" and 1 or -1, STEP_TEST)
end

--- Parallel efficiency falls with the number of vCPUs.
-- @tparam table _ the hypothesis, in normal form
-- @tparam table results of `moonboot.analysis`
-- @treturn table verdict
function judge.decreasing_efficiency(_, results)
  local lists, left_out = sequences(results, "cpus")
  for _, list in ipairs(lists) do
    for _, point in ipairs(list) do
      for i, t in ipairs(point.times) do point.times[i] = t * point.value end
    end
  end
  return ordered(lists, left_out, 1, STEP_TEST .. ", of CPU time p T(p)")
end

--- What a function of the experiment says.
-- @tparam table h the hypothesis, in normal form
-- @tparam table results of `moonboot.analysis`
-- @treturn table verdict
function judge.custom(h, results)
  local test = "a function of the experiment"
  if type(h.test) ~= "function" then
    return {
      verdict = "UNDECIDED", test = test, evidence = "its function is in the experiment's file, not in the journal",
    }
  end
  local ran, verdict, evidence = pcall(h.test, results)
  if not ran then
    return { verdict = "UNDECIDED", test = test, evidence = "the function failed: " .. tostring(verdict) }
  end
  if verdict == nil then verdict = "UNDECIDED" end
  if type(verdict) == "boolean" then verdict = verdict and "SUPPORTED" or "REJECTED" end
  if not VERDICTS[verdict] then
    return {
      verdict = "UNDECIDED", test = test,
      evidence = ("the function gave %s, not true, false, SUPPORTED, REJECTED or UNDECIDED"):format(tostring(verdict)),
    }
  end
  return { verdict = verdict, test = test, evidence = evidence ~= nil and tostring(evidence) or nil }
end

return judge

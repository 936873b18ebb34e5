--- What a series says about scaling, in sentences: part of `moonboot.interpretation`.
-- @module moonboot.interpretation.scaling
local text = require "moonboot.text"
local wording = require "moonboot.wording"

local scaling = {}

local function setting(axis, value)
  if axis == "cpus" then return ("%d vCPU%s"):format(value, value == 1 and "" or "s") end
  return wording.setting(axis, value)
end

-- "is 1.54 times as fast", or that nothing can be told.
local function step(axis, reference, point)
  local from_to = ("%s instead of %s"):format(setting(axis, point.value), setting(axis, reference.value))
  local efficiency = point.efficiency
    and (", a parallel efficiency of %.0f %%"):format(100 * point.efficiency) or ""
  local note = point.excluded and (" (%s)"):format(point.excluded) or ""
  if not point.speedup_low then
    return ("With %s the median is %.2f times as fast%s, without an interval for want of samples%s."):format(from_to,
      point.speedup, efficiency, note)
  end
  local interval = ("%.2f to %.2f"):format(point.speedup_low, point.speedup_high)
  if point.speedup_low <= 1 and point.speedup_high >= 1 then
    return ("With %s these samples show no difference: the speed-up is %.2f (95 %% interval %s)%s."):format(from_to,
      point.speedup, interval, note)
  end
  if point.speedup < 1 then
    return ("With %s the boot is slower, a speed-up of %.2f (95 %% interval %s)%s."):format(from_to, point.speedup,
      interval, note)
  end
  return ("With %s the boot is %.2f times as fast (95 %% interval %s)%s%s."):format(from_to, point.speedup, interval,
    efficiency, note)
end

local function parameter(fit, name, format)
  local value = format:format(fit[name])
  if not fit[name .. "_low"] then return value end
  return ("%s (95 %% interval %s)"):format(value, (wording.range(fit, name, format):gsub(" %.%. ", " to ")))
end

local function residual(fit)
  return fit.residual_ms and (", with a residual of %s"):format(wording.ms(fit.residual_ms)) or ""
end

local function laws(fits)
  local sentences, amdahl, usl = {}, fits.amdahl, fits.usl
  if amdahl then
    sentences[1] = ("Amdahl's law, fitted to the medians of %d configurations, gives a serial fraction of %s%s.")
      :format(fits.configurations, parameter(amdahl, "serial_fraction", "%.3f"), residual(amdahl))
  end
  if usl then
    sentences[#sentences + 1] = ("The Universal Scalability Law gives a contention of %s and a coherency of %s%s.")
      :format(parameter(usl, "sigma", "%.3f"), parameter(usl, "kappa", "%.4f"), residual(usl))
  end
  return sentences
end

local function phase_sentences(group)
  local names, count, key = { scales = {}, does_not_scale = {}, slows = {}, undecided = {} }, 0, nil
  for _, phase in ipairs(group.phases) do
    if phase.gain then
      count, key = count + 1, phase.gain.key
      table.insert(names[phase.gain.verdict], phase.name)
    end
  end
  if not key then return {} end
  local sentences = {}
  local function add(verdict, one, several)
    local list = names[verdict]
    if #list > 0 then
      sentences[#sentences + 1] = ("Between %s and %s, %s %s."):format(group.reference, key, text.list(list, "and"),
        #list == 1 and one or several)
    end
  end
  add("scales", "gains from more vCPUs", "gain from more vCPUs")
  add("does_not_scale", "gains nothing from more vCPUs", "gain nothing from more vCPUs")
  add("slows", "takes longer with more vCPUs", "take longer with more vCPUs")
  local undecided = #names.undecided
  if undecided > 0 then
    sentences[#sentences + 1] = ("Whether %s gain%s from more vCPUs these samples do not decide."):format(
      undecided == count and "single phases" or undecided == 1 and names.undecided[1]
        or ("the other %d phases"):format(undecided), undecided == 1 and undecided < count and "s" or "")
  end
  return sentences
end

--- The sentences on one group of a series.
-- @tparam table results
-- @tparam table group of `results.scaling.groups`
-- @treturn {string,…} none where there is nothing to compare
function scaling.of(results, group)
  local axis, sentences = results.scaling.axis, {}
  if #group.points < 2 then return sentences end
  local where = wording.where(results, group.where)
  if where ~= "" then sentences[1] = ("At %s:"):format(where) end
  -- That the guest brought up fewer CPUs changes what everything after it means.
  for _, note in ipairs(group.notes) do sentences[#sentences + 1] = wording.sentence(note) end
  for i = 2, #group.points do sentences[#sentences + 1] = step(axis, group.points[1], group.points[i]) end
  for _, sentence in ipairs(laws(group.fits or {})) do sentences[#sentences + 1] = sentence end
  for _, sentence in ipairs(phase_sentences(group)) do sentences[#sentences + 1] = sentence end
  return sentences
end

return scaling

--- The key findings of the text report: part of `moonboot.layout.text`.
-- @module moonboot.layout.text.findings
local text = require "moonboot.text"
local wording = require "moonboot.wording"

local function spread(point, results)
  local stdev = results[point.key].statistics.stdev_ms
  return stdev and ("(± %s)"):format(wording.figure(stdev)) or "(one sample)"
end

local function mark_of(point)
  if not point.excluded then return "" end
  return ("  [%s]"):format((point.excluded:gsub("^(oversubscribed):.*", "%1"):gsub("^(virtual time):.*", "%1")))
end

local function bounds(fit, name)
  local low, high = fit[name .. "_low"], fit[name .. "_high"]
  return low and high and (" (%.3f .. %.3f)"):format(low, high) or ""
end

local function fit_lines(page, fits)
  local amdahl, usl = fits.amdahl, fits.usl
  if amdahl then
    page:add("  Amdahl's law, %d configurations: serial fraction %.3f%s%s", fits.configurations, amdahl.serial_fraction,
      bounds(amdahl, "serial_fraction"),
      amdahl.residual_ms and (", residual %s"):format(wording.ms(amdahl.residual_ms)) or "")
  end
  if usl then
    page:add("  Universal Scalability Law: contention %.3f%s, coherency %.4f%s%s", usl.sigma, bounds(usl, "sigma"),
      usl.kappa, bounds(usl, "kappa"),
      usl.residual_ms and (", residual %s"):format(wording.ms(usl.residual_ms)) or "")
  end
end

-- How each phase changed from the reference to the largest configuration that the host has cores for.
local function phase_gains(page, results, group)
  local before, after = results[group.reference], nil
  local rows, fitted = {}, false
  for _, phase in ipairs(group.phases) do
    local gain = phase.gain
    if gain then
      after = results[gain.key]
      local amdahl = phase.fits and phase.fits.amdahl
      fitted = fitted or amdahl ~= nil
      rows[#rows + 1] = {
        "    " .. text.escape(phase.name), ("%.2fx"):format(gain.speedup), wording.range(gain, "speedup", "%.2f"),
        amdahl and ("%.3f"):format(amdahl.serial_fraction) or "-",
        amdahl and wording.range(amdahl, "serial_fraction", "%.3f") or "-", wording.gain(gain),
      }
    end
  end
  if not after then return end
  table.insert(rows, 1, { ("  Phases, %s against %s"):format(wording.setting("cpus", after.cpus),
    wording.setting("cpus", before.cpus)), "Speedup", "Interval", "Serial", "Interval", "" })
  if not fitted then
    for _, row in ipairs(rows) do
      table.remove(row, 5)
      table.remove(row, 4)
    end
  end
  page:add("")
  for _, line in ipairs(wording.columns(rows, fitted and "lrrrrl" or "lrrl")) do page:add("%s", line) end
  page:add("")
end

local function group_findings(page, results, group)
  local axis = results.scaling.axis
  local where = wording.where(results, group.where)
  local suffix = (where ~= "" and (" (%s)"):format(where) or "")
    .. (results.experiment.deterministic and " [virtual time]" or "")
  page:add("")
  page:add("Boot Time by %s%s", wording.axis(axis), suffix)
  if #group.points == 0 then page:add("  nothing was measured") end
  for _, point in ipairs(group.points) do
    page:add("  %s: %s %s, median %s%s", wording.setting(axis, point.value), wording.ms(point.mean_ms),
      spread(point, results), wording.figure(point.median_ms), mark_of(point))
  end
  if #group.points < 2 then return end
  local first = group.points[1]
  page:add("")
  page:add("%s (relative to %s)%s", axis == "cpus" and "Scaling Efficiency" or "Speedup",
    wording.setting(axis, first.value), suffix)
  for i = 2, #group.points do
    local point = group.points[i]
    page:add("  %s: %.2fx speedup%s%s%s", wording.setting(axis, point.value), point.speedup,
      point.efficiency and (" (%s efficiency)"):format(wording.percent(point.efficiency)) or "",
      point.speedup_low and (", 95 %% interval %s"):format(wording.range(point, "speedup", "%.2f")) or "",
      mark_of(point))
  end
  if axis == "cpus" then phase_gains(page, results, group) end
  if group.fits then fit_lines(page, group.fits) end
  for _, sentence in ipairs(group.notes) do page:note(sentence) end
end

--- Writes the key findings: boot times along the axis, scaling, phases, fits.
-- @tparam Page page
-- @tparam table results
return function(page, results)
  page:rule("KEY FINDINGS", "=")
  if results.scaling.axis then
    for _, group in ipairs(results.scaling.groups) do group_findings(page, results, group) end
  else
    page:add("")
    page:add("Boot Time")
    for _, key in ipairs(results.order) do
      local configuration = results[key]
      page:add("  %s: %s", wording.title(results, configuration), wording.ms(configuration.statistics.mean_ms))
    end
  end
  page:add("")
  page:add("  (times are means with their standard deviation; speed-up is median over median)")
end

--- Medians for a monitoring system, as OpenMetrics text; copy it to see how a layout of your own begins.
-- A layout is a function that takes the results table (what `--format json` prints) and returns a string.

local function labels(results, key, extra)
  return ('{experiment="%s",configuration="%s"%s}'):format(results.experiment.name or "", key, extra or "")
end

return function(results)
  local lines = { "# TYPE moonboot_boot_seconds gauge", "# UNIT moonboot_boot_seconds seconds" }
  local samples = { "# TYPE moonboot_samples gauge" }
  for _, key in ipairs(results.order) do
    local s = results[key].statistics
    if s.median_ms then
      lines[#lines + 1] = ("moonboot_boot_seconds%s %.9f"):format(labels(results, key), s.median_ms / 1000)
    end
    samples[#samples + 1] = ("moonboot_samples%s %d"):format(labels(results, key, ',ok="true"'), s.n)
    samples[#samples + 1] = ("moonboot_samples%s %d"):format(labels(results, key, ',ok="false"'), s.failed)
  end
  return table.concat(lines, "\n") .. "\n" .. table.concat(samples, "\n") .. "\n# EOF\n"
end

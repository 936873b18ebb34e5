--- A layout of one's own: the slowest sample of each configuration.
-- `moonboot report DIR --format examples/layout.lua`
return function(results)
  local lines = {}
  for _, key in ipairs(results.order) do
    local slowest
    for _, sample in ipairs(results[key].samples) do
      -- Only samples that are ok have a boot time.
      local ms = sample.boot_time_ms
      if ms and ms > (slowest and slowest.boot_time_ms or 0) then slowest = sample end
    end
    lines[#lines + 1] = slowest and ("%-8s %8.2f ms  %s"):format(key, slowest.boot_time_ms, slowest.log)
      or ("%-8s has no boot time"):format(key)
  end
  return table.concat(lines, "\n") .. "\n"
end

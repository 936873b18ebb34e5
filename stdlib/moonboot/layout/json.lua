--- The results as JSON, for scripts and for later: `jq .cpu_2.statistics.mean_ms`.
-- Keys stand in a fixed order, a sample on a line; what is unknown is null. Described by results.schema.json.
-- @module moonboot.layout.json
local json = require "moonboot.json"

-- Fields that are always there, null when unknown.
local SAMPLE = { "boot_time_ms", "reason", "log", "timing" }
local STATISTICS = {
  "mean_ms", "median_ms", "median_low_ms", "median_high_ms", "min_ms", "max_ms", "stdev_ms", "cv", "mad_ms", "p90_ms",
}
local COMPARISON = { "measured_ms", "error_percent", "status" }

local KEYS = {
  "key", "cpus", "memory", "status", "reason", "boot_time_ms", "marker_count", "index", "order", "markers",
  "name", "from", "to", "estimated_ms", "measured_ms", "error_percent", "n", "failed", "mean_ms", "median_ms",
  "median_low_ms", "median_high_ms", "min_ms", "max_ms", "stdev_ms", "cv", "share", "guest", "title", "log", "timing",
  "axis", "value", "speedup", "speedup_low", "speedup_high", "efficiency", "settings", "guest_cpus", "oversubscribed", "not_ok", "not_ok_reasons", "statistics", "whitepaper_comparison",
  "baselines", "phases", "samples",
}

-- Six decimals of a millisecond are a nanosecond; what lies below is rounding error.
local function rounded(v)
  if math.type(v) == "float" then
    local near = tonumber(("%.6f"):format(v))
    -- Small figures that have no unit (a p-value) keep their leading digits.
    if near == 0 and v ~= 0 then return tonumber(("%.6g"):format(v)) end
    return near
  end
  if type(v) ~= "table" then return v end
  local copy = setmetatable({}, getmetatable(v))
  for k, x in next, v do copy[k] = rounded(x) end
  return copy
end

local function with_nulls(t, names)
  for _, name in ipairs(names) do
    if t[name] == nil then t[name] = json.null end
  end
  return t
end

local function sample_lines(samples, encode)
  if #samples == 0 then return "[]" end
  local lines = {}
  for i = 1, #samples do
    local sample = rounded(samples[i])
    sample.sequence = nil -- the order of `markers` by time says the same
    lines[i] = encode(with_nulls(sample, SAMPLE))
  end
  return "[\n      " .. table.concat(lines, ",\n      ") .. "\n    ]"
end

local function comparison(t)
  return t and with_nulls(rounded(t), COMPARISON)
end

-- A configuration, but for its samples: these are many and are written line by line.
local function configuration_head(configuration)
  local head = {}
  for k, v in pairs(configuration) do
    if k ~= "samples" and k ~= "warmup_samples" then head[k] = rounded(v) end
  end
  with_nulls(head.statistics, STATISTICS)
  with_nulls(head, { "guest_cpus", "oversubscribed" })
  head.whitepaper_comparison = comparison(configuration.whitepaper_comparison) or json.null
  if configuration.baselines then
    for i, claim in ipairs(configuration.baselines) do head.baselines[i] = comparison(claim) end
  end
  head.drift = head.drift or nil
  return head
end

local function configuration_text(configuration, one_line)
  local head = json.encode(configuration_head(configuration), { order = KEYS, width = 100, indent = 1 })
  local parts = { head:match("^(.*%S)%s*}$") }
  if configuration.warmup_samples then
    parts[#parts + 1] = ',\n    "warmup_samples": ' .. sample_lines(configuration.warmup_samples, one_line)
  end
  parts[#parts + 1] = ',\n    "samples": ' .. sample_lines(configuration.samples, one_line)
  parts[#parts + 1] = "\n  }"
  return table.concat(parts)
end

--- Writes results as JSON.
-- @tparam table results of `moonboot.analysis`
-- @treturn string one JSON document with a newline at its end
return function(results)
  -- Markers in the order of the grammar, which is that of a boot.
  local order = table.move(KEYS, 1, #KEYS, 1, {})
  for _, rule in ipairs(results.experiment.rules or {}) do order[#order + 1] = rule.name end
  local one_line = json.encoder { order = order }
  local parts, is_configuration = {}, {}
  for _, key in ipairs(results.order) do
    is_configuration[key] = true
    parts[#parts + 1] = json.encode(key) .. ": " .. configuration_text(results[key], one_line)
  end
  local rest = {}
  for name in pairs(results) do
    -- A run directory may be moved; the file in it does not say where it once was.
    if not is_configuration[name] and name ~= "schema" and name ~= "directory" then rest[#rest + 1] = name end
  end
  table.sort(rest)
  rest[#rest + 1] = "schema"
  for _, name in ipairs(rest) do
    parts[#parts + 1] = json.encode(name) .. ": "
      .. json.encode(rounded(results[name]), { order = KEYS, width = 100, indent = 1 })
  end
  return "{\n  " .. table.concat(parts, ",\n  ") .. "\n}\n"
end

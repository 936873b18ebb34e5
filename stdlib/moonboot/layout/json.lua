--- The results as JSON, for scripts and for later: `jq .cpu_2.statistics.mean_ms`.
-- Keys stand in a fixed order, a sample on a line; what is unknown is null. Described by results.schema.json.
-- @module moonboot.layout.json
local engine = require("moonboot.engine").json
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
  "axis", "value", "speedup", "speedup_low", "speedup_high", "efficiency", "settings", "guest_cpus", "oversubscribed",
  "not_ok", "not_ok_reasons", "statistics", "whitepaper_comparison", "baselines", "phases", "samples",
}

local SAMPLE_KEYS = {
  "status", "reason", "boot_time_ms", "marker_count", "index", "order", "markers", "log", "timing",
}

-- Six decimals of a millisecond are a nanosecond; what lies below is rounding error.
local DECIMALS = 6

local function copy(t)
  local c = setmetatable({}, getmetatable(t))
  for k, v in next, t do c[k] = v end
  return c
end

local function with_nulls(t, names)
  local c = copy(t)
  for _, name in ipairs(names) do
    if c[name] == nil then c[name] = json.null end
  end
  return c
end

-- Gives each sample with its nulls, in one table that is filled anew: a hundred thousand copies would be much garbage.
local function filler(names)
  local filled = {}
  return function(t)
    for k in next, filled do filled[k] = nil end
    for k, v in next, t do filled[k] = v end
    for _, name in ipairs(names) do
      if t[name] == nil then filled[name] = json.null end
    end
    return filled
  end
end

-- Appends a line for each sample. Lines are joined by the thousand: a hundred thousand strings at a time cost more
-- than the results they come from.
local function add_samples(parts, samples, encode)
  if #samples == 0 then
    parts[#parts + 1] = "[]"
    return
  end
  local with_nulls_of = filler(SAMPLE)
  parts[#parts + 1] = "[\n      "
  for from = 1, #samples, 1000 do
    local lines = {}
    for i = from, math.min(from + 999, #samples) do lines[#lines + 1] = encode(with_nulls_of(samples[i])) end
    parts[#parts + 1] = table.concat(lines, ",\n      ") .. (from + 1000 <= #samples and ",\n      " or "\n    ]")
  end
end

-- A configuration, but for its samples: these are many and are written line by line.
local function head_of(configuration)
  local head = with_nulls(configuration, { "guest_cpus", "oversubscribed", "whitepaper_comparison" })
  head.samples, head.warmup_samples = nil, nil
  head.statistics = with_nulls(head.statistics, STATISTICS)
  if configuration.whitepaper_comparison then
    head.whitepaper_comparison = with_nulls(configuration.whitepaper_comparison, COMPARISON)
  end
  if configuration.baselines then
    head.baselines = json.array()
    for i, claim in ipairs(configuration.baselines) do head.baselines[i] = with_nulls(claim, COMPARISON) end
  end
  return head
end

local function add_configuration(parts, configuration, encode, one_line)
  parts[#parts + 1] = encode(head_of(configuration)):match("^(.*%S)%s*}$")
  if configuration.warmup_samples then
    parts[#parts + 1] = ',\n    "warmup_samples": '
    add_samples(parts, configuration.warmup_samples, one_line)
  end
  parts[#parts + 1] = ',\n    "samples": '
  add_samples(parts, configuration.samples, one_line)
  parts[#parts + 1] = "\n  }"
end

--- Writes results as JSON.
-- @tparam table results of `moonboot.analysis`
-- @treturn string one JSON document with a newline at its end
return function(results)
  -- Markers in the order of the grammar, which is that of a boot.
  local order = table.move(SAMPLE_KEYS, 1, #SAMPLE_KEYS, 1, {})
  for _, rule in ipairs(results.experiment.rules or {}) do order[#order + 1] = rule.name end
  local one_line = json.encoder { order = order, decimals = DECIMALS }
  local encode = json.encoder { order = KEYS, width = 100, indent = 1, decimals = DECIMALS }

  local parts, is_configuration = { "{\n" }, {}
  for _, key in ipairs(results.order) do
    is_configuration[key] = true
    parts[#parts + 1] = "  " .. json.encode(key) .. ": "
    add_configuration(parts, results[key], encode, one_line)
    parts[#parts + 1] = ",\n"
  end
  local rest = {}
  for name in pairs(results) do
    -- A run directory may be moved; the file in it does not say where it once was.
    if not is_configuration[name] and name ~= "schema" and name ~= "directory" then rest[#rest + 1] = name end
  end
  table.sort(rest)
  for _, name in ipairs(rest) do
    parts[#parts + 1] = ("  %s: %s,\n"):format(json.encode(name), encode(results[name]))
  end
  parts[#parts + 1] = ('  "schema": %s\n}\n'):format(json.encode(results.schema))
  return engine.join(parts)
end

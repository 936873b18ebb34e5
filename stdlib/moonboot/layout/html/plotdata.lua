--- What a page's plots are drawn from: results, as small as they can be without saying anything else.
-- @module moonboot.layout.html.plotdata
local json = require "moonboot.json"
local logs = require "moonboot.layout.html.logs"
local wording = require "moonboot.wording"

local plotdata = {}

--- Dots of a configuration; of more samples, so many are taken evenly from the fastest to the slowest.
plotdata.DOTS = 1000

local function or_null(v)
  if v == nil then return json.null end
  return v
end

local function dots_of(configuration)
  local ok = {}
  for _, sample in ipairs(configuration.samples) do
    if sample.boot_time_ms then ok[#ok + 1] = sample end
  end
  if #ok > plotdata.DOTS then
    table.sort(ok, function(a, b) return a.boot_time_ms < b.boot_time_ms end)
    local some = {}
    for i = 0, plotdata.DOTS - 1 do some[i + 1] = ok[1 + i * (#ok - 1) // (plotdata.DOTS - 1)] end
    ok = some
  end
  local dots = json.array()
  for i, sample in ipairs(ok) do
    dots[i] = json.array { sample.boot_time_ms, or_null(sample.index), sample.outlier and 1 or 0 }
  end
  return dots
end

local function configurations_of(results)
  local list = json.array()
  for i, key in ipairs(results.order) do
    local configuration = results[key]
    local s = configuration.statistics
    list[i] = {
      key = key, title = wording.title(results, configuration), n = s.n, median = or_null(s.median_ms),
      low = or_null(s.median_low_ms), high = or_null(s.median_high_ms), dots = dots_of(configuration),
    }
  end
  return list
end

-- The claims about what is measured, each once.
local function claims_of(results)
  local list, seen, measure = json.array(), {}, results.experiment.measure
  for _, key in ipairs(results.order) do
    for _, claim in ipairs(results[key].baselines or {}) do
      local of_the_whole = not claim.to or claim.from == measure.from and claim.to == measure.to
      if of_the_whole and not seen[claim.estimated_ms] then
        seen[claim.estimated_ms] = true
        list[#list + 1] = { ms = claim.estimated_ms, label = "claim: " .. wording.ms(claim.estimated_ms) }
      end
    end
  end
  return list
end

local function scaling_of(results)
  local list = json.array()
  if results.scaling.axis ~= "cpus" then return list end
  for _, group in ipairs(results.scaling.groups) do
    if #group.points > 1 then
      local points, fits = json.array(), group.fits or {}
      for i, point in ipairs(group.points) do
        points[i] = { cpus = or_null(point.cpus), speedup = or_null(point.speedup), low = or_null(point.speedup_low),
          high = or_null(point.speedup_high), excluded = or_null(point.excluded) }
      end
      list[#list + 1] = { title = wording.where(results, group.where), points = points,
        serial_fraction = or_null(fits.amdahl and fits.amdahl.serial_fraction),
        sigma = or_null(fits.usl and fits.usl.sigma), kappa = or_null(fits.usl and fits.usl.kappa) }
    end
  end
  return list
end

--- The phases of all configurations, each once, in the order they are met.
-- @tparam table results
-- @string field  of a configuration: "phases" or "named_phases"
-- @treturn {table,…} `name`, `from`, `to`, `by_key` (the phase in each configuration that has it)
function plotdata.phases(results, field)
  local list, known = {}, {}
  for _, key in ipairs(results.order) do
    for _, phase in ipairs(results[key][field] or {}) do
      local row = known[phase.name]
      if not row then
        row = { name = phase.name, from = phase.from, to = phase.to, by_key = {} }
        known[phase.name], list[#list + 1] = row, row
      end
      row.by_key[key] = phase
    end
  end
  return list
end

local function phases_of(results)
  local list = json.array()
  for i, phase in ipairs(plotdata.phases(results, "phases")) do
    local medians = json.array()
    for c, key in ipairs(results.order) do medians[c] = or_null(phase.by_key[key] and phase.by_key[key].median_ms) end
    list[i] = { name = phase.name, to = phase.to, medians = medians }
  end
  return list
end

-- Markers in the order of the boots; those that only failed boots have come last. -> names, and name -> place from 0
local function markers_of(results)
  local list, place = json.array(), {}
  local function add(name)
    if place[name] then return end
    place[name] = #list
    list[#list + 1] = name
  end
  for _, key in ipairs(results.order) do
    for _, marker in ipairs(results[key].markers) do add(marker.name) end
  end
  for _, rule in ipairs(results.experiment.rules or {}) do add(rule.name) end
  for _, key in ipairs(results.order) do
    for _, sample in ipairs(results[key].samples) do
      for name in pairs(sample.markers) do add(name) end
    end
  end
  return list, place
end

local function row_of(sample, c, place)
  local markers = json.array()
  for name, t_ms in pairs(sample.markers) do markers[#markers + 1] = json.array { place[name], t_ms } end
  table.sort(markers, function(a, b)
    if a[2] ~= b[2] then return a[2] < b[2] end
    return a[1] < b[1]
  end)
  return { configuration = c - 1, index = or_null(sample.index), status = sample.status,
    boot_ms = or_null(sample.boot_time_ms), outlier = sample.outlier and true or false, markers = markers }
end

-- Logs are added in turn, so that where not all fit every configuration has some.
local function add_logs(rows, directory)
  local book, longest = logs.new(directory), 0
  for _, list in ipairs(rows) do longest = math.max(longest, #list) end
  for i = 1, longest do
    for _, list in ipairs(rows) do
      if list[i] then list[i].row.log = book:add(list[i].sample) end
    end
  end
  return book.texts
end

--- Puts the data together.
-- @tparam table results
-- @tparam {table,…} drawn a list of samples for each configuration, in plan order
-- @tparam ?string directory of the run; without it there are no logs
-- @treturn table for `json.encode`
function plotdata.of(results, drawn, directory)
  local markers, place = markers_of(results)
  local rows, samples = {}, json.array()
  for c, list in ipairs(drawn) do
    rows[c] = {}
    for i, sample in ipairs(list) do
      local row = row_of(sample, c, place)
      rows[c][i] = { row = row, sample = sample }
      samples[#samples + 1] = row
    end
  end
  local texts = directory and add_logs(rows, directory) or json.array()
  local measure = results.experiment.measure
  return {
    measure = { from = or_null(measure.from), to = or_null(measure.to), title = wording.measure(measure) },
    markers = markers, configurations = configurations_of(results), claims = claims_of(results),
    scaling = scaling_of(results), phases = phases_of(results), samples = samples, texts = texts,
  }
end

return plotdata

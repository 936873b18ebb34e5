--- From the records of a journal to the results table that every layout prints.
-- Only samples whose status is `ok` have a boot time; the others are counted beside n, with their reasons, and
-- never become a number. Nothing unknown is given a value: it is nil here and null in JSON.
-- Records are taken one at a time and kept small, so that a run of 100,000 samples fits into memory.
-- @module moonboot.analysis
local acceptance = require "moonboot.acceptance"
local baseline = require "moonboot.baseline"
local caveats = require "moonboot.caveats"
local columns = require "moonboot.columns"
local hypotheses = require "moonboot.hypotheses"
local json = require "moonboot.json"
local noise = require "moonboot.noise"
local observation = require "moonboot.observation"
local phases = require "moonboot.phases"
local precision = require "moonboot.precision"
local series = require "moonboot.series"
local stats = require "moonboot.stats"

local analysis = {}

--- The version of the results table, as results files state it.
analysis.SCHEMA = "moonboot-results/1"

local Builder = {}
Builder.__index = Builder

local value, object, known = json.value, observation.object, observation.known

--- Starts an analysis.
-- @tparam[opt] table options `level` of the intervals (0.95); `hypotheses` with their functions, which no journal holds
-- @treturn Builder
function analysis.new(options)
  return setmetatable({
    options = options or {},
    run = nil,
    conclusion = nil,
    order = {},
    configurations = {},
    unknown_records = 0,
  }, Builder)
end

function Builder:_configuration(record)
  local key = record.key
  local configuration = self.configurations[key]
  if not configuration then
    local samples, warmups = {}, {}
    configuration = { key = key, samples = samples, warmups = warmups, places = { [samples] = {}, [warmups] = {} } }
    self.configurations[key] = configuration
    table.insert(self.order, key)
  end
  return configuration
end

local function add_sample(self, record)
  local configuration = self:_configuration(record)
  local sample = observation.of(record)
  local list = sample.warmup and configuration.warmups or configuration.samples
  -- A resumed run redoes a sample that was cut off: the later record stands.
  local places = configuration.places[list]
  local place = sample.index and places[sample.index]
  if place then
    self.redone = (self.redone or 0) + 1
  else
    place = #list + 1
    if sample.index then places[sample.index] = place end
  end
  list[place] = sample
end

local ADD = {
  run = function(self, record)
    -- A resumed run may write another header; what was true at the beginning stands.
    self.run = self.run or record
  end,
  configuration = function(self, record)
    local configuration = self:_configuration(record)
    configuration.index = value(record.index)
    configuration.settings = known(record.settings)
    configuration.cpus = value(record.cpus)
    configuration.memory = value(record.memory)
    configuration.argv = value(record.argv)
    configuration.image = value(record.image)
    configuration.label = value(record.label)
  end,
  sample = add_sample,
  conclusion = function(self, record)
    self.conclusion = record
  end,
}

--- Takes a record.
-- @tparam table record a line of the journal; types that are not known are passed over
-- @treturn Builder itself
function Builder:add(record)
  local add = ADD[record.type]
  if add and (record.type == "run" or record.type == "conclusion" or type(record.key) == "string") then
    add(self, record)
  else
    self.unknown_records = self.unknown_records + 1
  end
  return self
end

-- What is measured: as the run says, else from t0 to the last marker that the grammar requires.
local function measured(run)
  local m = known(run.measure)
  if not m.to then
    for _, rule in ipairs(object(run.rules)) do
      if not rule.optional then m.to = rule.name end
    end
  end
  return m
end

local function count_not_ok(samples)
  local by_status, reasons, failed = {}, {}, 0
  for _, sample in ipairs(samples) do
    if sample.status ~= "ok" then
      failed = failed + 1
      by_status[sample.status] = (by_status[sample.status] or 0) + 1
      reasons[sample.status] = reasons[sample.status] or sample.reason
    end
  end
  return by_status, reasons, failed
end

-- The CPUs the guest says it brought up; the fewest, should samples differ.
local function guest_cpus(samples)
  local fewest, most
  for _, sample in ipairs(samples) do
    local captures = sample.captures
    local n = captures and math.tointeger(tonumber(captures.cpus or captures.guest_cpus))
    if n then
      fewest, most = math.min(fewest or n, n), math.max(most or n, n)
    end
  end
  return fewest, most ~= fewest and most or nil
end

local function column(samples, get)
  local xs = {}
  for i = 1, #samples do xs[#xs + 1] = get(samples[i]) end
  return xs
end

-- The medians, over the samples that have them, of what happened on the host.
local function host_side(samples)
  local values = {
    spawn_to_cont_ms = {}, first_byte_ms = {}, qemu_cpu_ms = {}, max_rss_bytes = {}, pressure_share = {},
  }
  local function add(name, x)
    local xs = values[name]
    if x then xs[#xs + 1] = x end
  end
  for _, sample in ipairs(samples) do
    local times, qemu, disturbance = sample.host_times_ms, sample.qemu, sample.disturbance
    if times then
      add("spawn_to_cont_ms", times.cont_sent and times.spawned and times.cont_sent - times.spawned)
      add("first_byte_ms", times.first_byte)
    end
    add("qemu_cpu_ms", qemu.user_ms and qemu.system_ms and qemu.user_ms + qemu.system_ms)
    add("max_rss_bytes", qemu.max_rss_bytes)
    if disturbance then add("pressure_share", disturbance.pressure_share) end
  end
  local side = {}
  for name, xs in pairs(values) do side[name] = stats.median(xs) end
  return next(side) and side or nil
end

-- How many samples something else on the host disturbed, and how many for each kind of reason.
local function noisy(samples)
  local count, kinds = 0, {}
  for _, sample in ipairs(samples) do
    if sample.noise then
      count = count + 1
      for _, reason in ipairs(sample.noise) do
        local kind = noise.kind(reason)
        kinds[kind] = (kinds[kind] or 0) + 1
      end
    end
  end
  return count > 0 and { samples = count, reasons = kinds } or nil
end

local function compare_baselines(result, baselines, options)
  local all
  for _, claim in ipairs(baselines) do
    claim = known(claim)
    if claim.estimated_ms then
      local from, to, summary = claim.from, claim.to, options.summary
      if not to then from, to = options.measure.from, options.measure.to end
      if from ~= options.measure.from or to ~= options.measure.to then
        summary = stats.summary(options.columns:between(from, to), options)
      end
      local compared = baseline.compare(claim.estimated_ms, summary) or { estimated_ms = claim.estimated_ms, n = 0 }
      compared.name, compared.from, compared.to, compared.source = claim.name, from, to, claim.source
      all = all or json.array()
      table.insert(all, compared)
      if claim.name == "default" then result.whitepaper_comparison = compared end
    end
  end
  result.baselines = all
  if all and not result.whitepaper_comparison then result.whitepaper_comparison = all[1] end
end

-- A journal is in run order unless samples were redone or booted side by side.
local function by_run_order(samples)
  local function place(sample) return sample.order or sample.index or 0 end
  local in_order = true
  for i = 2, #samples do in_order = in_order and place(samples[i - 1]) <= place(samples[i]) end
  if not in_order then table.sort(samples, function(a, b) return place(a) < place(b) end) end
  return samples
end

-- The figures of a summary, with their unit in the name.
local function statistics_of(summary)
  local statistics = { n = summary.n }
  for name, x in pairs(summary) do
    if stats.UNITLESS[name] then
      statistics[name] = x
    elseif type(x) == "number" then
      statistics[name .. "_ms"] = x
    end
  end
  return statistics
end

-- Drift over the run and two groups in one sample: hints that a mean is not the whole story.
local function add_hints(result, times)
  local test = stats.mann_kendall(times)
  if test then
    result.drift = { trend = test.trend, p = test.p, tau = test.tau }
  end
  local bimodal, groups = stats.bimodal(times)
  if bimodal then
    result.bimodal = json.array()
    for i, group in ipairs(groups) do
      result.bimodal[i] = { n = group.n, mean_ms = group.mean, stdev_ms = group.stdev }
    end
  end
end

-- One configuration of the results.
function Builder:_result(configuration, measure_of, host)
  local samples = by_run_order(configuration.samples)
  for _, sample in ipairs(samples) do observation.measure(sample, measure_of) end
  for _, sample in ipairs(configuration.warmups) do observation.measure(sample, measure_of) end
  local ok = column(samples, function(s) return s.boot_time_ms and s or nil end)
  local times = column(ok, function(s) return s.boot_time_ms end)
  local seed = value(self.run.seed)
  local summary = stats.summary(times, { level = self.options.level, seed = seed })
  local of_markers = columns.of(ok)
  self.columns[configuration.key] = of_markers
  local options = {
    level = self.options.level, seed = seed, measure = measure_of, summary = summary, columns = of_markers,
  }

  local result = {
    key = configuration.key,
    index = configuration.index,
    label = configuration.label,
    cpus = configuration.cpus or object(configuration.settings).cpus,
    memory = configuration.memory,
    settings = configuration.settings or {},
    argv = configuration.argv,
    image = configuration.image,
    samples = json.array(samples),
    warmup_samples = #configuration.warmups > 0 and json.array(configuration.warmups) or nil,
  }
  local failed
  result.not_ok, result.not_ok_reasons, failed = count_not_ok(samples)
  result.statistics = statistics_of(summary)
  result.statistics.failed = failed
  result.statistics.warmup = #configuration.warmups
  result.markers = json.array(phases.markers(of_markers, self.rank))
  result.phases = json.array(phases.table(of_markers, result.markers, measure_of, result.statistics.median_ms))
  local named = object(self.run.phases)
  if named[1] then result.named_phases = json.array(phases.named(of_markers, named)) end
  result.guest_cpus, result.guest_cpus_most = guest_cpus(samples)
  local cores = host.cores_allowed or host.cores
  if result.cpus and cores then result.oversubscribed = result.cpus > cores end
  result.time = self.run.deterministic == true and "virtual" or "real"
  result.noisy = noisy(samples)
  result.host_side = host_side(ok)
  local adaptive = object(self.run.adaptive)
  if adaptive.until_ci then result.precision = precision.of(times, adaptive.until_ci, self:_complete()) end
  compare_baselines(result, object(self.run.baselines), options)
  for _, outlier in ipairs(summary.outliers) do ok[outlier.index].outlier = outlier.kind end
  add_hints(result, times)
  return result
end

function Builder:_complete()
  return self.conclusion ~= nil and not value(self.conclusion.interrupted)
end

function Builder:_experiment()
  local run, conclusion = self.run, known(self.conclusion)
  local experiment = known(run)
  experiment.type, experiment.schema, experiment.host, experiment.image = nil, nil, nil, nil
  experiment.measure = measured(run)
  experiment.ended_at = conclusion.ended_at
  experiment.interrupted = conclusion.interrupted or nil
  experiment.jobs_used = conclusion.jobs_used
  experiment.configurations = #self.order
  experiment.redone = self.redone
  local planned, done = type(experiment.samples) == "number" and experiment.samples or nil, 0
  for _, configuration in pairs(self.configurations) do done = done + #configuration.samples end
  local points = 1
  for _, axis in ipairs(object(run.axes)) do points = points * #object(axis.values) end
  experiment.samples_done = done
  experiment.samples_planned = planned and planned * math.max(points, #self.order)
  experiment.complete = self:_complete()
  return experiment
end

function Builder:_host()
  local host = known(self.run.host)
  local image = known(self.run.image)
  host.image = next(image) and image or nil
  host.load_after = value(object(self.conclusion).load_after)
  return host
end

local function in_plan_order(self)
  local list = {}
  for place, key in ipairs(self.order) do list[place] = { place = place, it = self.configurations[key] } end
  table.sort(list, function(a, b)
    local ia, ib = a.it.index or math.huge, b.it.index or math.huge
    if ia ~= ib then return ia < ib end
    return a.place < b.place
  end)
  return list
end

-- What the experiment claims and what it demands. A journal keeps the verdicts on functions of the script, not the
-- functions.
local function add_verdicts(self, results)
  local conclusion = object(self.conclusion)
  local list = self.options.hypotheses or value(self.run.hypotheses)
  local recorded = value(conclusion.hypotheses)
  if recorded and not self.options.hypotheses then
    results.hypotheses = json.array()
    for i, verdict in ipairs(recorded) do results.hypotheses[i] = known(verdict) end
  elseif list then
    results.hypotheses = hypotheses.evaluate(list, results)
  end
  local accept = value(self.run.accept)
  if accept then results.acceptance = acceptance.check(accept, results) end
end

--- Puts everything together. The builder is used up by it.
-- @treturn table results, or nil and a message when the journal has no header
function Builder:results()
  if not self.run then return nil, "the journal has no record of a run: nothing was started in this directory" end
  self.rank, self.columns = {}, {}
  for i, rule in ipairs(object(self.run.rules)) do self.rank[rule.name] = i end
  local results = {
    schema = analysis.SCHEMA,
    experiment = self:_experiment(),
    host = self:_host(),
    order = json.array(),
  }
  local configurations = {}
  for i, entry in ipairs(in_plan_order(self)) do
    local result = self:_result(entry.it, results.experiment.measure, results.host)
    configurations[i] = result
    results[result.key], results.order[i] = result, result.key
  end
  results.scaling = series.build(configurations, object(self.run.axes), {
    cores = results.host.cores_allowed or results.host.cores, level = self.options.level, seed = value(self.run.seed),
    columns = self.columns,
  })
  add_verdicts(self, results)
  results.inconsistent = caveats.inconsistent(configurations)
  results.caveats = caveats.list(results, configurations, { torn = self.torn, unknown_records = self.unknown_records })
  return results
end

--- The boot time of one sample's record, for those who watch a run go by.
-- @tparam table record of the journal
-- @tparam table measure `from` (nil: t0), `to`
-- @treturn ?number milliseconds; nil if the sample is not ok or lacks a marker
function analysis.boot_time_ms(record, measure)
  local sample = observation.of(record)
  observation.measure(sample, known(measure))
  return sample.boot_time_ms
end

--- Analyses a run.
-- @param records a list of journal records, or a reader of `moonboot.journal`
-- @tparam[opt] table options as for `analysis.new`
-- @treturn table results, or nil and a message
function analysis.results(records, options)
  local builder = analysis.new(options)
  if records.next then
    while true do
      local record, damage = records:next()
      if damage then return nil, damage end
      if not record then break end
      builder:add(record)
    end
    builder.torn = records.torn and true or nil
  else
    for _, record in ipairs(records) do builder:add(record) end
  end
  return builder:results()
end

return analysis

--- Carries out an experiment: prepares the images, boots every sample of the plan, journals each, reports.
-- @module moonboot.runner
local accelerator = require "moonboot.accelerator"
local analysis = require "moonboot.analysis"
local digest = require "moonboot.digest"
local disk = require "moonboot.disk"
local files = require "moonboot.files"
local host = require "moonboot.host"
local install = require "moonboot.install"
local iso = require "moonboot.iso"
local journal = require "moonboot.journal"
local lockfile = require "moonboot.lockfile"
local moonboot = require "moonboot"
local plan = require "moonboot.plan"
local report = require "moonboot.report"
local sample = require "moonboot.sample"
local timestamp = require "moonboot.timestamp"

local runner = {}

-- What one sample may write before it is cut: capture files and the overlay of its disk.
local SAMPLE_BYTES = 64 * 1024 * 1024

local function copy(from, changes)
  local to = {}
  for key, value in pairs(from) do to[key] = value end
  for key, value in pairs(changes) do to[key] = value end
  return to
end

-- A fresh run directory, locked. -> path, lock | nil, message
local function open_directory(experiment, options)
  local dir = options.output or ("measurements/%s-%s"):format(experiment.name, timestamp.iso())
  local made, message = files.make_dir(dir)
  if not made then return nil, message end
  local lock
  lock, message = lockfile.acquire(dir)
  if not lock then return nil, message end
  if files.read(dir .. "/" .. journal.NAME) then
    lock:release()
    return nil, ("%s already holds a run; give another --output"):format(dir)
  end
  return dir, lock
end

local function host_block(experiment, arch, accel, reason)
  local facts = host.facts { arch = arch }
  facts.load_before = facts.load
  facts.load, facts.counters, facts.rights = nil, nil, nil
  facts.accelerator, facts.accelerator_reason = accel, reason
  facts.experiment = experiment.name
  return facts
end

local function run_record(run)
  local experiment = run.experiment
  return {
    type = "run",
    schema = journal.SCHEMA,
    moonboot = moonboot._VERSION,
    name = experiment.name,
    guest = experiment.guest,
    title = experiment.title,
    description = experiment.description,
    started_at = timestamp.iso() .. "Z",
    seed = run.plan.seed,
    jobs = 1,
    axes = experiment.axes,
    samples = experiment.samples.count,
    warmup = experiment.warmup,
    timeout_s = experiment.timeout,
    measure = experiment.measure,
    baselines = experiment.baselines,
    accept = experiment.accept,
    rules = experiment.grammar.rules,
    grammar_hash = experiment.grammar:hash(),
    experiment_file = experiment.source,
    experiment_sha256 = experiment.source and digest.file(experiment.source),
    options = experiment.option_values,
    host = run.host,
    image = run.image_record,
  }
end

local function configuration_record(run, configuration)
  return {
    type = "configuration",
    key = configuration.key,
    index = configuration.index,
    settings = configuration.settings,
    cpus = configuration.machine.cpus,
    memory = configuration.machine.memory,
    image = run.images[configuration.key] and run.images[configuration.key]:match("[^/]*$"),
  }
end

local function image_name(experiment, configuration)
  return ("%s-%s-%s.qcow2"):format(experiment.guest, configuration.label, timestamp.iso())
end

-- Each configuration gets a disk of its own in the run directory, backed by an image that nothing writes to.
local function prepare_image(run, configuration)
  local experiment = run.experiment
  local golden, made_by
  if experiment.install then
    run.progress:live("installing " .. experiment.guest)
    golden, made_by = install.image(experiment, configuration, {
      accel = run.accel,
      dir = run.dir,
      name = ("install-%s-%s"):format(configuration.label, timestamp.iso()),
      report = function(message) run.progress:note(message) end,
      on_step = function(label) run.progress:live(("installing %s: %s"):format(experiment.guest, label)) end,
    })
    if not golden then return nil, ("cannot install %s: %s"):format(experiment.guest, made_by) end
    run.image_record = {
      path = golden,
      sha256 = made_by.sha256,
      iso = experiment.option_values.iso,
      iso_sha256 = made_by.recipe.medium_sha256,
    }
  elseif configuration.machine.disk then
    golden = configuration.machine.disk[1].file
  else
    return true
  end
  local path = run.dir .. "/" .. image_name(experiment, configuration)
  local done, message = disk.overlay(golden, path)
  if not done then return nil, message end
  run.images[configuration.key] = files.absolute(path)
  return true
end

-- The machine of one sample boots an overlay that is thrown away afterwards.
local function sample_machine(run, configuration, scratch)
  local base = run.images[configuration.key]
  if not base then return configuration.machine end
  local overlay = scratch .. "/disk.qcow2"
  local done, message = disk.overlay(base, overlay)
  if not done then return nil, message end
  local first = configuration.machine.disk and configuration.machine.disk[1]
  return copy(configuration.machine, {
    disk = { copy(first or { interface = "ide" }, { file = overlay, format = "qcow2" }) },
    boot = configuration.machine.boot or "c",
  })
end

local function boot(run, entry)
  local experiment, configuration = run.experiment, entry.configuration
  local scratch, message = files.make_temp_dir(files.absolute(run.dir) .. "/.sample-")
  if not scratch then return nil, message end
  local machine
  machine, message = sample_machine(run, configuration, scratch)
  local record
  if machine then
    record = sample.boot {
      machine = machine,
      accel = run.accel,
      configuration = configuration,
      index = entry.index,
      order = entry.order,
      warmup = entry.warmup,
      grammar = experiment.grammar,
      timeout = experiment.timeout,
      dir = run.dir,
      name = ("boot-%s-%s"):format(configuration.label, timestamp.iso()),
      hooks = experiment.hooks,
      report = function(trouble) run.progress:warn(trouble) end,
    }
  end
  files.remove(scratch)
  return record, message
end

local function describe(experiment, entry, record)
  local figure
  if record.status == "ok" then
    local ms = analysis.boot_time_ms(record, experiment.measure)
    figure = ms and ("%.2f ms"):format(ms) or "no time"
  else
    figure = ("%s: %s"):format(record.status, record.reason)
  end
  return ("%s sample %d%s: %s"):format(entry.key, entry.index, entry.warmup and " (warm-up)" or "", figure)
end

local function boot_all(run)
  local experiment = run.experiment
  for number, entry in ipairs(run.plan.entries) do
    run.progress:live(("%s sample %d (%d of %d)"):format(entry.key, entry.index, number, #run.plan.entries))
    local record, message = boot(run, entry)
    if not record then return nil, message end
    record.ended_at = timestamp.iso() .. "Z"
    local written
    written, message = run.journal:append(record)
    if not written then return nil, message end
    run.records[#run.records + 1] = record
    if record.status ~= "ok" and not record.warmup then run.not_ok = run.not_ok + 1 end
    run.progress:note(describe(experiment, entry, record))
    if experiment.hooks.on_sample then
      local ok, trouble = pcall(experiment.hooks.on_sample, record)
      if not ok then run.progress:warn("hook on_sample: " .. tostring(trouble)) end
    end
  end
  return true
end

local function append(run, record)
  local written, message = run.journal:append(record)
  if not written then return nil, message end
  run.records[#run.records + 1] = record
  return true
end

-- The journal is closed whatever happened; what was measured so far is reported.
local function conclude(run, interrupted)
  local load_after = host.load()
  append(run, {
    type = "conclusion",
    ended_at = timestamp.iso() .. "Z",
    load_after = load_after,
    interrupted = interrupted,
  })
  run.journal:close()
  local results, message = analysis.results(run.records)
  if not results then return nil, message end
  if run.experiment.hooks.conclude then
    local ok, trouble = pcall(run.experiment.hooks.conclude, results)
    if not ok then run.progress:warn("hook conclude: " .. tostring(trouble)) end
  end
  local written
  written, message = report.write(results, run.dir, run.experiment.report)
  if not written then return nil, message end
  return results, written
end

-- Everything that must be true before the first guest is started.
local function check_host(run)
  local experiment = run.experiment
  local first = experiment.configurations[1].machine
  local accel, reason = first.accel, "as the experiment says"
  if not accel then
    accel, reason = accelerator.choose(first.arch)
    if not accel then return nil, reason end
  end
  run.accel = accel
  run.host = host_block(experiment, first.arch, accel, reason)
  local space, message = disk.preflight { dir = run.dir, needs_bytes = SAMPLE_BYTES, what = experiment.name }
  if not space then return nil, message end
  if experiment.install then
    local medium
    medium, message = iso.verify(experiment.option_values.iso, { hash = false })
    if not medium then return nil, message end
  end
  return true
end

--- Runs an experiment to its end.
-- @tparam table experiment resolved: see `moonboot.experiment`
-- @tparam table options `output` (run directory), `seed`, `progress`
-- @treturn ?table `{ dir, results, files, not_ok, interrupted }`, or nil, a message and an exit status (2: the script
--   or its input; 3: this host)
function runner.run(experiment, options)
  local run = {
    experiment = experiment,
    progress = options.progress,
    images = {},
    records = {},
    not_ok = 0,
  }
  local dir, lock = open_directory(experiment, options)
  if not dir then return nil, lock, 3 end
  local _ <close> = lock
  run.dir = dir
  local ready, message = check_host(run)
  if not ready then return nil, message, 3 end
  run.plan = plan.new {
    configurations = experiment.configurations,
    samples = experiment.samples,
    warmup = experiment.warmup,
    seed = options.seed,
  }
  for _, configuration in ipairs(experiment.configurations) do
    ready, message = prepare_image(run, configuration)
    if not ready then return nil, message, 3 end
  end
  run.progress:clear()
  run.journal, message = journal.create(dir .. "/" .. journal.NAME)
  if not run.journal then return nil, message, 3 end
  local written
  written, message = append(run, run_record(run))
  if not written then return nil, message, 3 end
  for _, configuration in ipairs(experiment.configurations) do
    written, message = append(run, configuration_record(run, configuration))
    if not written then return nil, message, 3 end
  end

  local finished, trouble = pcall(function()
    local done
    done, message = boot_all(run)
    if not done then error({ message = message }, 0) end
  end)
  run.progress:clear()
  local interrupted = not finished and trouble == "interrupted"
  local results, reports = conclude(run, not finished)
  if not finished and not interrupted then
    return nil, type(trouble) == "table" and trouble.message or tostring(trouble), 3
  end
  if not results then return nil, reports, 3 end
  return { dir = dir, results = results, files = reports, not_ok = run.not_ok, interrupted = interrupted }
end

return runner

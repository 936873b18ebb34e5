--- Carries out an experiment: prepares the images, boots every sample of the plan, journals each, reports.
-- What was measured is on disk before the next boot begins; a run that is cut off can be resumed.
-- @module moonboot.runner
local accelerator = require "moonboot.accelerator"
local account = require "moonboot.account"
local analysis = require "moonboot.analysis"
local disk = require "moonboot.disk"
local host = require "moonboot.host"
local hypotheses = require "moonboot.hypotheses"
local install = require "moonboot.install"
local json = require "moonboot.json"
local plan = require "moonboot.plan"
local precision = require "moonboot.precision"
local provenance = require "moonboot.provenance"
local report = require "moonboot.report"
local rundirectory = require "moonboot.rundirectory"
local sample = require "moonboot.sample"
local scheduler = require "moonboot.scheduler"
local task = require "moonboot.task"
local timestamp = require "moonboot.timestamp"
local uv = require "luv"

local runner = {}

-- What a run needs at the very least: its captures, its reports, and the overlay of a disk.
local LEAST_BYTES = 64 * 1024 * 1024

local BAD_INPUT, BAD_HOST = 2, 3

local function copy(from, changes)
  local to = {}
  for key, value in pairs(from) do to[key] = value end
  for key, value in pairs(changes) do to[key] = value end
  return to
end

-- Stops the run; caught in runner.run.
local function stop(message, status)
  error({ stop = message, status = status or BAD_HOST }, 0)
end

-- Only the first two results of what is called count: a third one is an error's code.
local function need(value, message)
  if value == nil then stop(message, BAD_HOST) end
  return value
end

local function need_input(value, message)
  if value == nil then stop(message, BAD_INPUT) end
  return value
end

local function append(run, record)
  need(run.journal:append(record))
end

-- A name of a file in the run directory that says what it is and when it was made.
local function file_name(kind, configuration)
  return ("%s-%s-%s"):format(kind, configuration.label, timestamp.iso())
end

local function choose_accelerator(run)
  local first = run.experiment.configurations[1].machine
  if first.accel then
    run.accelerator, run.accelerator_reason = first.accel, "as the experiment says"
    return
  end
  if run.experiment.deterministic then
    run.accelerator, run.accelerator_reason = "tcg", "only TCG counts instructions"
    return
  end
  local name, reason = accelerator.choose(first.arch, { program = first.qemu })
  run.accelerator, run.accelerator_reason = need(name, reason), reason
end

-- The image that a configuration starts from; nothing writes to it.
local function golden_image(run, configuration)
  local experiment = run.experiment
  if not experiment.install then
    local first = configuration.machine.disk and configuration.machine.disk[1]
    return first and first.file, first and first.format
  end
  local job <close> = run.progress:job { title = "installing " .. experiment.guest }
  local path, made_by = install.image(experiment, configuration, {
    accel = run.accelerator,
    dir = run.directory.path,
    name = file_name("install", configuration),
    run_as = run.run_as,
    report = function(message) run.progress:note(message) end,
    on_step = function(label) job:step(label) end,
  })
  if not path then stop(("cannot install %s: %s"):format(experiment.guest, made_by)) end
  run.image = {
    path = path,
    sha256 = made_by.sha256,
    iso = experiment.option_values.iso,
    iso_sha256 = made_by.recipe.medium_sha256,
  }
  return path, "qcow2"
end

-- Each configuration gets a disk of its own in the run directory.
local function prepare_images(run)
  for _, configuration in ipairs(run.experiment.configurations) do
    local golden, format = golden_image(run, configuration)
    if golden and not run.images[configuration.key] then
      local path = ("%s/%s.qcow2"):format(run.directory.path, file_name(run.experiment.guest, configuration))
      need(disk.overlay(golden, path, { format = format }))
      run.images[configuration.key] = path
    end
  end
  run.progress:clear()
end

-- The machine of one sample boots from an overlay that is thrown away afterwards.
local function sample_machine(run, configuration, scratch)
  local base = run.images[configuration.key]
  if not base then return configuration.machine end
  local overlay = scratch.path .. "/disk.qcow2"
  need(disk.overlay(base, overlay))
  local described = configuration.machine
  local given = described.disk or {}
  local disks = { copy(given[1] or { interface = "ide" }, { file = overlay, format = "qcow2" }) }
  for i = 2, #given do disks[i] = copy(given[i], { snapshot = true }) end
  return copy(described, { disk = disks, boot = described.boot or (not described.kernel and "c" or nil) })
end

-- A sample that this host could not take is not journaled: it is taken when the run goes on.
local function new_job(run, entry)
  local samples = run.experiment.samples
  local of = entry.warmup and run.experiment.warmup or samples.count or samples.max
  local title = entry.key .. (entry.warmup and " warm-up" or "")
  return run.progress:job { title = title, key = entry.key, count = ("%d/%d"):format(entry.index, of) }
end

local function boot(run, entry, lease, job)
  local experiment, configuration = run.experiment, entry.configuration
  local scratch <close> = need(run.directory:scratch())
  local record, of_host = sample.boot {
    machine = sample_machine(run, configuration, scratch),
    accel = run.accelerator,
    lease = lease,
    configuration = configuration,
    index = entry.index,
    order = entry.order,
    warmup = entry.warmup,
    grammar = experiment.grammar,
    timeout = experiment.timeout,
    dir = run.directory.path,
    name = file_name("boot", configuration),
    hooks = experiment.hooks,
    run_as = run.run_as,
    report = function(trouble) run.progress:warn(trouble) end,
    job = job,
  }
  if of_host then
    stop(("%s sample %d: %s"):format(entry.key, entry.index, of_host))
  end
  return record
end

local function describe(run, entry, record)
  local figure
  if record.status == "ok" then
    local ms = analysis.boot_time_ms(record, run.experiment.measure)
    figure = ms and ("%.2f ms%s"):format(ms, run.experiment.deterministic and " of virtual time" or "") or "no time"
  else
    figure = ("%s: %s"):format(record.status, record.reason)
  end
  return ("%s sample %d%s: %s"):format(entry.key, entry.index, entry.warmup and " (warm-up)" or "", figure)
end

local function marker_times(record)
  local times = {}
  for _, marker in ipairs(record.markers) do times[marker.name] = marker.t_ns / 1e6 end
  return times
end

-- What a finished sample, of this session (then with its job) or of the one before, adds to the run's state.
local function take_in(run, record, job)
  local ms = analysis.boot_time_ms(record, run.experiment.measure)
  run.progress:learn(record.key, {
    markers = job and job.markers or marker_times(record),
    boot_time_ms = not record.warmup and ms or nil,
    wall_s = job and job:elapsed_s(),
    ok = record.status == "ok",
  })
  if record.warmup then return end
  local times = run.times[record.key] or {}
  run.times[record.key] = times
  if ms then table.insert(times, ms) end
  if record.status ~= "ok" then run.not_ok = run.not_ok + 1 end
end

local function finish_sample(run, entry, record, job)
  record.ended_at = timestamp.iso() .. "Z"
  append(run, record)
  take_in(run, record, job)
  run.progress:note(describe(run, entry, record))
  local hook = run.experiment.hooks.on_sample
  if hook then
    local ok, trouble = task.protect(hook, record)
    if not ok then run.progress:warn("hook on_sample: " .. tostring(trouble)) end
  end
  if run.max_failures and run.not_ok >= run.max_failures then
    stop(("%d samples are not ok, as many as --max-failures allows"):format(run.not_ok), 1)
  end
end

-- Boots entries, as many at once as the scheduler lets; ends when all have ended.
local function boot_entries(run, entries)
  local boots, failure = {}, nil
  local function cancel_all()
    for started in pairs(boots) do started:cancel("interrupted") end
  end
  local _ <close> = setmetatable({}, { __close = cancel_all })
  local idle = task.event()
  for _, entry in ipairs(entries) do
    if not run.directory.done or not run.directory.done[entry.order] then
      local lease = run.scheduler:acquire(entry.configuration.machine.cpus)
      if failure then
        lease:release()
        break
      end
      local started
      started = task.spawn(function()
        local _ <close> = lease
        local job <close> = new_job(run, entry)
        local ok, trouble = pcall(function() finish_sample(run, entry, boot(run, entry, lease, job), job) end)
        if not ok and failure == nil then failure = trouble end
        if started then boots[started] = nil end
        idle:pulse()
      end)
      if not started.done then boots[started] = true end
    end
  end
  while next(boots) do idle:wait() end
  if failure ~= nil then error(failure, 0) end
end

-- Configurations whose interval is narrow enough.
local function settled(run)
  local wanted, out = run.experiment.samples.until_ci, {}
  for key, times in pairs(run.times) do out[key] = precision.of(times, wanted, false).met end
  return out
end

local function say_who_gave_up(run)
  local samples = run.experiment.samples
  for _, configuration in ipairs(run.experiment.configurations) do
    local reached = precision.of(run.times[configuration.key] or {}, samples.until_ci, true)
    if not reached.met then run.progress:note(("%s: %s"):format(configuration.key, precision.sentence(reached))) end
  end
end

local function announce(run)
  local done, waiting = run.directory.done or {}, {}
  for _, entry in ipairs(run.plan:remaining(done)) do waiting[entry.key] = (waiting[entry.key] or 0) + 1 end
  run.progress:plan { waiting = waiting, done = #(run.directory.samples or {}), at_least = run.plan.adaptive }
end

local function boot_plan(run)
  local planned = run.plan
  announce(run)
  boot_entries(run, planned.entries)
  if not planned.adaptive then return end
  for number = planned.first_rounds + 1, planned.rounds do
    local entries = planned:wanted(number, settled(run))
    if not entries then break end
    boot_entries(run, entries)
  end
  say_who_gave_up(run)
end

-- The journal cannot hold hypotheses that are functions of the script: it holds the verdicts on all of them.
local function verdicts(run)
  if not run.experiment.hypotheses then return nil end
  local results = report.load(run.directory.path)
  return results and hypotheses.evaluate(run.experiment.hypotheses, results)
end

local function conclude(run, interrupted)
  append(run, {
    type = "conclusion",
    ended_at = timestamp.iso() .. "Z",
    load_after = host.load(),
    interrupted = interrupted,
    jobs_used = run.scheduler.peak,
    hypotheses = verdicts(run),
  })
  run.journal:close()
  local results = need(report.load(run.directory.path))
  local hook = run.experiment.hooks.conclude
  if hook then
    local ok, trouble = pcall(hook, results)
    if not ok then run.progress:warn("hook conclude: " .. tostring(trouble)) end
  end
  local written, trouble = report.write(results, run.directory.path, run.experiment.report)
  if trouble then run.progress:warn(trouble) end
  return results, written or {}
end

local function begin(run, options)
  local experiment = run.experiment
  local resuming = options.resume ~= nil
  local opened, message
  if resuming then
    opened, message = rundirectory.reopen(options.resume)
  else
    opened, message = rundirectory.create(experiment.name, options.output, LEAST_BYTES)
  end
  run.directory = need(opened, message)
  local user = options.run_as or resuming and json.value(run.directory.run.run_as)
  if user then run.run_as = need_input(account.find(user)) end
  if experiment.install then
    need_input(experiment.option_values.iso,
      "this experiment installs from an ISO: give it one with --iso")
    need(install.medium(experiment, { hash = false }))
  end
  choose_accelerator(run)
  run.images = run.directory.images or {}
  prepare_images(run)
  local recorded = run.directory.run
  run.plan = plan.new {
    configurations = experiment.configurations,
    samples = experiment.samples,
    warmup = experiment.warmup,
    seed = recorded and recorded.seed or experiment.seed,
  }
  local header = provenance.run(experiment, {
    seed = run.plan.seed,
    jobs = run.scheduler.jobs,
    accelerator = run.accelerator,
    accelerator_reason = run.accelerator_reason,
    image = run.image,
    run_as = run.run_as and run.run_as.name,
  })
  if resuming then
    local changes = provenance.changes(recorded, header)
    if #changes > 0 and not options.despite_changes then
      stop(("%s cannot go on: %s changed since it began; --despite-changes goes on all the same"):format(options.resume,
        table.concat(changes, ", ")), BAD_INPUT)
    end
  end
  run.journal = need(run.directory:open_journal())
  if resuming then
    for _, record in ipairs(run.directory.samples) do take_in(run, record) end
    return
  end
  append(run, header)
  for _, configuration in ipairs(experiment.configurations) do
    append(run, provenance.configuration(configuration, {
      accelerator = run.accelerator,
      image = run.images[configuration.key],
    }))
  end
end

-- Lets nothing stay behind, whatever ends the run.
local function close(run)
  run.progress:clear()
  if run.journal then run.journal:close() end
  if not run.directory then return end
  run.directory:close()
  -- One that nothing was started in has nothing in it.
  if not run.journal then uv.fs_rmdir(run.directory.path) end
end

local function carry_out(run, options)
  begin(run, options)
  local ok, trouble = pcall(boot_plan, run)
  run.progress:clear()
  -- After a failure too: what was measured so far is worth a report.
  local concluded, results, written = pcall(conclude, run, not ok)
  if not ok and trouble ~= "interrupted" then
    if type(trouble) == "table" and trouble.stop and uv.fs_stat(run.journal.path) then
      trouble.stop = ("%s; %sgo on with: moonboot run --resume %s"):format(trouble.stop,
        trouble.status == BAD_HOST and "when that is mended, " or "", run.directory.shown)
    end
    error(trouble, 0)
  end
  if not concluded then error(results, 0) end
  return {
    dir = run.directory.shown,
    results = results,
    files = written,
    not_ok = run.not_ok,
    interrupted = not ok,
  }
end

--- Runs an experiment to its end. Cancelling the task it runs in with "interrupted" ends the boots under way, keeps
-- what is done, and returns.
-- @tparam table experiment resolved: see `moonboot.experiment`
-- @tparam table options `output` (run directory), `resume` (run directory of an interrupted run), `despite_changes`,
--   `max_failures` (samples that may be not ok), `run_as` (name of a user), `progress`
-- @treturn ?table `{ dir, results, files, not_ok, interrupted }`, or nil, a message and an exit status (1: too many
--   failures; 2: the script or its input; 3: this host)
function runner.run(experiment, options)
  local run = setmetatable({
    experiment = experiment,
    progress = options.progress,
    max_failures = options.max_failures,
    scheduler = scheduler.new(experiment.jobs, host.allowed_cores()),
    times = {},
    not_ok = 0,
  }, { __close = close })
  local closing <close> = run
  local ok, outcome = pcall(carry_out, closing, options)
  if ok then return outcome end
  if type(outcome) == "table" and outcome.stop then return nil, outcome.stop, outcome.status end
  error(outcome, 0)
end

return runner

--- Where a run's figures come from: the records of the experiment, its configurations and this host, as the journal
-- keeps them for reviewers, and what must not have changed when an interrupted run goes on.
-- @module moonboot.provenance
local calibration = require "moonboot.calibration"
local digest = require "moonboot.digest"
local files = require "moonboot.files"
local host = require "moonboot.host"
local hypotheses = require "moonboot.hypotheses"
local journal = require "moonboot.journal"
local json = require "moonboot.json"
local machine = require "moonboot.machine"
local moonboot = require "moonboot"
local timestamp = require "moonboot.timestamp"

local provenance = {}

local function host_record(arch, accelerator, reason)
  local facts = host.facts { arch = arch }
  facts.load_before = facts.load
  facts.pressure_known = facts.counters.pressure_us ~= nil
  facts.calibration = calibration.latest()
  facts.load, facts.counters, facts.boot_id = nil, nil, nil
  facts.accelerator, facts.accelerator_reason = accelerator, reason
  return facts
end

local function sha256(path)
  return path and digest.file(path) or nil
end

local function layouts(report)
  local names = json.array()
  for _, layout in ipairs(report) do
    if type(layout) == "string" then table.insert(names, layout) end
  end
  return names
end

-- What `moonboot mark --grammar` takes.
local function grammar_file(experiment)
  local path = experiment.grammar:source()
  return path and files.absolute(path) or experiment.source
end

--- The first record of a journal.
-- @tparam table experiment resolved
-- @tparam table facts `seed`, `jobs`, `accelerator`, `accelerator_reason`, `run_as`, `image` (of `moonboot.install`,
--   nil without)
-- @treturn table
function provenance.run(experiment, facts)
  local samples = experiment.samples
  local first = experiment.configurations[1].machine
  return {
    type = "run",
    schema = journal.SCHEMA,
    moonboot = moonboot._VERSION,
    name = experiment.name,
    guest = experiment.guest,
    title = experiment.title,
    description = experiment.description,
    started_at = timestamp.iso() .. "Z",
    seed = facts.seed,
    jobs = facts.jobs,
    axes = json.array(experiment.axes),
    samples = samples.count or samples.max,
    adaptive = samples.until_ci and samples or nil,
    warmup = experiment.warmup,
    timeout_s = experiment.timeout,
    deterministic = experiment.deterministic or nil,
    measure = experiment.measure,
    phases = experiment.phases and json.array(experiment.phases),
    baselines = json.array(experiment.baselines),
    hypotheses = experiment.hypotheses and hypotheses.describe(experiment.hypotheses),
    accept = experiment.accept,
    report = layouts(experiment.report),
    rules = experiment.grammar.rules,
    grammar = grammar_file(experiment),
    grammar_hash = experiment.grammar:hash(),
    experiment_file = experiment.source,
    experiment_sha256 = sha256(experiment.source),
    options = experiment.option_values,
    host = host_record(first.arch, facts.accelerator, facts.accelerator_reason),
    image = facts.image,
    run_as = facts.run_as,
    kernel_sha256 = sha256(first.kernel),
  }
end

--- The record of a configuration.
-- @tparam table configuration
-- @tparam table facts `accelerator`, `image` (path of its disk, nil without)
-- @treturn table
function provenance.configuration(configuration, facts)
  local described = configuration.machine
  return {
    type = "configuration",
    key = configuration.key,
    index = configuration.index,
    settings = configuration.settings,
    cpus = described.cpus,
    memory = described.memory,
    argv = machine.argv(described, { accel = facts.accelerator, sandbox = true }),
    image = facts.image and facts.image:match("[^/]*$"),
  }
end

-- What an interrupted run and the one that goes on with it must have in common, and how to call it.
local LASTING = {
  { "experiment_sha256", "the experiment script" },
  { "grammar_hash", "the grammar" },
  { "kernel_sha256", "the kernel" },
  { "measure", "the measured interval" },
  { "deterministic", "the kind of time (virtual or real)" },
}
local LASTING_HOST = {
  { "qemu_version", "QEMU" },
  { "accelerator", "the accelerator" },
  { "cpu_model", "the host's CPU model" },
  { "kernel", "the host's kernel" },
}

local function differences(before, now, list, out)
  for _, entry in ipairs(list) do
    local key, name = entry[1], entry[2]
    local was, is = json.value(before[key]), now[key]
    if json.encode(was == nil and json.null or was) ~= json.encode(is == nil and json.null or is) then
      local values = type(was) == "string" and type(is) == "string" and #was < 40 and #is < 40
        and (" (%s, now %s)"):format(was, is) or ""
      table.insert(out, name .. values)
    end
  end
end

--- What has changed between the record a run began with and the one it would begin with now.
-- @tparam table before
-- @tparam table now
-- @treturn {string,…} names of what changed; empty when the run can go on
function provenance.changes(before, now)
  local out = {}
  differences(before, now, LASTING, out)
  differences(json.value(before.host) or {}, now.host, LASTING_HOST, out)
  differences(json.value(before.image) or {}, now.image or {}, { { "sha256", "the installed image" } }, out)
  return out
end

return provenance

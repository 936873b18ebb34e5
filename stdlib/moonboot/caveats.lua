--- What a report must say against itself: what it does not know, and figures not to be relied upon.
-- @module moonboot.caveats
local calibration = require "moonboot.calibration"
local json = require "moonboot.json"

local caveats = {}

-- The engine's figures for a one-byte message in the send buffer, and for a buffer that no guest fills in practice
-- (engine/console.c; the kernel doubles what is asked for).
local MESSAGE_COST_BYTES, ROOMY_BUFFER_BYTES = 830, 1 << 20

local function each_sample(configurations, visit)
  for _, configuration in ipairs(configurations) do
    for _, sample in ipairs(configuration.samples) do visit(sample, configuration) end
  end
end

local function plural(n, word)
  return ("%d %s%s"):format(n, word, n == 1 and "" or "s")
end

-- Figures further apart than this do not tell of the same thing.
local ORDERS = 10

--- Configurations whose boot times contradict each other, or a claim.
-- @tparam {table,…} configurations of the results
-- @treturn ?{string,…} sentences, nil if there is nothing to say
function caveats.inconsistent(configurations)
  local list = {}
  for _, configuration in ipairs(configurations) do
    local s = configuration.statistics
    if s.stdev_ms and s.mean_ms and s.stdev_ms > s.mean_ms then
      list[#list + 1] = ("%s: the standard deviation (%.2f ms) is above the mean (%.2f ms)"):format(
        configuration.key, s.stdev_ms, s.mean_ms)
    elseif s.min_ms and s.min_ms > 0 and s.max_ms > ORDERS * s.min_ms then
      list[#list + 1] = ("%s: the slowest boot took %.0f times as long as the fastest (%.2f and %.2f ms)"):format(
        configuration.key, s.max_ms / s.min_ms, s.max_ms, s.min_ms)
    end
    for _, claim in ipairs(configuration.baselines or {}) do
      local measured, claimed = claim.measured_ms, claim.estimated_ms
      if measured and measured > 0 and math.max(measured / claimed, claimed / measured) > ORDERS then
        list[#list + 1] = ("%s: %.2f ms measured and %g ms claimed from %s to %s are not of one size"):format(
          configuration.key, measured, claimed, claim.from or "t0", claim.to or "the end")
      end
    end
  end
  return list[1] and json.array(list) or nil
end

local function completeness(add, results, notes)
  local e = results.experiment
  local of = e.samples_planned and (" of %d"):format(e.samples_planned) or ""
  if e.interrupted then
    add(("the run was interrupted after %d%s samples: `moonboot run --resume` goes on with it"):format(
      e.samples_done, of))
  elseif not e.complete then
    add(("the run is not finished: %d%s samples so far"):format(e.samples_done, of))
  end
  if notes.torn then add("the last line of the journal is cut off (a crash while it was written): passed over") end
  if notes.unknown_records > 0 then
    add(("%s of the journal not understood by this version, passed over"):format(
      plural(notes.unknown_records, "record")))
  end
  if e.redone then add(("%s recorded twice; the later record stands"):format(plural(e.redone, "sample"))) end
end

local FLAG_TEXT = {
  clock_stepped = "the host's clock was stepped during the boot: stamps before and after do not compare",
  guest_reset = "the guest reset itself during the boot, and the time up to then is part of the figures",
  noisy = "something else on the host disturbed the boot (each sample's `noise` says what); kept in every figure",
  shared_cores = "boots at once had fewer cores than vCPUs and slowed each other down",
}

local function flags(add, configurations)
  local counts, names, total = {}, {}, 0
  local read_stamps = 0
  each_sample(configurations, function(sample)
    total = total + 1
    if sample.clock_source == "read" then read_stamps = read_stamps + 1 end
    if not sample.flags then return end
    for _, flag in ipairs(sample.flags) do
      local name = type(flag) == "table" and (flag.name or flag.flag) or tostring(flag)
      if not counts[name] then names[#names + 1] = name end
      counts[name] = (counts[name] or 0) + 1
    end
  end)
  table.sort(names)
  for _, name in ipairs(names) do
    add(("%d of %s flagged %s%s"):format(counts[name], plural(total, "sample"), name,
      FLAG_TEXT[name] and ": " .. FLAG_TEXT[name] or ""))
  end
  if read_stamps > 0 then
    add(("%d of %s stamped when read, not by the kernel: times are late by what the reader was late"):format(
      read_stamps, plural(total, "sample")))
  end
end

-- What this host does not let be known, or be guaranteed.
local function guarantees(add, h)
  if h.pressure_known == false then
    add("this host keeps no pressure figures (PSI): boots that had to wait for a CPU cannot be told from quiet ones")
  end
  local rights = h.rights or {}
  if rights.realtime == false then
    add("no right to SCHED_FIFO: the stamps do not need it, but on a busy host a guest that prints a lot may have had "
      .. "to wait for its reader")
  end
  if rights.large_buffers == false and (rights.send_buffer_bytes or 0) < ROOMY_BUFFER_BYTES then
    add(("no right to large buffers: a guest could be only some %d bytes ahead of its reader before it had to wait")
      :format(2 * (rights.send_buffer_bytes or 0) // MESSAGE_COST_BYTES))
  end
end

local function host(add, h, virtual)
  if virtual then
    add("all times are VIRTUAL: instructions that QEMU counted (-icount) and the waits between them. They do not "
      .. "depend on the host's load and are no machine's real time; the vCPUs run one after another. A guest that "
      .. "waits for a disk or a network may still see the host's timing")
  else
    add(calibration.sentence(h))
    guarantees(add, h)
  end
  local load = type(h.load_before) == "table" and h.load_before[1]
  if load and h.cores and load > h.cores / 2 then
    add(("the host was busy when the run began: load %.2f on %s"):format(load, plural(h.cores, "core")))
  end
  if not h.cores then add("the host's number of cores is unknown: oversubscription cannot be told") end
  if h.governor and h.governor ~= "performance" then
    add(("the CPU frequency governor is '%s': clock rates may have changed between boots"):format(h.governor))
  end
end

local function markers(add, results, configurations)
  for _, configuration in ipairs(configurations) do
    local seen = {}
    each_sample({ configuration }, function(sample)
      for name in pairs(sample.markers) do seen[name] = true end
    end)
    local lacking = {}
    for _, rule in ipairs(results.experiment.rules or {}) do
      if not seen[rule.name] then lacking[#lacking + 1] = rule.name end
    end
    if #lacking > 0 and next(seen) then
      add(("%s: never seen: %s"):format(configuration.key, table.concat(lacking, ", ")))
    end
  end
end

-- A vCPU that the guest does not use costs time and saves none.
local function cpus(add, configurations)
  local unsaid = {}
  for _, configuration in ipairs(configurations) do
    if (configuration.cpus or 1) > 1 and not configuration.guest_cpus and configuration.statistics.n > 0 then
      unsaid[#unsaid + 1] = configuration.key
    end
  end
  if #unsaid > 0 then
    add(("how many CPUs the guest brought up is not known (no capture 'cpus'): %s"):format(table.concat(unsaid, ", ")))
  end
end

local function sampling(add, configurations)
  local few, warmups, outliers, overlong = {}, 0, 0, 0
  for _, configuration in ipairs(configurations) do
    local s = configuration.statistics
    warmups = warmups + (s.warmup or 0)
    if s.n > 0 and not s.median_low_ms then few[#few + 1] = ("%s (n=%d)"):format(configuration.key, s.n) end
    local drift, groups = configuration.drift, configuration.bimodal
    if drift and drift.trend then
      add(("%s: boot times drift %s over the run (Mann-Kendall p = %.3g)"):format(
        configuration.key, drift.trend, drift.p))
    end
    if groups then
      add(("%s: the boot times look like two groups, near %.2f and %.2f ms: the mean lies where few boots do"):format(
        configuration.key, groups[1].mean_ms, groups[2].mean_ms))
    end
  end
  each_sample(configurations, function(sample)
    if sample.outlier then outliers = outliers + 1 end
    if sample.overruns then overlong = overlong + 1 end
  end)
  if #few > 0 then
    add(("too few samples for a 95 %% interval of the median (need >= 6): %s"):format(table.concat(few, ", ")))
  end
  if outliers > 0 then
    add(("%s flagged as outliers; they are kept in every figure"):format(plural(outliers, "sample")))
  end
  if warmups > 0 then add(("%s left out of every figure"):format(plural(warmups, "warm-up sample"))) end
  if overlong > 0 then
    add(("%s with more output than the live reader could hold; the logs are complete"):format(
      plural(overlong, "sample")))
  end
end

--- Everything a reader should know before quoting a figure.
-- @tparam table results
-- @tparam {table,…} configurations of the results, in plan order
-- @tparam table notes `torn`, `unknown_records`
-- @treturn {string,…} sentences without a full stop; guest and user text in them is not escaped
function caveats.list(results, configurations, notes)
  local list = json.array()
  local function add(text) list[#list + 1] = text end
  completeness(add, results, notes)
  host(add, results.host, results.experiment.deterministic)
  flags(add, configurations)
  markers(add, results, configurations)
  cpus(add, configurations)
  sampling(add, configurations)
  return list
end

return caveats

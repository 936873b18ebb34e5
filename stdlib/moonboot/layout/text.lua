--- The report for a terminal or a log: plain text, under 100 columns, every byte safe to print.
-- @module moonboot.layout.text
local findings = require "moonboot.layout.text.findings"
local new_page = require "moonboot.layout.text.page"
local precision = require "moonboot.precision"
local text = require "moonboot.text"
local wording = require "moonboot.wording"

local function header(page, results)
  local e, h = results.experiment, results.host
  local title = ("%s: boot times of %s"):format(e.name or "unnamed", e.guest or "a guest")
  page:add("%s", title)
  page:add("%s", ("="):rep(math.min(page.WIDTH, #title)))
  local function field(name, value)
    if value then page:wrap(("%-10s "):format(name), (" "):rep(11), value) end
  end
  field("About", e.title or e.description)
  field("When", (e.started_at or "unknown") .. (e.ended_at and " to " .. e.ended_at or ""))
  local cores = h.cores and (", %d core%s"):format(h.cores, h.cores == 1 and "" or "s") or ""
  local kernel = h.kernel and ", kernel " .. h.kernel or ""
  field("Host", (h.cpu_model or "unknown CPU") .. cores .. kernel)
  field("QEMU", ("%s, accelerator %s%s"):format(h.qemu_version or "of unknown version", h.accelerator or "unknown",
    h.accelerator_reason and (" (%s)"):format(h.accelerator_reason) or ""))
  field("Measured", wording.measure(e.measure) .. (e.deterministic and ", in VIRTUAL time (-icount)" or ""))
  local of = e.samples_planned and (" of %s%d planned"):format(e.adaptive and "at most " or "", e.samples_planned) or ""
  field("Samples", ("%d%s, %d configuration%s%s"):format(e.samples_done, of, e.configurations,
    e.configurations == 1 and "" or "s", e.complete and "" or (e.interrupted and ", INTERRUPTED" or ", NOT FINISHED")))
  local jobs = e.jobs_used or e.jobs
  field("Seed", ("%s%s"):format(e.seed or "unknown", jobs and (", %d boot%s at a time"):format(jobs,
    jobs == 1 and "" or "s") or ""))
end

local function silent(page, results, configuration)
  local s = configuration.silence
  page:add("")
  page:add("  %s: no marker in any of %d samples (%s)", wording.title(results, configuration),
    #configuration.samples, wording.not_ok(configuration))
  for status, reason in pairs(configuration.not_ok_reasons) do page:add("    %s: %s", status, reason) end
  if s.bytes == 0 then
    page:add("    The log is empty: %s", s.log or "(not kept)")
    page:wrap("    ", "    ", "The guest may be speaking elsewhere: on the VGA screen (the default of most loaders and "
      .. "systems) or on another serial port. To move it: a kernel argument such as console=ttyS0 (MINIX: "
      .. "console=tty00), `-machine graphics=off` for what speaks through the firmware, `consoles = 2` in the "
      .. "machine for COM2.")
    return
  end
  page:add("    Its log has %s: %s", wording.bytes(s.bytes), s.log or "(not kept)")
  for _, line in ipairs(s.first) do page:add("    | %s", line:sub(1, page.WIDTH)) end
  if #s.last > 0 then
    page:add("    | ...")
    for _, line in ipairs(s.last) do page:add("    | %s", line:sub(1, page.WIDTH)) end
  end
  page:add("    Why no rule matches:")
  page:add("      moonboot mark %s --grammar %s --trace",
    results.directory and s.log and results.directory .. "/" .. s.log or s.log or "LOG",
    results.experiment.grammar or "GRAMMAR")
end

local function silences(page, results)
  local begun
  for _, key in ipairs(results.order) do
    if results[key].silence then
      if not begun then page:rule("NO MARKER WAS SEEN", "-") end
      begun = true
      silent(page, results, results[key])
    end
  end
end

local function inconsistencies(page, results)
  if not results.inconsistent then return end
  page:rule("THESE FIGURES CONTRADICT EACH OTHER", "-")
  for _, sentence in ipairs(results.inconsistent) do page:note(sentence) end
  page:wrap("  ", "  ", wording.ADVICE)
end

local function claim_lines(page, claim, is_default)
  if is_default then
    page:add("  Whitepaper estimate: %s", wording.ms(claim.estimated_ms))
    page:add("  Measured average: %s", wording.ms(claim.measured_ms))
    page:add("  Error: %s", wording.error(claim.error_percent))
    page:add("  Status: %s", claim.status or "unknown (nothing was measured)")
  else
    page:add("  Claim %s: %s; measured average %s, error %s: %s", claim.name or "unnamed",
      wording.ms(claim.estimated_ms), wording.ms(claim.measured_ms), wording.error(claim.error_percent),
      claim.status or "nothing was measured")
  end
  local about = {}
  if claim.to then about[#about + 1] = ("%s -> %s"):format(claim.from or "t0", claim.to) end
  if claim.inside_interval ~= nil then
    about[#about + 1] = claim.inside_interval and "inside the interval of the mean"
      or "outside the interval of the mean"
  elseif claim.measured_ms then
    about[#about + 1] = "whether it lies in the interval of the mean takes >= 5 samples"
  end
  if claim.source then about[#about + 1] = "source: " .. claim.source end
  if #about > 0 then page:wrap("    (", "    ", table.concat(about, "; ") .. ")") end
end

local function phase_row(name, phase, n)
  local interval = phase.median_low_ms
    and ("%s .. %s"):format(wording.figure(phase.median_low_ms), wording.figure(phase.median_high_ms)) or "-"
  return { "  " .. text.escape(name), wording.figure(phase.median_ms), interval,
    phase.share and wording.share(phase.share) or "", phase.n < n and ("(in %d of %d)"):format(phase.n, n) or "" }
end

local function phase_table(page, configuration)
  local named = configuration.named_phases or {}
  if #configuration.phases == 0 and #named == 0 then return end
  local n = configuration.statistics.n
  local rows = { { "  Phase", "Median ms", "Interval", "Share", "" } }
  for _, phase in ipairs(configuration.phases) do rows[#rows + 1] = phase_row(phase.name, phase, n) end
  for _, phase in ipairs(named) do
    rows[#rows + 1] = phase_row(("%s: %s -> %s"):format(phase.name, phase.from, phase.to), phase, n)
  end
  page:add("")
  for _, line in ipairs(wording.columns(rows, "lrrrl")) do page:add("%s", line) end
end

local function interval_of_median(s)
  if s.median_low_ms then
    return ("  (95 %% interval %s .. %s)"):format(wording.figure(s.median_low_ms), wording.figure(s.median_high_ms))
  end
  return "  (95 % interval: need >= 6 samples)"
end

local function host_side(page, side)
  if not side then return end
  local parts = {}
  if side.spawn_to_cont_ms then parts[#parts + 1] = "QEMU ready after " .. wording.ms(side.spawn_to_cont_ms) end
  if side.qemu_cpu_ms then parts[#parts + 1] = "QEMU CPU time " .. wording.ms(side.qemu_cpu_ms) end
  if side.pressure_share then
    parts[#parts + 1] = ("some task waited for a CPU in %s of the time"):format(wording.share(side.pressure_share))
  end
  if side.max_rss_bytes then parts[#parts + 1] = "peak memory " .. wording.bytes(side.max_rss_bytes) end
  if #parts > 0 then page:wrap("  Host side (medians): ", "    ", table.concat(parts, ", ")) end
end

local function noise_line(page, noisy, samples)
  if not noisy then return end
  local kinds = {}
  for kind in pairs(noisy.reasons) do kinds[#kinds + 1] = kind end
  table.sort(kinds)
  for i, kind in ipairs(kinds) do kinds[i] = ("%d %s"):format(noisy.reasons[kind], kind) end
  page:wrap(("  Noisy:   %d of %d samples "):format(noisy.samples, #samples), "    ",
    ("(%s): something else on the host disturbed them; they are kept"):format(table.concat(kinds, ", ")))
end

local function configuration_section(page, results, configuration)
  local s = configuration.statistics
  page:rule(wording.title(results, configuration)
    .. (configuration.oversubscribed and "  [oversubscribed: more vCPUs than host cores]" or ""), "-")
  if s.n == 0 then
    page:add("  No boot time: no sample is ok.")
  else
    page:add("  Mean:   %s%s", wording.ms(s.mean_ms), s.mean_low_ms
      and ("  (95 %% interval %s .. %s)"):format(wording.figure(s.mean_low_ms), wording.figure(s.mean_high_ms)) or "")
    page:add("  Median: %s%s", wording.ms(s.median_ms), interval_of_median(s))
    page:add("  Min:    %s", wording.ms(s.min_ms))
    page:add("  Max:    %s", wording.ms(s.max_ms))
    page:add("  Stdev:  %s", s.stdev_ms and wording.ms(s.stdev_ms) or "unknown (one sample)")
  end
  page:add("  Samples: n = %d ok, %d not ok%s", s.n, s.failed,
    s.failed > 0 and (" (%s)"):format(wording.not_ok(configuration)) or "")
  noise_line(page, configuration.noisy, configuration.samples)
  if configuration.precision then
    page:wrap("  Precision: ", "    ", precision.sentence(configuration.precision))
  end
  if not configuration.silence then
    local statuses = {}
    for status in pairs(configuration.not_ok_reasons) do statuses[#statuses + 1] = status end
    table.sort(statuses)
    for _, status in ipairs(statuses) do
      page:wrap("    ", "      ", ("%s: %s"):format(status, configuration.not_ok_reasons[status]))
    end
  end
  if configuration.guest_cpus then
    page:add("  CPUs the guest brought up: %d%s", configuration.guest_cpus,
      configuration.cpus and (" of %d"):format(configuration.cpus) or "")
  end
  local default = configuration.whitepaper_comparison or {}
  for _, claim in ipairs(configuration.baselines or {}) do claim_lines(page, claim, claim.name == default.name) end
  host_side(page, configuration.host_side)
  phase_table(page, configuration)
end

local function hypotheses(page, list)
  if not list or #list == 0 then return end
  page:rule("HYPOTHESES", "=")
  for _, h in ipairs(list) do
    page:wrap(("  %-10s "):format(h.verdict or "UNDECIDED"), (" "):rep(13), h.name or "unnamed")
    if h.evidence then page:wrap((" "):rep(13), (" "):rep(13), h.evidence) end
    if h.test then page:wrap((" "):rep(13) .. "test: ", (" "):rep(13), h.test) end
    if h.more_samples then
      page:add("%sabout %d more samples a configuration would probably decide", (" "):rep(13), h.more_samples)
    end
  end
end

local function acceptance(page, list)
  if not list or #list == 0 then return end
  page:rule("ACCEPTANCE", "=")
  local rows = {}
  for i, item in ipairs(list) do
    local word = item.met and "met" or item.met == false and "NOT MET" or "unknown"
    rows[i] = { "  " .. word, item.name, item.figure or "-", "wanted: " .. (item.wanted or "-") }
  end
  for _, line in ipairs(wording.columns(rows, "llll")) do page:add("%s", line) end
end

local function anomalies(page, list)
  if not list or #list == 0 then return end
  page:rule("ANOMALIES", "=")
  for _, anomaly in ipairs(list) do
    local where = anomaly.index and ("%s sample %d"):format(anomaly.key, anomaly.index) or anomaly.key
    page:note(("%s: %s"):format(where, anomaly.text))
    for _, line in ipairs(anomaly.lines or {}) do page:add("      | %s", line:sub(1, page.WIDTH)) end
  end
end

local function closing(page, results)
  page:rule("WHAT TO KNOW BEFORE QUOTING THIS", "=")
  for _, sentence in ipairs(results.caveats) do page:note(sentence) end
  if results.directory then
    page:add("")
    page:add("Files: %s", results.directory)
    page:add("  journal.jsonl (every sample), boot-*.log and *.timing (what each boot said, and when)")
  end
end

--- Writes results as text.
-- @tparam table results of `moonboot.analysis`
-- @treturn string
return function(results)
  local page = new_page()
  header(page, results)
  silences(page, results)
  inconsistencies(page, results)
  for _, key in ipairs(results.order) do configuration_section(page, results, results[key]) end
  findings(page, results)
  hypotheses(page, results.hypotheses)
  acceptance(page, results.acceptance)
  anomalies(page, results.anomalies)
  closing(page, results)
  return table.concat(page, "\n") .. "\n"
end

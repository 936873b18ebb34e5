--- The report for a terminal or a log: plain text, under 100 columns, every byte safe to print.
-- @module moonboot.layout.text
local precision = require "moonboot.precision"
local text = require "moonboot.text"
local wording = require "moonboot.wording"

local WIDTH = 96

local Page = {}
Page.__index = Page

-- Names, reasons and log lines may hold anything; nothing gets onto the page unescaped.
function Page:add(format, ...)
  local line = select("#", ...) > 0 and format:format(...) or format
  table.insert(self, (text.escape(line):gsub("%s+$", "")))
end

function Page:rule(title, character)
  self:add("")
  self:add("%s", title)
  self:add("%s", character:rep(math.min(WIDTH, utf8.len(title) or #title)))
end

-- A sentence over as many lines as it takes, the later ones indented.
function Page:wrap(first, rest, sentence)
  local line, empty = first, true
  for word in text.escape(sentence):gmatch("%S+") do
    if not empty and #line + 1 + #word > WIDTH then
      self:add("%s", line)
      line, empty = rest, true
    end
    line = line .. (empty and "" or " ") .. word
    empty = false
  end
  self:add("%s", line)
end

function Page:note(sentence)
  self:wrap("  - ", "    ", sentence)
end

local function header(page, results)
  local e, h = results.experiment, results.host
  local title = ("%s: boot times of %s"):format(e.name or "unnamed", e.guest or "a guest")
  page:add("%s", title)
  page:add("%s", ("="):rep(math.min(WIDTH, #title)))
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
  for _, line in ipairs(s.first) do page:add("    | %s", line:sub(1, WIDTH)) end
  if #s.last > 0 then
    page:add("    | ...")
    for _, line in ipairs(s.last) do page:add("    | %s", line:sub(1, WIDTH)) end
  end
  page:add("    Why no rule matches: moonboot mark %s --grammar %s --trace",
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
  page:wrap("  ", "  ", "Try: nothing else running on the host, --jobs 1, more samples (--samples), fewer vCPUs than "
    .. "host cores; and look at the logs of the slowest samples before quoting any figure.")
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
  for _, claim in ipairs(configuration.baselines or {}) do
    claim_lines(page, claim, claim == configuration.whitepaper_comparison)
  end
  host_side(page, configuration.host_side)
  phase_table(page, configuration)
end

local function spread(point, results)
  local stdev = results[point.key].statistics.stdev_ms
  return stdev and ("(± %s)"):format(wording.figure(stdev)) or "(one sample)"
end

local function mark_of(point)
  if not point.excluded then return "" end
  return ("  [%s]"):format((point.excluded:gsub("^(oversubscribed):.*", "%1"):gsub("^(virtual time):.*", "%1")))
end

local function bounds(fit, name)
  local low, high = fit[name .. "_low"], fit[name .. "_high"]
  return low and high and (" (%.3f .. %.3f)"):format(low, high) or ""
end

local function fit_lines(page, fits)
  local amdahl, usl = fits.amdahl, fits.usl
  if amdahl then
    page:add("  Amdahl's law, %d configurations: serial fraction %.3f%s%s", fits.configurations, amdahl.serial_fraction,
      bounds(amdahl, "serial_fraction"),
      amdahl.residual_ms and (", residual %s"):format(wording.ms(amdahl.residual_ms)) or "")
  end
  if usl then
    page:add("  Universal Scalability Law: contention %.3f%s, coherency %.4f%s%s", usl.sigma, bounds(usl, "sigma"),
      usl.kappa, bounds(usl, "kappa"),
      usl.residual_ms and (", residual %s"):format(wording.ms(usl.residual_ms)) or "")
  end
end

-- Which phases gain from more CPUs, by the largest configuration that the host has cores for.
local function phase_gains(page, group)
  local last
  for _, point in ipairs(group.points) do
    if not point.excluded and point.cpus then last = point end
  end
  if not last or last == group.points[1] then return end
  local gains = {}
  for _, phase in ipairs(group.phases) do
    for _, point in ipairs(phase.points) do
      if point.key == last.key and point.speedup then
        gains[#gains + 1] = ("%s %.2fx"):format(phase.name, point.speedup)
      end
    end
  end
  if #gains > 0 then
    page:wrap(("  Speedup of each phase at %s: "):format(wording.setting("cpus", last.cpus)), "    ",
      table.concat(gains, ", "))
  end
end

local function group_findings(page, results, group)
  local axis = results.scaling.axis
  local where = wording.where(results, group.where)
  local suffix = (where ~= "" and (" (%s)"):format(where) or "")
    .. (results.experiment.deterministic and " [virtual time]" or "")
  page:add("")
  page:add("Boot Time by %s%s", wording.axis(axis), suffix)
  if #group.points == 0 then page:add("  nothing was measured") end
  for _, point in ipairs(group.points) do
    page:add("  %s: %s %s, median %s%s", wording.setting(axis, point.value), wording.ms(point.mean_ms),
      spread(point, results), wording.figure(point.median_ms), mark_of(point))
  end
  if #group.points < 2 then return end
  local first = group.points[1]
  page:add("")
  page:add("%s (relative to %s)%s", axis == "cpus" and "Scaling Efficiency" or "Speedup",
    wording.setting(axis, first.value), suffix)
  for i = 2, #group.points do
    local point = group.points[i]
    page:add("  %s: %.2fx speedup%s%s", wording.setting(axis, point.value), point.speedup,
      point.efficiency and (" (%s efficiency)"):format(wording.percent(point.efficiency)) or "", mark_of(point))
  end
  if axis == "cpus" then phase_gains(page, group) end
  if group.fits then fit_lines(page, group.fits) end
  for _, sentence in ipairs(group.notes) do page:note(sentence) end
end

local function findings(page, results)
  page:rule("KEY FINDINGS", "=")
  if results.scaling.axis then
    for _, group in ipairs(results.scaling.groups) do group_findings(page, results, group) end
  else
    page:add("")
    page:add("Boot Time")
    for _, key in ipairs(results.order) do
      local configuration = results[key]
      page:add("  %s: %s", wording.title(results, configuration), wording.ms(configuration.statistics.mean_ms))
    end
  end
  page:add("")
  page:add("  (times are means with their standard deviation; speed-up is median over median)")
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
    for _, line in ipairs(anomaly.lines or {}) do page:add("      | %s", line:sub(1, WIDTH)) end
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
  local page = setmetatable({}, Page)
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

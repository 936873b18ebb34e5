--- What a page says in words and figures: results as rows of texts for its template.
-- @module moonboot.layout.html.view
local phases = require "moonboot.phases"
local plotdata = require "moonboot.layout.html.plotdata"
local precision = require "moonboot.precision"
local wording = require "moonboot.wording"

local view = {}

-- The ends of an interval; "-" where there is none.
local function range(t, name, format)
  return (wording.range(t, name, format):gsub(" %.%. ", " to "))
end

-- The same of a figure in milliseconds: `median_low_ms`, `median_high_ms`.
local function interval_of(t, name)
  return range({ x_low = t[name .. "_low_ms"], x_high = t[name .. "_high_ms"] }, "x")
end

-- Each configuration of the results with its title.
local function configurations(results)
  local i = 0
  return function()
    i = i + 1
    local configuration = results[results.order[i]]
    if configuration then return configuration, wording.title(results, configuration) end
  end
end

--- The rows of the table of boot times.
-- @tparam table results
-- @treturn {table,…}
function view.boot_times(results)
  local rows = {}
  for c, title in configurations(results) do
    local s, marks = c.statistics, {}
    if c.oversubscribed then marks[#marks + 1] = "oversubscribed" end
    if c.guest_cpus and c.cpus and c.guest_cpus < c.cpus then
      marks[#marks + 1] = ("guest brought up %d of %d CPUs"):format(c.guest_cpus, c.cpus)
    end
    rows[#rows + 1] = {
      title = title, marks = marks, n = s.n, not_ok = wording.not_ok(c),
      median = wording.figure(s.median_ms),
      interval = s.n > 0 and not s.median_low_ms and "need ≥ 6 samples" or interval_of(s, "median"),
      mean = wording.figure(s.mean_ms), mean_interval = interval_of(s, "mean"),
      stdev = wording.figure(s.stdev_ms), cv = s.cv and ("%.1f %%"):format(100 * s.cv) or "-",
      min = wording.figure(s.min_ms), max = wording.figure(s.max_ms),
    }
  end
  return rows
end

--- What became of the samples that are not ok, by configuration and status.
-- @tparam table results
-- @treturn {table,…} `title`, `status`, `n`, `reason`
function view.failures(results)
  local rows = {}
  for c, title in configurations(results) do
    local names = {}
    for status in pairs(c.not_ok) do names[#names + 1] = status end
    table.sort(names)
    for _, status in ipairs(names) do
      rows[#rows + 1] = { title = title, status = status, n = c.not_ok[status], reason = c.not_ok_reasons[status] }
    end
  end
  return rows
end

local function with_interval(fit, name, format)
  local interval = range(fit, name, format)
  return format:format(fit[name]) .. (interval ~= "-" and (" (95 %% interval %s)"):format(interval) or "")
end

local function fit_sentences(fits)
  local list, amdahl, usl = {}, fits.amdahl, fits.usl
  local function add(sentence, fit)
    list[#list + 1] = sentence .. (fit.residual_ms and ", residual " .. wording.ms(fit.residual_ms) or "")
  end
  if amdahl then add("Amdahl's law: serial fraction " .. with_interval(amdahl, "serial_fraction", "%.3f"), amdahl) end
  if usl then
    add(("Universal Scalability Law: contention %s, coherency %s"):format(with_interval(usl, "sigma", "%.3f"),
      with_interval(usl, "kappa", "%.4f")), usl)
  end
  return list
end

-- What each phase gains from the reference to the largest configuration that says something.
local function gains_of(results, group)
  local rows, titles, fitted = {}, nil, false
  for _, phase in ipairs(group.phases) do
    local gain, fit = phase.gain, phase.fits and phase.fits.amdahl
    if gain then
      fitted = fitted or fit ~= nil
      titles = titles or { wording.title(results, results[gain.key]), wording.title(results, results[group.reference]) }
      rows[#rows + 1] = {
        name = phase.name, speedup = gain.speedup and ("%.2f"):format(gain.speedup) or "-",
        interval = range(gain, "speedup", "%.2f"), verdict = wording.gain(gain),
        serial = fit and ("%.3f"):format(fit.serial_fraction) or "-",
        serial_interval = fit and range(fit, "serial_fraction", "%.3f") or "-",
      }
    end
  end
  return titles and { title = ("%s against %s"):format(titles[1], titles[2]), rows = rows, fitted = fitted } or nil
end

--- What else is to be said of the boots of each configuration: how many were disturbed, how precise the median is.
-- @tparam table results
-- @treturn {string,…} sentences
function view.notes(results)
  local list = {}
  for c, title in configurations(results) do
    if c.noisy then
      local kinds = {}
      for kind, count in pairs(c.noisy.reasons) do kinds[#kinds + 1] = ("%d %s"):format(count, kind) end
      table.sort(kinds)
      list[#list + 1] = ("%s: something else on the host disturbed %d of %d boots (%s); they are kept"):format(title,
        c.noisy.samples, #c.samples, table.concat(kinds, ", "))
    end
    if c.precision then list[#list + 1] = ("%s: %s"):format(title, precision.sentence(c.precision)) end
  end
  return list
end

--- How boot time scales.
-- @tparam table results
-- @treturn {table,…} one for each group with two points at least: `title`, `rows`, `fits` and `notes` (sentences),
--   `gains` of its phases (`title`, `rows`, `fitted`: whether any row has a serial fraction; nil where there are none)
function view.scaling(results)
  local groups = {}
  for _, group in ipairs(results.scaling.groups) do
    if #group.points > 1 then
      local rows = {}
      for i, point in ipairs(group.points) do
        rows[i] = {
          title = wording.setting(results.scaling.axis, point.value), median = wording.figure(point.median_ms),
          speedup = wording.figure(point.speedup), interval = range(point, "speedup"),
          efficiency = wording.percent(point.efficiency), excluded = point.excluded,
        }
      end
      groups[#groups + 1] = { title = wording.where(results, group.where), rows = rows, notes = group.notes or {},
        fits = fit_sentences(group.fits or {}), gains = gains_of(results, group) }
    end
  end
  return groups
end

local function phase_cell(phase, n)
  if not phase then return { median = "-" } end
  return {
    median = wording.figure(phase.median_ms), share = phase.share and wording.share(phase.share),
    interval = phase.median_low_ms and interval_of(phase, "median"),
    some = phase.n < n and ("in %d of %d"):format(phase.n, n) or nil,
  }
end

--- The table of phases: a row each, a cell for each configuration; those that the experiment names come last.
-- @tparam table results
-- @treturn {table,…} `name`, `cells` of `median`, `share`, `interval`, `some` (where not all samples have it)
function view.phases(results)
  local rows = {}
  local function add(list, name_of)
    for _, phase in ipairs(list) do
      local cells = {}
      for c in configurations(results) do cells[#cells + 1] = phase_cell(phase.by_key[c.key], c.statistics.n) end
      rows[#rows + 1] = { name = name_of(phase), cells = cells }
    end
  end
  add(plotdata.phases(results, "phases"), function(phase) return phase.name end)
  add(plotdata.phases(results, "named_phases"), function(phase)
    return ("%s: %s"):format(phase.name, wording.measure(phase))
  end)
  return rows
end

--- The tables of single samples.
-- @tparam table results
-- @tparam {table,…} drawn lists of samples, by configuration
-- @treturn {table,…} `title`, `total`, `phases` (names), `rows` of `id`, `index`, `status`, `reason`, `time`, `cells`
function view.samples(results, drawn)
  local tables = {}
  for c, title in configurations(results) do
    local rows = {}
    for i, sample in ipairs(drawn[#tables + 1]) do
      local cells = {}
      for p, phase in ipairs(c.phases) do cells[p] = wording.figure(phases.between(sample, phase.from, phase.to)) end
      rows[i] = { id = ("%s:%s"):format(c.key, sample.index or i), index = sample.index or i, status = sample.status,
        reason = sample.reason, time = wording.figure(sample.boot_time_ms), cells = cells, outlier = sample.outlier }
    end
    tables[#tables + 1] = { title = title, total = #c.samples, phases = c.phases, rows = rows }
  end
  return tables
end

--- The claims, a row for each and configuration.
-- @tparam table results
-- @treturn {table,…}
function view.claims(results)
  local rows = {}
  for c, title in configurations(results) do
    for _, claim in ipairs(c.baselines or {}) do
      local inside = claim.inside_interval
      rows[#rows + 1] = {
        title = title, name = claim.name ~= "default" and claim.name or nil,
        interval = wording.measure(claim.to and claim or results.experiment.measure),
        claimed = wording.ms(claim.estimated_ms), measured = wording.ms(claim.measured_ms),
        error = wording.error(claim.error_percent), status = claim.status or "nothing was measured",
        inside = inside == nil and "unknown" or inside and "inside" or "outside", source = claim.source,
      }
    end
  end
  return rows
end

local function host_side(side)
  if not side then return nil end
  local parts = {}
  local function add(value, ...) if value then parts[#parts + 1] = string.format(...) end end
  add(side.spawn_to_cont_ms, "ready after %s", wording.ms(side.spawn_to_cont_ms))
  add(side.qemu_cpu_ms, "CPU time %s", wording.ms(side.qemu_cpu_ms))
  add(side.max_rss_bytes, "peak memory %s", wording.bytes(side.max_rss_bytes))
  add(side.pressure_share, "some task waited for a CPU in %s of the time", wording.share(side.pressure_share))
  return #parts > 0 and "Medians: " .. table.concat(parts, ", ") or nil
end

--- The commands that started QEMU, and what it took.
-- @tparam table results
-- @treturn {table,…} `title`, `command`, `took` (a text; nil where nothing is known)
function view.commands(results)
  local list = {}
  for c, title in configurations(results) do
    local words = {}
    for i, word in ipairs(c.argv or {}) do
      words[i] = word:find("[^%w%-_=,.:/+@%%]") and "'" .. word:gsub("'", "'\\''") .. "'" or word
    end
    if #words > 0 then
      list[#list + 1] = { title = title, command = table.concat(words, " "), took = host_side(c.host_side) }
    end
  end
  return list
end

--- Configurations in which no marker was seen.
-- @tparam table results
-- @treturn {table,…} `title`, `n`, `log`, `empty`, `bytes`, `lines`
function view.silent(results)
  local list = {}
  for c, title in configurations(results) do
    local silence = c.silence
    if silence then
      local lines = table.move(silence.first, 1, #silence.first, 1, {})
      if #silence.last > 0 then lines[#lines + 1] = "..." end
      table.move(silence.last, 1, #silence.last, #lines + 1, lines)
      list[#list + 1] = { title = title, n = #c.samples, log = silence.log, empty = silence.bytes == 0,
        bytes = wording.bytes(silence.bytes), lines = lines }
    end
  end
  return list
end

return view

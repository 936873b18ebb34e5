--- What a page says in words and figures: results as rows of texts for its template.
-- @module moonboot.layout.html.view
local phases = require "moonboot.phases"
local plotdata = require "moonboot.layout.html.plotdata"
local wording = require "moonboot.wording"

local view = {}

local function range(low, high)
  return low and high and ("%s to %s"):format(wording.figure(low), wording.figure(high)) or nil
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
      interval = range(s.median_low_ms, s.median_high_ms) or s.n > 0 and "need ≥ 6 samples" or "-",
      mean = wording.figure(s.mean_ms), mean_interval = range(s.mean_low_ms, s.mean_high_ms) or "-",
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

local function with_interval(x, low, high, decimals)
  local figure = "%." .. decimals .. "f"
  if not low or not high then return figure:format(x) end
  return (figure .. " (95 %% interval " .. figure .. " to " .. figure .. ")"):format(x, low, high)
end

local function fit_sentences(fits)
  local list, amdahl, usl = {}, fits.amdahl, fits.usl
  local function add(sentence, fit)
    list[#list + 1] = sentence .. (fit.residual_ms and ", residual " .. wording.ms(fit.residual_ms) or "")
  end
  if amdahl then
    add("Amdahl's law: serial fraction " .. with_interval(amdahl.serial_fraction, amdahl.serial_fraction_low,
      amdahl.serial_fraction_high, 3), amdahl)
  end
  if usl then
    add(("Universal Scalability Law: contention %s, coherency %s"):format(
      with_interval(usl.sigma, usl.sigma_low, usl.sigma_high, 3),
      with_interval(usl.kappa, usl.kappa_low, usl.kappa_high, 4)), usl)
  end
  return list
end

--- How boot time scales.
-- @tparam table results
-- @treturn {table,…} one for each group with two points at least: `title`, `rows`, `fits` and `notes` (sentences)
function view.scaling(results)
  local groups = {}
  for _, group in ipairs(results.scaling.groups) do
    if #group.points > 1 then
      local rows = {}
      for i, point in ipairs(group.points) do
        rows[i] = {
          title = wording.setting(results.scaling.axis, point.value), median = wording.figure(point.median_ms),
          speedup = wording.figure(point.speedup), interval = range(point.speedup_low, point.speedup_high) or "-",
          efficiency = wording.percent(point.efficiency), excluded = point.excluded,
        }
      end
      groups[#groups + 1] = { title = wording.where(results, group.where), rows = rows, notes = group.notes or {},
        fits = fit_sentences(group.fits or {}) }
    end
  end
  return groups
end

--- The table of phases: a row each, a cell for each configuration.
-- @tparam table results
-- @treturn {table,…} `name`, `cells` of `median`, `share`, `interval`, `some` (where not all samples have it)
function view.phases(results)
  local rows = {}
  for i, phase in ipairs(plotdata.phases(results)) do
    local cells = {}
    for c in configurations(results) do
      local one, n = phase.by_key[c.key], c.statistics.n
      cells[#cells + 1] = one and {
        median = wording.figure(one.median_ms), share = one.share and wording.share(one.share),
        interval = range(one.median_low_ms, one.median_high_ms),
        some = one.n < n and ("in %d of %d"):format(one.n, n) or nil,
      } or { median = "-" }
    end
    rows[i] = { name = phase.name, cells = cells }
  end
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

--- The commands that started QEMU.
-- @tparam table results
-- @treturn {table,…} `title`, `command`
function view.commands(results)
  local list = {}
  for c, title in configurations(results) do
    local words = {}
    for i, word in ipairs(c.argv or {}) do
      words[i] = word:find("[^%w%-_=,.:/+@%%]") and "'" .. word:gsub("'", "'\\''") .. "'" or word
    end
    if #words > 0 then list[#list + 1] = { title = title, command = table.concat(words, " ") } end
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

--- Are these boots faster? Runs compared with the first of them, per configuration and phase.
-- Boot times are skewed and come in small numbers, so the test is Mann and Whitney's, the shift Hodges and Lehmann's,
-- the effect Cliff's delta. A comparison has many rows and is made at every change of a kernel: rows are corrected by
-- Holm, the totals of all configurations among themselves and the phases among themselves, and a difference counts at
-- the 1 % level, so that two runs of the same thing nearly always compare as such.
-- @module moonboot.compare
local json = require "moonboot.json"
local selection = require "moonboot.selection"
local stats = require "moonboot.stats"

local compare = {}

--- The version of the table that `compare.runs` gives.
compare.SCHEMA = "moonboot-compare/1"

local ALPHA = 0.01
local LEVEL = 0.95

-- What must be the same for a difference to be due to the guest: where it stands, what to call it.
local CONDITIONS = {
  { "experiment.name", "experiment" },
  { "experiment.grammar_hash", "grammar" },
  { "experiment.deterministic", "kind of time (virtual or real)" },
  { "experiment.jobs", "number of boots at a time" },
  { "host.hostname", "host" },
  { "host.cpu_model", "CPU model" },
  { "host.cores", "number of cores" },
  { "host.kernel", "host kernel" },
  { "host.governor", "frequency governor" },
  { "host.qemu_version", "QEMU version" },
  { "host.accelerator", "accelerator" },
  { "experiment.kernel_sha256", "kernel that is booted" },
  { "host.image.sha256", "disk image" },
  { "host.image.iso_sha256", "installation medium" },
}

local function at(t, path)
  for name in path:gmatch("[^.]+") do
    if type(t) ~= "table" then return nil end
    t = t[name]
  end
  return t
end

local function shown(v)
  if v == nil then return "unknown" end
  v = tostring(v)
  return #v > 40 and v:sub(1, 12) .. "…" or v
end

local function differences_in_conditions(a, b)
  local list = json.array()
  for _, condition in ipairs(CONDITIONS) do
    local va, vb = at(a, condition[1]), at(b, condition[1])
    if va ~= vb and va ~= nil and vb ~= nil then
      list[#list + 1] = ("the %s differs: %s, %s"):format(condition[2], shown(va), shown(vb))
    end
  end
  local ma, mb = at(a, "experiment.measure") or {}, at(b, "experiment.measure") or {}
  if ma.from ~= mb.from or ma.to ~= mb.to then
    list[#list + 1] = ("what is measured differs: %s -> %s, %s -> %s"):format(
      ma.from or "t0", ma.to or "?", mb.from or "t0", mb.to or "?")
  end
  for i, run in ipairs { a, b } do
    local load, cores = at(run, "host.load_before"), at(run, "host.cores")
    if type(load) == "table" and cores and load[1] > cores / 2 then
      list[#list + 1] = ("the host was busy when the %s run began: load %.2f on %d cores"):format(
        i == 1 and "first" or "second", load[1], cores)
    end
  end
  return list
end

local function row_of(name, xs, ys)
  local row = { name = name, n_a = #xs, n_b = #ys }
  row.median_a_ms, row.median_b_ms = stats.median(xs), stats.median(ys)
  if #xs == 0 or #ys == 0 then return row end
  local test = stats.mann_whitney(xs, ys)
  row.p, row.smallest_p = test.p, test.smallest_p
  row.shift_ms, row.shift_low_ms, row.shift_high_ms = stats.hodges_lehmann(xs, ys, LEVEL)
  row.delta, row.effect = stats.cliffs_delta(xs, ys)
  local base = row.median_a_ms
  if base > 0 then
    row.shift_percent = row.shift_ms / base * 100
    if row.shift_low_ms then
      row.shift_low_percent, row.shift_high_percent = row.shift_low_ms / base * 100, row.shift_high_ms / base * 100
    end
  end
  return row
end

local function margin(row)
  if not row.shift_low_percent then return "" end
  return (" ± %.1f"):format((row.shift_high_percent - row.shift_low_percent) / 2)
end

local function judge(row, tests)
  if not row.p then
    row.verdict = "nothing"
    row.words = ("nothing to compare: no boot time in %s"):format(
      row.n_a == 0 and (row.n_b == 0 and "either run" or "the first run") or "the second run")
  elseif row.p_adjusted < ALPHA then
    row.verdict = row.shift_ms < 0 and "faster" or "slower"
    row.words = row.shift_percent and ("%s by %.1f %%%s"):format(row.verdict, math.abs(row.shift_percent), margin(row))
      or row.verdict
  elseif row.smallest_p * tests >= ALPHA then
    row.verdict = "too_few"
    row.words = ("need >= %d samples"):format(stats.least_size(tests, ALPHA))
  else
    row.verdict = "same"
    row.words = "no significant difference"
      .. (row.shift_percent and (" (%+.1f %%%s)"):format(row.shift_percent, margin(row)) or "")
  end
end

-- Corrects a family of rows and gives each its verdict.
local function judge_family(rows)
  local tested, ps = {}, {}
  for _, row in ipairs(rows) do
    if row.p then
      tested[#tested + 1] = row
      ps[#ps + 1] = row.p
    end
  end
  for i, p in ipairs(stats.holm(ps)) do tested[i].p_adjusted = p end
  for _, row in ipairs(rows) do judge(row, #tested) end
end

local function phase_rows(a, b, all)
  local theirs, rows = {}, json.array()
  for _, phase in ipairs(b.phases) do theirs[phase.name] = true end
  for _, phase in ipairs(a.phases) do
    if theirs[phase.name] then
      local row = row_of(phase.name, selection.differences(a, phase), selection.differences(b, phase))
      rows[#rows + 1] = row
      all[#all + 1] = row
    end
  end
  return rows
end

local function overall(totals)
  local seen = {}
  for _, row in ipairs(totals) do seen[row.verdict] = true end
  if seen.faster and seen.slower then return "mixed" end
  for _, verdict in ipairs { "slower", "faster", "nothing", "too_few" } do
    if seen[verdict] then return verdict end
  end
  return #totals > 0 and "same" or "nothing"
end

local function pair(a, b)
  local result = { configurations = json.array(), warnings = differences_in_conditions(a, b) }
  local totals, of_phases, in_a = {}, {}, {}
  for _, ca in ipairs(selection.configurations(a)) do
    in_a[ca.key] = true
    local cb = type(b[ca.key]) == "table" and b[ca.key].samples and b[ca.key]
    if cb then
      local entry = {
        key = ca.key, settings = ca.settings, cpus = ca.cpus,
        total = row_of("total", selection.times(ca), selection.times(cb)),
        phases = phase_rows(ca, cb, of_phases),
        not_ok_a = ca.statistics.failed, not_ok_b = cb.statistics.failed,
      }
      totals[#totals + 1] = entry.total
      table.insert(result.configurations, entry)
    else
      table.insert(result.warnings, ("%s is only in the first run"):format(ca.key))
    end
  end
  for _, cb in ipairs(selection.configurations(b)) do
    if not in_a[cb.key] then table.insert(result.warnings, ("%s is only in the second run"):format(cb.key)) end
  end
  judge_family(totals)
  judge_family(of_phases)
  result.verdict = overall(totals)
  return result
end

local function name_of(runs, names, i)
  return names[i] or runs[i].directory or ("run %d"):format(i)
end

--- Compares runs with the first one.
-- @tparam {table,…} runs two or more results of `moonboot.analysis`
-- @tparam[opt] {string,…} names what to call them (default: their directories)
-- @treturn table `schema`, `alpha`, `runs` (`name`, `started_at`), `comparisons`: for each further run its `name`,
--   `verdict` ("slower", "faster", "mixed", "same", "too_few", "nothing"), `warnings` (what else differs), and
--   `configurations` with `key`, `total` and `phases`. Each row: `n_a`, `n_b`, `median_a_ms`, `median_b_ms`, `shift_ms`
--   with its interval, the same in percent of the first median, `p`, `p_adjusted`, `delta`, `effect`, `verdict`,
--   `words`. Or nil and a message: virtual and real time are not put into one table
function compare.runs(runs, names)
  if #runs < 2 then error("compare.runs: two runs or more are compared", 2) end
  names = names or {}
  local function is_virtual(run) return run.experiment.deterministic == true end
  for i, run in ipairs(runs) do
    if is_virtual(run) ~= is_virtual(runs[1]) then
      return nil, ("%s has %s time and %s %s time: the two cannot be compared"):format(name_of(runs, names, 1),
        is_virtual(runs[1]) and "virtual" or "real", name_of(runs, names, i), is_virtual(run) and "virtual" or "real")
    end
  end
  local result = { schema = compare.SCHEMA, alpha = ALPHA, runs = json.array(), comparisons = json.array() }
  for i, run in ipairs(runs) do
    result.runs[i] = {
      name = name_of(runs, names, i), experiment = run.experiment.name,
      started_at = run.experiment.started_at, complete = run.experiment.complete,
    }
    if i > 1 then
      local comparison = pair(runs[1], run)
      comparison.name = result.runs[i].name
      table.insert(result.comparisons, comparison)
    end
  end
  return result
end

--- What in a comparison is a regression.
-- A row is one if it is significantly slower and the shift is at least the limit. A configuration that had boot times
-- and has none now is one under any limit.
-- @tparam table compared from `compare.runs`
-- @tparam table limits `slower`: least shift of a boot time, `phase`: of a phase, both as shares (0.02)
-- @treturn {string,…} a sentence for each; none without a limit
function compare.regressions(compared, limits)
  local list = {}
  local function slower(row, limit)
    return limit and row.verdict == "slower" and (row.shift_percent or math.huge) >= limit * 100
  end
  for _, comparison in ipairs(compared.comparisons) do
    for _, entry in ipairs(comparison.configurations) do
      local function add(sentence, ...)
        list[#list + 1] = ("%s: %s: "):format(comparison.name, entry.key) .. sentence:format(...)
      end
      local total = entry.total
      if next(limits) and total.n_a > 0 and total.n_b == 0 then add("no boot is ok any more") end
      if slower(total, limits.slower) then add("boot time is %s", total.words) end
      for _, row in ipairs(entry.phases) do
        if slower(row, limits.phase) then add("%s is %s", row.name, row.words) end
      end
    end
  end
  return list
end

return compare

--- A comparison as text.
-- @module moonboot.compare.text
local text = require "moonboot.text"
local wording = require "moonboot.wording"

local OVERALL = {
  slower = "slower", faster = "faster", mixed = "some configurations are faster, some slower",
  same = "no significant difference", too_few = "too few samples to tell", nothing = "nothing to compare",
}

local function p_of(row)
  if not row.p_adjusted then return "-" end
  if row.p_adjusted < 0.001 then return "< 0.001" end
  return ("%.3f"):format(row.p_adjusted)
end

local function delta_of(row)
  return row.delta and ("%+.2f %s"):format(row.delta, row.effect or "") or "-"
end

local function cells(row, indent)
  return {
    indent .. text.escape(row.name), wording.figure(row.median_a_ms), wording.figure(row.median_b_ms), p_of(row),
    delta_of(row), row.words,
  }
end

local function table_of(comparison, results)
  local rows = { { "", "A ms", "B ms", "p", "delta", "" } }
  for _, entry in ipairs(comparison.configurations) do
    local total = cells(entry.total, "")
    total[1] = text.escape(results and wording.title(results, entry) or entry.key)
    rows[#rows + 1] = total
    for _, row in ipairs(entry.phases) do rows[#rows + 1] = cells(row, "  ") end
  end
  return wording.columns(rows, "lrrrll")
end

--- Writes a comparison as text, every byte safe to print.
-- @tparam table compared from `moonboot.compare.runs`
-- @tparam[opt] table results of the first run, for the titles of configurations
-- @treturn string
return function(compared, results)
  local lines = {}
  local function add(format, ...) lines[#lines + 1] = text.escape(format:format(...)) end
  for i, run in ipairs(compared.runs) do
    add("%s  %s  (%s, %s%s)", i == 1 and "A" or compared.runs[3] and "B" .. i - 1 or "B", run.name,
      run.experiment or "unnamed", run.started_at or "when unknown", run.complete == false and ", not finished" or "")
  end
  for i, comparison in ipairs(compared.comparisons) do
    add("")
    add("A -> %s: %s", compared.runs[3] and "B" .. i or "B", OVERALL[comparison.verdict])
    for _, warning in ipairs(comparison.warnings) do add("  warning: %s", warning) end
    add("")
    for _, line in ipairs(table_of(comparison, results)) do add("%s", line) end
  end
  add("")
  add("Medians; shift by Hodges and Lehmann with its 95 %% interval; p by Mann and Whitney, corrected by Holm over the")
  add("totals and over the phases; a difference counts below p = %g.", compared.alpha)
  return table.concat(lines, "\n") .. "\n"
end

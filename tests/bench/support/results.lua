--- The rows of the table: what was measured, beside whom, and whether it is within its bar.
local json = require "moonboot.json"

local results = {}

local ORDER = { "schema", "started_at", "host", "rows", "bench", "what", "value", "unit", "peer", "peer_value", "ratio",
  "bars", "met", "note" }

-- A quotient, readable however small it is.
local function ratio_text(ratio)
  if not ratio then return "" end
  if ratio > 0 and ratio < 0.1 then return ("1/%.0f"):format(1 / ratio) end
  return ("%.3g"):format(ratio)
end

local function number_text(value, unit)
  if not value then return "" end
  local digits = math.abs(value) >= 1000 and "%.0f" or "%.3g"
  return digits:format(value) .. (unit and " " .. unit or "")
end

local function bar_text(bar, unit)
  local of_ratio = bar.of == "ratio"
  local shown = of_ratio and ratio_text or function(x) return number_text(x, unit) end
  return ("%s%s %s"):format(of_ratio and "ratio " or "", bar.at_most and "at most" or "at least",
    shown(bar.at_most or bar.at_least))
end

local function met(row, bar)
  local value = bar.of == "ratio" and row.ratio or bar.of ~= "ratio" and row.value or nil
  if not value then return false end
  if bar.at_most then return value <= bar.at_most end
  return value >= bar.at_least
end

--- Completes a row.
-- @tparam table row  `bench`, `what`, `value`, `unit`; `peer` and `peer_value` if it is compared; `ratio` (ours to the
--   peer's) where it is not simply the quotient of the two; `bars`: a list of `{ of = "value"|"ratio", at_most = }` or
--   `at_least =`; `note`
-- @treturn table the row, with `ratio` and, with bars, `met`
function results.row(row)
  if not row.ratio and row.peer_value and row.peer_value ~= 0 then row.ratio = row.value / row.peer_value end
  if row.bars then
    row.met = true
    for _, bar in ipairs(row.bars) do row.met = row.met and met(row, bar) end
  end
  return row
end

local function cells(row)
  local bars = {}
  for i, bar in ipairs(row.bars or {}) do bars[i] = bar_text(bar, row.unit) end
  local verdict = row.met == nil and "" or row.met and "met" or "MISSED"
  local peer = row.peer and ("%s: %s"):format(row.peer, number_text(row.peer_value, row.unit)) or ""
  return { row.what, number_text(row.value, row.unit), peer, ratio_text(row.ratio), table.concat(bars, ", "), verdict }
end

local HEAD = { "what", "moonboot", "peer", "ratio", "bar", "" }

--- One row as a line of text.
-- @tparam table row
-- @treturn string
function results.line(row)
  local c = cells(row)
  return ("%-58s %12s  %-28s %8s  %s%s"):format(c[1], c[2], c[3], c[4], c[5], c[6] ~= "" and " - " .. c[6] or "")
    :gsub("%s+$", "") .. (row.note and "\n    " .. row.note or "")
end

--- The table as a Markdown page.
-- @tparam table report  `host`, `started_at`, `rows`
-- @treturn string
function results.markdown(report)
  local host = report.host
  local page = {
    ("%s, %d cores, Linux %s, QEMU %s, %s."):format(host.cpu_model or "unknown CPU", host.cores or 0,
      host.kernel or "?", host.qemu_version or "?", report.started_at),
    "",
    "| " .. table.concat(HEAD, " | ") .. " |",
    "| --- | ---: | --- | ---: | --- | --- |",
  }
  local notes = {}
  for _, row in ipairs(report.rows) do
    page[#page + 1] = "| " .. table.concat(cells(row), " | ") .. " |"
    if row.note then notes[#notes + 1] = ("- %s: %s"):format(row.what, row.note) end
  end
  if #notes > 0 then page[#page + 1] = "" end
  table.move(notes, 1, #notes, #page + 1, page)
  return table.concat(page, "\n") .. "\n"
end

--- The table as JSON.
-- @tparam table report
-- @treturn string
function results.json(report)
  return json.encode(report, { order = ORDER, width = 100, decimals = 6 }) .. "\n"
end

return results

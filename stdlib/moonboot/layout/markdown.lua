--- A report for a pull request: GitHub's Markdown, short enough for a comment whatever the experiment.
-- @module moonboot.layout.markdown
local interpretation = require "moonboot.interpretation"
local selection = require "moonboot.selection"
local text = require "moonboot.text"
local wording = require "moonboot.wording"

-- GitHub refuses a comment of more than 65,536 characters.
local LIMIT = 65000
local ROWS = 100

local CLOSE = "\n</details>"

-- Everything that Markdown, its tables or GitHub's @mentions and #references read as more than text.
local function escape(bytes)
  local safe = text.escape(bytes):gsub(" %-> ", " → "):gsub("&", "&amp;"):gsub("<", "&lt;"):gsub(">", "&gt;")
  return (safe:gsub("[\\`*_%[%]|~]", "\\%0"):gsub("[@#]", "%0&#8203;"))
end

local function row(cells)
  return "| " .. table.concat(cells, " | ") .. " |"
end

local Page = {}
Page.__index = Page

-- Adds lines if there is room for them.
function Page:add(...)
  local size = 0
  for _, line in ipairs { ... } do size = size + #line + 1 end
  if self.size + size > LIMIT then
    self.full = true
    return
  end
  for _, line in ipairs { ... } do table.insert(self, line) end
  self.size = self.size + size
end

function Page:table(titles, alignment, rows)
  local rules = {}
  for i = 1, #titles do rules[i] = alignment:sub(i, i) == "r" and "--:" or ":--" end
  self:add("", row(titles), row(rules))
  for i, cells in ipairs(rows) do
    if i > ROWS then
      self:add("", ("*%d more are in the results file.*"):format(#rows - ROWS))
      break
    end
    self:add(row(cells))
  end
end

-- A part that is folded up until someone wants it. What opens it has kept room for what closes it.
function Page:details(summary, fill)
  local before = #self
  self.size = self.size + #CLOSE
  self:add("", ("<details><summary>%s</summary>"):format(summary))
  if #self == before then return end
  fill()
  table.insert(self, CLOSE)
end

local function interval_of(t)
  if not t.median_low_ms then return "-" end
  return ("%s .. %s"):format(wording.figure(t.median_low_ms), wording.figure(t.median_high_ms))
end

local function boot_times(page, results, configurations)
  local rows, with_error = {}, false
  for _, c in ipairs(configurations) do with_error = with_error or c.whitepaper_comparison ~= nil end
  for i, c in ipairs(configurations) do
    local s, claim = c.statistics, c.whitepaper_comparison
    local title = escape(wording.title(results, c)) .. (c.oversubscribed and " (oversubscribed)" or "")
    if c.guest_cpus and c.cpus and c.guest_cpus < c.cpus then
      title = ("%s (guest brought up %d)"):format(title, c.guest_cpus)
    end
    rows[i] = {
      title, ("%d%s"):format(s.n, s.failed > 0 and (" of %d (%s)"):format(s.n + s.failed,
        escape(wording.not_ok(c))) or ""),
      wording.figure(s.median_ms), interval_of(s),
      wording.figure(s.mean_ms), wording.figure(s.stdev_ms), wording.figure(s.min_ms), wording.figure(s.max_ms),
    }
    if with_error then
      rows[i][9] = claim and claim.error_percent and ("%s %s"):format(wording.error(claim.error_percent),
        escape(claim.status)) or "-"
    end
  end
  local titles = { "", "n", "Median ms", "95 % interval", "Mean ms", "Stdev", "Min", "Max" }
  if with_error then titles[9] = "Error" end
  page:table(titles, "lrrrrrrrl", rows)
end

local function scaling(page, results)
  local rows, axis = {}, results.scaling.axis
  for _, group in ipairs(results.scaling.groups) do
    for i = 2, #group.points do
      local point = group.points[i]
      rows[#rows + 1] = {
        escape(wording.title(results, results[point.key])), ("%.2f"):format(point.speedup),
        wording.range(point, "speedup", "%.2f"), point.efficiency and ("%.2f"):format(point.efficiency) or "-",
        escape(point.excluded or ""),
      }
    end
  end
  if #rows == 0 then return end
  page:add("", ("**Speed-up** along %s, median over median"):format(escape(wording.axis(axis))))
  page:table({ "", "Speed-up", "95 % interval", "Efficiency", "" }, "lrrrl", rows)
end

local function phases(page, results, configurations)
  local rows = {}
  for _, c in ipairs(configurations) do
    for i, phase in ipairs(c.phases) do
      rows[#rows + 1] = {
        i == 1 and escape(wording.title(results, c)) or "", escape(phase.name), wording.figure(phase.median_ms),
        interval_of(phase), wording.share(phase.share),
      }
    end
  end
  if #rows == 0 then return end
  page:details("Phases", function()
    page:table({ "", "Phase", "Median ms", "95 % interval", "Share" }, "llrrr", rows)
  end)
end

local function checklist(page, results)
  for _, h in ipairs(results.hypotheses or {}) do
    page:add(("- **%s** %s%s"):format(escape(h.verdict or "UNDECIDED"), escape(h.name or "unnamed"),
      h.evidence and ": " .. escape(h.evidence) or ""))
  end
  for _, item in ipairs(results.acceptance or {}) do
    page:add(("- %s %s: %s, wanted: %s"):format(item.met and "[x]" or "[ ]", escape(item.name),
      escape(item.figure or "unknown") .. (item.met == nil and " (cannot be told)" or ""), escape(item.wanted or "-")))
  end
end

local function anomalies(page, list)
  if not list or #list == 0 then return end
  page:details(("Anomalies (%d)"):format(#list), function()
    page:add("")
    for _, anomaly in ipairs(list) do
      page:add(("- %s sample %s: %s"):format(escape(anomaly.key), anomaly.index or "?", escape(anomaly.text)))
    end
  end)
end

--- Writes results as Markdown.
-- @tparam table results
-- @treturn string at most 65,000 bytes
return function(results)
  local e, configurations = results.experiment, selection.configurations(results)
  local page = setmetatable({ size = 0 }, Page)
  page:add("### " .. escape(e.title or ("Boot times of " .. (e.guest or "a guest"))))
  if results.inconsistent then
    page:add("", "> **These figures contradict each other.** " .. escape(wording.ADVICE))
    for _, sentence in ipairs(results.inconsistent) do page:add("> - " .. escape(sentence)) end
  end
  page:add("", ("%s, %s%s"):format(escape(wording.measure(e.measure)), escape(("QEMU %s, accelerator %s"):format(
    results.host.qemu_version or "of unknown version", results.host.accelerator or "unknown")),
    e.complete and "" or ", **run not finished**"))
  boot_times(page, results, configurations)
  scaling(page, results)
  page:add("")
  for _, group in ipairs(results.scaling.groups) do
    for _, note in ipairs(group.notes) do page:add("- " .. escape(note)) end
  end
  checklist(page, results)
  phases(page, results, configurations)
  anomalies(page, results.anomalies)
  page:details("In words, and what to know before quoting this", function()
    for _, sentences in ipairs(interpretation.paragraphs(results)) do
      page:add("", escape(table.concat(sentences, " ")))
    end
  end)
  if page.full then
    table.insert(page, "\n*Cut to fit into a comment: `moonboot report --format text` has everything.*")
  end
  return table.concat(page, "\n") .. "\n"
end

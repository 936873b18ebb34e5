--- The table of boot times for a paper, with booktabs' rules: part of `moonboot.layout.latex`.
-- @module moonboot.layout.latex.table
local selection = require "moonboot.selection"
local tex = require "moonboot.layout.latex.tex"
local wording = require "moonboot.wording"

local UNKNOWN = "---"

-- What marks a configuration, and what the mark means.
local MARKS = {
  { "\\ensuremath{^\\ast}", "more vCPUs than host cores", function(c) return c.oversubscribed end },
  { "\\ensuremath{^\\dagger}", "the guest brought up fewer CPUs than given", function(c)
    return c.guest_cpus and c.cpus and c.guest_cpus < c.cpus
  end },
}

local function marks_of(configuration, used)
  local marks = {}
  for i, mark in ipairs(MARKS) do
    if mark[3](configuration) then
      marks[#marks + 1] = mark[1]
      used[i] = true
    end
  end
  return table.concat(marks)
end

local function first_columns(results)
  local axes = wording.axes(results)
  if #axes == 0 then return { "Configuration" }, function(c) return { wording.title(results, c) } end end
  local titles = {}
  for i, axis in ipairs(axes) do titles[i] = wording.axis(axis):gsub("^CPU Count$", "CPU count") end
  return titles, function(c)
    local cells = {}
    for i, axis in ipairs(axes) do
      local v = c.settings[axis]
      cells[i] = v == nil and UNKNOWN or tostring(v)
    end
    return cells
  end
end

local function samples_of(s)
  return s.failed > 0 and ("%d of %d"):format(s.n, s.n + s.failed) or ("%d"):format(s.n)
end

local function claim_note(configurations)
  for _, c in ipairs(configurations) do
    local claim = c.whitepaper_comparison
    if claim then
      return ("Error: the mean against a claim of %g ms%s%s."):format(claim.estimated_ms,
        claim.to and (" from %s to %s"):format(claim.from or "t0", claim.to) or "",
        claim.source and (" (%s)"):format(claim.source) or "")
    end
  end
end

local function notes_of(results, configurations, used)
  local notes = { ("Boot times %s in ms; n: boots that count."):format(wording.measure(results.experiment.measure)) }
  if results.experiment.deterministic then notes[1] = notes[1] .. " Virtual time (-icount)." end
  notes[#notes + 1] = claim_note(configurations)
  for i, note in ipairs(notes) do notes[i] = tex.escape(note) end
  for i, mark in ipairs(MARKS) do
    if used[i] then notes[#notes + 1] = ("%s: %s."):format(mark[1], mark[2]) end
  end
  for i, sentence in ipairs(results.inconsistent or {}) do
    notes[#notes + 1] = tex.escape((i == 1 and "These figures contradict each other: " or "") .. sentence .. ".")
  end
  return notes
end

--- Makes the table.
-- @tparam table results
-- @treturn table `title`, `kind`, `packages`, `body`
return function(results)
  local configurations, used = selection.configurations(results), {}
  local with_error = claim_note(configurations) ~= nil
  local titles, cells_of = first_columns(results)
  local alignment = ("l"):rep(#titles) .. ("r"):rep(with_error and 7 or 6)
  for i, title in ipairs(titles) do titles[i] = tex.escape(title) end
  table.move({ "n", "Mean", "Median", "Min", "Max", "Stdev", with_error and "Error \\%" or nil }, 1, 7, #titles + 1,
    titles)
  -- Smaller in one of two columns. The notes below are as wide as the figures above them.
  local body = {
    "\\begingroup",
    ("\\ifdim\\linewidth<300pt %s\\tabcolsep=2pt \\fi"):format(#titles > 8 and "\\scriptsize" or "\\footnotesize"),
    "\\sbox0{%", "\\begin{tabular}{@{}" .. alignment .. "@{}}", "\\toprule",
    table.concat(titles, " & ") .. " \\\\", "\\midrule",
  }
  for _, c in ipairs(configurations) do
    local s, cells = c.statistics, cells_of(c)
    for i, cell in ipairs(cells) do cells[i] = tex.escape(cell) end
    cells[1] = cells[1] .. marks_of(c, used)
    cells[#cells + 1] = samples_of(s)
    for _, name in ipairs { "mean_ms", "median_ms", "min_ms", "max_ms", "stdev_ms" } do
      cells[#cells + 1] = wording.figure(s[name], UNKNOWN)
    end
    local claim = c.whitepaper_comparison
    if with_error then
      cells[#cells + 1] = claim and claim.error_percent
        and ("\\ensuremath{%+.1f}"):format(claim.error_percent) or UNKNOWN
    end
    body[#body + 1] = table.concat(cells, " & ") .. " \\\\"
  end
  table.move({ "\\bottomrule", "\\end{tabular}}%", "\\begin{minipage}{\\wd0}\\usebox0\\par\\smallskip",
    "\\footnotesize\\raggedright" }, 1, 4, #body + 1, body)
  for _, note in ipairs(notes_of(results, configurations, used)) do body[#body + 1] = note .. "\\par" end
  body[#body + 1] = "\\end{minipage}\\endgroup"
  return { title = "Boot times.", kind = "table", packages = { "booktabs" }, body = body }
end

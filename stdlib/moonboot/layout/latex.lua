--- The results for a paper: `latex:table`, `latex:figure-time`, `latex:figure-efficiency`, `latex:figure-phases`.
-- Each part is \input into a paper or compiled by itself with pdflatex; `latex` alone is a document of all of them with
-- the sentences of `prose`. Debian: texlive-latex-recommended, texlive-pictures, preview-latex-style.
-- @module moonboot.layout.latex
local interpretation = require "moonboot.interpretation"
local tex = require "moonboot.layout.latex.tex"
local text = require "moonboot.text"

local PARTS = { "table", "figure-time", "figure-efficiency", "figure-phases" }

local MAKERS = {
  ["table"] = require "moonboot.layout.latex.table",
  ["figure-time"] = require "moonboot.layout.latex.time",
  ["figure-efficiency"] = require "moonboot.layout.latex.efficiency",
  ["figure-phases"] = require "moonboot.layout.latex.phases",
}

local function document(results)
  local e = results.experiment
  local lines = { "\\documentclass{article}", "\\usepackage[margin=2.5cm]{geometry}" }
  local function add(line) lines[#lines + 1] = line end
  for _, line in ipairs(tex.preamble { "booktabs", "pgfplots" }) do add(line) end
  add(("\\title{%s}"):format(tex.escape(e.title or ("Boot times of " .. (e.guest or "a guest")))))
  add(("\\date{%s}"):format(tex.escape(e.started_at or "")))
  add("\\author{}")
  add("\\begin{document}")
  add("\\maketitle")
  add("\\sloppy")
  for _, sentences in ipairs(interpretation.paragraphs(results)) do
    add(tex.escape(table.concat(sentences, " ")) .. "\n")
  end
  for _, name in ipairs(PARTS) do
    local part = MAKERS[name](results)
    add(("\\begin{%s}[htbp]\\centering"):format(part.kind))
    if part.kind == "table" then add(("\\caption{%s}\\par\\smallskip"):format(tex.escape(part.title))) end
    for _, line in ipairs(part.body) do add(line) end
    if part.kind == "figure" then add(("\\caption{%s}"):format(tex.escape(part.title))) end
    add(("\\end{%s}"):format(part.kind))
  end
  add("\\end{document}")
  return table.concat(lines, "\n") .. "\n"
end

--- Writes results as LaTeX.
-- @tparam table results
-- @tparam table options `part`: one of the four, or nil for a whole document
-- @treturn string, or nil and a message
return function(results, options)
  local name = options and options.part
  if not name then return document(results) end
  if not MAKERS[name] then
    return nil, ("there is no part '%s'%s: %s"):format(name, text.suggest(name, PARTS), text.list(PARTS))
  end
  return tex.part(MAKERS[name](results))
end

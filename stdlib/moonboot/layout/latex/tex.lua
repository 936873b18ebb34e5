--- TeX from plain text, and files that are a document and a part of one: part of `moonboot.layout.latex`.
-- A part is \input into the body of a paper, or compiled by itself. LaTeX tells which: up to \begin{document} the
-- kernel's \@nodocument is an error message, from then on it is \relax. Before, the file loads what it needs and makes
-- a page of just its own size (preview's tightpage), so that its PDF can be used by \includegraphics.
-- @module moonboot.layout.latex.tex
local text = require "moonboot.text"

local tex = {}

-- Nothing that needs more than the fonts which every LaTeX has.
local SPECIAL = {
  ["\\"] = "\\textbackslash{}", ["{"] = "\\{", ["}"] = "\\}", ["$"] = "\\$", ["&"] = "\\&", ["#"] = "\\#",
  ["%"] = "\\%", ["_"] = "\\_", ["~"] = "\\textasciitilde{}", ["^"] = "\\textasciicircum{}", ["<"] = "\\textless{}",
  [">"] = "\\textgreater{}", ["|"] = "\\textbar{}", ['"'] = "''", ["`"] = "{`}",
  ["±"] = "\\ensuremath{\\pm}", ["µ"] = "\\ensuremath{\\mu}", ["°"] = "\\ensuremath{^\\circ}",
  ["×"] = "\\ensuremath{\\times}", ["…"] = "\\dots{}", ["–"] = "--", ["—"] = "---",
}

-- Letters with accents come through inputenc's UTF-8, which LaTeX reads by default; anything else would stop TeX.
local function letter(character)
  local code = utf8.codepoint(character)
  local accented = code >= 0xc0 and code <= 0xff and code ~= 0xd0 and code ~= 0xd7 and code ~= 0xde and code ~= 0xf0
    and code ~= 0xf7 and code ~= 0xfe
  return accented and character or ("[U+%04X]"):format(code)
end

--- Makes any bytes safe in TeX, with arrows for ` -> `.
-- @string bytes
-- @treturn string one line
function tex.escape(bytes)
  local escaped = text.escape(bytes):gsub(utf8.charpattern, function(character)
    if SPECIAL[character] then return SPECIAL[character] end
    if #character > 1 then return letter(character) end
  end)
  return (escaped:gsub(" %-\\textgreater{} ", " \\ensuremath{\\rightarrow} "):gsub("%-%-", "-{}-"))
end

--- A comment, every byte safe.
-- @string sentence
-- @treturn string line
function tex.comment(sentence)
  return "% " .. text.escape(sentence)
end

local PACKAGES = {
  booktabs = { "\\usepackage{booktabs}" },
  pgfplots = { "\\usepackage{pgfplots}", "\\pgfplotsset{compat=1.16}" },
}

--- The preamble lines that packages need.
-- @tparam {string,…} names  of "booktabs" and "pgfplots"
-- @treturn {string,…}
function tex.preamble(names)
  local lines = {}
  for _, name in ipairs(names) do
    for _, line in ipairs(PACKAGES[name]) do lines[#lines + 1] = line end
  end
  return lines
end

--- Wraps a part so that it can be \input and compiled by itself.
-- @tparam table part `title`, `packages`, `body` (lines)
-- @treturn string
function tex.part(part)
  local preamble = tex.preamble(part.packages)
  local lines = {
    tex.comment(part.title .. " Made by moonboot."),
    "% In a paper: \\input this file where the " .. part.kind .. " shall stand, with this in the preamble:",
  }
  for _, line in ipairs(preamble) do lines[#lines + 1] = "%   " .. line end
  table.move({
    "% By itself: pdflatex makes a page of its size, for \\includegraphics.",
    "\\expandafter\\ifx\\csname @nodocument\\endcsname\\relax",
    "  \\def\\moonbootend{}%",
    "\\else",
    "  \\documentclass{article}",
  }, 1, 5, #lines + 1, lines)
  for _, line in ipairs(preamble) do lines[#lines + 1] = "  " .. line end
  table.move({
    "  \\usepackage[active,tightpage]{preview}",
    "  \\setlength\\PreviewBorder{4pt}",
    "  \\begin{document}",
    "  \\begin{preview}",
    "  \\def\\moonbootend{\\end{preview}\\end{document}}%",
    "\\fi",
  }, 1, 6, #lines + 1, lines)
  table.move(part.body, 1, #part.body, #lines + 1, lines)
  lines[#lines + 1] = "\\moonbootend"
  return table.concat(lines, "\n") .. "\n"
end

return tex

--- Debian's texlive, as a paper uses it.
local files = require "moonboot.files"
local program = require "tests.system.support.program"

local tex = {}

--- Compiles a file. -> pages | raises with what TeX complained of
-- @tparam Sandbox sandbox
-- @string name  of a file in the sandbox, without `.tex`
-- @treturn string the PDF's path
-- @treturn string TeX's log, on long lines
function tex.compile(sandbox, name)
  local status, out = program.execute("env", "max_print_line=1000", "pdflatex", "-interaction=nonstopmode",
    "-halt-on-error", "-output-directory=" .. sandbox.dir, sandbox.dir .. "/" .. name .. ".tex")
  local log = files.read(sandbox.dir .. "/" .. name .. ".log") or out
  if status ~= 0 then
    error(("pdflatex ended with %s: %s"):format(status, log:match("\n(!.-\n.-\n.-)\n") or log:sub(-2000)), 2)
  end
  return sandbox.dir .. "/" .. name .. ".pdf", log
end

--- What stands on the pages of a PDF, on one line.
function tex.text(pdf)
  local status, out = program.execute("pdftotext", "-layout", pdf, "-")
  assert(status == 0)
  return (out:gsub("%s+", " "))
end

--- Its number of pages, and the size of the first in points.
function tex.size(pdf)
  local _, out = program.execute("pdfinfo", pdf)
  local width, height = out:match("Page size:%s+([%d.]+) x ([%d.]+)")
  return tonumber(out:match("Pages:%s+(%d+)")), tonumber(width), tonumber(height)
end

--- Makes pictures of its pages. -> how much of the first page is not white, 0 to 1
function tex.picture(sandbox, pdf, path)
  local status = program.execute("pdftoppm", "-r", "110", "-png", pdf, path)
  assert(status == 0)
  status = program.execute("pdftoppm", "-r", "40", "-gray", "-singlefile", pdf, sandbox.dir .. "/grey")
  assert(status == 0)
  local pixels = files.read(sandbox.dir .. "/grey.pgm"):match("^P5%s+%d+%s+%d+%s+255%s(.*)$")
  local _, dark = pixels:gsub("[\0-\200]", "")
  return dark / #pixels
end

return tex

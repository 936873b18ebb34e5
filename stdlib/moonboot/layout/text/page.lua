--- A page of plain text: part of `moonboot.layout.text`.
-- @module moonboot.layout.text.page
local text = require "moonboot.text"

local WIDTH = 96

local Page = {}
Page.__index = Page

--- Columns at most.
Page.WIDTH = WIDTH

-- Names, reasons and log lines may hold anything; nothing gets onto the page unescaped.
function Page:add(format, ...)
  local line = select("#", ...) > 0 and format:format(...) or format
  table.insert(self, (text.escape(line):gsub("%s+$", "")))
end

function Page:rule(title, character)
  self:add("")
  self:add("%s", title)
  self:add("%s", character:rep(math.min(WIDTH, utf8.len(title) or #title)))
end

-- A sentence over as many lines as it takes, the later ones indented.
function Page:wrap(first, rest, sentence)
  local line, empty = first, true
  for word in text.escape(sentence):gmatch("%S+") do
    if not empty and #line + 1 + #word > WIDTH then
      self:add("%s", line)
      line, empty = rest, true
    end
    line = line .. (empty and "" or " ") .. word
    empty = false
  end
  self:add("%s", line)
end

function Page:note(sentence)
  self:wrap("  - ", "    ", sentence)
end

--- Begins a page: a list of lines with the methods `add`, `rule`, `wrap` and `note`.
-- @treturn Page
return function()
  return setmetatable({}, Page)
end

--- The results in sentences, to be taken over into a text: plain paragraphs, every byte safe to print.
-- @module moonboot.layout.prose
local interpretation = require "moonboot.interpretation"
local text = require "moonboot.text"

local WIDTH = 78

local function wrapped(sentences)
  local lines, line = {}, ""
  for word in text.escape(table.concat(sentences, " ")):gmatch("%S+") do
    if line ~= "" and utf8.len(line) + 1 + utf8.len(word) > WIDTH then
      lines[#lines + 1], line = line, word
    else
      line = line == "" and word or line .. " " .. word
    end
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n")
end

--- Writes results as prose.
-- @tparam table results
-- @treturn string paragraphs with an empty line between them
return function(results)
  local paragraphs = {}
  for i, sentences in ipairs(interpretation.paragraphs(results)) do paragraphs[i] = wrapped(sentences) end
  return table.concat(paragraphs, "\n\n") .. "\n"
end

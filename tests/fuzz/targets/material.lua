-- What the targets make their input of.
local material = {}

local LOADED = { "\0", "\b", "\r", "\n", "\t", "\27", "\27[", "\27[2K", "\27]0;", "\155", "\195", "\240\159", '"',
  "\\", "{", "}", "[", "]", ":", ",", "\\u0000", "1e999", "-", "null" }

--- One of a list.
function material.one(rng, list)
  return list[rng:integer(#list)]
end

--- Random bytes, up to `most`; those that mean something to a terminal or a parser more often than others.
function material.bytes(rng, most)
  local out = {}
  for i = 1, rng:integer(most + 1) - 1 do
    out[i] = rng:integer(3) == 1 and material.one(rng, LOADED) or string.char(rng:integer(256) - 1)
  end
  return table.concat(out)
end

--- The text with some bytes changed, taken out, put in, or its end cut off.
function material.mutated(rng, text)
  for _ = 1, rng:integer(4) do
    local at = rng:integer(#text + 1)
    local how = rng:integer(4)
    if how == 1 then
      text = text:sub(1, at - 1) .. material.bytes(rng, 4) .. text:sub(at)
    elseif how == 2 then
      text = text:sub(1, at - 1) .. text:sub(at + rng:integer(8))
    elseif how == 3 then
      text = text:sub(1, at - 1) .. string.char(rng:integer(256) - 1) .. text:sub(at + 1)
    else
      text = text:sub(1, at)
    end
  end
  return text
end

--- A JSON value, as a Lua value; not deeper than `depth`.
function material.value(rng, depth)
  local kind = rng:integer(depth > 0 and 7 or 5)
  if kind == 1 then return rng:integer(2) == 1 end
  if kind == 2 then return rng:integer(1 << 53) - (1 << 52) end
  if kind == 3 then return rng:normal() * 1e6 end
  if kind <= 5 then return (material.bytes(rng, 12):gsub("[\128-\255]", "?")) end
  local out = {}
  for i = 1, rng:integer(4) - 1 do
    out[kind == 6 and i or "k" .. i] = material.value(rng, depth - 1)
  end
  return out
end

--- Cuts a text into pieces of random size.
function material.pieces(rng, text)
  local out, at = {}, 1
  local size = material.one(rng, { 1, 3, 50, 5000 })
  while at <= #text do
    local n = rng:integer(size)
    out[#out + 1] = text:sub(at, at + n - 1)
    at = at + n
  end
  return out
end

return material

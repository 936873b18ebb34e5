-- Grammars on consoles: random patterns, text and cuts. Patterns that backtrack end in time, because lines are bounded,
-- or because their matches are; where the text is cut makes no difference to the markers.
local grammar = require "moonboot.grammar"
local lines = require("moonboot.engine").lines
local lpeg = require "lpeg"
local material = require "tests.fuzz.targets.material"
local uv = require "luv"

-- For one case; a line is at most 8 KiB, so that a cubic pattern needs far less.
local LONGEST_NS = 60 * 1000000000

local WORDS = { "a", "b", "ab", "aa", "ba", "abc", "x: " }

local function pattern(rng, depth)
  local kind = rng:integer(depth > 0 and 8 or 2)
  if kind == 1 then return lpeg.P(material.one(rng, WORDS)) end
  if kind == 2 then return lpeg.S "ab" end
  local inner = pattern(rng, depth - 1)
  if kind == 3 then return inner * pattern(rng, depth - 1) end
  if kind == 4 then return inner + pattern(rng, depth - 1) end
  if kind == 5 then return inner ^ 1 * pattern(rng, depth - 1) end
  if kind == 6 then return (pattern(rng, depth - 1) - inner) ^ 0 * inner end
  if kind == 7 then return #inner * pattern(rng, depth - 1) end
  return lpeg.Cg(inner, "captured")
end

-- Looks at the rest of a line twice for each of its bytes.
local function exponential(rng)
  local inner = lpeg.P(material.one(rng, WORDS))
  return lpeg.P { inner * lpeg.V(1) * "b" + inner * lpeg.V(1) * "c" + inner }
end

local function console(rng)
  local out = {}
  for i = 1, rng:integer(200) do
    local kind = rng:integer(12)
    out[i] = kind == 1 and "\n" or kind == 2 and material.bytes(rng, 8) or kind == 3 and ("a"):rep(rng:integer(400))
      or material.one(rng, WORDS)
  end
  return table.concat(out)
end

local function found_markers(compiled, pieces)
  local matcher = compiled:matcher { channels = { "com1" } }
  local stream <close> = lines.new {}
  local t_ns, number = 0, 0
  for _, piece in ipairs(pieces) do
    for byte in piece:gmatch "." do
      t_ns = t_ns + 1
      assert(stream:push(byte, t_ns))
    end
    local text = stream:next()
    while text do
      number = number + 1
      matcher:line("com1", text, stream, number)
      text = stream:next()
    end
    matcher:partial("com1", stream)
  end
  local found = {}
  for i, marker in ipairs(matcher:markers()) do found[i] = marker.name .. "@" .. marker.t_ns end
  return table.concat(found, " ")
end

-- -> their names and times, or nil when a pattern is too much for LPeg or takes too long
local function markers(compiled, pieces)
  local done, found = pcall(found_markers, compiled, pieces)
  if done then return found end
  assert(found:find "^the pattern of rule '%w+' cannot be tried on", found)
end

local function any_pattern(rng)
  local kind = rng:integer(60)
  if kind == 1 then return exponential(rng) end
  return kind <= 20 and material.one(rng, WORDS) or pattern(rng, 3)
end

return function(rng)
  local rules = {}
  for i = 1, rng:integer(4) do
    rules[i] = { "rule" .. i, any_pattern(rng), optional = rng:integer(2) == 1 or nil,
      last = rng:integer(4) == 1 or nil }
  end
  local made, compiled = pcall(grammar.new, rules)
  if not made then return end -- a loop without end, or a pattern that matches nothing: refused with a message
  local text = console(rng)
  local began_ns = uv.hrtime()
  local whole, cut = markers(compiled, { text }), markers(compiled, material.pieces(rng, text))
  if whole and cut then assert(whole == cut, ("markers depend on the cuts: %s, else %s"):format(whole, cut)) end
  assert(uv.hrtime() - began_ns < LONGEST_NS, "it takes too long")
end

--- Text for people: bytes made safe for a terminal, and the name somebody probably meant.
-- @module moonboot.text
local text = {}

local NAMED = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ["\b"] = "\\b", ["\27"] = "\\e" }

local function hex(bytes)
  return (bytes:gsub(".", function(byte)
    return NAMED[byte] or ("\\x%02x"):format(byte:byte())
  end))
end

-- Code points that are valid and yet change what a reader sees: C1 controls, line separators, bidi overrides.
local function hidden(code)
  return code >= 0x80 and code <= 0x9f or code >= 0x200b and code <= 0x200f or code >= 0x2028 and code <= 0x202e
    or code >= 0x2060 and code <= 0x206f or code == 0xfeff
end

--- Makes any bytes safe to print: controls, escapes and invalid UTF-8 become `\n`, `\e`, `\xNN`.
-- Printable text, UTF-8 included, stays as it is; so does a backslash, which makes this a display, not an encoding.
-- @string bytes  anything a guest, a file name or a script may contain
-- @string[opt=""] keep  characters to let through, such as "\n"
-- @treturn string one line (unless `keep` has "\n")
function text.escape(bytes, keep)
  if not bytes:find("[^\32-\126]") then return bytes end
  local out, position, n = {}, 1, #bytes
  local function put(piece) out[#out + 1] = piece end
  while position <= n do
    local plain = bytes:match("^[\32-\126]+", position)
    if plain then
      put(plain)
      position = position + #plain
    else
      local byte = bytes:sub(position, position)
      local sequence = byte:find("[\xC2-\xF4]") and bytes:match("^[\xC2-\xF4][\x80-\xBF]+", position)
      -- The lead byte says how long a sequence is; utf8.len then refuses overlong forms and surrogates.
      local length = sequence and (byte < "\xE0" and 2 or byte < "\xF0" and 3 or 4)
      sequence = sequence and sequence:sub(1, length)
      if sequence and utf8.len(sequence) == 1 then
        local code = utf8.codepoint(sequence)
        put(hidden(code) and ("\\u{%x}"):format(code) or sequence)
        position = position + length
      else
        put(keep and keep:find(byte, 1, true) and byte or hex(byte))
        position = position + 1
      end
    end
  end
  return table.concat(out)
end

--- Edit distance in which a swap of neighbours counts once (optimal string alignment), ignoring case.
-- @string a
-- @string b
-- @treturn integer
function text.distance(a, b)
  a, b = a:lower(), b:lower()
  local before, previous, current = {}, {}, {}
  for j = 0, #b do previous[j] = j end
  for i = 1, #a do
    current[0] = i
    for j = 1, #b do
      local same = a:byte(i) == b:byte(j)
      local best = math.min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (same and 0 or 1))
      if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
        best = math.min(best, before[j - 2] + 1)
      end
      current[j] = best
    end
    before, previous, current = previous, current, before
  end
  return previous[#b]
end

--- The candidate that somebody who wrote `name` probably meant.
-- @string name
-- @tparam {string,…} candidates  in any order
-- @treturn ?string nil when nothing is near
function text.nearest(name, candidates)
  if #name > 64 then return nil end
  local sorted = table.move(candidates, 1, #candidates, 1, {})
  table.sort(sorted)
  local limit = math.max(1, #name // 3)
  local best, best_distance, longer = nil, math.huge, nil
  for _, candidate in ipairs(sorted) do
    local distance = text.distance(name, candidate)
    if distance <= limit and distance < best_distance and distance < #candidate then
      best, best_distance = candidate, distance
    end
    -- "mem" for "memory": many edits away, and yet plain.
    if #name >= 3 and candidate:sub(1, #name):lower() == name:lower() then longer = longer or candidate end
  end
  return best or longer
end

--- The end of an error message about an unknown name: ` (did you mean 'samples'?)`, or nothing.
-- @string name
-- @tparam {string,…} candidates
-- @treturn string
function text.suggest(name, candidates)
  local nearest = text.nearest(name, candidates)
  return nearest and (" (did you mean '%s'?)"):format(nearest) or ""
end

--- The longest run of bytes that two texts share.
-- @string a
-- @string b
-- @treturn string the first such run in `a`; "" when they share nothing
function text.common(a, b)
  local best, length = "", 0
  for from = 1, #a do
    -- Only longer runs than the best so far are of interest.
    while from + length <= #a and b:find(a:sub(from, from + length), 1, true) do
      best = a:sub(from, from + length)
      length = length + 1
    end
  end
  return best
end

--- Words joined the way a sentence does: `a`, `a or b`, `a, b or c`.
-- @tparam {string,…} words
-- @string[opt="or"] conjunction
-- @treturn string
function text.list(words, conjunction)
  if #words < 2 then return words[1] or "" end
  return table.concat(words, ", ", 1, #words - 1) .. " " .. (conjunction or "or") .. " " .. words[#words]
end

return text

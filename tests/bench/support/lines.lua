--- What a tool that stamps lines wrote, `[SECONDS] TEXT`, in the form of a trace (see `moonboot.oracle`).
local lines = {}

--- Reads it.
-- @string output
-- @string at  "start" or "end": whether a line's stamp is that of its first byte or of its newline
-- @treturn table `data` (the texts, without carriage returns) and `times_ns` (false for the bytes without a stamp)
function lines.stamped(output, at)
  local texts, times_ns = {}, {}
  for line in output:gmatch("[^\n]*\n?") do
    local s, us, text = line:match("^%[(%d+)%.(%d%d%d%d%d%d)%] (.*)$")
    text = (text or line):gsub("\r", "")
    texts[#texts + 1] = text
    local first = #times_ns + 1
    for i = first, first + #text - 1 do times_ns[i] = false end
    local stamped = at == "start" and first or text:sub(-1) == "\n" and #times_ns
    if s and text ~= "" and stamped then times_ns[stamped] = (s * 1000000 + us) * 1000 end
  end
  return { data = table.concat(texts), times_ns = times_ns }
end

--- A trace without its carriage returns.
-- @tparam table reference
-- @treturn table
function lines.without_returns(reference)
  local times_ns = {}
  for i = 1, #reference.data do
    if reference.data:byte(i) ~= 13 then times_ns[#times_ns + 1] = reference.times_ns[i] end
  end
  return { data = (reference.data:gsub("\r", "")), times_ns = times_ns }
end

return lines

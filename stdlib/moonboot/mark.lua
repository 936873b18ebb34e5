--- Shows what a grammar finds in captures, and why it does not find the rest.
-- @module moonboot.mark
local capture = require "moonboot.capture"
local json = require "moonboot.json"
local text = require "moonboot.text"

local mark = {}

-- How much of a line a page shows.
local LINE_BYTES = 100

local function ms(t_ns)
  return t_ns and ("%.3f"):format(t_ns / 1e6) or "-"
end

local function shown(line)
  return text.escape(#line > LINE_BYTES and line:sub(1, LINE_BYTES - 3) .. "..." or line)
end

-- The line that shares the longest run of bytes with one of the clues.
local function nearest_line(captures, clues)
  local best, length = nil, 0
  for _, one in ipairs(captures) do
    for line, t_ns, number, complete in one:each() do
      for _, clue in ipairs(clues) do
        local from = 1
        while from + length <= #clue do
          if line:find(clue:sub(from, from + length), 1, true) then
            length = length + 1
            best = { clue = clue, common = clue:sub(from, from + length - 1), line = line, line_number = number,
              t_ns = t_ns, channel = one.channel, complete = complete }
          else
            from = from + 1
          end
        end
      end
    end
  end
  return best
end

-- Why a line that holds a rule's literal did not make its marker.
local function explain(rule, near, exact)
  if near.common ~= near.clue then return nil end
  if rule.channel and rule.channel ~= near.channel then
    return ("the rule is for %s, the line is on %s"):format(rule.channel, near.channel)
  end
  if not near.complete and not rule.partial then return "the line never ends: give the rule partial = true" end
  if not exact then return "the line has the hint, but the pattern does not match it" end
  return nil
end

--- Finds, for each rule, the line that is nearest to matching.
-- @tparam {string,…} paths  of the logs of one boot
-- @tparam Grammar grammar
-- @tparam {string,…} names  of rules
-- @treturn ?{table,…} `{ name =, clues = (literals it looks for; nil when unknown), nearest = { line =, line_number =,
--   t_ns =, channel =, common = (what it shares with a clue), complete = }, reason = }`, or nil and
-- @treturn ?string why the captures cannot be read
function mark.trace(paths, grammar, names)
  local rules, list = {}, {}
  for _, rule in ipairs(grammar.rules) do rules[rule.name] = rule end
  for i, name in ipairs(names) do
    local rule, clues = rules[name], grammar:clues(name)
    local entry = { name = name, clues = clues }
    list[i] = entry
    if clues then
      local captures <close>, message = capture.open_all(paths)
      if not captures then return nil, message end
      local ok, found = pcall(nearest_line, captures, clues)
      if not ok then return nil, tostring(found) end
      entry.nearest = found
      entry.reason = found and explain(rule, found, grammar:literal(name) ~= nil)
    end
  end
  return list
end

local function trace_lines(entry, add)
  local quoted = {}
  for i, clue in ipairs(entry.clues or {}) do quoted[i] = ("\"%s\""):format(text.escape(clue)) end
  if not entry.clues then
    add("%s: an LPeg pattern without a hint, so that no line can be called near; give the rule a hint", entry.name)
    return
  end
  add("%s looks for %s", entry.name, text.list(quoted))
  local near = entry.nearest
  if not near then
    add("  no line shares a byte with it")
    return
  end
  local when = near.t_ns and (" at %s ms"):format(ms(near.t_ns)) or ""
  add("  nearest: %s line %d%s, shares \"%s\"", near.channel, near.line_number, when, text.escape(near.common))
  add("    %s", shown(near.line))
  if entry.reason then add("    %s", entry.reason) end
end

--- Renders the outcome as a page of text. Nothing a guest wrote gets onto it unescaped.
-- @tparam table outcome  of `capture.mark`
-- @tparam[opt] {table,…} trace  of `mark.trace`
-- @treturn string
function mark.text(outcome, trace)
  local page, width = {}, #"marker"
  local function add(format, ...) page[#page + 1] = select("#", ...) > 0 and format:format(...) or format end
  for _, marker in ipairs(outcome.markers) do width = math.max(width, #marker.name) end
  local row = "%12s %12s  %-7s  %-" .. width .. "s  %s"
  if #outcome.markers > 0 then add(row, "ms since t0", "+ ms", "console", "marker", "line") end
  local previous_ns
  for _, marker in ipairs(outcome.markers) do
    local delta = marker.t_ns and previous_ns and ms(marker.t_ns - previous_ns) or ""
    add(row, ms(marker.t_ns), delta, marker.channel, marker.name, shown(marker.line))
    previous_ns = marker.t_ns
  end
  local required = {}
  for _, name in ipairs(outcome.missing) do required[name] = true end
  local optional = {}
  for _, name in ipairs(outcome.unmatched) do
    if not required[name] then optional[#optional + 1] = name end
  end
  if #outcome.missing > 0 then add("never matched: %s", table.concat(outcome.missing, ", ")) end
  if #optional > 0 then add("never matched, optional: %s", table.concat(optional, ", ")) end
  if outcome.failure then
    local failure = outcome.failure
    add("failed at %s ms (%s): %s", ms(failure.t_ns), failure.channel, shown(failure.line))
  end
  for _, entry in ipairs(trace or {}) do
    add("")
    trace_lines(entry, add)
  end
  return table.concat(page, "\n") .. "\n"
end

local function in_ms(t_ns)
  return t_ns and t_ns / 1e6 or json.null
end

--- Renders the outcome as a JSON document.
-- @tparam table outcome  of `capture.mark`
-- @tparam[opt] {table,…} trace  of `mark.trace`
-- @treturn string
function mark.json(outcome, trace)
  local markers, previous_ns = json.array {}, nil
  for i, marker in ipairs(outcome.markers) do
    markers[i] = {
      name = marker.name,
      t_ms = in_ms(marker.t_ns),
      delta_ms = in_ms(marker.t_ns and previous_ns and marker.t_ns - previous_ns),
      channel = marker.channel,
      line = marker.line,
      line_number = marker.line_number,
      count = marker.count,
      captures = marker.captures,
    }
    previous_ns = marker.t_ns
  end
  local document = {
    markers = markers,
    unmatched = json.array(outcome.unmatched),
    missing = json.array(outcome.missing),
    failure = json.null,
  }
  local failure = outcome.failure
  if failure then
    document.failure = { pattern = failure.pattern, t_ms = in_ms(failure.t_ns), channel = failure.channel,
      line = failure.line, line_number = failure.line_number }
  end
  if trace then
    local list = json.array {}
    for i, entry in ipairs(trace) do
      local near = entry.nearest
      list[i] = {
        name = entry.name,
        looks_for = entry.clues and json.array(entry.clues) or json.null,
        reason = entry.reason or json.null,
        nearest = near and { line = near.line, line_number = near.line_number, t_ms = in_ms(near.t_ns),
          channel = near.channel, common = near.common } or json.null,
      }
    end
    document.trace = list
  end
  return json.encode(document, { width = 100 }) .. "\n"
end

return mark

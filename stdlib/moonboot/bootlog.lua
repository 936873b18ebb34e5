--- What a boot said, for people: the lines of all its consoles in the order they came, with their times.
-- Reading is bounded: a guest can write gigabytes, a report shows a page.
-- @module moonboot.bootlog
local capture = require "moonboot.capture"

local bootlog = {}

--- How much of each log is read, unless told otherwise.
bootlog.BYTES = 256 << 10

-- A results file may come from anywhere: logs are looked for beside it, and nowhere else.
local function beside(directory, name)
  return directory .. "/" .. name:match("[^/]*$")
end

local function consoles_of(sample)
  local list = {}
  if sample.log then list[1] = { log = sample.log } end
  for _, further in ipairs(sample.further_logs or {}) do
    if further.log then list[#list + 1] = further end
  end
  return list
end

--- The logs of a sample, first console first.
-- @tparam table sample of the results
-- @string directory of the run
-- @treturn {string,…} paths; they need not exist
function bootlog.paths(sample, directory)
  local paths = {}
  for i, console in ipairs(consoles_of(sample)) do paths[i] = beside(directory, console.log) end
  return paths
end

local function take(lines, one, content, number, complete)
  if not content:find("%S") then return end
  local t_ns, last_ns = one.lines:stamp(1), one.lines:stamp(#content)
  lines[#lines + 1] = {
    text = content, t_ms = t_ns and t_ns / 1e6, last_ms = last_ns and last_ns / 1e6,
    channel = one.channel, number = number, complete = complete,
  }
end

-- -> the bytes read, and whether there are more
local function read_console(lines, one, limit)
  local bytes = 0
  while bytes < limit do
    local moved, message = one.lines:pull(one.reader)
    if not moved then error(message, 0) end
    local content, number = one.lines:next()
    while content do
      take(lines, one, content, number, true)
      content, number = one.lines:next()
    end
    if moved == 0 then
      content, number = one.lines:partial()
      take(lines, one, content, number, false)
      return bytes, false
    end
    bytes = bytes + moved
  end
  return bytes, true
end

-- Lines stay in the order of their console; of several consoles, the earlier line comes first.
local function merge(lists)
  if #lists == 1 then return lists[1] end
  local merged, at = {}, {}
  for i = 1, #lists do at[i] = 1 end
  while true do
    local first, first_ms
    for i, list in ipairs(lists) do
      local line = list[at[i]]
      local t_ms = line and (line.t_ms or math.huge)
      if line and (not first or t_ms < first_ms) then first, first_ms = i, t_ms end
    end
    if not first then return merged end
    merged[#merged + 1] = lists[first][at[first]]
    at[first] = at[first] + 1
  end
end

--- Reads what a sample said.
-- @tparam table sample of the results
-- @string directory of the run
-- @int[opt=bootlog.BYTES] limit_bytes of each log, from its beginning
-- @treturn ?table a list of lines that are not blank, each `text` (as the guest meant it, not escaped), `t_ms` and
--   `last_ms` (of its first and last byte, since t0; nil when unknown), `channel`, `number` and `complete` (false: no
--   newline came); with `cut` (true: there is more than was read) and `bytes` (read). nil when there is no log
-- @treturn ?string why
function bootlog.read(sample, directory, limit_bytes)
  local limit = limit_bytes or bootlog.BYTES
  local paths = bootlog.paths(sample, directory)
  if not paths[1] then return nil, "no log was kept" end
  local lists, bytes, cut = {}, 0, false
  for i, path in ipairs(paths) do
    local one <close>, message = capture.open(path, i)
    if not one then return nil, message end
    lists[i] = {}
    local ok, read, more = pcall(read_console, lists[i], one, limit)
    if not ok then return nil, tostring(read) end
    bytes, cut = bytes + read, cut or more
  end
  local all = merge(lists)
  all.bytes, all.cut = bytes, cut
  return all
end

-- Timing files have microseconds, markers have nanoseconds.
local ROUNDING_MS = 0.001

--- The line that holds the byte of an instant, such as that of a marker.
-- @tparam {table,…} lines from `bootlog.read`
-- @number t_ms since t0
-- @string[opt] channel any, if left out
-- @treturn ?int its place in the list
function bootlog.at(lines, t_ms, channel)
  for i, line in ipairs(lines) do
    if line.t_ms and line.last_ms and line.t_ms - ROUNDING_MS <= t_ms and t_ms <= line.last_ms + ROUNDING_MS
      and (not channel or line.channel == channel) then
      return i
    end
  end
  return nil
end

return bootlog

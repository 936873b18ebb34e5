--- One boot as an asciicast, version 2, which `asciinema play` shows as it happened, with an event per marker.
-- It plays the guest's own bytes, escape sequences included, of all consoles into one terminal. Events are at
-- most 1 ms late; bytes that are no UTF-8 become U+FFFD. (https://docs.asciinema.org/manual/asciicast/v2/)
-- @module moonboot.layout.cast
local bootlog = require "moonboot.bootlog"
local capture = require "moonboot.capture"
local json = require "moonboot.json"
local selection = require "moonboot.selection"
local text = require "moonboot.text"
local wording = require "moonboot.wording"

-- A serial terminal is a VT100 to guests.
local WIDTH, HEIGHT = 80, 24

-- What comes this closely together is one event: nobody sees the difference, but a player does a thousandth of the
-- work.
local TOGETHER_US = 1000

-- A cast is to be watched, and held in memory while it is made.
local MOST_BYTES = 16 << 20

local Cast = {}
Cast.__index = Cast

function Cast:event(t_us, kind, data)
  t_us = math.max(0, t_us)
  table.insert(self, ('[%d.%06d, "%s", %s]'):format(t_us // 1000000, t_us % 1000000, kind, self.encode(data)))
end

function Cast:flush()
  if #self.bytes > 0 then self:event(self.t_us, "o", table.concat(self.bytes)) end
  self.bytes = {}
end

-- Markers up to an instant, that included: a marker stands before the first byte of its text.
function Cast:mark_up_to(t_us)
  while self.markers[1] and self.markers[1].t_us <= t_us do
    local marker = table.remove(self.markers, 1)
    self:flush()
    self:event(marker.t_us, "m", marker.name)
  end
end

function Cast:output(t_us, bytes)
  self:mark_up_to(t_us)
  if #self.bytes > 0 and t_us - self.t_us >= TOGETHER_US then self:flush() end
  if #self.bytes == 0 then self.t_us = t_us end
  table.insert(self.bytes, bytes)
end

-- How many bytes at the end begin a UTF-8 character that is not complete. Most chunks are one byte.
local function unfinished(bytes)
  local tail = bytes:match("[\xC2-\xF4][\x80-\xBF]*$")
  if not tail then return 0 end
  local length = tail < "\xE0" and 2 or tail < "\xF0" and 3 or 4
  return #tail < length and #tail or 0
end

-- A console's bytes, characters kept whole and line ends as a terminal without a driver behind it needs them.
local function next_chunk(console)
  local bytes, t_ns = console.reader:read()
  if not bytes then
    if t_ns then error(t_ns, 0) end
    bytes, console.held, console.ended = console.held, "", true
    return bytes
  end
  bytes = console.held .. bytes
  local held = unfinished(bytes)
  console.held = bytes:sub(#bytes - held + 1)
  bytes = bytes:sub(1, #bytes - held)
  console.t_us = t_ns and (t_ns + 500) // 1000
  -- The \r of a \n may have come before.
  local before = console.before
  console.before = bytes:sub(-1) == "\r" and "\r" or ""
  return (before .. bytes):gsub("\r*\n", "\r\n"):sub(#before + 1)
end

-- Plays all consoles in the order of their times; what has no time comes last.
local function play(cast, consoles)
  local total, last_us, waiting = 0, 0, {}
  for i, console in ipairs(consoles) do
    console.held, console.before = "", ""
    waiting[i] = { console = console, bytes = next_chunk(console), t_us = console.t_us }
  end
  while total < MOST_BYTES do
    local first
    for _, one in ipairs(waiting) do
      if one.bytes and (not first or (one.t_us or math.huge) < (first.t_us or math.huge)) then first = one end
    end
    if not first then return true end
    if not first.t_us and not cast.untimed then
      cast.untimed = true
      cast:mark_up_to(math.huge)
      cast:flush()
      cast:event(last_us, "m", "no times from here on")
    end
    last_us = math.max(last_us, first.t_us or 0)
    if first.bytes ~= "" then cast:output(last_us, first.bytes) end
    total = total + #first.bytes
    if first.console.ended then
      first.bytes = nil
    else
      first.bytes = next_chunk(first.console)
      first.t_us = first.console.t_us
    end
  end
  cast:flush()
  cast:event(last_us, "m", ("cut here, at %s"):format(wording.bytes(MOST_BYTES)))
end

local function markers_of(sample)
  local markers = {}
  for name, t_ms in pairs(sample.markers) do
    markers[#markers + 1] = { name = name, t_us = math.floor(t_ms * 1000 + 0.5) }
  end
  table.sort(markers, function(a, b)
    if a.t_us ~= b.t_us then return a.t_us < b.t_us end
    return a.name < b.name
  end)
  return markers
end

local function header(results, sample, key)
  local outcome = sample.boot_time_ms and ("%s %s"):format(wording.measure(results.experiment.measure),
    wording.ms(sample.boot_time_ms)) or sample.status .. ", no boot time"
  return json.encode({
    version = 2, width = WIDTH, height = HEIGHT,
    timestamp = sample.t0_realtime_ns and sample.t0_realtime_ns // 1000000000,
    title = text.escape(("%s: %s sample %s, %s"):format(results.experiment.name or "boot", key, sample.index or "?",
      outcome)),
    env = { TERM = "vt100" },
  }, { order = { "version", "width", "height", "timestamp", "title", "env" } })
end

local function choose(results, name)
  if name then return selection.sample(results, name) end
  local sample, key = selection.typical(results)
  if sample then return sample, key end
  return nil, "there is no boot to play: no sample has a log"
end

--- Writes a sample as an asciicast.
-- @tparam table results of `moonboot.analysis`, with the `directory` that the logs are in
-- @tparam[opt] table options `sample`, such as "cpu_2:1" (default: the median one of the first configuration)
-- @treturn ?string nil when the sample or its log is not there
-- @treturn ?string why
return function(results, options)
  local directory = options.directory or results.directory
  if not directory then return nil, "a cast needs the run directory, where the logs are" end
  local sample, key = choose(results, options.sample)
  if not sample then return nil, key end
  local paths = bootlog.paths(sample, directory)
  if #paths == 0 then return nil, ("%s sample %s has no log"):format(key, sample.index or "?") end
  local consoles <close>, message = capture.open_all(paths)
  if not consoles then return nil, message end
  if not consoles[1]:timed() then return nil, ("%s has no timing beside it: nothing to play"):format(paths[1]) end
  local cast = setmetatable({
    header(results, sample, key), bytes = {}, markers = markers_of(sample), encode = json.encoder(),
  }, Cast)
  local ok, trouble = pcall(play, cast, consoles)
  if not ok then return nil, tostring(trouble) end
  cast:mark_up_to(math.huge)
  cast:flush()
  return table.concat(cast, "\n") .. "\n"
end

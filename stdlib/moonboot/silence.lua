--- What to show of a configuration whose boots gave not one marker: the ends of its log.
-- @module moonboot.silence
local silence = {}

local LINES = 5
local WINDOW_BYTES = 8192

local function last_bytes(file, size)
  file:seek("set", math.max(0, size - WINDOW_BYTES))
  return file:read(WINDOW_BYTES) or ""
end

-- Lines as the guest meant them (\b, \r and escapes resolved), without empty ones.
local function lines_of(bytes)
  local lines = require("moonboot.engine").lines.new {}
  lines:push(bytes, 0)
  local list = {}
  local function add(line)
    if line and line:find("%S") then list[#list + 1] = line end
  end
  while true do
    local line = lines:next()
    if not line then break end
    add(line)
  end
  add(lines:partial())
  lines:close()
  return list
end

--- The first and last lines of a log.
-- @string path
-- @treturn table `bytes` (nil if the file cannot be read), `first` and `last`, lists of lines as the guest printed
--   them (not escaped; `last` holds none that `first` has)
function silence.excerpt(path)
  local file = io.open(path, "rb")
  local size = file and file:seek("end")
  if not size then
    if file then file:close() end
    return { first = {}, last = {} }
  end
  file:seek("set", 0)
  local head = lines_of(file:read(WINDOW_BYTES) or "")
  local tail = size > WINDOW_BYTES and lines_of(last_bytes(file, size)) or head
  file:close()
  local first = table.move(head, 1, math.min(LINES, #head), 1, {})
  local from = math.max(tail == head and LINES + 1 or 2, #tail - LINES + 1)
  return { bytes = size, first = first, last = table.move(tail, from, #tail, 1, {}) }
end

--- Adds `silence` to a configuration none of whose samples has a marker.
-- @tparam table configuration of the results; changed
-- @tparam ?string directory of the run; without it only what the journal knows is said
function silence.note(configuration, directory)
  local shown
  for _, sample in ipairs(configuration.samples) do
    if sample.marker_count > 0 then return end
    -- The sample that said the most tells the most.
    if not shown or (sample.log_bytes or 0) > (shown.log_bytes or 0) then shown = sample end
  end
  if not shown then return end
  local found = directory and shown.log and silence.excerpt(directory .. "/" .. shown.log) or { first = {}, last = {} }
  found.log = shown.log
  found.bytes = found.bytes or shown.log_bytes
  configuration.silence = found
end

return silence

--- The VGA text screen of a guest, through QMP.
-- Text memory is read with the monitor's `xp`, which needs no file on the host. Where in it the visible page starts is
-- in the CRT controller, which has no command of its own: its registers are read through their ports. That takes a
-- write to the index register, and a guest that is moving its cursor at that moment must not meet a changed index; so
-- the guest is stopped for these few milliseconds, and only when its text memory has something of interest.
-- @module moonboot.screen
local engine = require "moonboot.engine"
local lpeg = require "lpeg"
local files = require "moonboot.files"
local task = require "moonboot.task"
local uv = require "luv"
local text = require "moonboot.text"

local screen = {}

local Screen = {}
Screen.__index = Screen

local TEXT_ADDRESS, TEXT_BYTES, CELL_BYTES = 0xb8000, 32768, 2
local CELLS = TEXT_BYTES // CELL_BYTES
local CRTC, GRAPHICS = 0x3d4, 0x3ce
local DEFAULT_TIMEOUT, POLL_SECONDS = 60, 0.15
-- An LPeg pattern is tried on the page that was visible last; this often the page is looked up again regardless.
local LOOK_AGAIN_NS = 1000000000

-- Code page 437, the characters of VGA's font: 0 to 31, then 127 to 255 (the rest is ASCII).
local LOW = " ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼"
local HIGH = "⌂ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓"
  .. "│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀"
  .. "αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■ "

local function build_font()
  local font = {}
  local function add(code, characters)
    for _, point in utf8.codes(characters) do
      font[string.char(code)] = utf8.char(point)
      code = code + 1
    end
  end
  for ascii = 32, 126 do font[string.char(ascii)] = string.char(ascii) end
  add(0, LOW)
  add(127, HIGH)
  return font
end

local font = build_font()

-- The characters of cells, without their attributes.
local function characters(cells)
  return (cells:gsub("(.).", font))
end

--- Turns text memory into rows of text. Attributes (colours, blinking) are dropped.
-- @string memory the 32 KiB at 0xb8000: characters and attributes in turn
-- @tparam[opt] table page `start` (the first visible cell; default 0), `columns` (80), `rows` (25), `stride` (cells
--   from one row to the next; default: columns)
-- @treturn {string,…} one a row, UTF-8, without blanks at their ends; a page that reaches the end of the memory goes on
--   at its beginning
function screen.decode(memory, page)
  page = page or {}
  local columns, count = page.columns or 80, page.rows or 25
  local stride, start = page.stride or columns, page.start or 0
  local endless = memory .. memory
  local rows = {}
  for r = 0, count - 1 do
    local first = (start + r * stride) * CELL_BYTES % #memory
    rows[r + 1] = characters(endless:sub(first + 1, first + columns * CELL_BYTES)):gsub("%s+$", "")
  end
  return rows
end

--- Makes the screen of a guest.
-- @tparam Qmp qmp its control connection, `qmp:execute(command, arguments) -> result | nil, message`
-- @tparam[opt] table run_as the user that QEMU has become, `uid`
-- @treturn Screen
function screen.new(qmp, run_as)
  return setmetatable({ qmp = qmp, run_as = run_as }, Screen)
end

local function monitor(self, line)
  local answer, message = self.qmp:execute("human-monitor-command", { ["command-line"] = line })
  if not answer then return nil, message end
  if type(answer) ~= "string" then return nil, "QEMU's monitor did not answer " .. line end
  return answer
end

local function read_memory(self)
  local words = TEXT_BYTES // 8
  local answer, message = monitor(self, ("xp /%dxg 0x%x"):format(words, TEXT_ADDRESS))
  if not answer then return nil, message end
  local parts = {}
  for word in answer:gmatch("0x(%x+)") do parts[#parts + 1] = ("<i8"):pack(tonumber(word, 16)) end
  if #parts ~= words then
    return nil, "the guest's text memory cannot be read: " .. text.escape(answer:match("[^\r\n]*"):sub(1, 100))
  end
  return table.concat(parts)
end

local function port_in(self, port)
  local answer, message = monitor(self, ("i /b 0x%x"):format(port))
  if not answer then return nil, message end
  local value = answer:match("= 0x(%x+)")
  if not value then return nil, "this machine has no VGA ports: " .. text.escape(answer:match("[^\r\n]*")) end
  return tonumber(value, 16)
end

local function port_out(self, port, value)
  return monitor(self, ("o /b 0x%x 0x%x"):format(port, value))
end

-- Reads registers that are behind an index port, which is left as it was.
local function registers(self, port, numbers)
  local index, message = port_in(self, port)
  if not index then return nil, message end
  local values = {}
  for _, number in ipairs(numbers) do
    local done, value
    done, message = port_out(self, port, number)
    if done then value, message = port_in(self, port + 1) end
    if not value then
      port_out(self, port, index)
      return nil, message
    end
    values[number] = value
  end
  local done, why = port_out(self, port, index)
  if not done then return nil, why end
  return values
end

local HORIZONTAL_END, OVERFLOW, CELL_HEIGHT, START_HIGH, START_LOW, VERTICAL_END, OFFSET =
  0x01, 0x07, 0x09, 0x0c, 0x0d, 0x12, 0x13
local MISCELLANEOUS = 0x06

-- What the registers say of the visible page. (IBM VGA reference; FreeVGA's crtcreg and graphreg.)
local function page_of(crtc, graphics)
  if graphics[MISCELLANEOUS] & 1 == 1 then return nil, "the display is in graphics mode; take a screenshot" end
  local overflow = crtc[OVERFLOW]
  local lines = (crtc[VERTICAL_END] | (overflow & 2) << 7 | (overflow & 64) << 3) + 1
  return {
    start = (crtc[START_HIGH] << 8 | crtc[START_LOW]) % CELLS,
    columns = crtc[HORIZONTAL_END] + 1,
    rows = lines // ((crtc[CELL_HEIGHT] & 31) + 1),
    stride = crtc[OFFSET] * 2,
  }
end

local function read_page(self)
  local crtc, message = registers(self, CRTC,
    { HORIZONTAL_END, OVERFLOW, CELL_HEIGHT, START_HIGH, START_LOW, VERTICAL_END, OFFSET })
  if not crtc then return nil, message end
  local graphics
  graphics, message = registers(self, GRAPHICS, { MISCELLANEOUS })
  if not graphics then return nil, message end
  return page_of(crtc, graphics)
end

-- Lets the guest go on when it goes out of scope, also when the task is cancelled meanwhile.
local Stopped = {}

function Stopped.__close(self)
  if self.qmp then self.qmp:execute("cont") end
end

-- Stops the guest, unless it is stopped already, for as long as the result lives.
local function stop(self)
  local status, message = self.qmp:execute("query-status")
  if not status then return nil, message end
  local stopped = setmetatable({}, Stopped)
  if not status.running then return stopped end
  local done
  stopped.qmp = self.qmp
  done, message = self.qmp:execute("stop")
  if not done then return nil, message end
  return stopped
end

-- Where the visible page is, and what the memory holds at that same moment.
local function look(self)
  local stopped <close>, message = stop(self)
  if not stopped then return nil, message end
  local page, why = read_page(self)
  if not page then return nil, why end
  local memory
  memory, why = read_memory(self)
  if not memory then return nil, why end
  self.page, self.memory, self.looked_ns = page, memory, engine.clock.now()
  self.shown = screen.decode(memory, page)
  return self.shown
end

--- What is on the screen.
-- @treturn ?{string,…} one a row, UTF-8, without blanks at their ends; or nil and a message
function Screen:rows()
  return look(self)
end

--- What is on the screen, as one text.
-- @treturn ?string rows joined by newlines, without empty ones at the end; or nil and a message
function Screen:text()
  local rows, message = look(self)
  if not rows then return nil, message end
  return (table.concat(rows, "\n"):gsub("%s+$", ""))
end

-- finder(row) -> first, last, captures
local function finder(pattern, level)
  if type(pattern) == "string" then
    if pattern == "" then error("an empty pattern matches anything", level + 1) end
    return function(row)
      local first, last = row:find(pattern, 1, true)
      return first, last, {}
    end
  end
  if lpeg.type(pattern) ~= "pattern" then
    error("a pattern must be a string or an LPeg pattern, not a " .. type(pattern), level + 1)
  end
  local position = lpeg.Cp()
  local anywhere = lpeg.P { position * lpeg.Ct(pattern) * position + 1 * lpeg.V(1) }
  return function(row)
    local first, captures, after = anywhere:match(row)
    if first then return first, after - 1, captures end
  end
end

-- A prompt's trailing blanks cannot be told from the empty cells after it: a row is matched with one blank at its
-- end, and a string that ends with several is taken to end with one.
local function one_blank(pattern)
  return type(pattern) == "string" and pattern:gsub("([^ ]) +$", "%1 ") or pattern
end

local function branches_of(patterns, level, fails)
  if patterns == nil then return {} end
  if type(patterns) ~= "table" or lpeg.type(patterns) == "pattern" then patterns = { patterns } end
  local branches = {}
  for index, pattern in ipairs(patterns) do
    branches[index] = { pattern = pattern, index = index, find = finder(one_blank(pattern), level + 1), fails = fails }
  end
  return branches
end

-- Whether the memory may show a match at all: a string must be somewhere in it, whatever part of it is visible.
local function possible(self, memory, branches)
  local whole
  for _, branch in ipairs(branches) do
    if type(branch.pattern) ~= "string" then
      if memory ~= self.memory or engine.clock.now() - self.looked_ns > LOOK_AGAIN_NS then return true end
    else
      -- A row may begin anywhere, and the memory goes on at its beginning.
      whole = whole or characters(memory .. memory:sub(1, 320))
      if whole:find(branch.pattern:match("^(.-) *$"), 1, true) then return true end
    end
  end
  return false
end

local function find_in(rows, branches, bottom)
  local last = #rows
  while last > 0 and rows[last] == "" do last = last - 1 end
  for _, branch in ipairs(branches) do
    for r = bottom and math.max(last, 1) or 1, last do
      local first, finish, captures = branch.find(rows[r] .. " ")
      if first then
        return { branch = branch, index = branch.index, text = (rows[r] .. " "):sub(first, finish), line = rows[r],
          row = r, captures = captures }
      end
    end
  end
  return nil
end

local function describe(pattern)
  return type(pattern) == "string" and '"' .. text.escape(pattern) .. '"' or "an LPeg pattern"
end

local function failure(self, label, what)
  local shown = { ("screen: %s: %s"):format(label, what) }
  local rows = self.shown or {}
  local last = #rows
  while last > 0 and rows[last] == "" do last = last - 1 end
  for r = 1, last do table.insert(shown, "  | " .. text.escape(rows[r])) end
  if last == 0 then table.insert(shown, "  | (the screen is empty)") end
  return table.concat(shown, "\n")
end

-- One look; the guest is stopped only if that can bring something new.
local function try(self, branches, bottom)
  local memory, message = read_memory(self)
  if not memory then return nil, message end
  if self.memory and memory == self.memory and engine.clock.now() - self.looked_ns <= LOOK_AGAIN_NS then
    return find_in(self.shown, branches, bottom) or false
  end
  if self.memory and not possible(self, memory, branches) then return false end
  local rows
  rows, message = look(self)
  if not rows then return nil, message end
  return find_in(rows, branches, bottom) or false
end

--- Waits until a pattern is on the screen.
-- A string is taken literally, an LPeg pattern is searched for anywhere in a row; a list of them waits for any.
-- What was on the screen before counts too: see `bottom`.
-- @param pattern
-- @tparam[opt] table options `timeout` in seconds (default 60), `label` for messages, `fail`: a pattern or a list of
--   patterns that end the wait at once, `bottom = true`: only the last row that is not empty counts (prompts),
--   `poll`: seconds between looks (default 0.15)
-- @treturn ?table the match `{ text, line, row, captures, index }`, or nil and a message that shows the screen
function Screen:expect(pattern, options)
  options = options or {}
  local wanted, fails = branches_of(pattern, 2), branches_of(options.fail, 2, true)
  if #wanted == 0 then error("no pattern to wait for", 2) end
  local all = table.move(wanted, 1, #wanted, #fails + 1, table.move(fails, 1, #fails, 1, {}))
  local names = {}
  for i, branch in ipairs(wanted) do names[i] = describe(branch.pattern) end
  local label = options.label or text.list(names)
  local timeout = options.timeout or DEFAULT_TIMEOUT
  local deadline_ns = engine.clock.now() + math.floor(timeout * 1e9)
  while true do
    local found, message = try(self, all, options.bottom)
    if found == nil then return nil, ("screen: %s: %s"):format(label, message) end
    if found and found.branch.fails then
      return nil, failure(self, label, "the guest shows " .. describe(found.branch.pattern))
    elseif found then
      found.branch = nil
      return found
    end
    if engine.clock.now() >= deadline_ns then
      -- The page shown last may be old: the message shows the present one.
      look(self)
      return nil, failure(self, label, ("did not come within %g s"):format(timeout))
    end
    task.sleep(options.poll or POLL_SECONDS)
  end
end

local function dump(self, path)
  local done, message = self.qmp:execute("screendump", { filename = path, format = "png" })
  if done then return path end
  path = path:gsub("%.png$", "") .. ".ppm"
  done = self.qmp:execute("screendump", { filename = path })
  if not done then return nil, message end
  return path
end

-- QEMU writes the picture itself, and may not write where this process may.
local function through_a_directory_of(user, self, path)
  local dir <close>, message = files.temp_dir "moonboot-screen-"
  if not dir then return nil, message end
  local given
  given, message = uv.fs_chown(dir.path, user.uid, -1)
  if not given then return nil, message end
  local written
  written, message = dump(self, dir.path .. "/screen.png")
  if not written then return nil, message end
  path = path:gsub("%.png$", "") .. written:match("%.%w+$")
  local copied
  copied, message = uv.fs_copyfile(written, path)
  if not copied then return nil, message end
  uv.fs_chown(path, uv.getuid(), uv.getgid())
  return path
end

--- Saves a picture of the screen: PNG, or PPM where QEMU (before 7.1) knows no other.
-- @string path of the picture; with PPM its ending becomes `.ppm`
-- @treturn ?string path of the file written, or nil and a message
function Screen:screenshot(path)
  path = files.absolute(path)
  if self.run_as then return through_a_directory_of(self.run_as, self, path) end
  return dump(self, path)
end

return screen

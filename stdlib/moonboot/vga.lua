--- VGA text memory of a guest, read through QMP.
-- The memory is read with the monitor's `xp`, which needs no file on the host. Where in it the visible page starts is
-- in the CRT controller, which has no command of its own: its registers are read through their ports. That takes a
-- write to the index register, and a guest that is moving its cursor at that moment must not meet a changed index; so
-- the guest is stopped for these few milliseconds.
-- @module moonboot.vga
local text = require "moonboot.text"

local vga = {}

local TEXT_ADDRESS, TEXT_BYTES, CELL_BYTES = 0xb8000, 32768, 2
local CELLS = TEXT_BYTES // CELL_BYTES
local CRTC, GRAPHICS = 0x3d4, 0x3ce

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

--- The characters of cells, without their attributes.
-- @string cells characters and attributes in turn
-- @treturn string UTF-8
function vga.characters(cells)
  return (cells:gsub("(.).", font))
end

--- Turns text memory into rows of text. Attributes (colours, blinking) are dropped.
-- @string memory the 32 KiB at 0xb8000: characters and attributes in turn
-- @tparam[opt] table page `start` (the first visible cell; default 0), `columns` (80), `rows` (25), `stride` (cells
--   from one row to the next; default: columns)
-- @treturn {string,…} one a row, UTF-8, without blanks at their ends; a page that reaches the end of the memory goes on
--   at its beginning
function vga.decode(memory, page)
  page = page or {}
  local columns, count = page.columns or 80, page.rows or 25
  local stride, start = page.stride or columns, page.start or 0
  local endless = memory .. memory
  local rows = {}
  for r = 0, count - 1 do
    local first = (start + r * stride) * CELL_BYTES % #memory
    rows[r + 1] = vga.characters(endless:sub(first + 1, first + columns * CELL_BYTES)):gsub("%s+$", "")
  end
  return rows
end

local function monitor(qmp, line)
  local answer, message = qmp:execute("human-monitor-command", { ["command-line"] = line })
  if not answer then return nil, message end
  if type(answer) ~= "string" then return nil, "QEMU's monitor did not answer " .. line end
  return answer
end

--- Reads the whole text memory. The guest goes on meanwhile.
-- @tparam Qmp qmp
-- @treturn ?string 32 KiB; or nil and a message
function vga.memory(qmp)
  local words = TEXT_BYTES // 8
  local answer, message = monitor(qmp, ("xp /%dxg 0x%x"):format(words, TEXT_ADDRESS))
  if not answer then return nil, message end
  local parts = {}
  for word in answer:gmatch("0x(%x+)") do parts[#parts + 1] = ("<i8"):pack(tonumber(word, 16)) end
  if #parts ~= words then
    return nil, "the guest's text memory cannot be read: " .. text.escape(answer:match("[^\r\n]*"):sub(1, 100))
  end
  return table.concat(parts)
end

local function port_in(qmp, port)
  local answer, message = monitor(qmp, ("i /b 0x%x"):format(port))
  if not answer then return nil, message end
  local value = answer:match("= 0x(%x+)")
  if not value then return nil, "this machine has no VGA ports: " .. text.escape(answer:match("[^\r\n]*")) end
  return tonumber(value, 16)
end

local function port_out(qmp, port, value)
  return monitor(qmp, ("o /b 0x%x 0x%x"):format(port, value))
end

-- Reads registers that are behind an index port, which is left as it was.
local function registers(qmp, port, numbers)
  local index, message = port_in(qmp, port)
  if not index then return nil, message end
  local values = {}
  for _, number in ipairs(numbers) do
    local done, value
    done, message = port_out(qmp, port, number)
    if done then value, message = port_in(qmp, port + 1) end
    if not value then
      port_out(qmp, port, index)
      return nil, message
    end
    values[number] = value
  end
  local done, why = port_out(qmp, port, index)
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

local function read_page(qmp)
  local crtc, message = registers(qmp, CRTC,
    { HORIZONTAL_END, OVERFLOW, CELL_HEIGHT, START_HIGH, START_LOW, VERTICAL_END, OFFSET })
  if not crtc then return nil, message end
  local graphics
  graphics, message = registers(qmp, GRAPHICS, { MISCELLANEOUS })
  if not graphics then return nil, message end
  return page_of(crtc, graphics)
end

-- Lets the guest go on when it goes out of scope, also when the task is cancelled meanwhile.
local Stopped = {}

function Stopped.__close(self)
  if self.qmp then self.qmp:execute("cont") end
end

-- Stops the guest, unless it is stopped already, for as long as the result lives.
local function stop(qmp)
  local status, message = qmp:execute("query-status")
  if not status then return nil, message end
  local stopped = setmetatable({}, Stopped)
  if not status.running then return stopped end
  local done
  stopped.qmp = qmp
  done, message = qmp:execute("stop")
  if not done then return nil, message end
  return stopped
end

--- Reads what is visible: where the page is, and what the memory holds at that same moment.
-- @tparam Qmp qmp
-- @treturn ?{string,…} rows, as of `vga.decode`; or nil and a message
-- @treturn ?string the memory
-- @treturn ?table the page: `start`, `columns`, `rows`, `stride`
function vga.look(qmp)
  local stopped <close>, message = stop(qmp)
  if not stopped then return nil, message end
  local page, why = read_page(qmp)
  if not page then return nil, why end
  local memory
  memory, why = vga.memory(qmp)
  if not memory then return nil, why end
  return vga.decode(memory, page), memory, page
end

return vga

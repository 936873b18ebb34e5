-- Text memory to test with, and a QMP with a VGA behind it.
local double = {}

function double.cells(text) return (text:gsub(".", "%0\7")) end

-- 32 KiB of text memory with rows at the given cells.
function double.memory(rows)
  local bytes = ("\0\7"):rep(16384)
  for cell, text in pairs(rows) do
    local first = cell * 2
    local content = double.cells(text)
    local fits = math.min(#content, #bytes - first)
    bytes = bytes:sub(1, first) .. content:sub(1, fits) .. bytes:sub(first + fits + 1)
    bytes = content:sub(fits + 1) .. bytes:sub(#content - fits + 1)
  end
  assert(#bytes == 32768)
  return bytes
end

-- A QMP with a VGA behind it: text memory, CRT controller (80 by 25), and a note of what happened.
function double.qmp(state)
  state.start = state.start or 0
  state.running = state.running ~= false
  state.index, state.stops, state.graphics = 0x0f, 0, state.graphics or 0x0e
  local function register()
    local crtc = { [0x01] = 79, [0x07] = 0x1f, [0x09] = 0x4f, [0x0c] = state.start >> 8, [0x0d] = state.start & 255,
      [0x12] = 0x8f, [0x13] = 40 }
    return crtc[state.index] or 0
  end
  local qmp = {}
  local function monitor(line)
    if line == "xp /4096xg 0xb8000" then
      state.reads = (state.reads or 0) + 1
      if state.on_read then state.on_read(state.reads) end
      local words = {}
      for at = 1, 32768, 8 do words[#words + 1] = ("0x%016x"):format((("<i8"):unpack(state.memory, at))) end
      return "00000000000b8000: " .. table.concat(words, " ") .. "\r\n"
    end
    local port = line:match("^i /b (0x%x+)$")
    if port then
      if state.no_ports then return "unknown command: 'i'\r\n" end
      local values = { ["0x3d4"] = state.index, ["0x3d5"] = register(), ["0x3ce"] = 5, ["0x3cf"] = state.graphics }
      return ("portb[%s] = 0x%02x\r\n"):format(port, assert(values[port]))
    end
    local value
    port, value = line:match("^o /b (0x%x+) (0x%x+)$")
    -- A guest that runs must never see its index register changed.
    assert(port and not state.running, line)
    if port == "0x3d4" then state.index = tonumber(value) end
    return ""
  end
  function qmp.execute(_, name, arguments)
    if state.fails then return nil, state.fails end
    if name == "human-monitor-command" then return monitor(arguments["command-line"]) end
    if name == "query-status" then return { running = state.running } end
    if name == "stop" then state.running, state.stops = false, state.stops + 1 return {} end
    if name == "cont" then state.running = true return {} end
    if name == "screendump" then
      if arguments.format == "png" and state.no_png then return nil, "QEMU refused screendump: no format" end
      state.dumped = arguments.filename
      return {}
    end
    error("unexpected " .. name)
  end
  return qmp
end

return double

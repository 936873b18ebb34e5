local lpeg = require "lpeg"
local screen = require "moonboot.screen"
local task = require "moonboot.task"

local function cells(text) return (text:gsub(".", "%0\7")) end

-- 32 KiB of text memory with rows at the given cells.
local function memory(rows)
  local bytes = ("\0\7"):rep(16384)
  for cell, text in pairs(rows) do
    local first = cell * 2
    local content = cells(text)
    local fits = math.min(#content, #bytes - first)
    bytes = bytes:sub(1, first) .. content:sub(1, fits) .. bytes:sub(first + fits + 1)
    bytes = content:sub(fits + 1) .. bytes:sub(#content - fits + 1)
  end
  assert(#bytes == 32768)
  return bytes
end

-- A QMP with a VGA behind it: text memory, CRT controller (80 by 25), and a note of what happened.
local function double(state)
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

describe("screen.decode", function()
  it("reads rows, without attributes and trailing blanks", function()
    local rows = screen.decode(memory { [0] = "one", [80] = "  two  " })
    assert.equal(25, #rows)
    assert.equal("one", rows[1])
    assert.equal("  two", rows[2])
    assert.equal("", rows[3])
  end)

  it("starts wherever the page does and goes on at the beginning of the memory", function()
    local rows = screen.decode(memory { [16384 - 40] = ("x"):rep(40) .. "wrapped", [40] = "next" },
      { start = 16384 - 40, rows = 2 })
    assert.same({ ("x"):rep(40) .. "wrapped", "next" }, rows)
  end)

  it("knows rows that are longer in memory than on the screen", function()
    local rows = screen.decode(memory { [0] = ("a"):rep(100), [100] = "b" }, { columns = 40, stride = 100, rows = 2 })
    assert.same({ ("a"):rep(40), "b" }, rows)
  end)

  it("translates code page 437", function()
    local rows = screen.decode(memory { [0] = "\xc9\xcd\xbb \x01 \xe1 \x9b\xfe" }, { rows = 1 })
    assert.same({ "╔═╗ ☺ ß ¢■" }, rows)
    local every = {}
    for code = 0, 255 do every[#every + 1] = string.char(code, 7) end
    local row = screen.decode(table.concat(every) .. cells "|", { columns = 257, rows = 1 })[1]
    assert.equal(257, utf8.len(row))
    assert.is_nil(row:find("[\0-\31\127]"))
  end)
end)

describe("screen", function()
  it("shows the page that the CRT controller shows, and leaves the guest as it was", function()
    local state = { start = 24 * 80, memory = memory { [0] = "stale", [24 * 80] = "visible", [48 * 80] = "prompt> " } }
    local s = screen.new(double(state))
    local rows = assert(s:rows())
    assert.equal("visible", rows[1])
    assert.equal("prompt>", rows[25])
    assert.equal("visible" .. ("\n"):rep(24) .. "prompt>", s:text())
    assert.is_true(state.running)
    assert.equal(0x0f, state.index)
  end)

  it("leaves a stopped guest stopped", function()
    local state = { running = false, memory = memory { [0] = "still" } }
    assert.equal("still", screen.new(double(state)):text())
    assert.is_false(state.running)
    assert.equal(0, state.stops)
  end)

  it("says when there is no text", function()
    local state = { graphics = 0x05, memory = memory {} }
    local rows, message = screen.new(double(state)):rows()
    assert.is_nil(rows)
    assert.equal("the display is in graphics mode; take a screenshot", message)
    assert.is_true(state.running)
    assert.equal("this machine has no VGA ports: unknown command: 'i'",
      select(2, screen.new(double { no_ports = true, memory = memory {} }):rows()))
    assert.equal("QEMU is gone", select(2, screen.new(double { fails = "QEMU is gone" }):text()))
  end)

  describe("expect", function()
    it("finds what is there: strings, LPeg with captures, one of several", function()
      local s = screen.new(double { memory = memory { [80] = "Disk 3 is 2048 MB", [160] = "Which? [0] " } })
      local match = assert(s:expect "Which? [0]  ")
      assert.equal(3, match.row)
      assert.equal("Which? [0]", match.line)
      match = assert(s:expect("Disk " * lpeg.C(lpeg.R "09" ^ 1)))
      assert.same({ "3" }, match.captures)
      assert.equal("Disk 3", match.text)
      match = assert(s:expect { "login: ", "Which" })
      assert.equal(2, match.index)
    end)

    it("sees what comes later, without stopping the guest for what is not there", function()
      local state = { memory = memory { [0] = "booting" } }
      state.on_read = function(reads)
        if reads == 8 then state.memory = memory { [0] = "booting", [80] = "login: " } end
        if reads > 2 and reads < 8 then state.memory = memory { [0] = "booting", [160] = ("."):rep(reads) } end
      end
      local match = assert(screen.new(double(state)):expect("login: ", { poll = 0.001 }))
      assert.equal(2, match.row)
      assert.equal(2, state.stops)
      assert.is_true(state.running)
    end)

    it("does not take a stale row for a visible one", function()
      local state = { start = 80, memory = memory { [0] = "login: ", [80] = "shutting down" } }
      local s = screen.new(double(state))
      local match, message = s:expect("login: ", { timeout = 0.02, poll = 0.005, label = "prompt" })
      assert.is_nil(match)
      assert.equal("screen: prompt: did not come within 0.02 s\n  | shutting down", message)
    end)

    it("can be told to look at the last row only", function()
      local state = { memory = memory { [0] = "Choice? [1]", [80] = "working" } }
      local s = screen.new(double(state))
      assert.is_nil((s:expect("Choice?", { bottom = true, timeout = 0.01, poll = 0.005 })))
      assert.is_table((s:expect("working", { bottom = true })))
    end)

    it("ends at once on a pattern that means failure", function()
      local s = screen.new(double { memory = memory { [0] = "panic: \27 oh" } })
      local match, message = s:expect("login: ", { fail = { "panic:" }, timeout = 100 })
      assert.is_nil(match)
      assert.equal('screen: "login: ": the guest shows "panic:"\n  | panic: ← oh', message)
    end)

    it("lets the guest run on when the wait is cancelled", function()
      local state = { memory = memory {} }
      local qmp = double(state)
      local execute = qmp.execute
      function qmp:execute(name, arguments)
        if name == "stop" then
          local result = execute(self, name, arguments)
          task.sleep(0.001)
          return result
        end
        if not state.running then task.sleep(10) end
        return execute(self, name, arguments)
      end
      local t = task.spawn(function() pcall(screen.new(qmp).rows, screen.new(qmp)) end)
      task.sleep(0.02)
      assert.is_false(state.running)
      -- The answers come again when the wait is over.
      qmp.execute = execute
      t:cancel()
      assert.is_true(state.running)
    end)

    it("blames the caller for a bad pattern", function()
      local s = screen.new(double { memory = memory {} })
      assert.has_error(function() s:expect "" end, "an empty pattern matches anything")
      assert.has_error(function() s:expect(42) end)
      assert.has_error(function() s:expect {} end, "no pattern to wait for")
    end)
  end)

  it("takes screenshots, as PPM where QEMU knows no PNG", function()
    local state = { memory = memory {} }
    assert.equal("/tmp/a.png", screen.new(double(state)):screenshot "/tmp/a.png")
    state = { memory = memory {}, no_png = true }
    assert.equal("/tmp/a.ppm", screen.new(double(state)):screenshot "/tmp/a.png")
    assert.equal("/tmp/a.ppm", state.dumped)
    assert.same({ nil, "QEMU is gone" }, { screen.new(double { fails = "QEMU is gone" }):screenshot "/tmp/a.png" })
  end)
end)

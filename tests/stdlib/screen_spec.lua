local lpeg = require "lpeg"
local screen = require "moonboot.screen"
local task = require "moonboot.task"
local double = require "tests.stdlib.support.vga"

local memory = double.memory

describe("screen", function()
  it("shows the page that the CRT controller shows, and leaves the guest as it was", function()
    local state = { start = 24 * 80, memory = memory { [0] = "stale", [24 * 80] = "visible", [48 * 80] = "prompt> " } }
    local s = screen.new(double.qmp(state))
    local rows = assert(s:rows())
    assert.equal("visible", rows[1])
    assert.equal("prompt>", rows[25])
    assert.equal("visible" .. ("\n"):rep(24) .. "prompt>", s:text())
    assert.is_true(state.running)
    assert.equal(0x0f, state.index)
  end)

  it("leaves a stopped guest stopped", function()
    local state = { running = false, memory = memory { [0] = "still" } }
    assert.equal("still", screen.new(double.qmp(state)):text())
    assert.is_false(state.running)
    assert.equal(0, state.stops)
  end)

  it("says when there is no text", function()
    local state = { graphics = 0x05, memory = memory {} }
    local rows, message = screen.new(double.qmp(state)):rows()
    assert.is_nil(rows)
    assert.equal("the display is in graphics mode; take a screenshot", message)
    assert.is_true(state.running)
    assert.equal("this machine has no VGA ports: unknown command: 'i'",
      select(2, screen.new(double.qmp { no_ports = true, memory = memory {} }):rows()))
    assert.equal("QEMU is gone", select(2, screen.new(double.qmp { fails = "QEMU is gone" }):text()))
  end)

  describe("expect", function()
    it("finds what is there: strings, LPeg with captures, one of several", function()
      local s = screen.new(double.qmp { memory = memory { [80] = "Disk 3 is 2048 MB", [160] = "Which? [0] " } })
      local match = assert(s:expect "Which? [0]  ")
      assert.equal(3, match.row)
      assert.equal("Which? [0]", match.line)
      s = screen.new(double.qmp { memory = memory { [80] = "Disk 3 is 2048 MB", [160] = "Which? [0] " } })
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
      local match = assert(screen.new(double.qmp(state)):expect "login: ")
      assert.equal(2, match.row)
      assert.is_true(state.stops <= 3)
      assert.is_true(state.running)
    end)

    it("does not take a stale row for a visible one", function()
      local state = { start = 80, memory = memory { [0] = "login: ", [80] = "shutting down" } }
      local s = screen.new(double.qmp(state))
      local match, message = s:expect("login: ", { timeout = 0.02, label = "prompt" })
      assert.is_nil(match)
      assert.equal("screen: prompt: did not come within 0.02 s\n  | shutting down", message)
    end)

    it("does not match again what it has matched, also when it has scrolled", function()
      local state = { memory = memory { [0] = "$ ls", [80] = "a", [160] = "$ " } }
      local s = screen.new(double.qmp(state), { type = function() return true end })
      assert.equal(1, assert(s:expect "$ ").row)
      assert.equal(3, assert(s:expect "$ ").row)
      assert(s:sendline "ls")
      state.memory = memory { [0] = "a", [80] = "$ ls", [160] = "a" }
      assert.is_nil((s:expect("$ ", { timeout = 0.01 })))
      state.memory = memory { [0] = "$ ls", [80] = "a", [160] = "$ " }
      assert.equal(3, assert(s:expect "$ ").row)
      -- A cleared screen has nothing to be recognised by.
      state.memory = memory { [0] = "$ " }
      assert.equal(1, assert(s:expect "$ ").row)
    end)

    it("does not match again while the guest scrolls, whenever it looks", function()
      local function page(rows)
        local texts = {}
        for i, row in pairs(rows) do texts[(i - 1) * 80] = row end
        return memory(texts)
      end
      local state = { memory = page { [22] = "Disk? [0] ", [23] = "a", [24] = "b", [25] = "Region? [0] " } }
      local s = screen.new(double.qmp(state), { type = function() return true end })
      assert(s:expect "Disk? [0] ")
      assert(s:expect "Region? [0] ")
      assert(s:sendline "")
      -- A newline, and nothing in the new row yet.
      state.memory = page { [21] = "Disk? [0] ", [22] = "a", [23] = "b", [24] = "Region? [0] " }
      assert.is_nil((s:expect("? [0] ", { timeout = 0.5 })))
      -- Rows 21 and 22 have been moved up, those below have not.
      state.memory = page { [20] = "Disk? [0] ", [21] = "a", [22] = "a", [23] = "b", [24] = "Region? [0] " }
      local whole = page { [20] = "Disk? [0] ", [21] = "a", [22] = "b", [23] = "Region? [0] ", [25] = "Sure? [0] " }
      state.on_read = function(reads)
        if reads == 3 then state.memory = whole end
      end
      state.reads = 0
      assert.equal("Sure? [0] ", assert(s:expect(lpeg.P "Disk? [0] " + "Region? [0] " + "Sure? [0] ")).text)
    end)

    it("recognises a prompt with a message in its middle", function()
      local state = { memory = memory { [0] = "Disk num", [80] = "log: eth0 up", [160] = "ber? [0] " } }
      local match = assert(screen.new(double.qmp(state)):expect("Disk number? [0] ", { timeout = 20 }))
      assert.equal("Disk number? [0] ", match.text)
      assert.equal(3, match.row)
    end)

    it("ends at once on a pattern that means failure", function()
      local s = screen.new(double.qmp { memory = memory { [0] = "panic: \27 oh" } })
      local match, message = s:expect("login: ", { fail = { "panic:" }, timeout = 100 })
      assert.is_nil(match)
      assert.equal('screen: "login: ": the guest said "panic:"\n  | panic: ← oh', message)
    end)

    it("lets the guest run on when the wait is cancelled", function()
      local state = { memory = memory {} }
      local qmp = double.qmp(state)
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
      local s = screen.new(double.qmp { memory = memory {} })
      assert.has_error(function() s:expect "" end, "an empty pattern matches anything")
      assert.has_error(function() s:expect(42) end)
      assert.has_error(function() s:expect {} end, "a dialogue needs at least one branch")
    end)
  end)

  it("takes screenshots, as PPM where QEMU knows no PNG", function()
    local state = { memory = memory {} }
    assert.equal("/tmp/a.png", screen.new(double.qmp(state)):screenshot "/tmp/a.png")
    state = { memory = memory {}, no_png = true }
    assert.equal("/tmp/a.ppm", screen.new(double.qmp(state)):screenshot "/tmp/a.png")
    assert.equal("/tmp/a.ppm", state.dumped)
    assert.same({ nil, "QEMU is gone" }, { screen.new(double.qmp { fails = "QEMU is gone" }):screenshot "/tmp/a.png" })
  end)
end)

local keyboard = require "moonboot.keyboard"

-- A QMP that notes which keys went down (+) and up (-), with a keyboard controller whose guest fetches a key after it
-- has been looked at `busy` times.
local function double(options)
  options = options or {}
  local qmp = { keys = {}, looks = 0, busy = 0 }
  function qmp:execute(name, arguments)
    if options.fails then return nil, options.fails end
    if name == "input-send-event" then
      for _, event in ipairs(arguments.events) do
        assert(event.type == "key" and event.data.key.type == "qcode")
        table.insert(self.keys, (event.data.down and "+" or "-") .. event.data.key.data)
      end
      self.busy = options.busy or 0
      return {}
    end
    assert(name == "human-monitor-command" and arguments["command-line"] == "i /b 0x64")
    self.looks = self.looks + 1
    if options.no_controller then return "unknown command: 'i'\r\n" end
    self.busy = self.busy - 1
    return self.busy < 0 and "portb[0x0064] = 0x1c\r\n" or "portb[0x0064] = 0x1d\r\n"
  end
  return qmp
end

describe("keyboard", function()
  it("has a key for everything that can be printed, and no other", function()
    local seen = {}
    for code = 32, 126 do
      local keys = assert(keyboard.keys(string.char(code)))
      local name = table.concat(keys, "+")
      assert.is_nil(seen[name])
      seen[name] = true
    end
    local keys, message = keyboard.keys "\xe9"
    assert.is_nil(keys)
    assert.equal('a US keyboard has no key for "\\xe9"', message)
  end)

  it("knows where US keyboards have their signs", function()
    assert.same({ "shift", "2" }, keyboard.keys "@")
    assert.same({ "shift", "9" }, keyboard.keys "(")
    assert.same({ "shift", "apostrophe" }, keyboard.keys '"')
    assert.same({ "shift", "minus" }, keyboard.keys "_")
    assert.same({ "shift", "z" }, keyboard.keys "Z")
    assert.same({ "slash" }, keyboard.keys "/")
    assert.same({ "ret" }, keyboard.keys "\n")
    assert.same({ "ret" }, keyboard.keys "\r")
  end)

  it("reads chords", function()
    assert.same({ "ctrl", "alt", "f2" }, keyboard.chord "ctrl-alt-f2")
    assert.same({ "ctrl", "minus" }, keyboard.chord "ctrl--")
    assert.same({ "minus" }, keyboard.chord "-")
    assert.same({ "ret" }, keyboard.chord "Enter")
    assert.same({ "pgup" }, keyboard.chord "pageup")
    local codes, message = keyboard.chord "ctrl-alt-entr"
    assert.is_nil(codes)
    assert.equal("unknown key 'entr' in 'ctrl-alt-entr' (did you mean 'enter'?)", message)
    assert.is_nil((keyboard.chord ""))
  end)

  it("types, each key down and up before the next", function()
    local qmp = double()
    assert.is_true(keyboard.new(qmp):type "aB\n")
    assert.same({ "+a", "-a", "+shift", "+b", "-b", "-shift", "+ret", "-ret" }, qmp.keys)
  end)

  it("waits until the guest has fetched a key before it presses the next", function()
    local qmp = double { busy = 3 }
    assert.is_true(keyboard.new(qmp):type "ab")
    assert.equal(1 + 4, qmp.looks)
  end)

  it("gives up on a guest that never fetches a key", function()
    local qmp = double { busy = math.huge }
    local k = keyboard.new(qmp)
    local done, message = k:type "ab"
    assert.is_nil(done)
    assert.equal("the guest has not fetched a key from its keyboard for 10 s", message)
    assert.same({ "+a", "-a" }, qmp.keys)
  end)

  it("does without a PC's keyboard controller", function()
    local qmp = double { no_controller = true }
    assert.is_true(keyboard.new(qmp):type "abc")
    assert.equal(1, qmp.looks)
    assert.equal(6, #qmp.keys)
  end)

  it("presses chords and releases them in reverse", function()
    local qmp = double()
    assert.is_true(keyboard.new(qmp):key "ctrl-alt-f2")
    assert.same({ "+ctrl", "+alt", "+f2", "-f2", "-alt", "-ctrl" }, qmp.keys)
  end)

  it("types nothing of a text it cannot type whole", function()
    local qmp = double()
    local done, message = keyboard.new(qmp):type "caf\xc3\xa9"
    assert.is_nil(done)
    assert.equal('a US keyboard has no key for "\\xc3" (byte 4 of the text)', message)
    assert.same({}, qmp.keys)
  end)

  it("takes it for success when the guest is off before the key is up again", function()
    local qmp = double()
    local execute, events = qmp.execute, 0
    function qmp:execute(name, arguments)
      if name == "input-send-event" then events = events + 1 end
      if events == 2 then return nil, "QEMU refused input-send-event: VM not running" end
      return execute(self, name, arguments)
    end
    assert.is_true(keyboard.new(qmp):type "\n")
  end)

  it("passes on what QEMU refuses", function()
    local k = keyboard.new(double { fails = "QEMU is gone" })
    assert.same({ nil, "QEMU is gone" }, { k:type "a" })
    assert.same({ nil, "QEMU is gone" }, { k:key "esc" })
    assert.matches("^unknown key", select(2, k:key "nokey"))
  end)
end)

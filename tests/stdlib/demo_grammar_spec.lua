-- The demo guest's grammar on text that the guest printed.
local engine = require "moonboot.engine"
local grammar = require "moonboot.grammar"

local FIRST = {
  "demo: firmware hand-over\r\n",
  "demo: kernel entry (version 1.0)\r\n",
  "demo: memory: 512 MB, work area clear\r\n",
  "demo: interrupts: timer at 100 Hz\r\n",
  "demo: CPUs: 3 of 4 up\r\n",
  "demo: process table: 1024 entries\r\n",
  "demo: drivers: serial screen keyboard disk\r\n",
}
local SECOND = {
  "demo: file system check: clean\r\n",
  "demo: services: syslogd cron inetd\r\n",
  "login: ",
}
local GARBAGE = "\xff\xfe\xc3(\xe2\x82\0\x80\x9b\1\2\14\127\0\27]0;owned by the guest\a\27[2J\27[H\27[31;1m"
  .. "\27[10;20H\27(0garbage\27[?25l\27[6n\27P1$r\27\\\r\n"

local NAMES = {
  "firmware", "kernel_entry", "memory", "interrupts", "cpus", "process_table", "drivers", "file_system_check",
  "services", "login_prompt",
}

describe("the demo guest's grammar", function()
  local demo, matcher, clock

  before_each(function()
    demo = assert(grammar.load("demo"))
    matcher = demo:matcher { channels = { "com1", "com2" } }
    clock = 0
  end)

  -- Each piece comes a millisecond after the one before.
  local function say(channel, ...)
    local lines = assert(engine.lines.new {})
    for _, list in ipairs { ... } do
      for _, piece in ipairs(list) do
        clock = clock + 1000000
        lines:push(piece, clock)
        matcher:feed(channel, lines)
      end
    end
    lines:close()
  end

  local function names()
    local list = {}
    for i, marker in ipairs(matcher:markers()) do list[i] = marker.name end
    return list
  end

  it("finds each phase of a boot, in order, at its first byte", function()
    say("com1", FIRST, SECOND)
    assert.same(NAMES, names())
    assert.same(demo:names(), names())
    assert.is_true(matcher:complete())
    assert.is_nil(matcher:failure())
    for i, marker in ipairs(matcher:markers()) do assert.equal(i * 1000000, marker.t_ns) end
  end)

  it("captures how many CPUs came up, and of how many", function()
    say("com1", FIRST)
    assert.same({ cpus = "3", cpus_present = "4" }, matcher:markers()[5].captures)
  end)

  it("follows a boot whose userland speaks on a second console", function()
    say("com1", FIRST)
    assert.is_false(matcher:complete())
    say("com2", SECOND)
    assert.same(NAMES, names())
    assert.equal("com2", matcher:markers()[8].channel)
    assert.is_true(matcher:complete())
  end)

  it("is not put off by bytes that are no text", function()
    local pieces = {}
    for _, list in ipairs { FIRST, SECOND } do
      for _, piece in ipairs(list) do
        table.insert(pieces, piece)
        if piece ~= "login: " then table.insert(pieces, GARBAGE) end
      end
    end
    say("com1", pieces)
    assert.same(NAMES, names())
  end)

  it("knows what is missing from a boot that hangs", function()
    say("com1", FIRST)
    assert.same({ "file_system_check", "services", "login_prompt" }, matcher:missing())
    assert.is_nil(matcher:failure())
  end)

  it("sees a panic", function()
    say("com1", FIRST, { "\r\npanic: demo: asked for at phase fsck\r\n" })
    assert.equal("panic: demo: asked for at phase fsck", matcher:failure().line)
    assert.is_false(matcher:complete())
  end)

  it("takes no answer of the installer for a boot", function()
    say("com1", { "Keyboard type? [us-std] ", "\r\n", "Shut down now? [Y] ", "\r\ndemo: power off\r\n" })
    assert.same({}, names())
  end)
end)

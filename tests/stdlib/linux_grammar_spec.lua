-- The Linux grammar on what a kernel prints at its end.
local engine = require "moonboot.engine"
local grammar = require "moonboot.grammar"

local NO_ROOT = "[    2.249273] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\r\n"
local KILLED = "[    1.914022] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100\r\n"

describe("the Linux grammar", function()
  local linux = assert(grammar.load "linux")

  -- What it makes of a text that comes byte by byte. -> markers by name, failure
  local function read(text)
    local matcher, lines = linux:matcher { channels = { "com1" } }, assert(engine.lines.new {})
    for i = 1, #text do
      lines:push(text:sub(i, i), i)
      matcher:feed("com1", lines)
    end
    local markers = {}
    for _, marker in ipairs(matcher:markers()) do markers[marker.name] = marker end
    return markers, matcher:failure()
  end

  it("takes the panic over a missing root for the end of the kernel, though it comes in pieces", function()
    local markers, failure = read(NO_ROOT)
    assert.is_table(markers.kernel_done)
    assert.is_nil(failure)
  end)

  it("takes any other panic for a failure, as soon as it is known to be one", function()
    local markers, failure = read(KILLED)
    assert.is_nil(markers.kernel_done)
    assert.equal(1, failure.line_number)
    assert.is_table(select(2, read(KILLED:match "^.*syncing: A")))
  end)
end)

-- The screen and the keyboard of a real QEMU, with a boot sector that shows the keys it gets.
local engine = require "moonboot.engine"
local files = require "moonboot.files"
local keyboard = require "moonboot.keyboard"
local qmp = require "moonboot.qmp"
local screen = require "moonboot.screen"
local uv = require "luv"

-- Shows each key by its BIOS code on a page that starts 16 rows into text memory.
local CODE = "\xfc\xb8\x03\x00\xcd\x10" -- cld; mov ax, 3; int 0x10 (80x25 text)
  .. "\xba\xd4\x03" -- mov dx, 0x3d4 (CRT controller)
  .. "\xb8\x0c\x05\xef" -- mov ax, 0x050c; out dx, ax (start, high byte)
  .. "\xb8\x0d\x00\xef" -- mov ax, 0x000d; out dx, ax (start, low byte)
  .. "\xb8\x00\xb8\x8e\xc0" -- mov ax, 0xb800; mov es, ax
  .. "\xbf\x00\x0a" -- mov di, 0x0a00 (the page's first cell)
  .. "\xb8\x3e\x07\xab" -- mov ax, '>' with attribute 7; stosw
  .. "\x30\xe4\xcd\x16" -- next: xor ah, ah; int 0x16 (wait for a key)
  .. "\xb4\x07\xab" -- mov ah, 7; stosw
  .. "\xeb\xf7" -- jmp next

describe("screen and keyboard, with real QEMU", function()
  local dir, process, connection, s, k

  setup(function()
    dir = assert(files.make_temp_dir "/tmp/moonboot-spec-")
    assert(files.write(dir .. "/boot.img", CODE .. ("\0"):rep(510 - #CODE) .. "\x55\xaa"))
    local pair = assert(uv.socketpair("stream", nil, { nonblock = true }, {}))
    connection = qmp.open(pair[1])
    process = assert(engine.process.spawn {
      argv = { "qemu-system-i386", "-nodefaults", "-display", "none", "-vga", "std", "-accel", "tcg", "-m", "16",
        "-drive", ("file=%s/boot.img,format=raw,if=ide,snapshot=on"):format(dir),
        "-chardev", "socket,id=qmp,fd=3", "-mon", "chardev=qmp,mode=control" },
      fds = { pair[2] },
    })
    uv.fs_close(pair[2])
    assert(connection:negotiate(20))
    k = keyboard.new(connection)
    s = screen.new(connection, k)
  end)

  teardown(function()
    connection:close()
    process:close()
    files.remove(dir)
  end)

  it("finds the page where the guest has put it", function()
    local match = assert(s:expect(">", { timeout = 30 }))
    assert.equal(1, match.row)
    assert.equal(25, #s:rows())
  end)

  it("types every character, losing none", function()
    local printable = {}
    for code = 33, 126 do printable[#printable + 1] = string.char(code) end
    local typed = table.concat(printable)
    assert.is_true(k:type(typed))
    -- 79 fit beside the prompt; the rest is on the next row.
    assert(s:expect(typed:sub(1, 79), { timeout = 10 }))
    assert(s:expect(typed:sub(80), { timeout = 10 }))
    assert.is_true(k:type "\27\b")
    assert.is_true(k:key "ctrl-c")
    -- What the BIOS makes of escape, backspace and control-C, in code page 437.
    assert(s:expect("←◘♥", { timeout = 10 }))
  end)

  it("leaves the guest running", function()
    assert.is_true(connection:execute("query-status").running)
  end)

  it("shows the screen when a wait fails", function()
    local match, message = s:expect("login: ", { timeout = 0.3, label = "the login prompt" })
    assert.is_nil(match)
    assert.matches("^screen: the login prompt: did not come within 0.3 s\n  | >!\"#", message)
  end)

  it("saves a picture", function()
    local path = assert(s:screenshot(dir .. "/shot,1.png"))
    local content = files.read(path)
    assert.is_true(content:sub(1, 4) == "\x89PNG" or content:sub(1, 2) == "P6")
  end)
end)

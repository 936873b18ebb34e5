local command = require "moonboot.command"
local files = require "moonboot.files"

describe("command.run", function()
  it("gives what the tool prints", function()
    assert.equal("a b\n", command.run { "echo", "a b" })
  end)

  it("passes arguments as they are, without a shell", function()
    assert.equal("$(id);*'\n", command.run { "printf", "%s\n", "$(id);*'" })
  end)

  it("names the package of a tool that is not there", function()
    local dir <close> = assert(files.temp_dir "moonboot-spec-")
    local missing = dir.path .. "/qemu-img"
    local output, message, code = command.run { missing, "--version" }
    assert.is_nil(output)
    assert.equal("qemu-img: not found; install qemu-utils", message)
    assert.equal("ENOENT", code)
    assert.equal("no-such-tool: not found", select(2, command.run { "no-such-tool" }))
  end)

  it("gives the tool's own words when it fails, on one line", function()
    local output, message, code = command.run { "qemu-img", "frobnicate" }
    assert.is_nil(output)
    assert.equal("qemu-img: Command not found: frobnicate", message)
    assert.equal(1, code)
  end)

  it("finds the grave line among a tool's chatter", function()
    local script = "echo 'sh: NOTE : hello' >&2; echo 'sh : FAILURE : no disc' >&2; echo bye >&2; exit 5"
    local _, message, code = command.run { "sh", "-c", script }
    assert.equal("sh : FAILURE : no disc", message)
    assert.equal(5, code)
  end)

  it("escapes what a tool quotes from an untrusted file", function()
    local _, message = command.run { "sh", "-c", "printf 'bad label \\033[2J\\n' >&2; exit 1" }
    assert.equal("sh: bad label \\e[2J", message)
  end)

  it("says so when a tool fails without a word, or is killed", function()
    assert.equal("sh: failed without a word (exit status 7)", select(2, command.run { "sh", "-c", "exit 7" }))
    local _, message, code = command.run { "sh", "-c", "kill -9 $$" }
    assert.equal("sh: failed without a word (killed by SIGKILL)", message)
    assert.equal("SIGKILL", code)
  end)

  it("ends a tool that takes too long", function()
    local output, message, code = command.run({ "sleep", "1000" }, { timeout_s = 0.05 })
    assert.is_nil(output)
    assert.equal("sleep: did not end within 0.05 s", message)
    assert.equal("timeout", code)
  end)

  it("runs in the directory it is told, and hands on descriptors", function()
    assert.equal("/\n", command.run({ "pwd" }, { cwd = "/" }))
    local uv = require "luv"
    local dir <close> = assert(files.temp_dir "moonboot-spec-")
    local fd = assert(uv.fs_open(dir.path .. "/f", "w", tonumber("600", 8)))
    assert(command.run({ "sh", "-c", "echo through >&3" }, { fds = { fd } }))
    uv.fs_close(fd)
    assert.equal("through\n", files.read(dir.path .. "/f"))
  end)
end)

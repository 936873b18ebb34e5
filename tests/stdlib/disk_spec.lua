local disk = require "moonboot.disk"
local files = require "moonboot.files"
local uv = require "luv"

describe("disk", function()
  local dir
  before_each(function() dir = assert(files.make_temp_dir "/tmp/moonboot-spec-") end)
  after_each(function() files.remove(dir) end)

  local function write_at(path, offset, bytes)
    local fd = assert(uv.fs_open(path, "r+", 0))
    assert(uv.fs_write(fd, bytes, offset))
    uv.fs_close(fd)
  end

  it("reads sizes", function()
    assert.equal(512 << 20, disk.bytes "512M")
    assert.equal(2 << 30, disk.bytes "2G")
    assert.equal(3 << 29, disk.bytes "1.5GiB")
    assert.equal(4096, disk.bytes(4096))
    for _, wrong in ipairs { "big", "0", "-1G", "1Q", "" } do
      local bytes, message = disk.bytes(wrong)
      assert.is_nil(bytes)
      assert.equal(('"%s" is not a size; write it as 512M or 2G'):format(wrong), message)
    end
  end)

  it("writes sizes for people", function()
    assert.equal("1.2 GB", disk.human(1234567890))
    assert.equal("12 MB", disk.human(12e6))
    assert.equal("604 MB", disk.human(604e6))
    assert.equal("512 bytes", disk.human(512))
  end)

  it("creates an image and says what it is", function()
    assert.is_true(disk.create(dir .. "/a,b.qcow2", "16M"))
    local info = assert(disk.info(dir .. "/a,b.qcow2"))
    assert.equal("qcow2", info.format)
    assert.equal(16 << 20, info.virtual_bytes)
    assert.is_nil(info.backing)
    assert.is_true(disk.check(dir .. "/a,b.qcow2"))
  end)

  it("makes overlays with absolute backing paths, also from relative ones", function()
    local before = uv.cwd()
    finally(function() uv.chdir(before) end)
    uv.chdir(dir)
    assert(disk.create("base.qcow2", "8M"))
    assert(uv.fs_mkdir("sub", tonumber("700", 8)))
    assert.is_true(disk.overlay("base.qcow2", "sub/over.qcow2"))
    assert.equal(uv.cwd() .. "/base.qcow2", disk.info("sub/over.qcow2").backing)
    assert.equal(8 << 20, disk.info("sub/over.qcow2").virtual_bytes)
    assert.is_true(disk.overlay("base.qcow2", "large.qcow2", { size = "32M" }))
    assert.equal(32 << 20, disk.info("large.qcow2").virtual_bytes)
  end)

  it("leaves the base alone, commits when told, converts to one that stands alone", function()
    local base, over, alone = dir .. "/base.raw", dir .. "/over.qcow2", dir .. "/alone.raw"
    assert(disk.create(base, "1M", { format = "raw" }))
    assert(disk.overlay(base, over))
    -- qemu-img itself writes to the overlay: the raw image holds what the guest would see.
    local command = require "moonboot.command"
    assert(disk.create(dir .. "/pattern.raw", "1M", { format = "raw" }))
    write_at(dir .. "/pattern.raw", 4096, "guest data")
    assert(command.run { "qemu-img", "dd", "-f", "raw", "-O", "qcow2", "if=" .. dir .. "/pattern.raw",
      "of=" .. dir .. "/written.qcow2" })
    assert.is_true(disk.convert(dir .. "/written.qcow2", alone, { format = "raw" }))
    assert.equal("guest data", files.read(alone):sub(4097, 4106))
    assert.is_nil(files.read(base):find("guest data", 1, true))
    assert(command.run { "qemu-img", "rebase", "-u", "-f", "qcow2", "-F", "raw", "-b", base, dir .. "/written.qcow2" })
    assert.is_true(disk.commit(dir .. "/written.qcow2"))
    assert.equal("guest data", files.read(base):sub(4097, 4106))
  end)

  it("finds corruption", function()
    local path = dir .. "/bad.qcow2"
    assert(disk.create(path, "16M"))
    -- The L1 table's offset (bytes 40 to 47 of the header) now points beyond the file.
    write_at(path, 40, ("\0"):rep(4) .. "\x7f\xff\0\0")
    local good, message = disk.check(path)
    assert.is_nil(good)
    assert.matches("bad.qcow2", message)
    assert.is_nil(message:find("\n"))
  end)

  it("says in one line what is wrong", function()
    local function fails(...)
      local result, message = ...
      assert.is_nil(result)
      assert.is_nil(message:find("\n"))
      return message
    end
    assert.matches("No such file", fails(disk.create(dir .. "/no/such/place", "1M")))
    assert.matches("is not a size", fails(disk.create(dir .. "/x", "much")))
    assert.matches("No such file", fails(disk.overlay(dir .. "/none", dir .. "/over")))
    assert.matches("No such file", fails(disk.check(dir .. "/none")))
    assert(files.write(dir .. "/text", ("just text\n"):rep(100)))
    assert.matches("not in qcow2 format", fails(disk.check(dir .. "/text")))
    assert.matches("No such file", fails(disk.info(dir .. "/none")))
  end)

  it("knows formats by their first bytes", function()
    assert(disk.create(dir .. "/a", "1M", { format = "vmdk" }))
    assert.equal("vmdk", disk.format(dir .. "/a"))
    assert(disk.create(dir .. "/b", "1M", { format = "vdi" }))
    assert.equal("vdi", disk.format(dir .. "/b"))
    assert(files.write(dir .. "/c", "just text"))
    assert.equal("raw", disk.format(dir .. "/c"))
    assert(files.write(dir .. "/d", ""))
    assert.matches("is empty", select(2, disk.format(dir .. "/d")))
  end)

  it("checks the space before anything starts", function()
    assert.is_true(disk.free_bytes(dir) > 0)
    assert.equal(disk.free_bytes(dir), disk.free_bytes(dir .. "/not/there/yet"))
    assert.is_true(disk.preflight { dir = dir, needs_bytes = 1 })
    local enough, message = disk.preflight { dir = dir, needs_bytes = 1 << 60, what = "demo" }
    assert.is_nil(enough)
    assert.matches("^demo needs 1152922 TB, .* free in " .. dir:gsub("%p", "%%%0"), message)
  end)
end)

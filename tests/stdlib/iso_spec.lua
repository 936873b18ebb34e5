local command = require "moonboot.command"
local digest = require "moonboot.digest"
local files = require "moonboot.files"
local iso = require "moonboot.iso"
local uv = require "luv"

describe("iso", function()
  local dir, media

  setup(function()
    dir = assert(files.make_temp_dir "/tmp/moonboot-spec-")
    local tree = dir .. "/tree"
    assert(files.make_dir(tree .. "/boot/minix"))
    assert(files.make_dir(tree .. "/other"))
    local function put(name, content) assert(files.write(tree .. "/" .. name, content)) end
    put("boot/loader", ("\0"):rep(2048))
    put("boot/minix/kernel", "the kernel")
    put("boot/minix/mod02_rs", "two")
    put("boot/minix/mod01_ds", "one")
    put("boot/minix/it's a file", "odd")
    put("boot/minix/packed", "unpacked")
    assert(command.run { "gzip", "-n", tree .. "/boot/minix/packed" })
    assert(uv.fs_rename(tree .. "/boot/minix/packed.gz", tree .. "/boot/minix/packed"))
    put("other/kernel", "another kernel")
    media = { boot = dir .. "/boot.iso", data = dir .. "/data.iso" }
    assert(command.run { "xorriso", "-as", "mkisofs", "-quiet", "-V", "MOON TEST", "-b", "boot/loader", "-no-emul-boot",
      "-o", media.boot, tree })
    assert(command.run { "xorriso", "-as", "mkisofs", "-quiet", "-V", "DATA", "-o", media.data, tree })
  end)

  teardown(function() files.remove(dir) end)

  -- A copy of the bootable ISO with some bytes changed.
  local function changed(name, edit)
    local path = dir .. "/" .. name
    assert(files.write(path, edit(assert(files.read(media.boot)))))
    return path
  end

  local function refusal(path, options)
    local info, message = iso.verify(path, options)
    assert.is_nil(info)
    assert.is_nil(message:find("\n"))
    return message
  end

  it("says what a good medium is", function()
    local info = assert(iso.verify(media.boot))
    assert.equal("iso", info.kind)
    assert.equal("raw", info.format)
    assert.equal("MOON TEST", info.label)
    assert.same({ "bios" }, info.platforms)
    assert.is_true(info.bootable)
    assert.equal(media.boot, info.path)
    assert.equal(uv.fs_stat(media.boot).size, info.bytes)
    assert.equal(info.bytes, info.volume_bytes)
    assert.equal(digest.file(media.boot), info.sha256)
  end)

  it("tells media that boot from those that do not", function()
    assert.is_false(iso.verify(media.data).bootable)
    assert.equal("data.iso has no El Torito boot record: it is a CD with data, not one that boots",
      refusal(media.data, { bootable = true }))
    local dead = changed("dead.iso", function(bytes)
      local sector = ("<I4"):unpack(bytes, 17 * 2048 + 72)
      local at = sector * 2048 + 33
      assert(bytes:byte(at) == 0x88)
      return bytes:sub(1, at - 1) .. "\0" .. bytes:sub(at + 1)
    end)
    assert.matches("no El Torito boot record", refusal(dead, { bootable = true }))
  end)

  it("sees that a download was cut short", function()
    local cut = changed("cut.iso", function(bytes) return bytes:sub(1, 100000) end)
    assert.matches("^cut%.iso is 100 kB but its ISO 9660 header says %d+ kB: the download was cut short$", refusal(cut))
    local stub = changed("stub.iso", function(bytes) return bytes:sub(1, 20000) end)
    assert.equal("stub.iso is only 20 kB: no installation medium is that small; was the download cut short?",
      refusal(stub))
  end)

  it("compares the checksum", function()
    local sum = digest.file(media.boot)
    assert(iso.verify(media.boot, { sha256 = sum:upper() }))
    assert.matches("^boot.iso has SHA%-256 " .. sum .. ", not the expected 00ff: ",
      refusal(media.boot, { sha256 = "00ff" }))
    assert.is_nil(iso.verify(media.boot, { hash = false }).sha256)
  end)

  it("says what a file is instead", function()
    assert.equal("/no/such.iso does not exist", refusal "/no/such.iso")
    assert.matches("is a directory, not a file", refusal(dir))
    assert.equal("empty.iso is empty: the download failed", refusal(changed("empty.iso", function() return "" end)))
    assert(command.run { "gzip", "-k", "-f", media.boot })
    assert.equal("boot.iso.gz is compressed with gzip: unpack it first (gunzip)", refusal(media.boot .. ".gz"))
    local page = changed("page.iso", function() return "<!DOCTYPE html><html>" .. (" "):rep(50000) end)
    assert.equal("page.iso is neither an ISO 9660 image nor a disk image but a web page: download it again",
      refusal(page))
    local noise = changed("noise.iso", function() return ("noise"):rep(20000) end)
    assert.equal("noise.iso is neither an ISO 9660 image nor a disk image", refusal(noise))
  end)

  it("takes disk images", function()
    local disk = require "moonboot.disk"
    assert(disk.create(dir .. "/disk.qcow2", "1M"))
    local info = assert(iso.verify(dir .. "/disk.qcow2"))
    assert.equal("disk", info.kind)
    assert.equal("qcow2", info.format)
    local raw = changed("disk.img", function() return ("\0"):rep(510) .. "\x55\xaa" .. ("\0"):rep(50000) end)
    info = assert(iso.verify(raw))
    assert.equal("disk", info.kind)
    assert.is_true(info.bootable)
  end)

  it("does not let a label reach the terminal raw", function()
    local evil = changed("evil.iso", function(bytes)
      return bytes:sub(1, 32768 + 40) .. "\27[2J\0\xffEVIL" .. bytes:sub(32768 + 40 + 11)
    end)
    assert.equal("\\e[2J", iso.verify(evil).label:sub(1, 5))
    assert.is_nil(iso.verify(evil).label:find("[\0-\31\127-\255]"))
  end)

  it("sees a header that is damaged", function()
    local headless = changed("headless.iso", function(bytes)
      return bytes:sub(1, 32768) .. "\2" .. bytes:sub(32768 + 2)
    end)
    assert.equal("headless.iso has an ISO 9660 header without a primary volume: the file is damaged", refusal(headless))
  end)

  it("survives a boot catalogue that is nowhere", function()
    local lost = changed("lost.iso", function(bytes)
      return bytes:sub(1, 17 * 2048 + 71) .. "\xff\xff\xff\xff" .. bytes:sub(17 * 2048 + 76)
    end)
    assert.is_false(iso.verify(lost).bootable)
  end)

  it("finds files by pattern", function()
    assert.same({ "/boot/minix/mod01_ds", "/boot/minix/mod02_rs" }, iso.find(media.boot, "boot/minix/mod*"))
    assert.same({ "/boot/minix/it's a file" }, iso.find(media.boot, "/boot/minix/it*"))
    assert.same({}, iso.find(media.boot, "/boot/minix/none*"))
    assert.same({}, iso.find(media.boot, "/boot*"))
  end)

  it("takes a kernel and its modules out, in order", function()
    local out = dir .. "/out"
    assert(files.make_dir(out))
    local paths = assert(iso.extract(media.boot, { "boot/minix/kernel", "/boot/minix/mod*" }, out))
    assert.same({ out .. "/kernel", out .. "/mod01_ds", out .. "/mod02_rs" }, paths)
    assert.equal("the kernel", files.read(paths[1]))
    assert.equal("two", files.read(paths[3]))
    local odd = assert(iso.extract(media.boot, { "boot/minix/it's a file" }, out))
    assert.same({ out .. "/it_s_a_file" }, odd)
  end)

  it("unpacks when told", function()
    local out = dir .. "/unpacked"
    assert(files.make_dir(out))
    local names = { "boot/minix/packed", "boot/minix/kernel" }
    local paths = assert(iso.extract(media.boot, names, out, { decompress = true }))
    assert.same({ out .. "/packed", out .. "/kernel" }, paths)
    assert.equal("unpacked", files.read(paths[1]))
  end)

  it("says which file is not there", function()
    local out = dir .. "/out2"
    assert(files.make_dir(out))
    local function fails(names)
      local paths, message = iso.extract(media.boot, names, out)
      assert.is_nil(paths)
      assert.is_nil(message:find("\n"))
      return message
    end
    assert.matches("'/boot/kern'", fails { "boot/kern" })
    assert.matches("holds nothing that matches boot/x%*", fails { "boot/x*" })
    assert.matches("^/boot/minix/kernel and /other/kernel of .* would both become kernel", fails { "boot/minix/kernel",
      "other/kernel" })
    assert.matches("is no file name", fails { "boot/.." })
    local _, message = iso.extract(dir .. "/none.iso", { "boot/kernel" }, out)
    assert.matches("^xorriso", message)
  end)
end)

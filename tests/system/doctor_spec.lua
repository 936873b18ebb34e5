-- `moonboot doctor` and `moonboot images`, as a user calls them.
local json = require "moonboot.json"
local program = require "tests.system.support.program"
local support = require "tests.system.support.sandbox"

describe("moonboot", function()
  local sandbox, dir

  before_each(function()
    sandbox = support.sandbox()
    dir = sandbox.dir
  end)
  after_each(function() sandbox:close() end)

  describe("doctor", function()
    it("says whether this host can measure", function()
      local code, out, err = program.run "doctor"
      assert.equal("", err)
      assert.equal(0, code)
      assert.matches("QEMU emulator version", out)
      assert.matches("tcg ran the probe guest in %d+ ms", out)
      assert.matches("This host", out)
    end)

    it("prints one JSON document", function()
      local code, out, err = program.run("doctor", "--json", "--no-probe")
      assert.equal("", err)
      assert.equal(0, code)
      local examination = assert(json.decode(out))
      assert.equal("moonboot-doctor/1", examination.schema)
      assert.equal("QEMU", examination.checks[1].name)
      assert.equal(json.null, examination.accelerator)
    end)

    it("ends with status 3 where there is no QEMU", function()
      sandbox:setenv("PATH", dir)
      local code, out = program.run "doctor"
      assert.equal(3, code)
      assert.matches("fail  QEMU +qemu%-system%-i386: not found\n", out)
      assert.matches("%-> install qemu%-system%-x86: it runs the guests", out)
      assert.matches("%-> install qemu%-utils", out)
    end)
  end)

  describe("images", function()
    it("says that there are none", function()
      local code, out = program.run "images"
      assert.equal(0, code)
      assert.equal(("No images in %s/cache/images.\n"):format(dir), out)
      code, out = program.run("images", "--json")
      assert.equal(0, code)
      assert.same({ dir = dir .. "/cache/images", disk_bytes = 0, images = {} }, json.decode(out))
    end)

    it("lists and prunes", function()
      local images = require "moonboot.images"
      local _, info = assert(images.obtain({ guest = "demo", disk_size = "1M", medium_sha256 = ("ab"):rep(32) },
        function(path) return require("moonboot.disk").create(path, "1M") end))
      local _, out = program.run "images"
      assert.matches("^" .. info.key:gsub("%p", "%%%0") .. " +%d+ kB  used just now; installed in %d s on "
        .. "%d%d%d%d%-%d%d%-%d%d, disk 1M, medium abababababab…\n", out)
      _, out = program.run("images", "--prune")
      assert.equal("0 bytes freed\n", out)
      _, out = program.run("images", "--prune", "--all")
      assert.matches("^in use, kept: demo", out)
      images.release()
      local code
      code, out = program.run("images", "--prune", "--all", "--json")
      assert.equal(0, code)
      assert.equal(info.key, json.decode(out).removed[1].key)
      assert.same({}, images.list())
    end)

    it("refuses --all without --prune", function()
      local code, out, err = program.run("images", "--all")
      assert.equal(2, code)
      assert.equal("", out)
      assert.equal("moonboot: --all goes with --prune\n", err)
    end)
  end)
end)

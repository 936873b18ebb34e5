local command = require "moonboot.command"
local files = require "moonboot.files"

-- The make that runs this test must not hand its jobs and variables on to the ones under test.
local function make(...)
  return command.run({ "env", "-u", "MAKEFLAGS", "-u", "MAKELEVEL", "make", "-s", ... }, { timeout_s = 600 })
end

local function run(...)
  local output, message = command.run({ ... }, { timeout_s = 120 })
  assert(output, message)
  return output
end

describe("installed", function()
  local place

  before_each(function() place = assert(files.temp_dir "moonboot-packaging-") end)
  after_each(function() files.remove(place.path) end)

  -- The program, wherever it was put, boots the demo guest that came with it.
  local function works(program)
    assert.matches("^moonboot %d", run(program, "--version"))
    assert.matches("\n  demo ", run(program, "list"))
    local directory = place.path .. "/run"
    run("env", "XDG_CACHE_HOME=" .. place.path .. "/cache", program, "run", "demo", "--samples", "1", "--set", "cpus=1",
      "--output", directory, "--quiet")
    assert.truthy(files.read(directory .. "/journal.jsonl"):find('"status":"ok"', 1, true))
  end

  -- A stock Lua, told where the library is as Debian and luarocks do.
  local function serves_stock_lua(share, lib)
    local version = run("env", ("LUA_PATH=%s/?.lua;%s/?/init.lua;;"):format(share, share),
      ("LUA_CPATH=%s/?.so;;"):format(lib), "lua5.4", "-e", 'io.write(require "moonboot"._VERSION)')
    assert.equal(require("moonboot")._VERSION, version)
  end

  it("below a prefix, moved to another place, and taken away again", function()
    local root = place.path .. "/root"
    assert(make("install", "DESTDIR=" .. root, "PREFIX=/opt/moonboot"))
    assert(os.rename(root .. "/opt/moonboot", place.path .. "/moved"))
    works(place.path .. "/moved/bin/moonboot")
    serves_stock_lua(place.path .. "/moved/share/lua/5.4", place.path .. "/moved/lib/lua/5.4")
    assert(os.rename(place.path .. "/moved", root .. "/opt/moonboot"))
    assert(make("uninstall", "DESTDIR=" .. root, "PREFIX=/opt/moonboot"))
    assert.equal("", run("find", root, "-type", "f"))
  end)

  it("as a rock", function()
    local tree = place.path .. "/tree"
    run("env", "-u", "MAKEFLAGS", "-u", "MAKELEVEL", "luarocks", "--lua-version", "5.4", "make", "--deps-mode", "none",
      "--tree", tree, "moonboot-scm-1.rockspec")
    works(tree .. "/bin/moonboot")
    serves_stock_lua(tree .. "/share/lua/5.4", tree .. "/lib/lua/5.4")
  end)

  it("as a Debian package without errors, unpacked anywhere", function()
    assert(make("deb", "BUILD=" .. place.path))
    local packages = run("find", place.path .. "/deb", "-name", "moonboot_*.deb")
    run("dpkg-deb", "-x", packages:match("[^\n]+"), place.path .. "/root")
    works(place.path .. "/root/usr/bin/moonboot")
    local multiarch = run("dpkg-architecture", "-qDEB_HOST_MULTIARCH"):match("[^\n]+")
    serves_stock_lua(place.path .. "/root/usr/share/lua/5.4", place.path .. "/root/usr/lib/" .. multiarch .. "/lua/5.4")
  end)
end)

describe("completion in bash", function()
  -- What is offered for the last of these words.
  local function offered(...)
    local words = { "build/moonboot", ... }
    local output = run("bash", "-c", [[
      source engine/completion.bash
      COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
      _moonboot "$1" "${COMP_WORDS[-1]}" "${COMP_WORDS[-2]}" 2>/dev/null
      echo " ${COMPREPLY[*]} "]], "bash", table.unpack(words))
    return output
  end

  it("knows commands, options, and ready-made scripts", function()
    assert.matches(" report ", offered "re")
    assert.matches(" compare ", offered("help", "com"))
    assert.matches(" %-%-samples ", offered("run", "--sam"))
    assert.matches(" linux ", offered("run", "li"))
    assert.matches(" %-%-home%-mb ", offered("run", "demo", "--h"))
    assert.matches(" minix ", offered("mark", "x.log", "--grammar", "m"))
  end)
end)

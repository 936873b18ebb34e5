local loader = require "moonboot.loader"
local uv = require "luv"

describe("loader", function()
  local folder, path_before

  local function write(name, content)
    local path = folder .. "/" .. name
    local file = assert(io.open(path, "w"))
    file:write(content)
    file:close()
    return path
  end

  local GRAMMAR = "grammar = { rules = { { name = 'a' }, { name = 'b' } } }"

  before_each(function()
    path_before = package.path
    folder = assert(uv.fs_mkdtemp((os.getenv "TMPDIR" or "/tmp") .. "/loader-XXXXXX"))
    for _, kind in ipairs(loader.KINDS) do uv.fs_mkdir(folder .. "/" .. kind, 448) end
    package.path = folder .. "/?.lua;" .. package.path
  end)

  after_each(function()
    package.path = path_before
    os.execute("rm -rf '" .. folder .. "'")
  end)

  describe("find", function()
    it("takes a path or a ready-made name", function()
      local path = write("experiments/mine.lua", "")
      assert.equal(path, loader.find("experiments", path))
      assert.equal(path, loader.find("experiments", "mine"))
    end)

    it("names the nearest", function()
      write("experiments/zebra.lua", "")
      local path, message = loader.find("experiments", "zebar")
      assert.is_nil(path)
      assert.equal("no experiment 'zebar' (did you mean 'zebra'?); 'moonboot list' shows the ready-made ones", message)
      assert.matches("^no grammar 'zebra';", select(2, loader.find("grammars", "zebra")))
    end)

    it("says why a path cannot be read", function()
      assert.equal("cannot read experiment: /nowhere/x.lua: No such file or directory",
        select(2, loader.find("experiments", "/nowhere/x.lua")))
      assert.matches("Is a directory", select(2, loader.find("experiments", folder)))
      assert.matches("\\e%[2J", select(2, loader.find("experiments", "/\27[2J")))
    end)

    it("leaves no folder by way of a name", function()
      write("outside.lua", "")
      assert.is_nil(loader.find("experiments", "../outside"))
      assert.matches("^no experiment '..'", select(2, loader.find("experiments", "..")))
    end)
  end)

  describe("list", function()
    it("gives names with the first line of their documentation", function()
      write("layouts/zz_b.lua", "--- Second.\nreturn 1")
      write("layouts/zz_a.lua", "#!/usr/bin/env moonboot\n--- First.\n-- More.")
      write("layouts/zz_c.lua", "return 1")
      write("layouts/zz_d.txt", "--- No script.")
      local found = {}
      for _, entry in ipairs(loader.list "layouts") do
        if entry.name:find("^zz_") then found[#found + 1] = { entry.name, entry.summary or "-" } end
      end
      assert.same({ { "zz_a", "First." }, { "zz_b", "Second." }, { "zz_c", "-" } }, found)
    end)

    it("knows the library's own layouts", function()
      local names = {}
      for _, entry in ipairs(loader.list "layouts") do names[entry.name] = true end
      assert.is_true(names.text)
    end)
  end)

  describe("experiment", function()
    it("loads one, and knows where from", function()
      local path = write("experiments/mine.lua", "#!/usr/bin/env moonboot\nlocal mb = require 'moonboot'\n"
        .. "return mb.experiment { name = 'mine', " .. GRAMMAR .. " }")
      local experiment = assert(loader.experiment "mine")
      assert.equal("mine", experiment.name)
      assert.equal(path, experiment.path)
      assert.equal(uv.fs_realpath(path), experiment.source)
    end)

    it("finds modules beside the script, after all others", function()
      write("experiments/neighbour_of_mine.lua", "return 'beside'")
      write("experiments/luv.lua", "error 'not me'")
      local path = write("experiments/mine.lua", "local mb = require 'moonboot'\n"
        .. "return mb.experiment { name = 'mine', title = require 'neighbour_of_mine', " .. GRAMMAR .. " }")
      assert.equal("beside", assert(loader.experiment(path)).title)
      local before = package.path
      assert(loader.experiment(path))
      assert.equal(before, package.path)
    end)

    local function fails(content)
      local path = write("experiments/bad.lua", content)
      local result, message = loader.experiment "bad"
      assert.is_nil(result)
      assert.is_nil(message:find("\n", 1, true))
      return message:gsub(path:gsub("%W", "%%%0"), "PATH")
    end

    it("says what a bad script did wrong, in one line with its position", function()
      assert.equal("PATH:2: unknown key 'sample' in experiment (did you mean 'samples'?)",
        (fails("return require('moonboot').experiment { name = 'x',\nsample = 3 }")))
      assert.matches("^PATH:1: .* near <eof>$", (fails "nonsense"))
      assert.equal("PATH:3: boom", (fails "\n\nerror 'boom'"))
      assert.equal("PATH: boom", (fails "error('boom', 0)"))
      assert.equal("PATH: error object is a table", (fails "error({})"))
      assert.equal("PATH:1: module 'no.such.module' not found", (fails "require 'no.such.module'"))
      assert.equal("PATH returns nothing: an experiment script ends with 'return mb.experiment { … }'", (fails ""))
      assert.equal("PATH returns a table that is no experiment: an experiment script ends with "
        .. "'return mb.experiment { … }'", (fails "return {}"))
      assert.matches("returns a number: ", (fails "return 5"))
      assert.matches("returns nothing: ", (fails "return false"))
      assert.matches("attempt to load a binary chunk", (fails "\27Lua"))
    end)

    it("shows the error of a broken module, not the search for it", function()
      write("broken_thing.lua", "local x =\n= 5")
      assert.matches("/broken_thing.lua:2: unexpected symbol near '='$", fails "require 'broken_thing'")
    end)

    it("gives the whole path where Lua shortens it", function()
      local long = ("d"):rep(80)
      uv.fs_mkdir(folder .. "/" .. long, 448)
      local path = write(long .. "/x.lua", "local t = nil\nt.x = 1")
      local _, message = loader.experiment(path)
      assert.equal(path .. ":2: attempt to index a nil value (local 't')", message)
    end)
  end)

  describe("grammar", function()
    it("loads one", function()
      local path = write("grammars/mine.lua", "return { rules = {} }")
      local grammar, from = loader.grammar "mine"
      assert.same({ rules = {} }, grammar)
      assert.equal(path, from)
    end)

    it("says what else it found", function()
      write("grammars/mine.lua", "return {}")
      local grammar, message = loader.grammar "mine"
      assert.is_nil(grammar)
      assert.matches("returns a table that is no grammar: a grammar script ends with", message)
    end)
  end)

  describe("run", function()
    it("hands over arguments and results", function()
      local path = write("script.lua", "return select('#', ...), ...")
      assert.same({ 2, "a", "b" }, { loader.run(path, "a", "b") })
    end)

    it("raises when there is nothing to run", function()
      local ok, message = pcall(loader.run, "/nowhere.lua")
      assert.is_false(ok)
      assert.equal("cannot read script: /nowhere.lua: No such file or directory", message)
    end)
  end)
end)

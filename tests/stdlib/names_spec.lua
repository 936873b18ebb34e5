local files = require "moonboot.files"
local names = require "moonboot.names"

-- A script's code: names are only told to those outside the library.
local function script(source, ...)
  return assert(load(source, "=script"))(...)
end

describe("names", function()
  it("lists what a value can be indexed with", function()
    assert.same({ "a", "b", "c" }, names.of(setmetatable({ a = 1, __x = 2, [1] = 3 },
      { __index = setmetatable({ b = 1 }, { __index = { c = 1 } }) })))
    assert.same({ "x", "y" }, names.of(setmetatable({}, { __index = function() end, __keys = function()
      return { "y", "x" }
    end })))
    assert.same({}, names.of(nil))
    local of_strings = table.concat(names.of "text", " ")
    assert.matches("byte .*format.* upper", of_strings)
  end)

  describe("of an object", function()
    local Class, object

    before_each(function()
      Class = { expect = function() end }
      Class.__index = Class
      names.guard(Class, "a thing", { "exit" })
      object = setmetatable({ consoles = {} }, Class)
    end)

    it("are suggested when they are nearly right", function()
      local ok, message = pcall(script, "local object = ...; local x = object.expct", object)
      assert.is_false(ok)
      assert.equal("script:1: a thing has no 'expct' (did you mean 'expect'?)", message)
    end)

    it("may be absent when they are known, or like no other", function()
      assert.is_nil(script("return (...).exit", object))
      assert.is_nil(script("return (...).something_else", object))
      assert.is_nil(script("return (...)[1]", object))
      assert.equal(Class.expect, script("return (...).expect", object))
    end)
  end)

  it("of modules are suggested", function()
    local mb = require "moonboot"
    local _, message = pcall(script, "return (...).experimnt", mb)
    assert.equal("script:1: moonboot has no 'experimnt' (did you mean 'experiment'?)", message)
    _, message = pcall(script, "return (...).stats.medain", mb)
    assert.equal("script:1: moonboot.stats has no 'medain' (did you mean 'median'?)", message)
    assert.equal(require "moonboot.stats", script("return (...).stats", mb))
  end)

  describe("in Lua's messages", function()
    local function explained(source, ...)
      local chunk = assert(load(source, "=script"))
      local _, message = xpcall(chunk, function(err) return (names.explain(err, 2, source)) end, ...)
      return message
    end

    it("are looked for where the name was", function()
      assert.equal("script:1: attempt to call a nil value (global 'prnt') (did you mean 'print'?)", explained "prnt()")
      assert.equal("script:2: attempt to call a nil value (field 'medain') (did you mean 'median'?)",
        explained("local t = ...\nlocal x = 1 + t.stats.medain {}", { stats = { median = print } }))
      assert.equal("script:1: attempt to call a nil value (method 'upppr') (did you mean 'upper'?)",
        explained "local s = 'x'; return s:upppr()")
      assert.equal("script:1: attempt to index a nil value (field 'alpah') (did you mean 'alpha'?)",
        explained "local t = { alpha = {} }; return t.alpah.beta")
    end)

    it("are left alone when none is near, and so are other messages", function()
      assert.equal("script:1: attempt to call a nil value (global 'qqqqqq')", explained "qqqqqq()")
      assert.equal("script:1: attempt to call a number value (local 'x')", explained "local x = 1; x()")
      assert.equal("script:1: made up (global 'prnt')", explained "error(\"made up (global 'prnt')\")")
    end)

    it("are found in the script's file", function()
      local dir <close> = assert(files.temp_dir "moonboot-spec-")
      local path = dir.path .. "/s.lua"
      assert(files.write(path, "local t = { first = print }\n\nt.frist 'x'\n"))
      local _, message = xpcall(assert(loadfile(path)), function(err) return (names.explain(err, 2)) end)
      assert.matches("s%.lua:3: attempt to call a nil value %(field 'frist'%) %(did you mean 'first'%?%)$", message)
    end)
  end)
end)

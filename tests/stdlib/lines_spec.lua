-- The binding of engine.lines; what becomes of the bytes is tested in tests/engine/test_lines.c.
local engine = require "moonboot.engine"
local uv = require "luv"

describe("engine.lines", function()
  local lines

  before_each(function() lines = engine.lines.new() end)
  after_each(function() lines:close() end)

  it("gives lines with their numbers, and the unfinished one", function()
    assert.is_true(lines:push("one\r\ntwo\nthr", 5))
    assert.same({ "one", 1 }, { lines:next() })
    assert.same({ "two", 2 }, { lines:next() })
    assert.is_nil(lines:next())
    assert.same({ "thr", 3 }, { lines:partial() })
    lines:push("ee\n", 6)
    assert.same({ "three", 3 }, { lines:next() })
    assert.same({ "", 4 }, { lines:partial() })
  end)

  it("stamps each byte of the current text", function()
    lines:push("ab", 10)
    lines:push("\b\b\27[1mX\nrest", 20)
    lines:next()
    assert.same({ 20, 8 }, { lines:stamp(1) })
    assert.same({ 10, 1 }, { lines:stamp(2) })
    assert.equal(string.pack("=i8i8", 20, 10), lines:stamps())
    lines:partial()
    assert.same({ 20, 10 }, { lines:stamp(1) })
  end)

  it("has no time for bytes that came without one", function()
    lines:push("a\n")
    lines:next()
    assert.same({ nil, 0 }, { lines:stamp(1) })
  end)

  it("refuses a stamp where there is no byte", function()
    local message = "no such byte in the current line"
    assert.error_matches(function() lines:stamp(1) end, message, nil, true)
    lines:push("ab\n", 1)
    lines:next()
    for _, i in ipairs { 0, 3, -1, math.mininteger, math.maxinteger } do
      assert.error_matches(function() lines:stamp(i) end, message, nil, true)
    end
    lines:push("c", 2)
    assert.error_matches(function() lines:stamp(1) end, message, nil, true)
    assert.equal("", lines:stamps())
  end)

  it("bounds a line", function()
    local short <close> = engine.lines.new { limit_bytes = 3 }
    short:push("abcdefgh", 1)
    assert.equal("abc", short:next())
    assert.equal("def", short:next())
    assert.equal("gh", short:partial())
  end)

  it("refuses wrong options", function()
    assert.error_matches(function() engine.lines.new { limit = 3 } end, "limit", nil, true)
    for _, limit in ipairs { 0, -1, 1 << 40 } do
      assert.error_matches(function() engine.lines.new { limit_bytes = limit } end, "limit_bytes must be", nil, true)
    end
  end)

  it("is closed once and for all", function()
    lines:close()
    lines:close()
    assert.has_error(function() lines:next() end)
    assert.matches("closed", tostring(lines))
  end)

  describe("with a set of literals", function()
    it("passes over lines that hold none of them, and counts them", function()
      local only = assert(engine.lines.literals { "two", "four" })
      lines:push("one\ntwo\nthree\nfour!\nfive\n", 1)
      assert.same({ "two", 2 }, { lines:next(only) })
      assert.same({ 1, 4 }, { lines:stamp(1) })
      assert.same({ "four!", 4 }, { lines:next(only) })
      assert.is_nil(lines:next(only))
    end)

    it("takes any bytes", function()
      local only = assert(engine.lines.literals { "\0\255" })
      lines:push("\255x\n", 1)
      assert.is_nil(lines:next(only))
    end)

    it("says whether one of them is in a text", function()
      local set = assert(engine.lines.literals { "two", "\0\255" })
      assert.is_true(set:occur "one two")
      assert.is_true(set:occur "\0\255")
      assert.is_false(set:occur "tw\0")
      assert.is_false(set:occur "")
      assert.has_error(function() set:occur() end)
    end)

    it("refuses what is no list of strings", function()
      assert.has_error(function() engine.lines.literals "x" end)
      assert.error_matches(function() engine.lines.literals { "a", 1 } end, "literal 2 is not a string", nil, true)
      local set, message, code = engine.lines.literals { "" }
      assert.is_nil(set)
      assert.matches("empty", message)
      assert.equal("EINVAL", code)
      assert.has_error(function() lines:next("two") end)
    end)
  end)

  describe("pulling a capture", function()
    local folder

    before_each(function() folder = assert(uv.fs_mkdtemp "/tmp/moonboot-spec-XXXXXX") end)
    after_each(function() os.execute("rm -rf '" .. folder .. "'") end)

    local function write(name, content)
      local path = folder .. "/" .. name
      local file = assert(io.open(path, "wb"))
      file:write(content)
      file:close()
      return path
    end

    it("stops where time passes, so that prompts are seen", function()
      local log = write("x.log", "login: root\nok\n")
      local timing = write("x.timing", "0.500000 7\n2.000000 5\n0.000900 3\n")
      local reader <close> = assert(engine.capture.open(log, timing))
      assert.is_true(reader:timed())
      assert.equal(7, lines:pull(reader))
      assert.equal("login: ", lines:partial())
      assert.same({ 500000000, 0 }, { lines:stamp(1) })
      assert.equal(8, lines:pull(reader))
      assert.equal("login: root", lines:next())
      assert.same({ 2500000000, 7 }, { lines:stamp(8) })
      assert.equal(0, lines:pull(reader))
      local stats = reader:stats()
      assert.same({ bytes = 15, chunks = 3, untimed_bytes = 0, first_ns = 500000000, last_ns = 2500900000 }, stats)
    end)

    it("goes on without times", function()
      local log = write("x.log", "a\n" .. ("x"):rep(200000))
      local reader <close> = assert(engine.capture.open(log))
      assert.is_false(reader:timed())
      local bytes = 0
      repeat
        local moved = assert(lines:pull(reader))
        bytes = bytes + moved
      until moved == 0
      assert.equal(200002, bytes)
      assert.equal("a", lines:next())
      assert.is_nil((lines:stamp(1)))
    end)

    it("delivers what came before a bad line, then says where it is, every time", function()
      local log, timing = write("x.log", "abcd"), write("x.timing", "0.1 2\nbad\n0.1 2\n")
      local reader <close> = assert(engine.capture.open(log, timing))
      assert.equal(2, lines:pull(reader))
      for _ = 1, 2 do
        local moved, message, code = lines:pull(reader)
        assert.is_nil(moved)
        assert.equal(folder .. '/x.timing:2: expected "SECONDS BYTES"', message)
        assert.equal("EINVAL", code)
      end
    end)

    it("says which file is missing", function()
      local reader, message, code = engine.capture.open(folder .. "/none.log")
      assert.is_nil(reader)
      assert.equal(folder .. "/none.log: No such file or directory", message)
      assert.equal("ENOENT", code)
    end)

    it("refuses a closed reader, and what is none", function()
      local reader = assert(engine.capture.open(write("x.log", "a")))
      reader:close()
      reader:close()
      assert.has_error(function() lines:pull(reader) end)
      assert.has_error(function() reader:stats() end)
      assert.has_error(function() lines:pull({}) end)
    end)
  end)
end)

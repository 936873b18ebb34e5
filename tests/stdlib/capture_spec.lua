local capture = require "moonboot.capture"
local mb = require "moonboot"
local uv = require "luv"

describe("capture", function()
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

  local function open_files()
    local count = 0
    local scan = uv.fs_scandir "/proc/self/fd"
    while uv.fs_scandir_next(scan) do count = count + 1 end
    return count
  end

  it("knows a console by the log's name, else by its place", function()
    assert.equal("com1", capture.channel "boot-1cpu-2026-11-23T05:42:12.128486.log")
    assert.equal("com2", capture.channel "boot-1cpu-2026-11-23T05:42:12.128486.com2.log")
    assert.equal("com1", capture.channel("disk-1cpu-s1.com1.log", 3))
    assert.equal("com2", capture.channel("x.log", 2))
    assert.equal("com1", capture.channel "/a.com2.log/x.log")
  end)

  it("finds the timing beside the log", function()
    local log = write("a.com2.log", "")
    assert.is_nil(capture.timing_path(log))
    local timing = write("a.com2.timing", "")
    assert.equal(timing, capture.timing_path(log))
    assert.equal(write("b.timing", ""), capture.timing_path(write("b", "")))
  end)

  describe("each", function()
    it("walks the lines with their times", function()
      write("x.timing", "0.001000 4\n0.002000 2\n1.000000 3\n")
      local one <close> = assert(capture.open(write("x.log", "ab\ncd\n\nef")))
      local seen = {}
      for text, t_ns, number, complete in one:each() do seen[#seen + 1] = { text, t_ns or "-", number, complete } end
      assert.same({ { "ab", 1000000, 1, true }, { "cd", 1000000, 2, true }, { "", "-", 3, true },
        { "ef", 1003000000, 4, false } }, seen)
      assert.is_true(one:timed())
      assert.equal(9, one:stats().bytes)
    end)

    it("raises where the timing is broken", function()
      write("x.timing", "0.1 1\nwrong\n")
      local one <close> = assert(capture.open(write("x.log", "ab")))
      local ok, message = pcall(function() for _ in one:each() do end end)
      assert.is_false(ok)
      assert.equal(folder .. '/x.timing:2: expected "SECONDS BYTES"', message)
    end)
  end)

  it("can be read chunk by chunk, as it came", function()
    write("x.timing", "0.001000 1\n0.002000 2\n")
    local one <close> = assert(capture.open(write("x.log", "a\nb\rc")))
    local seen = {}
    for bytes, t_ns in one.reader.read, one.reader do seen[#seen + 1] = { bytes, t_ns or "-" } end
    assert.same({ { "a", 1000000 }, { "\nb", 3000000 }, { "\rc", "-" } }, seen)
    write("x.timing", "wrong\n0.1 1\n")
    local bad <close> = assert(capture.open(folder .. "/x.log"))
    local bytes, message = bad.reader:read()
    assert.is_nil(bytes)
    assert.matches("x.timing:1: expected", message)
  end)

  describe("mark", function()
    local grammar = mb.grammar {
      { "kernel", "kernel" },
      { "user", "user", channel = "com2" },
      { "prompt", "login: ", partial = true },
      { "never", "never", optional = true },
      fail = "panic",
    }

    it("puts the consoles of a boot on one clock", function()
      local com1, com2 = write("b.log", "kernel\n"), write("b.com2.log", "user\nlogin: ")
      write("b.timing", "0.100000 7\n")
      write("b.com2.timing", "0.050000 5\n0.100000 7\n")
      local outcome = assert(capture.mark({ com1, com2 }, grammar))
      local seen = {}
      for i, marker in ipairs(outcome.markers) do seen[i] = { marker.name, marker.t_ns, marker.channel } end
      assert.same({
        { "user", 50000000, "com2" }, { "kernel", 100000000, "com1" }, { "prompt", 150000000, "com2" },
      }, seen)
      assert.same({ "never" }, outcome.unmatched)
      assert.same({}, outcome.missing)
      assert.is_nil(outcome.failure)
      assert.equal("com2", outcome.consoles[2].channel)
      assert.is_true(outcome.consoles[2].timed)
    end)

    it("gives the same whatever the order of the logs", function()
      local com1, com2 = write("b.com1.log", "kernel\n"), write("b.com2.log", "user\nlogin: ")
      write("b.com1.timing", "0.100000 7\n")
      write("b.com2.timing", "0.050000 5\n0.100000 7\n")
      assert.same(capture.mark({ com1, com2 }, grammar).markers, capture.mark({ com2, com1 }, grammar).markers)
    end)

    it("works on a log alone", function()
      local outcome = assert(capture.mark({ write("x.log", "kernel panic\n") }, grammar))
      assert.is_nil(outcome.markers[1].t_ns)
      assert.same({ "user", "prompt" }, outcome.missing)
      assert.equal("panic", outcome.failure.pattern)
      assert.is_false(outcome.consoles[1].timed)
    end)

    it("says how log and timing disagree", function()
      local log = write("x.log", "kernel\n")
      write("x.timing", "0.1 3\n")
      local outcome = assert(capture.mark({ log }, grammar))
      assert.equal(folder .. "/x.timing: tells of fewer bytes than the log has; the rest have no times",
        outcome.consoles[1].stats.mismatch)
      assert.equal(100000000, outcome.markers[1].t_ns)
    end)

    it("refuses the logs of two boots", function()
      local a, b = write("a.com1.log", ""), write("b.com1.log", "")
      local outcome, message = capture.mark({ a, b }, grammar)
      assert.is_nil(outcome)
      assert.equal(a .. " and " .. b .. " would both be com1: give the logs of one boot", message)
    end)

    it("says what cannot be read, and leaves nothing open", function()
      collectgarbage()
      local before = open_files()
      local good = write("x.log", "kernel\n")
      local outcome, message = capture.mark({ good, folder .. "/none.log" }, grammar)
      assert.is_nil(outcome)
      assert.equal(folder .. "/none.log: No such file or directory", message)
      write("x.timing", "garbage\n")
      outcome, message = capture.mark({ good }, grammar)
      assert.is_nil(outcome)
      assert.equal(folder .. '/x.timing:1: expected "SECONDS BYTES"', message)
      outcome, message = capture.mark({ folder }, grammar)
      assert.is_nil(outcome)
      assert.equal(folder .. ": Is a directory", message)
      assert.equal(before, open_files())
    end)

    it("says when a pattern is too much for LPeg", function()
      local lpeg = require "lpeg"
      local deep = mb.grammar { { "deep", lpeg.P { "(" * lpeg.V(1) * ")" + "x" } } }
      -- An unfinished line concerns partial rules alone.
      assert.is_table(capture.mark({ write("x.log", ("("):rep(5000)) }, deep))
      local outcome, message = capture.mark({ write("x.log", ("("):rep(5000) .. "\n") }, deep)
      assert.is_nil(outcome)
      assert.matches("the pattern of rule 'deep' cannot be tried", message, nil, true)
    end)
  end)
end)

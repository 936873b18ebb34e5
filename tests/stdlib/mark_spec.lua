local cjson = require "cjson"
local cli = require "moonboot.cli"
local uv = require "luv"

describe("moonboot mark", function()
  local folder

  local function write(name, content)
    local path = folder .. "/" .. name
    local file = assert(io.open(path, "wb"))
    file:write(content)
    file:close()
    return path
  end

  local function stream()
    local s = { pieces = {} }
    function s:write(...)
      for i = 1, select("#", ...) do self.pieces[#self.pieces + 1] = tostring((select(i, ...))) end
      return self
    end
    function s.flush() return true end
    return s
  end

  -- -> status, standard output, standard error
  local function mark(...)
    local out, err = stream(), stream()
    local stdout, stderr = io.stdout, io.stderr
    rawset(io, "stdout", out)
    rawset(io, "stderr", err)
    local ok, status = pcall(cli.main, { [0] = "moonboot", "mark", ... })
    rawset(io, "stdout", stdout)
    rawset(io, "stderr", stderr)
    assert(ok, status)
    local function clean(s) return (table.concat(s.pieces):gsub(folder:gsub("%p", "%%%0"), "DIR")) end
    return status, clean(out), clean(err)
  end

  local log, grammar

  before_each(function()
    folder = assert(uv.fs_mkdtemp "/tmp/moonboot-spec-XXXXXX")
    log = write("x.log", "boot\nkernel \27[1m\xff4\nStarting srvices: a\nlogin: ")
    write("x.timing", "0.100000 5\n0.001500 14\n0.000250 20\n2.000000 7\n")
    grammar = write("g.lua", [[
      local lpeg = require "lpeg"
      return require "moonboot".grammar {
        { "boot", "boot" },
        { "kernel", "kernel " * (1 - lpeg.R "09") ^ 0 * lpeg.Cg(lpeg.R "09" ^ 1, "version") },
        { "prompt", "login: ", partial = true },
        { "menu", "Menu", optional = true },
        fail = "panic",
      }
    ]])
  end)

  after_each(function() os.execute("rm -rf '" .. folder .. "'") end)

  it("prints a table of markers, with what a guest wrote made safe", function()
    local status, out, err = mark(log, "--grammar", grammar)
    assert.equal("", err)
    assert.equal([[
 ms since t0         + ms  console  marker  line
     100.000               com1     boot    boot
     101.500        1.500  com1     kernel  kernel \xff4
    2101.750     2000.250  com1     prompt  login:|
never matched, optional: menu
]], (out:gsub("login: \n", "login:|\n")))
    assert.equal(0, status)
  end)

  it("says what is missing", function()
    local status, out = mark(write("y.log", "boot\n"), "--grammar", grammar)
    assert.matches("never matched: kernel, prompt\nnever matched, optional: menu\n", out, nil, true)
    assert.equal(1, status)
  end)

  it("says that the guest failed", function()
    write("y.timing", "0.5 40\n")
    local status, out = mark(write("y.log", "boot\nkernel 4\nlogin: \npanic: \27]0;x\7y\n"), "--grammar", grammar)
    assert.matches("failed at 500.000 ms (com1): panic: y\n", out, nil, true)
    assert.equal(1, status)
  end)

  it("says when there are no times, and when they do not fit", function()
    local _, out, err = mark(write("y.log", "boot\n"), "--grammar", grammar)
    assert.equal("moonboot: DIR/y.log: has no .timing beside it, so its times are unknown\n", err)
    assert.matches("           -               com1     boot    boot\n", out, nil, true)
    write("y.timing", "0.5 2\n")
    _, _, err = mark(folder .. "/y.log", "--grammar", grammar)
    assert.equal("moonboot: DIR/y.timing: tells of fewer bytes than the log has; the rest have no times\n", err)
  end)

  describe("--json", function()
    it("prints one document", function()
      local status, out = mark(log, "--grammar", grammar, "--json")
      local document = cjson.decode(out)
      assert.equal(0, status)
      assert.same({ "menu" }, document.unmatched)
      assert.same({}, document.missing)
      assert.equal(cjson.null, document.failure)
      assert.equal(3, #document.markers)
      assert.same({
        name = "kernel", t_ms = 101.5, delta_ms = 1.5, channel = "com1", line = "kernel \u{FFFD}4", line_number = 2,
        count = 1, captures = { version = "4" },
      }, document.markers[2])
      assert.equal(cjson.null, document.markers[1].delta_ms)
      assert.is_nil(document.trace)
    end)

    it("writes null for unknown times, and empty lists as lists", function()
      local status, out = mark(write("y.log", "panic\n"), "--grammar", grammar, "--json")
      assert.equal(1, status)
      assert.matches('"markers": %[%]', out)
      local failure = cjson.decode(out).failure
      assert.same({ pattern = "panic", t_ms = cjson.null, channel = "com1", line = "panic", line_number = 1 }, failure)
    end)
  end)

  describe("--trace", function()
    before_each(function()
      grammar = write("t.lua", [[
        local lpeg = require "lpeg"
        return require "moonboot".grammar {
          { "boot", "boot" },
          { "services", "Starting services:" },
          { "elsewhere", "kernel", channel = "com2" },
          { "prompt", "login: " },
          { "version", "kernel " * lpeg.R "09", hint = "kernel " },
          { "unknown", lpeg.P "nothing" },
          { "far", "~~" },
        }
      ]])
    end)

    it("shows the nearest line to each rule that never matched, and why it did not", function()
      local status, out = mark(log, "--grammar", grammar, "--trace")
      assert.equal(1, status)
      assert.equal([[
services looks for "Starting services:"
  nearest: com1 line 3 at 101.750 ms, shares "Starting s"
    Starting srvices: a

elsewhere looks for "kernel"
  nearest: com1 line 2 at 101.500 ms, shares "kernel"
    kernel \xff4
    the rule is for com2, the line is on com1

prompt looks for "login: "
  nearest: com1 line 4 at 2101.750 ms, shares "login: "
    login:|
    the line never ends: give the rule partial = true

version looks for "kernel "
  nearest: com1 line 2 at 101.500 ms, shares "kernel "
    kernel \xff4
    the line has the hint, but the pattern does not match it

unknown: an LPeg pattern without a hint, so that no line can be called near; give the rule a hint

far looks for "~~"
  no line shares a byte with it
]], (out:match("\n\n(.*)"):gsub("login: \n", "login:|\n")))
    end)

    it("shows the one that is asked for", function()
      local _, out = mark(log, "--grammar", grammar, "--trace", "prompt")
      assert.equal("prompt looks for \"login: \"", out:match("\n\n([^\n]*)"))
      local document = cjson.decode((select(2, mark(log, "--grammar", grammar, "--trace", "services", "--json"))))
      assert.same({ {
        name = "services",
        looks_for = { "Starting services:" },
        reason = cjson.null,
        nearest = { line = "Starting srvices: a", line_number = 3, t_ms = 101.75, channel = "com1",
          common = "Starting s" },
      } }, document.trace)
    end)

    it("knows the rules", function()
      local status, out, err = mark(log, "--grammar", grammar, "--trace", "promt")
      assert.equal(2, status)
      assert.equal("", out)
      assert.equal("moonboot: the grammar has no rule 'promt' (did you mean 'prompt'?)\n", err)
    end)
  end)

  it("refuses what cannot be, in one line", function()
    local cases = {
      { "moonboot: DIR/none.log: No such file or directory\n", folder .. "/none.log", "--grammar", grammar },
      { "moonboot: cannot read grammar: DIR/none.lua: No such file or directory\n", log, "--grammar",
        folder .. "/none.lua" },
      { "moonboot: DIR/bad.lua:1: unexpected symbol near '!'\n", log, "--grammar", write("bad.lua", "!") },
    }
    for _, case in ipairs(cases) do
      local status, out, err = mark(table.unpack(case, 2))
      assert.equal(2, status)
      assert.equal("", out)
      assert.equal(case[1], err)
    end
    assert.equal(2, (mark(log)))
    assert.equal(2, (mark("--grammar", grammar)))
  end)
end)

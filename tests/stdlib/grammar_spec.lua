local engine = require "moonboot.engine"
local grammar = require "moonboot.grammar"
local lpeg = require "lpeg"
local mb = require "moonboot"
local program = require "tests.system.support.program"
local uv = require "luv"

local B, C, Cg, Cp, P, R = lpeg.B, lpeg.C, lpeg.Cg, lpeg.Cp, lpeg.P, lpeg.R
local number = R "09" ^ 1

-- What the matcher has after each console said its pieces: { channel, t_ns, bytes } in this order.
local function play(g, pieces, options)
  local matcher, consoles = g:matcher(options), {}
  for _, piece in ipairs(pieces) do
    local channel, t_ns, bytes = table.unpack(piece)
    consoles[channel] = consoles[channel] or engine.lines.new()
    consoles[channel]:push(bytes, t_ns)
    matcher:feed(channel, consoles[channel])
  end
  for _, lines in pairs(consoles) do lines:close() end
  return matcher
end

local function names_and_times(matcher)
  local list = {}
  for i, marker in ipairs(matcher:markers()) do list[i] = { marker.name, marker.t_ns } end
  return list
end

describe("grammar", function()
  describe("new", function()
    it("lists its rules", function()
      local g = mb.grammar {
        { "a", "x" },
        { "b", P "y", optional = true, last = true, partial = true, channel = "com2" },
      }
      assert.is_true(grammar.is(g))
      assert.is_false(grammar.is {})
      assert.same({ "a", "b" }, g:names())
      assert.same({
        { name = "a", optional = false, last = false, partial = false },
        { name = "b", optional = true, last = true, partial = true, channel = "com2" },
      }, g.rules)
    end)

    local wrong = {
      { "a grammar must be a table of rules, not a string", "x" },
      { "a grammar needs at least one rule", {} },
      { "rule 2 must be a table", { { "a", "x" }, "y" } },
      { "the name of rule 1 must be a word of letters, digits, '_' and '-' (up to 64), not 'a b'", { { "a b", "x" } } },
      { "the name of rule 1 must be a word", { { "1a", "x" } } },
      { "the name of rule 1 must be a word", { { ("a"):rep(65), "x" } } },
      { "not a number", { { 1, "x" } } },
      { "unknown key 'name' in rule 'x'", { { name = "a", "x" } } },
      { "rule 'a' is there twice (rules 1 and 3)", { { "a", "x" }, { "b", "x" }, { "a", "y" } } },
      { "unknown key 'chanel' in rule 'a' (did you mean 'channel'?)", { { "a", "x", chanel = "com1" } } },
      { "'optional' in rule 'a' must be a boolean, not 'yes'", { { "a", "x", optional = "yes" } } },
      { "'channel' in rule 'a' must be the name of a console", { { "a", "x", channel = "" } } },
      { "unknown key 'fial' in grammar (did you mean 'fail'?)", { { "a", "x" }, fial = "y" } },
      { "the pattern of rule 'a' must be a string or an LPeg pattern, not a nil", { { "a" } } },
      { "the pattern of rule 'a' must be a string or an LPeg pattern, not a number", { { "a", 3 } } },
      { "the pattern of rule 'a' is empty and would match any line", { { "a", "" } } },
      { "the pattern of rule 'a' has '\\n' in it, which no line holds", { { "a", "x\n" } } },
      { "the pattern of rule 'a' has '\\e' in it", { { "a", "\27[0m" } } },
      { "the pattern of rule 'a' matches the empty string", { { "a", P "x" ^ 0 } } },
      { "the pattern of rule 'a' matches the empty string", { { "a", -P(1) } } },
      { "the pattern of rule 'a' is no pattern by itself", { { "a", lpeg.V "other" } } },
      { "the pattern of rule 'a' fails", { { "a", lpeg.Cmt("", function() error "mine" end) * "x" } } },
      { "rule 'a' has a 'hint', but its pattern is a literal", { { "a", "x", hint = "x" } } },
      { "rule 'a': 'hint' is empty", { { "a", P "x", hint = {} } } },
      { "rule 'a': 'hint' is empty", { { "a", P "x", hint = "" } } },
      { "rule 'a': 'hint' must be a string or a list of strings", { { "a", P "x", hint = { 3 } } } },
      { "'fail' must be a pattern or a list of patterns", { { "a", "x" }, fail = { panic = "y" } } },
      { "pattern 2 of 'fail' is empty", { { "a", "x" }, fail = { "y", "" } } },
      { "pattern 1 of 'fail' must be a string or an LPeg pattern, not a boolean", { { "a", "x" }, fail = true } },
      { "unknown key 'hnt' in pattern 1 of 'fail'", { { "a", "x" }, fail = { { P "y", hnt = "y" } } } },
    }
    for _, case in ipairs(wrong) do
      it("refuses: " .. case[1], function()
        local ok, message = pcall(function()
          local g = mb.grammar(case[2])
          return g
        end)
        assert.is_false(ok)
        assert.matches(case[1], message, nil, true)
        assert.matches("^[^:]*grammar_spec%.lua:%d+: ", message)
      end)
    end

    it("does not change what it is given", function()
      local spec = { { "a", P "x", hint = "x" }, fail = "y" }
      mb.grammar(spec)
      assert.equal("x", spec[1].hint)
      mb.grammar(spec)
    end)
  end)

  describe("matching", function()
    it("finds a literal anywhere, stamped with its first byte", function()
      local m = play(mb.grammar { { "a", "b.c" } }, {
        { "com1", 10, "xbxc\nab" }, { "com1", 20, ".c d" }, { "com1", 30, "\n" },
      })
      assert.same({
        { name = "a", t_ns = 10, channel = "com1", line = "ab.c d", line_number = 2, count = 1, captures = {} },
      }, m:markers())
    end)

    it("matches LPeg patterns leftmost and keeps what they name", function()
      local version = Cg(number, "major") * "." * Cg(number / tonumber, "minor") * Cp() * Cg(lpeg.Ct(C(1)), "no_scalar")
      local m = play(mb.grammar { { "a", "v" * version } }, { { "com1", 1, "v v1.x v2.30 v4.50\n" } })
      assert.same({ major = "2", minor = 30 }, m:markers()[1].captures)
    end)

    it("looks ahead and behind without taking bytes", function()
      local g = mb.grammar { { "after", B "ab" }, { "before", #P "b" }, { "between", B "a" * #P "b" } }
      local m = play(g, { { "com1", 1, "a" }, { "com1", 2, "b" }, { "com1", 3, "\n" } })
      assert.same({ { "after", 2 }, { "before", 2 }, { "between", 2 } }, names_and_times(m))
    end)

    it("keeps the first match, or the last, and counts the lines", function()
      local g = mb.grammar { { "first", "mod" }, { "last", "mod", last = true } }
      local m = play(g, { { "com1", 1, "mod1 mod\n" }, { "com1", 2, "mod2\nmod3" }, { "com1", 3, "\n" } })
      assert.same({ { "first", 1 }, { "last", 2 } }, names_and_times(m))
      local first, last = table.unpack(m:markers())
      assert.equal("mod1 mod", first.line)
      assert.equal("mod3", last.line)
      assert.equal(3, first.count)
      assert.equal(3, last.count)
      assert.equal(3, last.line_number)
    end)

    it("looks at the unfinished line for partial rules alone", function()
      local g = mb.grammar { { "prompt", "login: ", partial = true }, { "other", "login" } }
      local m = play(g, { { "com1", 1, "\nlogin" }, { "com1", 2, ": " } })
      assert.same({ { "prompt", 1 } }, names_and_times(m))
      assert.equal("login: ", m:markers()[1].line)
      assert.equal(2, m:markers()[1].line_number)
    end)

    it("never matches the same bytes twice", function()
      local g = mb.grammar { { "prompt", "# ", partial = true } }
      local m = play(g, { { "com1", 1, "# " }, { "com1", 2, "ls" }, { "com1", 3, "\r\n# " }, { "com1", 4, "\n" } })
      assert.equal(2, m:markers()[1].count)
      -- The same text again, in place of the old: other bytes.
      m = play(g, { { "com1", 1, "# " }, { "com1", 2, "\r# x" }, { "com1", 3, "\n" } })
      assert.equal(2, m:markers()[1].count)
    end)

    it("examines an unfinished line only when it has changed", function()
      local examined = 0
      local g = mb.grammar {
        { "a", lpeg.Cmt(P(1) ^ 1, function() examined = examined + 1; return false end), partial = true },
      }
      local lines <close> = engine.lines.new()
      local m = g:matcher()
      lines:push("x", 1)
      for _ = 1, 3 do m:feed("com1", lines) end
      assert.equal(1, examined)
      lines:push("\r", 1)
      m:feed("com1", lines)
      assert.equal(1, examined)
      lines:push("yz", 1)
      m:feed("com1", lines)
      assert.equal(3, examined) -- once at each of two bytes
    end)

    it("sees the text that a terminal would show", function()
      local g = mb.grammar { { "a", "Loading kernel" }, { "b", "100%" } }
      local m = play(g, { { "com1", 1, "|\b/\b-\b\27[1mLoad" }, { "com1", 2, "ing\27[0m |\b/\bkernel\n50%\r100%\n" } })
      assert.same({ { "a", 1 }, { "b", 2 } }, names_and_times(m))
    end)

    it("takes a channel's rule from that channel alone", function()
      local g = mb.grammar { { "a", "x", channel = "com2" }, { "b", "x", optional = true, channel = "com3" } }
      local m = play(g, { { "com1", 1, "x\n" }, { "com2", 2, "x\n" } })
      assert.same({ { "a", 2 } }, names_and_times(m))
      assert.equal("com2", m:markers()[1].channel)
    end)

    it("keeps the markers of several consoles in the order of time, whatever was fed first", function()
      local g = mb.grammar { { "a", "a" }, { "b", "b" }, { "c", "c" }, { "d", "d", last = true } }
      local m = play(g, {
        { "com2", 50, "b\na\n" }, { "com2", 60, "d\n" }, { "com1", 10, "c\n" }, { "com1", 20, "a\nd\n" },
      })
      assert.same({ { "c", 10 }, { "a", 20 }, { "b", 50 }, { "d", 60 } }, names_and_times(m))
      assert.equal(2, m:markers()[2].count)
    end)

    it("orders markers of one instant by their place in the log", function()
      local g = mb.grammar { { "z", "1" }, { "y", "2" }, { "x", "2" } }
      assert.same({ { "y", 5 }, { "x", 5 }, { "z", 5 } }, names_and_times(play(g, { { "com1", 5, "2\n1\n" } })))
    end)

    it("works without times", function()
      local g = mb.grammar { { "a", "a" }, { "b", "b", last = true } }
      local m = play(g, { { "com1", nil, "b\na\nb\n" } })
      local first, second = table.unpack(m:markers())
      assert.same({ "a", "b" }, { first.name, second.name })
      assert.is_nil(first.t_ns)
      assert.equal(3, second.line_number)
    end)

    it("knows what is missing", function()
      local g = mb.grammar { { "a", "a" }, { "b", "b", optional = true }, { "c", "c" } }
      local m = play(g, { { "com1", 1, "x\n" } })
      assert.is_false(m:complete())
      assert.same({ "a", "c" }, m:missing())
      assert.same({ "a", "b", "c" }, m:unmatched())
      m = play(g, { { "com1", 1, "a\nc\n" } })
      assert.is_true(m:complete())
      assert.same({}, m:missing())
      assert.same({ "b" }, m:unmatched())
      assert.is_true(mb.grammar({ { "a", "a", optional = true } }):matcher():complete())
    end)

    it("tells of each new marker", function()
      local told = {}
      local function tell(marker) table.insert(told, marker.name .. marker.t_ns) end
      play(mb.grammar { { "a", "a" }, { "b", "b", last = true } }, {
        { "com1", 1, "a\na\nb\n" }, { "com1", 2, "b\n" },
      }, { on_marker = tell })
      assert.same({ "a1", "b1", "b2" }, told)
    end)

    it("finds the same in pieces and as a whole", function()
      local text = "one 1\ntwo 22\r\nx\rthree\nlogin: "
      local g = mb.grammar { { "a", "one" }, { "b", P "two " * Cg(number, "n") }, { "c", "three" },
        { "d", "login: ", partial = true } }
      local whole = play(g, { { "com1", 1, text } }):markers()
      for size = 1, 5 do
        local pieces = {}
        for i = 1, #text, size do pieces[#pieces + 1] = { "com1", 1, text:sub(i, i + size - 1) } end
        assert.same(whole, play(g, pieces):markers())
      end
    end)

    it("refuses a console that the boot does not have", function()
      local m = mb.grammar({ { "a", "a" } }):matcher { channels = { "com1" } }
      local lines <close> = engine.lines.new()
      assert.error_matches(function() m:feed("com7", lines) end, "'com7' is not one of its channels", nil, true)
    end)

    it("survives any bytes", function()
      math.randomseed(5)
      local g = mb.grammar { { "a", P "a" * Cg(P(1) ^ -3, "n"), partial = true }, { "b", "\255" }, fail = "zz" }
      local pieces = {}
      for i = 1, 300 do
        local bytes = {}
        for j = 1, math.random(1, 60) do bytes[j] = string.char(math.random(0, 255)) end
        pieces[i] = { "com" .. math.random(1, 2), i, table.concat(bytes) }
      end
      assert.is_true(#play(g, pieces):markers() >= 1)
    end)
  end)

  describe("failures", function()
    local g = mb.grammar { { "a", "a" }, fail = { "kernel panic", P "panic(" * number * ")" } }

    it("are found, with the earliest kept", function()
      assert.is_nil(play(g, { { "com1", 1, "don't panic\n" } }):failure())
      local m = play(g, { { "com2", 9, "panic(12)\n" }, { "com1", 3, "x\nkernel panic: y\nkernel panic: z\n" } })
      assert.same({ pattern = "kernel panic", line = "kernel panic: y", line_number = 2, t_ns = 3, channel = "com1" },
        m:failure())
      m = play(g, { { "com1", 3, "kernel panic: y\n" }, { "com2", 9, "panic(12)\n" } })
      assert.equal("kernel panic", m:failure().pattern)
      assert.equal("fail[2]", play(g, { { "com2", 9, "panic(12)\n" } }):failure().pattern)
    end)

    it("are seen before their line is complete, and grow with it", function()
      local m = play(g, { { "com1", 1, "kernel panic: out" } })
      assert.equal("kernel panic: out", m:failure().line)
      m = play(g, { { "com1", 1, "kernel panic: out" }, { "com1", 2, " of memory\nmore\n" } })
      assert.equal("kernel panic: out of memory", m:failure().line)
      assert.equal(1, m:failure().t_ns)
    end)

    it("may be a single pattern, or have a hint", function()
      local one = mb.grammar { { "a", "a" }, fail = P "panic" - "panicky" }
      assert.is_nil(play(one, { { "com1", 1, "panicky\n" } }):failure())
      assert.is_table(play(one, { { "com1", 1, "panic\n" } }):failure())
      local hinted = mb.grammar { { "a", "a" }, fail = { { P "panic" - "panicky", hint = "panic" } } }
      assert.is_table(play(hinted, { { "com1", 1, "panic\n" } }):failure())
    end)
  end)

  describe("hints", function()
    it("let the engine pass over other lines", function()
      local asked
      local lines = { next = function(_, only) asked = only end, partial = function() return "", 1 end }
      mb.grammar({ { "a", P "x" * 1, hint = "x" }, fail = "y" }):matcher():feed("com1", lines)
      assert.is_userdata(asked)
      mb.grammar({ { "a", P "x" * 1 } }):matcher():feed("com1", lines)
      assert.is_nil(asked)
      mb.grammar({ { "a", "x" }, fail = P "y" }):matcher():feed("com1", lines)
      assert.is_nil(asked)
    end)

    it("of another console's rules do not matter", function()
      local asked
      local lines = { next = function(_, only) asked = only end, partial = function() return "", 1 end }
      local m = mb.grammar({ { "a", "x", channel = "com1" }, { "b", P "y", channel = "com2" } }):matcher()
      m:feed("com1", lines)
      assert.is_userdata(asked)
      m:feed("com2", lines)
      assert.is_nil(asked)
    end)

    it("do without the engine when there are too many", function()
      local rules = {}
      for i = 1, 300 do rules[i] = { "r" .. i, ("%d "):format(i) .. ("x"):rep(100) } end
      assert.same({ { "r7", 1 } }, names_and_times(play(mb.grammar(rules), { { "com1", 1, rules[7][2] .. "\n" } })))
    end)

    it("are known to those who explain", function()
      local g = mb.grammar { { "a", "x" }, { "b", P "y", hint = { "y", "z" } }, { "c", P "y" } }
      assert.same({ "x" }, g:clues "a")
      assert.same({ "y", "z" }, g:clues "b")
      assert.is_nil(g:clues "c")
      assert.equal("x", g:literal "a")
      assert.is_nil(g:literal "b")
      assert.error_matches(function() g:clues "bb" end, "clues: the grammar has no rule 'bb'", nil, true)
    end)
  end)

  it("says which rule's pattern is too much for LPeg", function()
    local nested = P { "(" * lpeg.V(1) * ")" + "x" }
    local g = mb.grammar { { "deep", nested } }
    assert.error_matches(function() play(g, { { "com1", 1, ("("):rep(5000) .. "\n" } }) end,
      "the pattern of rule 'deep' cannot be tried on \"(((", nil, true)
  end)

  it("says which rule's pattern takes too long", function()
    if program.holds_signals() then return pending "no signal comes while LPeg is at work" end
    local g = mb.grammar { { "slow", P { "a" * lpeg.V(1) * "b" + "a" * lpeg.V(1) * "c" + "a" * P "!" } } }
    assert.error_matches(function() play(g, { { "com1", 1, ("a"):rep(60) .. "\n" } }) end,
      "the pattern of rule 'slow' cannot be tried on \"aaa", nil, true)
  end)

  describe("requiring", function()
    it("makes optional rules required in a copy", function()
      local g = mb.grammar { { "a", "a" }, { "b", "b", optional = true }, { "c", "c", optional = true }, fail = "f" }
      local further = g:requiring { "b" }
      assert.is_true(grammar.is(further))
      assert.same({ "a", "b" }, further:matcher():missing())
      assert.same({ "a" }, g:matcher():missing())
      assert.is_true(g.rules[2].optional)
      assert.equal(g:hash(), further:hash())
      assert.is_table(play(further, { { "com1", 1, "f\n" } }):failure())
      assert.error_matches(function() g:requiring { "bb" } end, "requiring: the grammar has no rule 'bb'", nil, true)
    end)
  end)

  describe("up_to", function()
    it("requires one rule and none below it, in a copy", function()
      local g = mb.grammar { { "a", "a" }, { "b", "b", optional = true }, { "c", "c" }, { "d", "d" } }
      local shorter = g:up_to "b"
      assert.same({ "a", "b" }, shorter:matcher():missing())
      assert.same({ "a", "c", "d" }, g:matcher():missing())
      assert.same({ "a", "c" }, g:up_to("c"):matcher():missing())
      assert.error_matches(function() g:up_to "e" end, "up_to: the grammar has no rule 'e'", nil, true)
    end)
  end)

  describe("load", function()
    local folder

    before_each(function() folder = assert(uv.fs_mkdtemp "/tmp/moonboot-spec-XXXXXX") end)
    after_each(function() os.execute("rm -rf '" .. folder .. "'") end)

    local function write(content)
      local path = folder .. "/g.lua"
      local file = assert(io.open(path, "w"))
      file:write(content)
      file:close()
      return path
    end

    it("takes a path and hashes the script", function()
      local source = 'return require "moonboot".grammar { { "a", "x" } }\n'
      local path = write(source)
      local g = assert(grammar.load(path))
      assert.same({ "a" }, g:names())
      assert.equal(require("moonboot.digest").text(source), g:hash())
    end)

    it("takes the name of a ready-made one, which required has the same hash", function()
      local g = assert(grammar.load "minix")
      assert.equal(64, #g:hash())
      assert.equal(g:hash(), require("grammars.minix"):hash())
      assert.equal(g:hash(), require("grammars.minix"):requiring({ "banner" }):hash())
    end)

    it("says where a script is wrong", function()
      local function message_of(content)
        local path = write(content)
        local g, message = grammar.load(path)
        assert.is_nil(g)
        return (message:gsub(folder:gsub("%p", "%%%0"), "DIR"))
      end
      local head = "local mb = require 'moonboot'\n"
      assert.matches("^DIR/g%.lua:3: ", message_of(head .. "return mb.grammar {{\n"))
      assert.matches("^DIR/g%.lua:2: mine", message_of(head .. "error 'mine'"))
      assert.equal("DIR/g.lua:4: unknown key 'lst' in rule 'b' (did you mean 'last'?)",
        message_of(head .. "return mb.grammar {\n { 'a', 'x' },\n { 'b', 'x',  lst = true },\n}"))
      assert.equal("DIR/g.lua:4: rule 'a' is there twice (rules 1 and 2)",
        message_of(head .. "return mb.grammar {\n { 'a', 'x' },\n { 'a', 'x' },\n}"))
      assert.equal("DIR/g.lua:3: the pattern of rule 'a' is empty and would match any line",
        message_of(head .. "return mb.grammar {\n { 'a', '' },\n}"))
      assert.matches("^DIR/g%.lua.*mb%.grammar", message_of "return { }")
      assert.matches("^DIR/g%.lua.*mb%.grammar", message_of "")
    end)

    it("says that there is none", function()
      local g, message = grammar.load(folder .. "/none.lua")
      assert.is_nil(g)
      assert.matches("none.lua: No such file", message, nil, true)
      g, message = grammar.load "minx"
      assert.is_nil(g)
      assert.matches("did you mean 'minix'?", message, nil, true)
    end)
  end)
end)

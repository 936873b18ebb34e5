local bounded = require "moonboot.bounded"
local lpeg = require "lpeg"
local program = require "tests.system.support.program"

local C, Cmt, P, V = lpeg.C, lpeg.Cmt, lpeg.P, lpeg.V

-- Tries each "a" twice, the rest of the line behind it both times.
local function exponential(a)
  local pattern = P { a * V(1) * "b" + a * V(1) * "c" + a }
  bounded.compile(pattern)
  return pattern
end

local LINE = ("a"):rep(60)

describe("a bounded match", function()
  it("gives what lpeg.match gives", function()
    assert.same({ true, 3 }, { bounded.match(P "aa", "aaa") })
    assert.same({ true, 4 }, { bounded.match(P "aa", "xaaa", 2) })
    assert.same({ true, "a", "b" }, { bounded.match(C "a" * C "b", "ab") })
    local matched, position = bounded.match(P "b", "a")
    assert.is_true(matched)
    assert.is_nil(position)
  end)

  it("gives the errors of LPeg, and those of functions in a pattern, as they are", function()
    local matched, message = bounded.match(P { "(" * V(1) * ")" + "x" }, ("("):rep(5000))
    assert.is_false(matched)
    assert.matches("backtrack stack overflow", message)
    local mine = {}
    local thrown
    matched, thrown = bounded.match(Cmt(1, function() error(mine) end), "x")
    assert.is_false(matched)
    assert.equal(mine, thrown)
  end)

  it("compiles, or says why not", function()
    assert.is_true(bounded.compile(P "a" ^ 0))
    assert.is_false(bounded.compile(P "a"))
    assert.error_matches(function() bounded.compile(V "none") end, "rule 'none'")
  end)

  it("of exponential time ends, wherever it is made, and leaves LPeg and Lua as they were", function()
    if program.holds_signals() then return pending "no signal comes while LPeg is at work" end
    local plain, calls = exponential(P "a"), 0
    local calling = exponential(C "" * Cmt("a", function()
      calls = calls + 1
      return true
    end))
    local function ends(pattern)
      local matched, message = bounded.match(pattern, LINE)
      assert.is_nil(matched)
      assert.equal("it takes more than 1 s", message)
    end
    ends(calling)
    assert.is_true(calls > 1000)
    coroutine.wrap(ends)(plain)
    -- Of one inside another both have lasted too long.
    ends(Cmt(1, function() return bounded.match(plain, LINE) end))
    collectgarbage()
    assert.same({ true, 2 }, { bounded.match(plain, "a") })
  end)

  it("says in words what it cannot be tried on", function()
    assert.equal('cannot be tried on "a\\x00": why', bounded.untried("a\0", "why"))
    assert.equal(('cannot be tried on "%s...": why'):format(("a"):rep(60)), bounded.untried(("a"):rep(61), "why"))
  end)
end)

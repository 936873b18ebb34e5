local files = require "moonboot.files"
local lpeg = require "lpeg"
local pair = require "tests.stdlib.support.pair"
local program = require "tests.system.support.program"
local console = require "moonboot.console"
local task = require "moonboot.task"
local transcript = require "moonboot.transcript"

local C, P, R = lpeg.C, lpeg.P, lpeg.R

describe("expect", function()
  local line, guest

  before_each(function() line, guest = pair.open() end)
  after_each(function() guest:close() end)

  local function misses(pattern)
    local match, message = line:expect(pattern, { timeout = 0.02 })
    assert.is_nil(match)
    return message
  end

  describe("a pattern", function()
    it("is found in complete lines and in the unfinished one", function()
      guest:says "booting\r\nlogin: "
      assert.equal("booting", assert(line:expect "boot").line)
      local match = assert(line:expect "login: ")
      assert.equal("login: ", match.text)
      assert.equal("ing\n", match.before)
      assert.is_true(math.type(match.t_ns) == "integer")
    end)

    it("is found across the borders of chunks, wherever they are", function()
      local text = "x\27[1mlo\bogin\27[0m: "
      for cut = 1, #text - 1 do
        guest:says(text:sub(1, cut), text:sub(cut + 1))
        assert.equal("xlogin: ", assert(line:expect "xlogin: ").text)
        guest:says "\r\n"
      end
    end)

    it("sees what a terminal shows: backspaces, carriage returns, escapes", function()
      guest:says "Option 1 in 10 seconds. \b\b\b\b\b\b\b\b\b\b\b\b9 seconds. \27[K\r\n"
      assert.equal("Option 1 in 9 seconds. ", assert(line:expect("Option 1 in 9 seconds. ")).line)
      guest:says "progress 10 %\rprogress 99 %"
      assert(line:expect "progress 99 %")
      guest:says "\r\n|\b/\b-\b\\\b|\b/\bLoading"
      assert(line:expect(-lpeg.B(1) * P "Loading"))
    end)

    it("has the time of its first byte, overwritten text not counting", function()
      guest:says "aaaa"
      local before_ns = line:stats().last_ns
      guest:says "\rbb"
      local overwritten = assert(line:expect "bb")
      assert.is_true(overwritten.t_ns > before_ns)
      guest:says("\r\n", "one ", "two")
      local first, second = assert(line:expect "one"), assert(line:expect "two")
      assert.is_true(second.t_ns > first.t_ns)
    end)

    it("may capture", function()
      guest:says "Disk [3]: 2048 MB\r\n"
      assert.same({ "3", "2048" }, assert(line:expect("[" * C(R "09" ^ 1) * "]: " * C(R "09" ^ 1))).captures)
    end)

    it("that matches nothing in particular matches nothing", function()
      guest:says "abc"
      misses(P "z" ^ 0)
      misses(P(true))
      misses(-P(1))
      assert.equal("b", assert(line:expect(P "b" ^ 0)).text)
    end)

    it("that is none is the caller's fault", function()
      local function blames(message, fn)
        assert.matches("expect_spec.lua:%d+: " .. message, (select(2, pcall(fn))))
      end
      blames("an empty pattern matches anything", function() line:expect "" end)
      blames("a pattern must be a string or an LPeg", function() line:expect(42) end)
      blames("expect has no option 'timout' %(did you mean 'timeout'%?%)", function()
        line:expect("a", { timout = 1 })
      end)
      blames("unknown key 'optinal' in branch 1 %(did you mean 'optional'%?%)", function()
        line:expect { { "a", "b", optinal = true } }
      end)
      blames("branch 1 must be a pattern or a table {pattern, reply}", function() line:expect { { done = true } } end)
      blames("branch 1: a reply must be", function() line:expect { { "a", 42 } } end)
      blames("a dialogue needs at least one branch", function() line:expect { fail = "x" } end)
      blames("a pattern must be", function() line:expect("a", { fail = { 42 } }) end)
    end)
  end)

  describe("what is consumed", function()
    it("is not matched again, nor is what came before it", function()
      guest:says "one\r\ntwo\r\nthree"
      assert(line:expect "two")
      misses "one"
      misses "two"
      assert(line:expect "thr")
      misses "three"
      assert(line:expect "ee")
      guest:says " four\r\n"
      misses "three"
      assert.equal(" four", assert(line:expect " four").text)
    end)

    it("stays consumed when its line is complete", function()
      guest:says "# "
      assert(line:expect "# ")
      guest:says "ls\r\n"
      misses "# "
      assert(line:expect "ls")
    end)

    it("stays consumed where it stands behind what overwrote the rest", function()
      guest:says "xxxx# "
      assert(line:expect "# ")
      guest:says "\ryyyy"
      misses "# "
      guest:says "\r\n"
      misses "# "
      assert(line:expect "yyyy")
    end)

    it("can come anew", function()
      guest:says "# "
      assert(line:expect "# ")
      guest:says "\r\n# "
      assert(line:expect "# ")
      guest:says "\r\27[K# "
      assert(line:expect "# ")
      misses "# "
    end)

    it("is not needed to remember what is not", function()
      guest:says "first\r\n"
      guest:says(("noise\r\n"):rep(4000))
      assert(line:expect "first")
      local match = assert(line:expect "noise")
      assert.equal("", match.before)
    end)
  end)

  describe("a dialogue", function()
    it("answers in any order, optional and repeated branches", function()
      guest:says "B? "
      guest:later(0.02, "\r\nagain? ")
      guest:later(0.04, "\r\nagain? ")
      guest:later(0.06, "\r\nA? ")
      local seen = {}
      assert.is_true(line:expect {
        { "A? ", "a\r" },
        { "B? ", "b\r" },
        { "C? ", "c\r", optional = true },
        { "again? ", function(_, match) table.insert(seen, match.index) end, optional = true, repeats = true },
      })
      assert.same({ 4, 4 }, seen)
      assert.equal("b\ra\r", guest:hears(4))
    end)

    it("ends with a branch that has no reply, or is done", function()
      guest:says "q? "
      guest:later(0.02, "\r\nthe end\r\n")
      assert.equal("the end", assert(line:expect { { "q? ", "y\r", optional = true }, "the end" }).text)
      guest:says "q? "
      assert.equal(1, assert(line:expect { { "q? ", "y\r", done = true }, { "never", "" } }).index)
    end)

    it("takes the leftmost match, and of two at one place the first branch", function()
      guest:says "hello world\r\n"
      assert.equal(2, assert(line:expect { "world", "hello" }).index)
      guest:says "again\r\n"
      assert.equal(1, assert(line:expect { P "aga", "again" }).index)
    end)

    it("gives up when a prompt comes more often than it may", function()
      guest:says "Keyboard? "
      guest:later(0.02, "\r\n ! invalid keyboard\r\nKeyboard? ")
      guest:later(0.04, "\r\n ! invalid keyboard\r\nKeyboard? ")
      local match, message = line:expect { { "Keyboard? ", "x\r", repeats = 2, label = "choose the keyboard" }, "done" }
      assert.is_nil(match)
      assert.matches('^com1: choose the keyboard: the guest asks again, though it was answered 2 times: "Keyboard%? "',
        message)
      assert.matches("| +! invalid keyboard", message)
    end)

    it("gives up when a reply says so", function()
      guest:says "q? "
      local match, message = line:expect { { "q? ", function() return nil, "no answer to that" end }, "done" }
      assert.same({ nil, "no answer to that" }, { match, message })
    end)

    it("stops at a question that nobody expects, and names it", function()
      guest:says "login: "
      guest:later(0.02, "\r\nIn which time zone do you live? ")
      local match, message = line:expect { { "login: ", "root\r" }, "# ", quiet = 0.1, timeout = 60 }
      assert.is_nil(match)
      assert.matches('the guest waits at something that is not expected: "In which time zone do you live%? "', message)
    end)

    it("does not take a message without a question for one", function()
      guest:says "Creating device nodes..."
      local _, message = line:expect("done", { quiet = 0.05, timeout = 0.2 })
      assert.matches("did not come within 0.2 s", message)
    end)
  end)

  describe("a prompt", function()
    it("is recognised with a log line in its middle", function()
      guest:says("Keyboard ty", "\r\nkernel: eth0: link up\r\n", "pe? [us-std] ")
      local match = assert(line:expect("Keyboard type? [us-std] ", { timeout = 20 }))
      assert.equal("Keyboard type? [us-std] ", match.text)
      misses "pe? "
      guest:says "\r\nlo[   1.234567] usb 1-1: new device\r\ngin: "
      assert(line:expect("login: ", { timeout = 20 }))
      guest:says "\r\nHow big (0-\r\nkernel: eth0: link up\r\n1806) ? [361] "
      assert(line:expect("How big (0-" * R "09" ^ 1 * ") ? [" * R "09" ^ 1 * "] ", { timeout = 20 }))
    end)

    it("is found when a log line followed it", function()
      guest:says "login: \r\nkernel: eth0: link up\r\n"
      assert(line:expect "login: ")
    end)

    it("that was overwritten is asked for again by a nudge", function()
      guest:says "\r\nlog line over the prompt"
      guest:echoes(function(byte) return byte == "\r" and "\r\nlogin: " or byte end)
      assert(line:expect("login: ", { nudge = 0.05, timeout = 20 }))
    end)
  end)

  describe("a failure", function()
    it("ends a wait at once when the guest says its pattern, before or after", function()
      guest:says "kernel panic: no root\r\n"
      local match, message = line:expect("login: ", { fail = "panic:", timeout = 100, label = "the login prompt" })
      assert.is_nil(match)
      assert.equal('com1: the login prompt: the guest said "panic:"\n  | kernel panic: no root', message)
    end)

    it("counts only while its guard is there, and not what was said before", function()
      guest:says "panic: an old one\r\n"
      local match, message = line:guard("panic:", function()
        guest:later(0.02, "panic: a new one\r\n")
        return line:expect("login: ", { timeout = 100 })
      end)
      assert.is_nil(match)
      assert.matches('the guest said "panic:"', message)
      guest:says "panic: another\r\nlogin: "
      assert(line:expect "login: ")
    end)

    it("leaves a guard by an error, too", function()
      assert.error_matches(function() line:guard("x", function() error("oh", 0) end) end, "^oh$")
      assert.same({}, line.watch.failures)
    end)

    it("on another console of the guest counts as well", function()
      local watch = console.watch { "panic:" }
      local _, one = pair.open { name = "com1", watch = watch }
      local second, other = pair.open { name = "com2", watch = watch }
      one:later(0.02, "panic: in the kernel\r\n")
      local match, message = second:expect("login: ", { timeout = 100 })
      assert.is_nil(match)
      assert.matches('^com2: "login: ": the guest said "panic:" on com1: "panic: in the kernel"', message)
      -- Once is enough: who goes on after it may.
      other:says "login: "
      assert(second:expect "login: ")
      one:close()
      other:close()
    end)

    it("says what was waited for, how long, what came nearest, and what the user would see", function()
      line.step = "log in"
      for i = 1, 30 do guest:says(("line %d\r\n"):format(i)) end
      guest:says "logim: "
      local _, message = line:expect("login: ", { timeout = 0.05, label = "the prompt" })
      local lines = {}
      for text in message:gmatch "[^\n]+" do table.insert(lines, text) end
      assert.equal("com1: step 'log in': the prompt: did not come within 0.05 s", lines[1])
      assert.equal('  nearest: "logi" of "login: " in "logim: "', lines[2])
      assert.equal("  | line 11", lines[3])
      assert.equal("  | line 30", lines[22])
      assert.equal("  | logim: ", lines[23])
    end)

    it("shows no byte that a terminal would obey", function()
      guest:says "\xff\xfe\1evil\r\n"
      local _, message = line:expect("x", { timeout = 0.02 })
      assert.is_nil(message:find "[^\n\32-\126]")
    end)

    it("names the pattern that takes too long, here or on another console", function()
      if program.holds_signals() then return pending "no signal comes while LPeg is at work" end
      local slow = P { "a" * lpeg.V(1) * "b" + "a" * lpeg.V(1) * "c" + "a" * P "!" }
      guest:says(("a"):rep(50), "\r\n")
      local match, message = line:expect { { "login: ", "" }, { slow, "", label = "the letters" } }
      assert.is_nil(match)
      assert.matches('^com1: one of "login: ", the letters: the letters cannot be tried on "aaa.-a": it takes ',
        message)
      -- The line is there for others.
      assert(line:expect("a"))

      local watch = console.watch { slow }
      local _, one = pair.open { name = "com1", watch = watch }
      local second, other = pair.open { name = "com2", watch = watch }
      one:says(("a"):rep(50))
      match, message = second:expect("login: ", { timeout = 100 })
      assert.is_nil(match)
      assert.matches('^com2: "login: ": an LPeg pattern cannot be tried on "aaa.-, looked for on com1\n', message)
      one:close()
      other:close()
    end)

    it("comes at once when the guest is gone", function()
      guest:says "last words\r\n"
      line:end_with "the guest ended"
      assert(line:expect "last words")
      local _, message = line:expect("more", { timeout = 100 })
      assert.matches('^com1: "more": the guest ended before it came', message)
    end)
  end)

  describe("sending", function()
    it("sends lines as a keyboard does", function()
      assert(line:sendline "root")
      assert.equal("root\r", guest:hears(5))
      assert(line:sendline())
      assert.equal("\r", guest:hears(1))
    end)

    it("waits for each echo if it is to", function()
      guest:echoes()
      assert(line:sendline("a long word", { echo = true, timeout = 20 }))
      assert.equal("a long word", line:last_lines(1)[1])
    end)

    it("says how much the guest did not take", function()
      local sent, message = line:send(("x"):rep(1024 * 1024), { timeout = 0.05 })
      assert.is_nil(sent)
      assert.matches("^com1: the guest did not take %d+ of 1048576 bytes$", message)
    end)

    it("says which echo did not come", function()
      guest:echoes(function(byte) return byte == "c" and "?" or byte end)
      local sent, message = line:sendline("abcd", { echo = true, timeout = 0.2 })
      assert.is_nil(sent)
      assert.matches('^com1: the echo of byte 3 of "abcd\\r": did not come within 0.2 s', message)
    end)
  end)

  describe("run", function()
    -- A shell: prints `output` for each command line, in the way that `show` echoes it.
    local function shell(output, show)
      local typed = ""
      return guest:echoes(function(byte)
        if byte ~= "\r" then
          typed = typed .. byte
          return show and show(byte, #typed) or byte
        end
        local word = typed:match '^echo (%w+)""s;'
        local status = typed:match "exit (%d+)" or "0"
        typed = ""
        return ("\r\n%ss\r\n%s%s%se\r\n# "):format(word, output, word, status)
      end)
    end

    it("returns output and status", function()
      shell "one\r\n\r\nthree\r\n"
      local output, status = line:run("cat file", { timeout = 20 })
      assert.equal("one\n\nthree\n", output)
      assert.equal(0, status)
      output, status = line:run("sh -c 'exit 42'", { timeout = 20 })
      assert.same({ "one\n\nthree\n", 42 }, { output, status })
    end)

    it("returns output that does not end its line, and none", function()
      shell "unfinished"
      assert.equal("unfinished", (line:run("printf unfinished", { timeout = 20 })))
      guest:close()
      line, guest = pair.open()
      shell ""
      assert.equal("", (line:run("true", { timeout = 20 })))
    end)

    it("is not deceived by echoes that wrap or are redrawn at the right edge", function()
      local echoes = {
        function(byte, column) return column % 20 == 0 and byte .. " \b" or byte end,
        function(byte, column) return column % 20 == 0 and byte .. " \r" or byte end,
        function(byte, column) return column % 20 == 0 and byte .. "\r\n" or byte end,
        function(byte) return byte .. "\27[K" end,
      }
      for _, show in ipairs(echoes) do
        guest:close()
        line, guest = pair.open()
        shell("output\r\n", show)
        local output, status = line:run("a command that is long enough to reach the right edge twice", { timeout = 20 })
        assert.same({ "output\n", 0 }, { output, status })
      end
    end)

    it("takes one line", function()
      local _, message = pcall(function() line:run "a\nb" end)
      assert.matches("expect_spec.lua:%d+: a command is one line of text", message)
    end)
  end)

  it("keeps a transcript: steps, what was sent, what was found, what failed", function()
    local path = pair.path "transcript"
    line.transcript = assert(transcript.open(path))
    line.transcript:step "log in"
    guest:says "login: "
    assert(line:expect "login: ")
    assert(line:sendline "root")
    misses "# "
    line.transcript:close()
    local content = files.read(path)
    assert.matches("step +log in\n", content)
    assert.matches('com1 +> login: +%("login: "%)\n', content)
    assert.matches("com1 +< root\\r\n", content)
    assert.matches('com1 +! com1: "# ": did not come within', content)
    files.remove(path:match "^(.*)/")
  end)

  it("lets other tasks run while it waits", function()
    local order = {}
    local waiting = task.spawn(function()
      assert(line:expect("late", { timeout = 20 }))
      table.insert(order, "found")
    end)
    task.spawn(function()
      table.insert(order, "other")
      guest:says "late"
    end):join()
    waiting:join()
    assert.same({ "other", "found" }, order)
  end)
end)

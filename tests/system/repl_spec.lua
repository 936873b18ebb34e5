-- The prompt, as a person has it: on a terminal, and with its input from a pipe.
local files = require "moonboot.files"
local program = require "tests.system.support.program"
local task = require "moonboot.task"
local uv = require "luv"

local root = debug.getinfo(1, "S").source:match("^@(.*)tests/system/") or "./"
local pty = dofile(root .. "tests/system/support/pty.lua")
local KERNEL = uv.fs_realpath(root .. "build/guest/demo.elf")
local BOOT = ('vm = boot{ arch = "i386", accel = "tcg", kernel = "%s" }'):format(KERNEL)

describe("moonboot repl", function()
  local dir, state_before

  before_each(function()
    dir = assert(files.make_temp_dir "/tmp/moonboot-spec-")
    state_before = os.getenv "XDG_STATE_HOME"
    uv.os_setenv("XDG_STATE_HOME", dir)
  end)

  after_each(function()
    if state_before then uv.os_setenv("XDG_STATE_HOME", state_before) else uv.os_unsetenv "XDG_STATE_HOME" end
    files.remove(dir)
  end)

  -- What a session says to lines of input. -> standard output, standard error, exit status
  local function session(lines, ...)
    local input, out, err = uv.new_pipe(false), uv.new_pipe(false), uv.new_pipe(false)
    local said, code, open = { [out] = "", [err] = "" }, nil, 2
    local news = task.event()
    local process = assert(uv.spawn(program.path, { args = { "repl", ... }, stdio = { input, out, err } },
      function(status)
        code = status
        news:pulse()
      end))
    for _, stream in ipairs { out, err } do
      stream:read_start(function(_, bytes)
        if bytes then said[stream] = said[stream] .. bytes else open = open - 1 end
        news:pulse()
      end)
    end
    input:write(table.concat(lines, "\n") .. "\n")
    input:shutdown()
    while not (code and open == 0) do assert(news:wait(120)) end
    for _, handle in ipairs { input, out, err, process } do handle:close() end
    task.settle()
    return said[out], said[err], code
  end

  describe("from a pipe", function()
    it("shows what expressions give and nothing else", function()
      local out, err, code = session {
        "1 + 1", "x = 5", "=x", "x, nil, 'a\\27b'", "nil", "", "local y = { 1 }", "y", "_",
      }
      assert.equal('2\n5\n5  nil  "a\\eb"\nnil\n{ 1 }\n{ 1 }\n', out)
      assert.equal("", err)
      assert.equal(0, code)
    end)

    it("takes a signal that comes at the end of a statement for one to it", function()
      local out, err, code = session { "uv = require 'luv'", "uv.kill(uv.os_getpid(), 'sigint')", "1",
        "uv.kill(uv.os_getpid(), 'sigterm')", "2" }
      assert.equal("1\n", out)
      assert.equal("interrupted\ninterrupted\n", err)
      assert.equal(2, code)
    end)

    it("takes chunks of several lines", function()
      local out = session { "function f(", "a,", "b) return a * b end", "f(", "6, 7)" }
      assert.equal("42\n", out)
    end)

    it("says errors in one line with their number, and ends with status 2", function()
      local out, err, code = session { "x = 1", "error 'one\\ntwo'", "f = )", ":trace", "x" }
      assert.equal("stdin:2: one (:trace shows more)\nstdin:3: unexpected symbol near ')'\n", err)
      assert.matches("^stdin:2: one\ntwo\nstack traceback:\n.*stdin:2: in main chunk\n1\n$", out)
      assert.equal(2, code)
    end)

    it("suggests the right name", function()
      local _, err = session { "prnt(1)", "=mb.stat", "mb.stats.medain{}", "string.fromat()", "local q = {}", "q.b.c()",
        ":hlep", ":doc mb.stats.medain" }
      assert.equal(table.concat({
        "stdin:1: there is no variable 'prnt' (did you mean 'print'?)",
        "stdin:2: moonboot has no 'stat' (did you mean 'stats'?)",
        "stdin:3: moonboot.stats has no 'medain' (did you mean 'median'?)",
        "stdin:4: attempt to call a nil value (field 'fromat') (did you mean 'format'?)",
        "stdin:6: attempt to index a nil value (field 'b')",
        "there is no ':hlep' (did you mean 'help'?); :help lists what there is",
        "there is no 'mb.stats.medain' (did you mean 'median'?)",
      }, "\n") .. "\n", err)
    end)

    it("says what its functions need", function()
      local out, err, code = session {
        "boot()", 'boot{ kernal = "x" }', 'boot{ arch = "i386", accel = "tcg", kernel = "/none" }', "markers {}",
        "capture()", 'capture "/none"', "plot(1)", "run()", 'run("demo", 5)', 'run("demo", { samples = 0 })',
        "load_run()", 'load_run "/none"', "watch()", 'watch "none"', "sleep()", ":doc", "x = 1", ":doc x",
        'capture "' .. KERNEL .. '"', "markers()", "markers(5)", BOOT, "vm:attach()", "vm:close()",
      }
      assert.equal(table.concat({
        'boot takes a table that describes the machine, as in boot{ kernel = "vmlinuz" }',
        "unknown key 'kernal' in machine (did you mean 'kernel'?)",
        "QEMU exited with status 1: qemu: could not open kernel file '/none': No such file or directory",
        'there is no capture yet: boot a guest, or name logs with capture "boot.log"',
        'capture takes the path of a log, as in capture "boot.log"',
        "/none: No such file or directory",
        'plot takes results, as in plot(load_run "DIR")',
        'run takes an experiment: the path of a script, or a name as in run "demo"',
        'run takes its options in a table, as in run("demo", { samples = 3 })',
        "--samples must be at least 1, not 0",
        'load_run takes the path of a run directory, as in load_run "DIR"',
        "/none is no run directory: it has no readable journal.jsonl",
        'watch takes the path of a grammar script, as in watch "rules.lua"',
        "no grammar 'none'; 'moonboot list' shows the ready-made ones",
        "sleep takes a number of seconds, not nothing",
        "name what to look up, as in :doc vm:expect or :doc mb.stats",
        "x is a number without documentation",
        "markers needs a grammar: a table of rules, or the name of a grammar script",
        "markers needs a grammar, a table of rules, or the name of a grammar script, not a number",
      }, "\n") .. "\n", err)
      assert.equal("nil, attach needs a terminal: standard input and output must be one\n", out)
      assert.equal(2, code)
    end)

    it("ends when it is told to while it waits for a line", function()
      local piped = [[cd "$0" && mkfifo lines && exec 3<>lines && exec "$@" <&3]]
      local started <close> = program.start("sh", "-c", piped, dir, "moonboot", "repl")
      local lines = program.await(function() return io.open(dir .. "/lines", "r+") end)
      lines:write(('io.open(%q, "w"):close()\n'):format(dir .. "/began"))
      lines:flush()
      program.await(function() return uv.fs_stat(dir .. "/began") end, "the first line")
      started:signal "SIGTERM"
      assert.same({ 130, "true\n", "" }, { started:wait() })
      lines:close()
    end)

    it("goes on without a place for its history", function()
      uv.os_setenv("XDG_STATE_HOME", "/dev/null")
      local out, err, code = session { "1 + 1" }
      assert.same({ "2\n", "", 0 }, { out, err, code })
    end)

    it("cannot be a folder, nor begin with a script that is not there", function()
      local code, out, err = program.execute("sh", "-c", program.path .. " repl < /")
      assert.same({ 2, "" }, { code, out })
      assert.equal("moonboot: cannot read standard input: EISDIR: illegal operation on a directory\n", err)
      code, out, err = program.execute("sh", "-c", program.path .. " repl /none.lua < /dev/null")
      assert.same({ 2, "" }, { code, out })
      assert.equal("cannot read script: /none.lua: No such file or directory\n", err)
    end)

    it("documents functions and modules from their sources", function()
      local out, err = session { ":doc boot", ":doc mb.stats.median", ":doc mb.text", ":doc string.format", ":help" }
      assert.matches("^boot%(description%)\n  Boots a machine and lets it run", out)
      assert.matches("\nmb%.stats%.median%(xs, %[level%]%)\n  Median with its exact order%-statistic interval", out)
      assert.matches("\nmoonboot%.text\n.-\n  text%.escape%(bytes, keep%) +Makes any bytes safe to print", out)
      assert.matches("\n  :trace +All of the last error", out)
      assert.matches("^string%.format is a function in C without documentation here", err)
    end)

    it("runs a script first", function()
      local path = dir .. "/first.lua"
      assert(files.write(path, "greeting = 'hello'\nreturn 7\n"))
      assert.equal('7\n"hello"\n', (session({ "_", "greeting" }, path)))
      local _, err, code = session({}, dir .. "/none.lua")
      assert.matches("cannot read script: ", err)
      assert.equal(2, code)
    end)

    it("boots, talks to and marks a guest", function()
      local out, err, code = session {
        BOOT, 'vm:expect("login: ").text', "vm", "vm:tail(2)", "vm.consol", "vm:expct()",
        'markers{ { "cpus", "demo: CPUs: " }, { "nothing", "demo: driverz" } }',
        'vm:markers "demo"', 'vm:expect("never", { timeout = 0.1 })',
      }
      assert.matches('^"login: "\nvm %(i386, 1 vCPU, running%)\n', out)
      assert.matches("\n +%d+%.%d%d%d  demo: services: .-\n +%d+%.%d%d%d  login: \n", out)
      assert.matches("never matched: nothing\n\nnothing looks for \"demo: driverz\"\n  nearest: com1 line %d+ at", out)
      assert.matches("com1 +login_prompt +login: \n", out)
      assert.matches('nil, com1: "never": did not come within 0.1 s\n', out)
      assert.equal("stdin:5: a guest has no 'consol' (did you mean 'consoles'?)\n"
        .. "stdin:6: a guest has no 'expct' (did you mean 'expect'?)\n", err)
      assert.equal(2, code)
    end)

    it("reads and draws a run", function()
      local path = dir .. "/run"
      local out, err, code = session {
        ('results = run("demo", { samples = 2, set = { cpus = 1 }, quiet = true, output = "%s" })'):format(path),
        ('plot(load_run "%s")'):format(path), "results", "results.cpu_1.statistics.n",
        'run("demo", { sampels = 2 })', 'run "dmo"',
      }
      assert.matches("\nmedian boot time, kernel_entry %-> login_prompt\n  1 CPU  █[^%d]+ %d+%.%d+ ms %(n 2%)\n", out)
      assert.matches("\n  1 CPU  ▁█  %d", (out:gsub("█▁", "▁█")))
      assert.matches("\nphases of 1 CPU, medians\n  kernel_entry %-> memory +█", out)
      assert.matches("\nresults of demo: kernel_entry %-> login_prompt, complete\n", out)
      assert.matches("\n  cpu_1: median %d[%d.]+ ms, n 2\n2\n$", out)
      assert.matches("has an option 'sampels' %(did you mean 'samples'%?%)", err)
      assert.matches("no experiment 'dmo' %(did you mean 'demo'%?%)", err)
      assert.equal(2, code)
    end)
  end)

  describe("on a terminal", function()
    local function open(...)
      return pty.open(table.concat({ program.path, "repl", ... }, " "), { XDG_STATE_HOME = dir })
    end

    -- At the first prompt, a guest that boots; at the next one then.
    local function boot(t)
      t:expect "> "
      t:type(BOOT .. "\r")
      t:expect "\n"
      t:expect "> "
    end

    -- At a prompt.
    local function leave(t)
      t:type "\x04"
      assert.equal(0, t:wait())
    end

    it("edits, completes, hints and remembers", function()
      do
        local t <close> = open()
        t:expect "Ctrl-D leaves"
        t:expect "> "
        t:type "vaule = 6 * 7\r"
        t:expect "> "
        t:type "va\t\r" -- the only name that begins so
        t:expect "42"
        t:expect "> "
        t:type "mb.stats.med\t"
        t:expect "median(xs, [level])   Median with its exact order-statistic interval."
        t:expect "> mb.stats.median"
        t:type "{ 1, 2, 3 }\r"
        t:expect "2  nil"
        t:expect "> "
        t:type "string.f\t"
        t:expect "find(…)"
        t:type "\x15"
        t:type "if true then\r"
        t:expect ">> "
        t:type "  print 'two lines'\rend\r"
        t:expect "two lines\r\n"
        t:expect "> "
        leave(t)
      end
      local again <close> = open()
      again:expect "> "
      again:type "\x1b[A"
      again:expect "end"
      again:type "\r"
      again:expect "two lines\r\n"
      again:expect "> "
      leave(again)
    end)

    it("interrupts what runs, not the session", function()
      local t <close> = open()
      t:expect "> "
      t:type "half a li\x03"
      t:expect "^C"
      t:expect "> "
      t:type "print 'waits'; sleep(1000)\r"
      t:expect "waits\r\n"
      t:type "\x03"
      t:expect "interrupted"
      t:expect "> "
      if not program.holds_signals() then
        t:type "print 'computes'; while true do end\r"
        t:expect "computes\r\n"
        t:type "\x03"
        t:expect "interrupted"
        t:expect "> "
      end
      t:type "'still ' .. 'here'\r"
      t:expect '"still here"'
      t:expect "> "
      leave(t)
    end)

    it("lets a guest boot while nobody asks, connects to it, and stops it at the end", function()
      local t <close> = open()
      boot(t)
      t:type "vm:attach()\r"
      t:expect "com1: Ctrl-] leaves"
      t:expect "login: "
      t:type "root\r"
      t:expect "# "
      t:type "\x03" -- goes to the guest, not to us
      t:type "\x1d"
      t:expect "true"
      t:expect "> "
      t:type "'pid ' .. vm.process:pid()\r"
      t:expect '"pid '
      local pid = tonumber(t:expect '"')
      t:expect "> "
      assert.equal(0, uv.kill(pid, 0))
      leave(t)
      assert.is_nil(uv.kill(pid, 0))
    end)

    it("comes back to the prompt when the guest ends that it is connected with", function()
      local t <close> = open()
      boot(t)
      t:type "vm:attach()\r"
      t:expect "login: "
      t:type "root\r"
      t:expect "# "
      t:type "poweroff\r"
      t:expect "nil, the guest ended (guest-shutdown)"
      t:expect "> "
      t:type "vm:attach()\r"
      t:expect "nil, com1: the guest ended (guest-shutdown)"
      t:expect "> "
      leave(t)
    end)

    it("keeps what a run has measured when it is interrupted", function()
      local t <close> = open()
      local path = dir .. "/run"
      t:expect "> "
      t:type(('results = run("demo", { samples = 9, set = { cpus = 1 }, output = "%s" })\r'):format(path))
      t:expect "cpu_1 sample 2: "
      t:expect "cpu_1  3/9"
      t:type "\x03"
      t:expect("interrupted; go on with: moonboot run --resume " .. path)
      t:expect "> "
      t:type "results.cpu_1.statistics.n\r"
      t:expect "\n"
      assert(tonumber(t:expect("\r\n"):match "%d+") >= 2)
      t:expect "> "
      leave(t)
      assert.is_nil(t.said:find("task failed", 1, true))
    end)

    it("applies a grammar again whenever its file is saved", function()
      local path = dir .. "/rules.lua"
      local function save(literal)
        assert(files.write(path, ('return require("moonboot").grammar { { "found", "%s" } }\n'):format(literal)))
      end
      save "demo: nothing"
      local t <close> = open()
      boot(t)
      t:type "vm:expect 'login: '\r"
      t:expect "> "
      t:type(('watch "%s"\r'):format(path))
      t:expect "never matched: found"
      save "demo: drivers"
      t:expect "found   demo: drivers"
      save "demo: cpus: "
      t:expect "never matched: found"
      t:type "\x03"
      t:expect "interrupted"
      t:expect "> "
      leave(t)
    end)

    -- What a shell finds when the prompt, at `where`, was sent SIGTERM.
    local function terminal_after(where, ready)
      local t <close> = pty.open(("sh -c '%s repl; stty -a'"):format(program.path), { XDG_STATE_HOME = dir })
      t:expect "> "
      t:type(BOOT .. "; print(math.tointeger(require('luv').os_getpid()), 'is it')\r")
      local pid = tonumber((t:expect "is it\r\n"):match "(%d+)%s*$")
      t:expect "> "
      t:type(where)
      t:expect(ready)
      uv.kill(pid, "sigterm")
      local shown = t:expect "-tostop"
      t:wait()
      for _, setting in ipairs { "icanon", "isig", "icrnl", "opost" } do
        assert.is_nil(shown:find("-" .. setting, 1, true), setting)
      end
      assert.is_nil(shown:find("-echo ", 1, true))
    end

    it("gives the terminal back when it is told to end: at the prompt", function() terminal_after("1 +", "1 +") end)

    it("… while a statement waits", function() terminal_after("sleep(1000)\r", "sleep(1000)\r\n") end)

    it("… while a statement computes", function()
      if program.holds_signals() then return pending "no signal comes in a loop" end
      terminal_after("while true do end\r", "while true do end\r\n")
    end)

    it("… while the terminal is the guest's", function() terminal_after("vm:attach()\r", "Ctrl-] leaves") end)
  end)
end)

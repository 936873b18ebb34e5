-- What the program cannot do as it is asked: one line that says what and where, and the right exit status.
local journals = require "tests.stdlib.support.journals"
local program = require "tests.system.support.program"
local support = require "tests.system.support.sandbox"
local uv = require "luv"

local USAGE, HOST = 2, 3

describe("moonboot refuses", function()
  local sandbox, dir

  before_each(function()
    sandbox = support.sandbox()
    dir = sandbox.dir
  end)
  after_each(function() sandbox:close() end)

  -- Runs moonboot in the sandbox's folder. -> the one line that it said
  local function complaint(status, ...)
    local code, out, err = program.execute("sh", "-c", 'cd "$0" && exec "$@"', dir, "moonboot", ...)
    assert.equal("", out)
    local line = err:gsub("\nTry 'moonboot %l+ %-%-help'%.\n$", "\n"):match "^moonboot[ %l]*: ([^\n]*)\n$"
    assert.is_string(line, err)
    assert.equal(status, code, err)
    return line
  end

  -- Each: the command line, what is said of it (a pattern), the exit status.
  local function check(cases)
    for _, case in ipairs(cases) do
      local words = {}
      for word in case[1]:gmatch "%S+" do words[#words + 1] = word end
      assert.matches(case[2], complaint(case[3] or USAGE, table.unpack(words)))
    end
  end

  -- A finished run in the sandbox, called "finished".
  local function finish_run(edit)
    local made = journals.write(journals.sweep { n = 2, run = edit })
    assert(uv.fs_rename(made, dir .. "/finished"))
  end

  it("what it does not know, and values that an option cannot have", function()
    check {
      { "run", "which experiment%? Give a file or a name; 'moonboot list' shows the ready%-made ones" },
      { "run dmo", "no experiment 'dmo' %(did you mean 'demo'%?%)" },
      { "run demo --sampels 1", "unknown option '%-%-sampels' %(did you mean '%-%-samples'%?%)" },
      { "run demo --samples 0", "option '%-%-samples': '0' is not a whole number from 1 on" },
      { "run demo --warmup=-1", "option '%-%-warmup': '%-1' is not a whole number from 0 on" },
      { "run demo --jobs many", "option '%-%-jobs': 'many' is not a whole number from 1 on, or 'auto'" },
      { "run demo --timeout 0", "option '%-%-timeout': '0' is not a number of seconds" },
      { "run demo --until-ci wide", "option '%-%-until%-ci': 'wide' is not a share such as 2%% or 0%.02" },
      { "run demo --set cpus", "option '%-%-set': 'cpus' must be AXIS=VALUE,VALUE" },
      { "run demo --set cpus=0", "%-%-set cpus: 'cpus' in machine must be at least 1, not 0" },
      { "run demo --set cpus=1,1", "%-%-set: matrix axis 'cpus' has the value 1 twice" },
      { "run demo --run-as nobody-at-all", "%-%-run%-as: .*nobody%-at%-all.*no such user" },
      { "install", "missing argument 'file'" },
      { "install demo --run-as nobody-at-all", "%-%-run%-as: .*nobody%-at%-all.*no such user" },
      { "install demo --disk-size big", "%-%-disk%-size must be a size like 512M or 2G, not 'big'" },
      { "images --prune --older-than old", "option '%-%-older%-than': 'old' is not a number of days" },
      { "images --older-than 3", "%-%-older%-than goes with %-%-prune" },
      { "images --all", "%-%-all goes with %-%-prune" },
      { "compare a", "argument 'runs' requires at least 2 arguments" },
      { "compare a b --fail-on slow=1%", "'slow=1%%' is neither slower=SHARE nor phase=SHARE, such as slower=2%%" },
      { "compare a b --fail-on slower=much", "option '%-%-fail%-on': 'much' is not a share such as 2%% or 0%.02" },
      { "list tools", "argument 'kind' must be one of 'experiments', 'installers', 'grammars', 'layouts'" },
    }
  end)

  it("files that are not there, or not what they should be", function()
    sandbox:write("words.txt", ("words "):rep(20000))
    sandbox:write("words.lua", "words")
    sandbox:write("number.lua", "return 1")
    sandbox:write("installs-nothing.lua", [[
      local mb = require "moonboot"
      return mb.experiment { name = "bare", machine = { kernel = "words.txt" }, grammar = require "grammars.demo" }
    ]])
    check {
      { "none.lua", "cannot read script: none%.lua: No such file or directory" },
      { "words.lua", "words%.lua:1: syntax error near <eof>" },
      { "run number.lua", "number%.lua" },
      { "run linux", "experiment linux needs %-%-kernel FILE" },
      { "run linux --kernel none", "option %-%-kernel %(.*%) cannot be read: none: No such file or directory" },
      { "run linux --kernel .", "option %-%-kernel %(.*%) cannot be read: %.: Is a directory" },
      { "run minix", "what is to be booted%? Give %-%-iso FILE, %-%-disk FILE, or %-%-kernel FILE with %-%-modules" },
      { "run demo --iso words.lua", "words%.lua is only 5 bytes: no installation medium is that small", HOST },
      { "install installs-nothing.lua", "bare installs nothing: it has no 'install'" },
      { "mark none --grammar demo", "none: No such file or directory" },
      { "mark . --grammar demo", "%.: Is a directory" },
      { "mark words.txt --grammar none", "no grammar 'none'; 'moonboot list' shows the ready%-made ones" },
      { "mark words.txt --grammar number.lua", "number%.lua returns a number: a grammar script ends with" },
      { "mark words.txt --grammar demo --trace none", "the grammar has no rule 'none'" },
    }
  end)

  it("what is no run, or a damaged one", function()
    assert(uv.fs_mkdir(dir .. "/empty", 448))
    for name, journal in pairs {
      damaged = "words\n", begun = "", strange = "[]\n", nameless = '{"type":"run"}\n',
    } do
      assert(uv.fs_mkdir(dir .. "/" .. name, 448))
      sandbox:write(name .. "/journal.jsonl", journal)
    end
    sandbox:write("words.json", "words")
    sandbox:write("newer.json", '{"schema":"moonboot-results/9"}')
    sandbox:write("other.json", "{}")
    check {
      { "report none", "none is no run directory: it has no readable journal%.jsonl" },
      { "report empty", "empty is no run directory: it has no readable journal%.jsonl" },
      { "report damaged", "damaged/journal%.jsonl:1: not a record of a journal" },
      { "report begun", "begun: the journal has no record of a run: nothing was started in this directory" },
      { "report strange", "strange: the journal has no record of a run" },
      { "report words.json", "words%.json is no JSON" },
      { "report newer.json", "its schema is moonboot%-results/9, this version of moonboot reads moonboot%-results/1" },
      { "report other.json", "other%.json: its schema is not stated" },
      { "compare empty empty", "empty is no run directory" },
      { "run --resume none", "cannot resume none: cannot read the journal: .*No such file or directory" },
      { "run --resume damaged", "cannot resume damaged: damaged/journal%.jsonl:1: not a record of a journal" },
      { "run --resume begun", "cannot resume begun: nothing was started there" },
      { "run --resume nameless", "cannot resume nameless: its journal does not say of which script it is a run" },
    }
  end)

  it("to write over a finished run, and to go on with one whose script is gone", function()
    finish_run { experiment_file = dir .. "/gone.lua" }
    check {
      { "run demo --output finished", "finished already holds a run; give another %-%-output, or go on with it by "
        .. "%-%-resume", HOST },
      { "run --resume finished", "cannot read experiment: .*/gone%.lua: No such file or directory" },
    }
  end)

  it("reports that cannot be made, or not be written", function()
    finish_run()
    sandbox:write("number.lua", "return 1")
    sandbox:write("silent.lua", "return function() end")
    sandbox:write("wrong.lua", "return function(results)\n  return results.no.such end")
    check {
      { "report finished --format htm", "no layout 'htm' %(did you mean 'html'%?%)" },
      { "report finished --format html:x", "layout html has no parts, such as 'x'" },
      { "report finished --format html.lua", "cannot read layout: html%.lua: No such file or directory" },
      { "report finished --format latex:tabel", "there is no part 'tabel' %(did you mean 'table'%?%): table, figure" },
      { "report finished --format number.lua", "number%.lua: a layout script returns a function.*, this one a number" },
      { "report finished --format silent.lua", "layout silent%.lua: it returned no text" },
      { "report finished --format wrong.lua", "layout wrong%.lua: wrong%.lua:2: attempt to index a nil value" },
      { "report finished --format cast --sample cpu_9:1", "no sample 'cpu_9:1': a sample is named like cpu_1:1" },
      { "report finished -o none/page", "none/page: cannot be written: ENOENT: no such file or directory$", HOST },
      { "report finished -o finished", "finished: cannot be written: EISDIR: illegal operation on a directory$", HOST },
      { "report finished -o /dev/full", "/dev/full: cannot be written: No space left on device$", HOST },
    }
  end)

  it("to work without its library", function()
    assert(uv.fs_copyfile(uv.exepath(), dir .. "/alone"))
    local code, _, err = program.execute(dir .. "/alone")
    assert.equal(USAGE, code)
    assert.equal("moonboot: its library is not beside this program (share/lua/5.4/moonboot): run it from its checkout, "
      .. "or reinstall\n", err)
    -- Half an installation: the traceback is for those who ask.
    assert(os.execute(("mkdir -p '%s/stdlib/moonboot' && touch '%s/stdlib/moonboot/init.lua'"):format(dir, dir)))
    code, _, err = program.execute(dir .. "/alone", "list")
    assert.equal(USAGE, code)
    assert.equal("moonboot: module 'moonboot.cli' not found\n", err)
    sandbox:setenv("MOONBOOT_TRACE", "1")
    code, _, err = program.execute(dir .. "/alone", "list")
    assert.equal(USAGE, code)
    assert.matches("^moonboot: module 'moonboot%.cli' not found:\n.*stack traceback:\n", err)
  end)

  it("virtual time without the library that tells it", function()
    assert(uv.fs_copyfile(uv.exepath(), dir .. "/alone"))
    for _, folder in ipairs { "stdlib", "scripts" } do
      assert(uv.fs_symlink(uv.cwd() .. "/" .. folder, dir .. "/" .. folder))
    end
    local script = sandbox:experiment("work=1", "samples = 1, timeout = 60,")
    local code, _, err = program.execute(dir .. "/alone", "run", script, "--deterministic", "--output", dir .. "/run")
    assert.equal(1, code, err)
    assert.equal("cpu_1 sample 1: error: a deterministic machine needs moonboot/virtualtime.so, which is not "
      .. "installed\n", err)
  end)
end)

local cli = require "moonboot.cli"
local uv = require "luv"

describe("cli", function()
  local folder, path_before, arg_before

  local function write(name, content)
    local path = folder .. "/" .. name
    local file = assert(io.open(path, "w"))
    file:write(content)
    file:close()
    return path
  end

  local function stream(flush)
    local s = { pieces = {} }
    function s:write(...)
      for i = 1, select("#", ...) do self.pieces[#self.pieces + 1] = tostring((select(i, ...))) end
      return self
    end
    function s.flush() return table.unpack(flush or { true }) end
    return s
  end

  -- -> status, standard output, standard error
  local function run(argv, flush)
    local out, err = stream(flush), stream()
    local stdout, stderr = io.stdout, io.stderr
    rawset(io, "stdout", out)
    rawset(io, "stderr", err)
    argv[0] = "moonboot"
    local ok, status = pcall(cli.main, argv)
    rawset(io, "stdout", stdout)
    rawset(io, "stderr", stderr)
    assert(ok, status)
    return status, table.concat(out.pieces), table.concat(err.pieces)
  end

  before_each(function()
    path_before, arg_before = package.path, _G.arg
    folder = assert(uv.fs_mkdtemp((os.getenv "TMPDIR" or "/tmp") .. "/cli-XXXXXX"))
    for _, sub in ipairs { "moonboot", "moonboot/commands", "experiments" } do
      uv.fs_mkdir(folder .. "/" .. sub, 448)
    end
    package.path = folder .. "/?.lua;" .. package.path
  end)

  after_each(function()
    package.path, _G.arg = path_before, arg_before
    package.loaded["moonboot.commands.fake"] = nil
    _G.seen = nil
    os.execute("rm -rf '" .. folder .. "'")
  end)

  describe("at the top", function()
    it("says its version", function()
      local status, out, err = run { "--version" }
      assert.equal(0, status)
      assert.matches("^moonboot " .. require("moonboot")._VERSION:gsub("%.", "%%.") .. " %(commit %w[%w-]+%)\n", out)
      assert.matches("\nLua 5%.4, LPeg %d[%d.]+, lua%-cjson %d[%d.]+\n$", out)
      assert.equal("", err)
    end)

    it("helps", function()
      for _, argv in ipairs { { "--help" }, { "-h" }, { "help" } } do
        local status, out, err = run(argv)
        assert.equal(0, status)
        assert.matches("^Usage: moonboot COMMAND", out)
        assert.matches("\n   list +List the ready%-made experiments", out)
        assert.equal("", err)
      end
      local status, out, err = run {}
      assert.equal(2, status)
      assert.equal("", out)
      assert.matches("^Usage:", err)
    end)

    it("describes every command in one line", function()
      local commands = package.searchpath("moonboot.commands.list", package.path):match("^(.*)/list%.lua$")
      local scan = uv.fs_scandir(commands)
      while true do
        local entry = uv.fs_scandir_next(scan)
        if not entry then break end
        local name = entry:match("^(%w+)%.lua$")
        local command = require("moonboot.commands." .. name)
        assert.equal(name, command.name)
        assert.equal("string", type(command.summary))
        assert.is_nil(command.summary:find("\n"))
        local status, out = run { "help", name }
        assert.equal(0, status)
        assert.matches("^Usage: moonboot " .. name, out)
      end
    end)

    it("suggests what was meant", function()
      local status, out, err = run { "lsit" }
      assert.equal(2, status)
      assert.equal("", out)
      assert.equal("moonboot: no command or script 'lsit' (did you mean 'list'?); see 'moonboot --help'\n", err)
      assert.matches("no option '%-%-verson' %(did you mean '%-%-version'%?%)", select(3, run { "--verson" }))
      assert.matches("no command or script 'lisst'", select(3, run { "help", "lisst" }))
      assert.matches("no command or script '\\e%[2J'", select(3, run { "\27[2J" }))
    end)

    it("says when standard output cannot be written", function()
      local status, _, err = run({ "--version" }, { nil, "No space left on device", 28 })
      assert.equal(3, status)
      assert.equal("moonboot: cannot write to standard output: No space left on device\n", err)
      status, _, err = run({ "--version" }, { nil, "Broken pipe", 32 })
      assert.equal(0, status)
      assert.equal("", err)
    end)
  end)

  describe("a script", function()
    it("gets its arguments", function()
      local path = write("s.lua", "seen = { arg[0], arg[1], arg[2], #arg, ... }")
      local status = run { path, "a", "--help" }
      assert.equal(0, status)
      assert.same({ path, "a", "--help", 2, "a", "--help" }, _G.seen)
    end)

    it("may begin with #!", function()
      assert.equal(0, (run { write("s.lua", "#!/usr/bin/env moonboot\nseen = true") }))
      assert.is_true(_G.seen)
    end)

    it("that fails costs one line and status 2", function()
      local path = write("s.lua", "\nerror 'boom'")
      local status, out, err = run { path }
      assert.equal(2, status)
      assert.equal("", out)
      assert.equal(("moonboot: %s:2: boom\n"):format(path), err)
      assert.equal("moonboot: cannot read script: /nowhere.lua: No such file or directory\n",
        select(3, run { "/nowhere.lua" }))
      assert.matches("^moonboot: /.*/s.lua:1: [^\n]*\n$", select(3, run { write("s.lua", "nonsense") }))
    end)

    it("cannot disturb the terminal with its error", function()
      local _, _, err = run { write("s.lua", "error('\\27[2J\\nmore', 0)") }
      assert.equal("moonboot: \\e[2J\nmore\n", err)
    end)

    it("that is interrupted ends with 130", function()
      assert.equal(130, (run { write("s.lua", "error('interrupted!')") }))
    end)

    it("that returns an experiment runs it", function()
      local command = require "moonboot.commands.run"
      local original = command.run
      command.run = function(args) _G.seen = args.experiment.name .. #args.experiment.configurations return 0 end
      local status, _, err = run { write("e.lua", "return require('moonboot').experiment { name = 'x', "
        .. "grammar = { rules = { { name = 'a' }, { name = 'b' } } } }"), "--set", "cpus=1,2" }
      command.run = original
      assert.equal("", err)
      assert.equal(0, status)
      assert.equal("x2", _G.seen)
    end)
  end)

  describe("a command", function()
    local function fake(source)
      write("moonboot/commands/fake.lua", "local cli = require 'moonboot.cli'\nreturn { name = 'fake', summary = 'Does "
        .. "nothing.',\nconfigure = function(cmd) " .. (source or "") .. " end,\nrun = function(args) seen = args "
        .. "return args.status end }")
    end

    it("gets its arguments, and gives the status", function()
      fake [[cmd:argument("what") cmd:option("--status"):convert(cli.integer)]]
      assert.equal(7, (run { "fake", "x", "--status", "7" }))
      assert.equal("x", _G.seen.what)
      assert.equal(0, (run { "fake", "x" }))
    end)

    it("has help", function()
      fake [[cmd:option("--size", "How big."):argname "N"]]
      for _, argv in ipairs { { "fake", "--help" }, { "fake", "-h" }, { "help", "fake" } } do
        local status, out = run(argv)
        assert.equal(0, status)
        assert.matches("^Usage: moonboot fake", out)
        assert.matches("%-%-size N +How big%.", out)
      end
      assert.is_nil(_G.seen)
    end)

    it("refuses wrong usage in one line and a hint", function()
      fake [[
        cmd:argument("what")
        cmd:option("--samples"):convert(cli.positive_integer)
        cmd:option("--x"):convert(tonumber)]]
      local function usage(message, ...)
        local status, out, err = run { "fake", ... }
        assert.equal(2, status)
        assert.equal("", out)
        assert.equal(("moonboot fake: %s\nTry 'moonboot fake --help'.\n"):format(message), err)
        assert.is_nil(_G.seen)
      end
      usage("unknown option '--sampels' (did you mean '--samples'?)", "a", "--sampels", "3")
      usage("missing argument 'what'")
      usage("too many arguments", "a", "b")
      usage("option '--samples' requires an argument", "a", "--samples")
      usage("option '--samples': '0' is not a whole number from 1 on", "a", "--samples", "0")
      usage("option '--x': 'y' is not a number", "a", "--x", "y")
      usage("unknown option '--\\e[2J'", "a", "--\27[2J")
    end)

    it("that raises costs one line", function()
      fake "error('no configuration')"
      local status, _, err = run { "fake" }
      assert.equal(2, status)
      assert.matches("^moonboot: .*/fake.lua:3: no configuration\n$", err)
    end)

    it("may fail with a message and a status", function()
      fake()
      require("moonboot.commands.fake").run = function() return cli.fail("no QEMU", 3) end
      local status, _, err = run { "fake" }
      assert.equal(3, status)
      assert.equal("moonboot: no QEMU\n", err)
    end)
  end)

  describe("a command that takes an experiment", function()
    before_each(function()
      write("moonboot/commands/fake.lua", [[
        local cli = require "moonboot.cli"
        return {
          name = "fake", summary = "Takes an experiment.",
          configure = function(cmd)
            cli.experiment_options(cmd, { optional = fake_optional })
            cmd:option("-o --output") cmd:option("--samples"):convert(cli.positive_integer) cmd:flag("--quiet")
          end,
          run = function(args) seen = args end,
        }]])
      write("experiments/mine.lua", [[
        return require("moonboot").experiment {
          name = "mine", grammar = { rules = { { name = "a" }, { name = "b" } } },
          options = {
            disk = { "the disk", type = "string", required = true },
            file = { "a file of the same name as the argument" },
            debug = { "say more", type = "boolean" },
          },
          machine = function(values) return { disk = values.disk } end,
        }]])
    end)

    after_each(function() _G.fake_optional = nil end)

    it("resolves it", function()
      local status, _, err = run { "fake", "mine", "--disk", "d.img", "--debug", "--samples", "3", "--set", "cpus=1,2",
        "--set", "memory=64", "--file", "x" }
      assert.equal("", err)
      assert.equal(0, status)
      local seen = _G.seen
      assert.is_true(seen.experiment.resolved)
      assert.same({ disk = "d.img", debug = true, file = "x" }, seen.option_values)
      assert.same({ count = 3 }, seen.experiment.samples)
      assert.equal("cpu_2.memory_64", seen.experiment.configurations[2].key)
      assert.equal("d.img", seen.experiment.machine.disk[1].file)
      assert.equal("mine", seen.definition.name)
      assert.equal("mine", seen.file)
      for key in pairs(seen) do assert.is_nil(key:find("experiment option")) end
    end)

    it("finds the file among options, known and not", function()
      for _, argv in ipairs {
        { "--disk", "d.img", "mine" }, { "--disk=d.img", "mine" }, { "-o", "demo", "mine", "--disk", "d.img" },
        { "-odemo", "--quiet", "mine", "--disk", "d.img" }, { "--debug", "mine", "--disk", "d.img" },
        { "--output=demo", "--samples", "2", "--disk", "d.img", "--", "mine" },
        { "--disk", "d.img", folder .. "/experiments/mine.lua" },
      } do
        _G.seen = nil
        local status, _, err = run { "fake", table.unpack(argv) }
        assert.equal("", err)
        assert.equal(0, status)
        assert.equal("mine", _G.seen.experiment.name)
        assert.equal("d.img", _G.seen.option_values.disk)
      end
    end)

    it("lists its options in the help", function()
      local status, out = run { "fake", "mine", "--help" }
      assert.equal(0, status)
      assert.matches("Options of experiment mine:\n", out)
      assert.matches("%-%-disk DISK +the disk %(required%)", out)
      status, out = run { "fake", "--help" }
      assert.equal(0, status)
      assert.matches("Usage: moonboot fake", out)
      assert.equal(0, (run { "fake", "nosuch", "--help" }))
    end)

    it("says what is wrong", function()
      local function fails(message, ...)
        local status, out, err = run { "fake", ... }
        assert.equal(2, status)
        assert.equal("", out)
        assert.matches(message, err, 1, true)
        assert.is_nil(_G.seen)
      end
      fails("moonboot: experiment mine needs --disk DISK (the disk)\n", "mine")
      fails("moonboot fake: unknown option '--dsik' (did you mean '--disk'?)\n", "mine", "--dsik", "x")
      fails("moonboot: no experiment 'mien' (did you mean 'mine'?)", "mien", "--disk", "x")
      fails("moonboot fake: missing argument 'file'\n")
      fails("moonboot: cannot read experiment: /nowhere.lua: No such file", "/nowhere.lua", "--disk", "x")
      fails("moonboot: --set cpu: no such axis or machine field (did you mean 'cpus'?)\n",
        "mine", "--disk", "x", "--set", "cpu=1")
      fails("option '--set': 'cpus' must be AXIS=VALUE,VALUE…", "mine", "--disk", "x", "--set", "cpus")
      local path = write("experiments/bad.lua",
        "return require('moonboot').experiment {\n name = 'x',\n sample = 1 }")
      fails(("moonboot: %s:3: unknown key 'sample' in experiment (did you mean 'samples'?)\n"):format(path), "bad")
    end)

    it("refuses options that are its own already", function()
      local path = write("experiments/clash.lua", "return require('moonboot').experiment { name = 'x', "
        .. "grammar = { rules = { { name = 'a' }, { name = 'b' } } }, options = { output = { 'x' } } }")
      assert.equal(("moonboot: %s: its option 'output' is one of moonboot's own (--output): give it another name\n")
        :format(path), select(3, run { "fake", "clash" }))
    end)

    it("may do without one", function()
      _G.fake_optional = true
      local status = run { "fake" }
      assert.equal(0, status)
      assert.is_nil(_G.seen.experiment)
    end)
  end)

  describe("converters", function()
    it("read numbers", function()
      assert.equal(-5, cli.integer "-5")
      assert.equal(0, cli.natural "0")
      assert.equal(2.5, cli.seconds "2.5")
      assert.equal(90, cli.seconds "90s")
      assert.equal(0.02, cli.share "2%")
      assert.equal(0.02, cli.share "0.02")
      assert.equal("auto", cli.jobs "auto")
      assert.equal(3, cli.jobs "3")
    end)

    it("refuse the rest", function()
      for _, case in ipairs {
        { "integer", "1.5" }, { "integer", "" }, { "integer", ("9"):rep(30) }, { "natural", "-1" },
        { "positive_integer", "0" }, { "seconds", "0" }, { "seconds", "x" }, { "share", "x%" }, { "share", "-1" },
        { "jobs", "0" }, { "jobs", "many" },
      } do
        local value, message = cli[case[1]](case[2])
        assert.is_nil(value)
        assert.matches(" is not a ", message)
      end
    end)
  end)

  describe("list", function()
    it("shows ready-made scripts by kind", function()
      write("experiments/zz_mine.lua", "--- Boots mine.")
      local status, out = run { "list" }
      assert.equal(0, status)
      assert.matches("^experiments:\n", out)
      assert.matches("\n  zz_mine +Boots mine%.\n", out)
      assert.matches("\nlayouts:\n.*  text +", out)
    end)

    it("shows one kind", function()
      local status, out = run { "list", "layouts" }
      assert.equal(0, status)
      assert.matches("^layouts:\n", out)
      assert.is_nil(out:find("experiments:", 1, true))
    end)

    it("knows no other kinds", function()
      local status, _, err = run { "list", "things" }
      assert.equal(2, status)
      assert.matches("must be one of 'experiments'", err)
    end)
  end)
end)

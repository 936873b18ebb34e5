-- What `moonboot run` says while it goes on, with real boots: on a terminal, and elsewhere.
local files = require "moonboot.files"
local program = require "tests.system.support.program"
local uv = require "luv"

local root = debug.getinfo(1, "S").source:match("^@(.*)tests/system/") or "./"
local pty = dofile(root .. "tests/system/support/pty.lua")

describe("progress of a run", function()
  local dir, script

  before_each(function()
    dir = assert(files.make_temp_dir "/tmp/moonboot-spec-")
    script = dir .. "/quick.lua"
    assert(files.write(script, ([[
local mb = require "moonboot"
return mb.experiment {
  name = "quick", samples = 2,
  machine = { arch = "i386", accel = "tcg", kernel = "%s" },
  grammar = require "grammars.demo", report = "text",
}
]]):format(uv.fs_realpath(root .. "build/guest/demo.elf"))))
  end)

  after_each(function() files.remove(dir) end)

  local function command(...)
    return table.concat({ program.path, "run", script, "--output", dir .. "/run", ... }, " ")
  end

  it("is a line for each boot on a terminal, and none of it stays", function()
    local t <close> = pty.open(command(), { NO_COLOR = "" })
    t:expect "cpu_1  1/2  "
    t:expect "0 of 2 boots done"
    t:expect "cpu_1 sample 1: "
    t:expect "cpu_1  2/2  \27[36m"
    t:expect "█"
    t:expect "→ "
    t:expect "s left"
    t:expect "1 of 2 boots done"
    t:expect "; about "
    t:expect "cpu_1 sample 2: "
    local after = t:expect "quick: boot times of"
    assert.is_nil(after:find("boots done", 1, true))
    assert.equal(0, t:wait())
    for bytes in t.said:gmatch "\27[^\27]*" do
      assert(bytes:match "^\27%[[%d;?]*[AJKhlm]", ("%q"):format(bytes))
    end
  end)

  it("has no colours with NO_COLOR, no bar characters without UTF-8, and fits the window", function()
    local t <close> = pty.open(command(), { NO_COLOR = "1", LC_ALL = "C" }, 40)
    t:expect "cpu_1  2/2  [#"
    assert.equal(0, t:wait())
    assert.is_nil(t.said:find "\27%[%d+m")
    for drawn in t.said:gmatch "\27%[%?7l(.-)\27%[%?7h" do
      assert.is_nil(drawn:find "[\128-\255]")
      for shown in (drawn .. "\n"):gmatch "(.-)\r?\n" do assert(#shown:gsub("\27%[%d*%a", "") < 40, shown) end
    end
  end)

  it("follows the size of the window", function()
    assert(files.write(script, (files.read(script):gsub("samples = 2,",
      'samples = 2, on_sample = function() os.execute "stty -F /dev/tty cols 30" end,'))))
    local t <close> = pty.open(command(), {})
    t:expect "cpu_1 sample 1: "
    t:expect "cpu_1  2/2  "
    assert.equal(0, t:wait())
    local second = t.said:match "cpu_1 sample 1: .*"
    for drawn in second:gmatch "\27%[%?7l(.-)\27%[%?7h" do
      for shown in (drawn .. "\n"):gmatch "(.-)\r?\n" do
        assert(utf8.len((shown:gsub("\27%[%d*%a", ""))) < 30, shown)
      end
    end
  end)

  -- -> standard output, standard error
  local function plain(...)
    local code, out, err = program.run("run", script, "--output", dir .. "/run", ...)
    assert.equal(0, code)
    return out, err
  end

  it("is a line for each sample elsewhere", function()
    local out, err = plain()
    assert.matches("^quick: boot times of", out)
    assert.matches("^cpu_1 sample 1: %d+%.%d%d ms\ncpu_1 sample 2: %d+%.%d%d ms\n$", err)
  end)

  it("is nothing with --quiet", function()
    local _, err = plain "--quiet"
    assert.equal("", err)
  end)
end)

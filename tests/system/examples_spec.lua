-- Every program in examples/ runs as its first lines say, with real guests.
local program = require "tests.system.support.program"
local uv = require "luv"
local command = require "moonboot.command"
local files = require "moonboot.files"

-- What each prints; the experiments also take moonboot's options and write into a run directory.
local PRINTS = {
  consoles = "to the prompt on COM2: %d+%.%d ms",
  hooks = { "\nsample\tcpu_2\t2\tok\n", "the guest brought up\t2\tof\t2", "the second CPU saves" },
  installer = { "n = 2 ok, 0 not ok" },
  kernels = { "the new kernel takes %-%d+%.%d ms" },
  memory = { "memory 512M\n.*n = 3 ok, 0 not ok" },
  phase = "file system check: %d+%.%d+ ms",
  ping = "[1-9]%d* pings were answered",
  prompt = "uname says demo, exit status 0",
  screen = "login: root",
}

describe("example", function()
  local place

  setup(function() place = assert(files.make_temp_dir "/tmp/moonboot-examples-") end)
  teardown(function() files.remove(place) end)

  local function run(...)
    local output, message = command.run({ "env", "XDG_CACHE_HOME=" .. place .. "/cache", program.path, ... },
      { timeout_s = 300 })
    assert(output, message)
    return output
  end

  for name, expected in pairs(PRINTS) do
    it(name, function()
      local is_experiment = type(expected) == "table"
      local script = ("examples/%s.lua"):format(name)
      local output = is_experiment and run(script, "--quiet", "--output", place .. "/" .. name) or run(script)
      for _, pattern in ipairs(is_experiment and expected or { expected }) do assert.matches(pattern, output) end
    end)
  end

  it("layout", function()
    local run_directory = place .. "/of-layout"
    run("examples/memory.lua", "--quiet", "--samples", "1", "--output", run_directory)
    local page = run("report", run_directory, "--format", "examples/layout.lua")
    assert.matches("memory_32M%s+%d+%.%d%d ms  boot%-1cpu", page)
  end)

  it("none is left out here", function()
    local entries = uv.fs_scandir "examples"
    for entry in function() return uv.fs_scandir_next(entries) end do
      local name = entry:match "^(.*)%.lua$"
      assert.truthy(not name or PRINTS[name] or name == "layout", entry)
    end
  end)
end)

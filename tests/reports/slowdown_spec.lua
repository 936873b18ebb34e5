local files = require "moonboot.files"
local json = require "moonboot.json"
local program = require "tests.system.support.program"
local rundir = require "tests.system.support.rundir"
local stats = require "moonboot.stats"
local system = require "tests.system.support.sandbox"

-- Both guests in one run, so that they boot in turns in random order and share whatever else the host does.
local EXPERIMENT = [[
local mb = require "moonboot"
return mb.experiment {
  name = "slowdown",
  machine = { arch = "i386", accel = "tcg", memory = "64M", kernel = "%s/demo.elf" },
  matrix = { append = { "work=100", "work=105" } },
  samples = 10,
  warmup = 1,
  timeout = 60,
  seed = 1,
  grammar = require "grammars.demo",
  measure = { from = "kernel_entry", to = "login_prompt" },
}
]]

-- Where all but one of ten boots lie within this share of their median, two such samples that are 5 % apart hardly
-- overlap, and the comparison cannot miss it. On a host that scatters more it may, and rightly so.
local QUIET = 0.04

-- The boots of one of the guests, as a run of its own.
local function half(records, append, directory)
  local key
  for _, record in ipairs(records) do
    if record.type == "configuration" and record.settings.append == append then key = record.key end
  end
  local lines, times = {}, {}
  for _, record in ipairs(records) do
    if record.type == "run" then record.axes = json.array() end
    if record.key == nil or record.key == key then
      local own = {}
      for name, value in pairs(record) do own[name] = value end
      own.key = record.key and "guest"
      if own.settings then own.settings = {} end
      lines[#lines + 1] = json.encode(own)
    end
    if record.type == "sample" and record.key == key and not record.warmup then
      assert(record.status == "ok", record.status)
      local at = {}
      for _, marker in ipairs(record.markers) do at[marker.name] = marker.t_ns end
      times[#times + 1] = (at.login_prompt - at.kernel_entry) / 1e6
    end
  end
  assert(files.make_dir(directory))
  assert(files.write(directory .. "/journal.jsonl", table.concat(lines, "\n") .. "\n"))
  return times
end

local function scatter(times)
  table.sort(times)
  return (times[#times - 1] - times[1]) / stats.median(times)
end

describe("a guest that works 5 % more", function()
  local sandbox

  setup(function() sandbox = system.sandbox() end)
  teardown(function() sandbox:close() end)

  it("is found to be slower, with ten samples", function()
    local script = sandbox:write("slowdown.lua", EXPERIMENT:format(system.guest))
    local status, _, err = program.run("run", script, "--output", sandbox.dir .. "/both", "--quiet")
    assert.equal(0, status, err)

    local records, a, b = rundir.records(sandbox.dir .. "/both"), sandbox.dir .. "/a", sandbox.dir .. "/b"
    local before, after = half(records, "work=100", a), half(records, "work=105", b)
    assert.equal(10, #before)
    assert.equal(10, #after)
    local worst = math.max(scatter(before), scatter(after))
    local compare_status, out = program.run("compare", a, b, "--json", "--fail-on", "slower=2%")
    local row = assert(json.decode(out)).comparisons[1].configurations[1].total
    if row.verdict == "same" and worst > QUIET then
      pending(("too busy a host: boot times scatter by %.1f %% (%s)"):format(100 * worst, row.words))
      return
    end
    assert.equal("slower", row.verdict, ("%s, scatter %.1f %%"):format(row.words, 100 * worst))
    assert.equal(1, compare_status)
    -- Nearly all of the boot is the work that there is 5 % more of.
    assert.is_true(row.shift_low_percent < 6 and row.shift_high_percent > 3.5, row.words)
  end)
end)

local files = require "moonboot.files"
local json = require "moonboot.json"
local measure = require "tests.bench.support.measure"
local program = require "tests.system.support.program"

describe("the benchmarks", function()
  it("run, and write their table as JSON and Markdown", function()
    local dir = assert(files.make_temp_dir "/tmp/moonboot-spec-")
    local said = measure.run { program.path, "tests/bench/main.lua", "--output", dir, "--quick", "startup" }
    assert.matches("moonboot --version", said.stdout, 1, true)
    local report = json.decode(assert(files.read(dir .. "/bench.json")))
    assert.equal("moonboot-bench/1", report.schema)
    assert.same({}, report.failed)
    assert.equal(4, #report.rows)
    for _, row in ipairs(report.rows) do
      assert.equal("startup", row.bench)
      assert.is_true(row.value > 0)
    end
    assert.matches("| what | moonboot | peer |", assert(files.read(dir .. "/bench.md")), 1, true)
    files.remove(dir)
  end)

  it("are refused by a name that is none", function()
    local refused = measure.run({ program.path, "tests/bench/main.lua", "startups" }, { status = 2 })
    assert.equal("", refused.stdout)
  end)
end)

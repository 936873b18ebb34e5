local analysis = require "moonboot.analysis"
local files = require "moonboot.files"
local journals = require "tests.stdlib.support.journals"
local json = require "moonboot.json"
local program = require "tests.system.support.program"
local report = require "moonboot.report"
local resultsfile = require "moonboot.resultsfile"
local system = require "tests.system.support.sandbox"
local truths = require "tests.stdlib.support.truths"

local SCHEMA = package.searchpath("moonboot.layout.json", package.path):gsub("json%.lua$", "results.schema.json")

-- The same schema, but no field beyond those that it names: what a results file holds is documented.
local function closed(schema)
  if type(schema) ~= "table" then return schema end
  for _, part in pairs(schema) do closed(part) end
  if schema.type == "object" and schema.properties and schema.additionalProperties == nil then
    schema.additionalProperties = false
  end
  return schema
end

describe("results.schema.json", function()
  local sandbox, strict

  setup(function()
    sandbox = system.sandbox()
    strict = sandbox:write("strict.json", json.encode(closed(json.decode(files.read(SCHEMA)))))
  end)
  teardown(function() sandbox:close() end)

  -- Debian's python3-jsonschema, whatever other Python is first on the path.
  local function validate(text, schema)
    local status, out, err = program.execute("/usr/bin/jsonschema", "--error-format",
      "{error.json_path}: {error.message:.200}\n", "-i", sandbox:write("results.json", text), schema or strict)
    return status == 0, out .. err
  end

  local function assert_valid(results)
    local text = assert(report.render(results, "json"))
    for _, schema in ipairs { SCHEMA, strict } do
      local ok, complaint = validate(text, schema)
      assert.is_true(ok, complaint:sub(1, 2000))
    end
    return text
  end

  it("describes a real run, failures and all", function()
    local directory = sandbox.dir .. "/demo"
    local status, _, err = program.run("run", "demo", "--samples", "2", "--warmup", "1", "--timeout", "60",
      "--output", directory, "--quiet")
    assert(status == 0 or status == 1, err)
    assert_valid(assert(report.load(directory)))
  end)

  for name, run in pairs(truths.RUNS) do
    it("describes a run with " .. name, function()
      if not run.large then assert_valid(assert(analysis.results(run.records()))) end
    end)
  end

  it("describes everything that results can hold", function()
    local records = journals.sweep { cpus = { 1, 2, 4, 8, 16 }, n = 24, noise = 0.2, run = {
      host = { cores = 8 }, hypotheses = { { kind = "repeatability", name = "steady" }, { kind = "monotone" } },
      accept = { all_ok = true, cv = 0.01 }, deterministic = json.null,
      phases = { { name = "userland", from = "drivers", to = "login" } },
      adaptive = { min = 5, max = 24, until_ci = 0.01 },
    }, sample = function(key, i, order, d)
      d.flags = i == 2 and { "clock_stepped" } or nil
      d.noise = i == 3 and { "load: other processes had 90 % of a core during the boot" } or nil
      if key == "cpu_2" then d.scale = d.scale * (i % 2 == 0 and 1 or 3) * (1 + i / 40) end
      if i == 4 then return journals.failed(key, i, order, "guest_reset", d) end
      if i == 5 then d.scale = d.scale * 60 end
      return journals.sample(key, i, order, d)
    end }
    local directory = journals.write(records)
    local results = assert(report.load(directory))
    journals.remove(directory)
    for _, field in ipairs { "hypotheses", "acceptance", "inconsistent", "anomalies" } do
      assert.is_truthy(results[field] and results[field][1], field)
    end
    assert.is_table(results.scaling.groups[1].phases[1].gain)
    assert.is_table(results.scaling.groups[1].fits.usl)
    assert_valid(results)
  end)

  it("refuses what is wrong", function()
    local text = assert(report.render(analysis.results(journals.sweep { n = 2 }), "json"))
    for from, to in pairs {
      ['"moonboot%-results/1"'] = '"moonboot-results/9"', ['"status":"ok"'] = '"status":"fine"',
      ['"boot_time_ms":%d+%.%d+'] = '"boot_time_ms":null', ['"mean_ms": %d+%.%d+'] = '"mean_ms": "fast"',
      ['"failed": 0'] = '"failed": -1',
    } do
      local broken, count = text:gsub(from, to, 1)
      assert.equal(1, count, from)
      assert.is_false((validate(broken)), from)
    end
    assert.is_false((validate('{"schema":"moonboot-results/1"}', SCHEMA)))
  end)

  it("still holds for a file that was read and written again", function()
    for _, make in ipairs { journals.sample, function(key, i, order) return journals.failed(key, i, order) end } do
      local text = assert_valid(analysis.results(journals.sweep { n = 2, sample = make }))
      local again = assert_valid(assert(resultsfile.load(sandbox:write("again.json", text))))
      assert.equal(text, again)
    end
  end)
end)

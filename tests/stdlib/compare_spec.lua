local analysis = require "moonboot.analysis"
local command = require "moonboot.commands.compare"
local compare = require "moonboot.compare"
local journals = require "tests.stdlib.support.journals"
local json = require "moonboot.json"
local show = require "moonboot.compare.text"

local function run(options)
  return analysis.results(journals.sweep(options))
end

local function total(compared, key)
  for _, entry in ipairs(compared.comparisons[1].configurations) do
    if entry.key == key then return entry.total, entry end
  end
end

describe("compare", function()
  it("finds a slowdown of 5 % with 10 samples a side", function()
    local compared = compare.runs { run { n = 10, noise = 0.04, seed = 1 },
      run { n = 10, noise = 0.04, seed = 2, scale = 1.05 } }
    local row, entry = total(compared, "cpu_1")
    assert.equal("slower", row.verdict)
    assert.equal("slower", compared.comparisons[1].verdict)
    assert.matches("^slower by [45]%.%d %% ± %d%.%d$", row.words)
    assert.is_true(row.shift_low_percent < 5 and 5 < row.shift_high_percent + 1)
    assert.equal(4, #entry.phases)
    for _, phase in ipairs(entry.phases) do assert.equal("slower", phase.verdict) end
  end)

  it("has the sign the right way round", function()
    local compared = compare.runs { run { n = 8, seed = 1, scale = 1.2 }, run { n = 8, seed = 2 } }
    local row = total(compared, "cpu_2")
    assert.equal("faster", row.verdict)
    assert.is_true(row.shift_ms < 0)
    assert.is_true(row.median_b_ms < row.median_a_ms)
  end)

  it("sees no difference between two runs of the same thing in 95 of 100 pairs", function()
    local same = 0
    for pair = 1, 100 do
      local compared = compare.runs { run { n = 10, noise = 0.05, seed = 1000 + pair },
        run { n = 10, noise = 0.05, seed = 5000 + pair * 7 } }
      if compared.comparisons[1].verdict == "same" then same = same + 1 end
    end
    assert.is_true(same >= 95, ("only %d of 100"):format(same))
  end)

  it("says how many samples it would need", function()
    local compared = compare.runs { run { n = 3 }, run { n = 3, scale = 2 } }
    local row = total(compared, "cpu_1")
    assert.equal("too_few", row.verdict)
    assert.equal("need >= 6 samples", row.words)
    compared = compare.runs { run { n = 6, seed = 3 }, run { n = 6, scale = 2 } }
    assert.equal("slower", (total(compared, "cpu_1")).verdict)
  end)

  it("names only the phase that changed", function()
    local function boots(extra_ms, seed)
      return run { cpus = { 1 }, n = 10, noise = 0.02, seed = seed, sample = function(key, i, order, d)
        local sample = journals.sample(key, i, order, d)
        for _, marker in ipairs(sample.markers) do
          if marker.name ~= "firmware" and marker.name ~= "kernel_starts" and marker.name ~= "memory" then
            marker.t_ns = marker.t_ns + math.floor(extra_ms * 1e6)
          end
        end
        return sample
      end }
    end
    local _, entry = total(compare.runs { boots(0, 1), boots(8, 2) }, "cpu_1")
    for _, row in ipairs(entry.phases) do
      assert.equal(row.name == "memory -> drivers" and "slower" or "same", row.verdict, row.name)
    end
  end)

  it("corrects p over the rows of a family", function()
    local row = total(compare.runs { run { cpus = { 1, 2, 4, 8 }, n = 8, seed = 1 },
      run { cpus = { 1, 2, 4, 8 }, n = 8, seed = 2, scale = 1.1 } }, "cpu_1")
    assert.is_true(row.p_adjusted >= row.p)
  end)

  it("warns when host, QEMU, accelerator, image or grammar differ", function()
    local a = run { n = 2, run = { image = { sha256 = "aaa" } } }
    local b = run { n = 2, run = { image = { sha256 = "bbb" }, grammar_hash = "other", host = {
      cores = 4, cpu_model = "Other CPU", qemu_version = "9.0", accelerator = "kvm", load_before = { 3.5, 0, 0 } } } }
    local warnings = table.concat(compare.runs({ a, b }).comparisons[1].warnings, "\n")
    for _, word in ipairs { "QEMU version differs: 7.2.22, 9.0", "accelerator differs: tcg, kvm", "CPU model",
      "number of cores", "disk image", "grammar differs", "busy when the second run began" } do
      assert.is_truthy(warnings:find(word, 1, true), word)
    end
    assert.equal(0, #compare.runs({ a, a }).comparisons[1].warnings)
  end)

  it("refuses to put virtual and real time into one table", function()
    local virtual = run { n = 2, run = { deterministic = true } }
    local compared, message = compare.runs({ run { n = 2 }, virtual }, { "a", "b" })
    assert.is_nil(compared)
    assert.equal("a has real time and b virtual time: the two cannot be compared", message)
    assert.is_table(compare.runs { virtual, virtual })
  end)

  it("says which configurations only one run has", function()
    local compared = compare.runs { run { cpus = { 1, 2 }, n = 2 }, run { cpus = { 2, 4 }, n = 2 } }
    local warnings = table.concat(compared.comparisons[1].warnings, "\n")
    assert.matches("cpu_1 is only in the first", warnings)
    assert.matches("cpu_4 is only in the second", warnings)
    assert.equal(1, #compared.comparisons[1].configurations)
  end)

  it("compares nothing with samples that all failed", function()
    local broken = run { n = 3, sample = function(key, i, order) return journals.failed(key, i, order) end }
    local compared = compare.runs { run { n = 3 }, broken }
    local row = total(compared, "cpu_1")
    assert.equal("nothing", row.verdict)
    assert.matches("no boot time in the second run", row.words)
    assert.is_nil(row.p)
    assert.equal(2, #compare.regressions(compared, { slower = 0.02 }))
    assert.equal(0, #compare.regressions(compared, {}))
    assert.is_truthy(json.decode(json.encode(compared)))
    assert.is_nil(show(compared):find("nan"))
  end)

  it("compares several runs with the first", function()
    local runs = { run { n = 7 }, run { n = 7, seed = 2 }, run { n = 7, scale = 1.3 } }
    local compared = compare.runs(runs, { "x", "y", "z" })
    assert.equal(2, #compared.comparisons)
    assert.equal("z", compared.comparisons[2].name)
    assert.equal("slower", compared.comparisons[2].verdict)
    local text = show(compared)
    assert.matches("B2  z", text)
    assert.matches("A %-> B2: slower", text)
  end)

  it("takes a regression only from what is significant and large enough", function()
    local compared = compare.runs { run { n = 10, seed = 1 }, run { n = 10, seed = 2, scale = 1.05 } }
    assert.equal(2, #compare.regressions(compared, { slower = 0.02 }))
    assert.equal(0, #compare.regressions(compared, { slower = 0.2 }))
    assert.equal(8, #compare.regressions(compared, { phase = 0.02 }))
  end)

  it("is misused with one run", function()
    assert.error_matches(function() compare.runs { run { n = 1 } } end, "two runs or more")
  end)

  it("escapes what it prints", function()
    local text = show(compare.runs({ run { n = 1 }, run { n = 1 } }, { "a\27[2J", "b" }))
    assert.is_nil(text:find("\27"))
  end)

  describe("command", function()
    local dirs = {}

    after_each(function()
      for _, dir in ipairs(dirs) do journals.remove(dir) end
      dirs = {}
    end)

    local function status_of(args)
      local out, stdout = {}, io.stdout
      io.stdout = { write = function(self, ...) -- luacheck: ignore
        for _, s in ipairs { ... } do out[#out + 1] = s end
        return self
      end }
      local ok, status = pcall(command.run, args)
      io.stdout = stdout -- luacheck: ignore
      assert(ok, status)
      return status, table.concat(out)
    end

    before_each(function()
      dirs[1] = journals.write(journals.sweep { n = 10, seed = 1 })
      dirs[2] = journals.write(journals.sweep { n = 10, seed = 2, scale = 1.05 })
    end)

    it("exits with 1 on a regression when asked to", function()
      assert.equal(0, (status_of { runs = { dirs[1], dirs[2] } }))
      local status, out = status_of { runs = { dirs[1], dirs[2] }, fail_on = { { what = "slower", share = 0.02 } } }
      assert.equal(1, status)
      assert.matches("REGRESSION: .*cpu_1: boot time is slower by", out)
      assert.equal(0, (status_of { runs = { dirs[2], dirs[1] }, fail_on = { { what = "slower", share = 0.02 } } }))
    end)

    it("prints one JSON document", function()
      local status, out = status_of { runs = { dirs[1], dirs[2] }, json = true }
      assert.equal(0, status)
      assert.equal("slower", json.decode(out).comparisons[1].verdict)
    end)

    it("reads results files too", function()
      local report = require "moonboot.report"
      local written = assert(report.write(assert(report.load(dirs[1])), dirs[1], { "json" }))
      local status, out = status_of { runs = { written[1], dirs[1] } }
      assert.equal(0, status)
      assert.matches("no significant difference", out)
    end)
  end)
end)

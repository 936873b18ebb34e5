-- The parts of the benchmarks that compute, so that they do not rot between two runs of `make bench`.
local guests = require "tests.bench.support.guests"
local lines = require "tests.bench.support.lines"
local measure = require "tests.bench.support.measure"
local results = require "tests.bench.support.results"

describe("bench", function()
  it("lets contenders take turns there and back", function()
    assert.same({ { 1, 2 }, { 2, 1 }, { 1, 2 } }, measure.turns(3, 2))
    local calls = {}
    local function contender(name)
      return { name, function()
        table.insert(calls, name)
        return #calls
      end }
    end
    local values = measure.interleaved(2, { contender "a", contender "b", contender "c" })
    assert.same({ "a", "b", "c", "c", "b", "a" }, calls)
    assert.same({ a = { 1, 6 }, b = { 2, 5 }, c = { 3, 4 } }, values)
  end)

  it("takes the ratio within pairs", function()
    assert.equal(2, measure.ratio({ 2, 200, 8 }, { 1, 100, 1 }))
  end)

  it("judges a row by all of its bars", function()
    local row = results.row { what = "x", value = 10, peer = "y", peer_value = 1000,
      bars = { { of = "value", at_most = 15 }, { of = "ratio", at_most = 1 / 50 } } }
    assert.equal(0.01, row.ratio)
    assert.is_true(row.met)
    row = results.row { what = "x", value = 10, peer = "y", peer_value = 100,
      bars = { { of = "value", at_most = 15 }, { of = "ratio", at_most = 1 / 50 } } }
    assert.is_false(row.met)
    assert.is_true(results.row({ what = "x", value = 3, bars = { { of = "value", at_least = 3 } } }).met)
    assert.is_false(results.row({ what = "x", value = 3, bars = { { of = "ratio", at_least = 3 } } }).met)
    assert.is_nil(results.row({ what = "x", value = 3 }).met)
    assert.is_nil(results.row({ what = "lost", value = 0, peer = "y", peer_value = 0 }).ratio)
    assert.equal(4, results.row({ what = "x", value = 3, peer_value = 1, ratio = 4 }).ratio)
  end)

  it("writes the table", function()
    local rows = {
      results.row { bench = "stamps", what = "stamp error", unit = "us", value = 8.25, peer = "grabserial",
        peer_value = 55000, bars = { { of = "value", at_most = 15 }, { of = "ratio", at_most = 1 / 500 } } },
      results.row { bench = "boot", what = "wall time", unit = "ms", value = 1.03, peer = "bare", peer_value = 1,
        bars = { { of = "ratio", at_most = 1.01 } }, note = "15 pairs" },
    }
    local page = results.markdown { host = { cores = 2, cpu_model = "a CPU" }, started_at = "now", rows = rows }
    assert.truthy(page:find("| stamp error | 8.25 us | grabserial: 55000 us | 1/6667 | at most 15 us, ratio at most "
      .. "1/500 | met |", 1, true))
    assert.truthy(page:find("| wall time | 1.03 ms | bare: 1 ms | 1.03 | ratio at most 1.01 | MISSED |", 1, true))
    assert.truthy(page:find("\n- wall time: 15 pairs\n", 1, true))
    assert.matches("^a CPU, 2 cores, ", page)
    assert.matches("MISSED", results.line(rows[2]))
  end)

  it("reads what tools say that stamp lines", function()
    local output = "[1700000000.000001] one\r\n[1700000001.500000] two\r\nno stamp\n[1700000002.000000] cut"
    assert.same({
      data = "one\ntwo\nno stamp\ncut",
      times_ns = { 1700000000000001000, false, false, false, 1700000001500000000, false, false, false,
        false, false, false, false, false, false, false, false, false, 1700000002000000000, false, false },
    }, lines.stamped(output, "start"))
    local ends = lines.stamped(output, "end").times_ns
    assert.equal(1700000000000001000, ends[4])
    assert.equal(1700000001500000000, ends[8])
    assert.is_false(ends[18])
    assert.equal(20, #ends)
  end)

  it("leaves carriage returns out of a trace", function()
    assert.same({ data = "a\nb", times_ns = { 1, 3, 4 } },
      lines.without_returns { data = "a\r\nb", times_ns = { 1, 2, 3, 4 } })
  end)

  it("takes moonboot out of a command line", function()
    assert.same({ "qemu", "-m", "64M", "-serial", "stdio", "-append", "-S x" }, guests.without_moonboot({ "qemu", "-S",
      "-m", "64M", "-chardev", "socket,id=qmp,fd=3", "-mon", "chardev=qmp,mode=control", "-chardev",
      "socket,id=com1,fd=4", "-serial", "chardev:com1", "-append", "-S x" }, "stdio"))
  end)
end)

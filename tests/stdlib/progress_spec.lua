local forecast = require "moonboot.progress.forecast"
local line = require "moonboot.progress.line"

describe("progress.forecast", function()
  local known

  before_each(function()
    known = forecast.new()
    known:learn("a", { markers = { one = 100, two = 400 }, boot_time_ms = 300, wall_s = 2, ok = true })
    known:learn("a", { markers = { one = 120, two = 420 }, boot_time_ms = 320, wall_s = 4, ok = true })
  end)

  it("knows nothing at first", function()
    local empty = forecast.new()
    assert.is_nil(empty:median "a")
    assert.is_nil(empty:wall_s "a")
    assert.is_nil(empty:position("a", {}, 10))
    assert.is_nil(empty:left_s({ a = 1 }, {}))
    assert.equal(0, empty:left_s({}, {}))
  end)

  it("keeps the median of what has a boot time", function()
    local median, n = known:median "a"
    assert.equal(310, median)
    assert.equal(2, n)
    known:learn("a", { markers = { one = 5000 }, wall_s = 60, ok = false })
    median, n = known:median "a"
    assert.equal(310, median)
    assert.equal(2, n)
    assert.same({ 110 / 410, 300, "two" }, { known:position("a", { one = 50 }, 50) })
  end)

  it("places a boot between its last marker and the next", function()
    assert.same({ 55 / 410, 355, "one" }, { known:position("a", {}, 55) })
    assert.same({ 110 / 410, 300, "two" }, { known:position("a", { one = 200 }, 200) })
    assert.same({ 260 / 410, 150, "two" }, { known:position("a", { one = 200 }, 350) })
    assert.same({ 1, 0 }, { known:position("a", { one = 1, two = 2 }, 2) })
  end)

  it("waits before a marker that is late", function()
    assert.same({ 110 / 410, 300, "one" }, { known:position("a", {}, 1e6) })
    assert.same({ 1, 0, "two" }, { known:position("a", { one = 1 }, 1e6) })
  end)

  it("divides what is left among the jobs", function()
    assert.equal(3, known:wall_s "a")
    assert.equal(3, known:wall_s "never booted yet")
    assert.equal(9, known:left_s({ a = 2, b = 1 }, {}))
    local running = { { key = "a", elapsed_s = 1 }, { key = "a", elapsed_s = 50 } }
    assert.equal((9 + 2 + 0) / 2, known:left_s({ a = 3 }, running))
  end)
end)

describe("progress.line", function()
  local plain, rich = { unicode = false, colour = false }, { unicode = true, colour = true }
  local job = { title = "cpu_4", label_width = 6, count = "2/5", share = 0.5, next = "drivers", left_s = 1.25,
    elapsed_s = 1, median_ms = 66 }

  it("shows all there is room for", function()
    assert.equal("cpu_4   2/5  [##########..........]  -> drivers              1.2 s left  median 66.00 ms",
      line.job(job, 100, plain))
    assert.equal("cpu_4   2/5  \27[36m██████████··········\27[0m  → drivers               1.2 s left  median 66.00 ms",
      line.job(job, 100, rich))
  end)

  it("says what it does not know by leaving it out", function()
    local first = { title = "cpu_4", count = "1/5", last = "firmware", elapsed_s = 3.25 }
    assert.equal("cpu_4  1/5  [....................]  firmware                3.2 s     ", line.job(first, 100, plain))
    assert.equal("cpu_4  1/5  [....................]                          3.2 s     ",
      line.job({ title = "cpu_4", count = "1/5", elapsed_s = 3.25 }, 100, plain))
  end)

  it("fits every window", function()
    for width = 1, 120 do
      for _, style in ipairs { plain, rich } do
        local long = { title = ("x"):rep(300), installs = true, step = ("y"):rep(300), elapsed_s = 1 }
        for _, about in ipairs { job, long } do
          local shown = line.job(about, width, style):gsub("\27%[%d+m", "")
          assert(utf8.len(shown) <= math.max(width, 9), width .. ": " .. shown)
        end
        local shown = line.summary({ done = 3, of = 20, not_ok = 2, left_s = 300 }, width, style):gsub("\27%[%d+m", "")
        assert(utf8.len(shown) <= width, width .. ": " .. shown)
      end
    end
  end)

  it("lets no control character through", function()
    local bad = { title = "a\27[2Jb", installs = true, step = "\27]0;x\7", elapsed_s = 70 }
    assert.equal("a\\e[2Jb  1 min 10 s  \\e]0;x\\x07", line.job(bad, 80, plain))
  end)

  it("sums a run up", function()
    assert.equal("7 of 20 boots done, 1 not ok; about 1 min 20 s left",
      line.summary({ done = 7, of = 20, not_ok = 1, left_s = 80 }, 80, plain))
    assert.equal("7 of at least 20 boots done",
      line.summary({ done = 7, of = 20, at_least = true, not_ok = 0 }, 80, plain))
    assert.equal("\27[2m7 of 20 boots done\27[0m\27[31m, 2 not ok\27[0m",
      line.summary({ done = 7, of = 20, not_ok = 2 }, 80, rich))
  end)

  it("says durations as people do", function()
    local said = {}
    for i, seconds in ipairs { 0, 3.2, 60, 61, 3599.5, 3600, 90000 } do said[i] = line.duration(seconds) end
    assert.same({ "0 s", "4 s", "1 min", "1 min 1 s", "1 h 0 min", "1 h 0 min", "25 h 0 min" }, said)
  end)
end)

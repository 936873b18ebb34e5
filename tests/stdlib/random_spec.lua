local random = require "moonboot.random"
local resample = require("moonboot.engine").resample

describe("moonboot.random", function()
  it("gives one sequence for one seed", function()
    local a, b, c = random.new(7), random.new(7.0), random.new(8)
    local differs = false
    for _ = 1, 50 do
      local x = a:integer(1000000)
      assert.equal(x, b:integer(1000000))
      differs = differs or x ~= c:integer(1000000)
    end
    assert.is_true(differs)
  end)

  it("gives the sequence that was promised when journals began to record seeds", function()
    local rng = random.new(1234)
    local drawn = {}
    for i = 1, 8 do drawn[i] = rng:integer(100) end
    assert.same({ 5, 85, 70, 88, 11, 90, 46, 21 }, drawn)
    assert.equal("ebcda", table.concat(random.new(1234):shuffle { "a", "b", "c", "d", "e" }))
  end)

  it("stays in range, up to the largest integer", function()
    local rng = random.new(1)
    for _ = 1, 1000 do
      local x, y = rng:integer(3), rng:number()
      assert.is_true(x >= 1 and x <= 3 and y >= 0 and y < 1)
    end
    assert.equal(1, rng:integer(1))
    assert.is_true(rng:integer(math.maxinteger) > 0)
  end)

  it("shuffles a copy into every order alike", function()
    local rng, counts, list = random.new(2), {}, { "a", "b", "c" }
    for _ = 1, 6000 do
      local order = table.concat(rng:shuffle(list))
      counts[order] = (counts[order] or 0) + 1
    end
    assert.same({ "a", "b", "c" }, list)
    local orders = 0
    for _, count in pairs(counts) do
      orders = orders + 1
      assert.is_true(math.abs(count - 1000) < 120)
    end
    assert.equal(6, orders)
    assert.same({}, rng:shuffle {})
  end)

  it("has normal numbers with the right moments", function()
    local rng, sum, squares = random.new(3), 0, 0
    for _ = 1, 20000 do
      local z = rng:normal()
      sum, squares = sum + z, squares + z * z
    end
    assert.is_true(math.abs(sum / 20000) < 0.03)
    assert.is_true(math.abs(squares / 20000 - 1) < 0.04)
  end)

  it("refuses a seed that is no whole number, at the caller's line", function()
    for _, seed in ipairs { 1.5, "1.5", true } do
      local _, message = pcall(function() random.new(seed) end)
      assert.matches("random_spec.lua:%d+: random.new: seed must be a whole number, not ", message)
    end
    assert.error_matches(function() random.new(1):integer(0) end, "must be at least 1")
  end)
end)

describe("engine.resample", function()
  it("refuses what is not a list of finite numbers", function()
    assert.error_matches(function() resample.replicates({ 1, "2" }, "mean", 10, 1) end, "value 2 is not a finite")
    assert.error_matches(function() resample.replicates({ 0 / 0 }, "mean", 10, 1) end, "value 1 is not a finite")
    assert.error_matches(function() resample.replicates(5, "mean", 10, 1) end, "table expected")
  end)

  it("refuses what it cannot compute", function()
    assert.error_matches(function() resample.replicates({ 1 }, "mode", 10, 1) end, "invalid option 'mode'")
    assert.error_matches(function() resample.replicates({ 1 }, "mean", 0, 1) end, "must be 1 or more")
    assert.error_matches(function() resample.replicates({}, "mean", 10, 1) end, "too few values")
    assert.error_matches(function() resample.replicates({ 1 }, "stdev", 10, 1) end, "too few values")
    assert.error_matches(function() resample.lgamma(0) end, "must be above 0")
  end)

  it("has the C library's erfc and lgamma", function()
    assert.is_true(math.abs(resample.erfc(1) - 0.15729920705028513) < 1e-15)
    assert.is_true(math.abs(resample.lgamma(10) - math.log(362880)) < 1e-12)
  end)

  it("names a generator for what it is", function()
    assert.matches("^moonboot.rng: ", tostring(resample.random(1)))
    assert.error_matches(function() resample.random(1).integer(io.stdout, 3) end, "moonboot.rng expected")
  end)
end)

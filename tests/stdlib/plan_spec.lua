local plan = require "moonboot.plan"

local function configurations(n)
  local list = {}
  for i = 1, n do list[i] = { key = "cpu_" .. i, index = i } end
  return list
end

local function make(changes)
  local args = { configurations = configurations(4), samples = { count = 5 }, seed = 42 }
  for key, value in pairs(changes or {}) do args[key] = value end
  return plan.new(args)
end

local function keys(entries)
  local out = {}
  for i, entry in ipairs(entries) do out[i] = entry.key end
  return table.concat(out, " ")
end

describe("plan.new", function()
  it("has every configuration once in every round", function()
    local p = make()
    assert.equal(20, #p.entries)
    for round = 0, 4 do
      local seen = {}
      for i = 1, 4 do
        local entry = p.entries[round * 4 + i]
        assert.is_nil(seen[entry.key])
        seen[entry.key] = true
        assert.equal(round + 1, entry.index)
        assert.equal(round + 1, entry.round)
        assert.equal(round * 4 + i, entry.order)
        assert.equal(entry.key, entry.configuration.key)
        assert.is_false(entry.warmup)
      end
    end
  end)

  it("is the same for the same seed, and another for another", function()
    assert.equal(keys(make().entries), keys(make().entries))
    assert.not_equal(keys(make().entries), keys(make({ seed = 43 }).entries))
  end)

  it("shuffles anew in every round", function()
    local p, orders, different = make { samples = { count = 20 } }, {}, 0
    for n = 1, 20 do
      local order = keys(p:round(n))
      if not orders[order] then different = different + 1 end
      orders[order] = true
    end
    assert.is_true(different > 5)
  end)

  it("puts every configuration in every place about equally often", function()
    local p, first = make { samples = { count = 400 } }, {}
    for n = 1, 400 do
      local key = p:round(n)[1].key
      first[key] = (first[key] or 0) + 1
    end
    for i = 1, 4 do assert.is_true(first["cpu_" .. i] > 60 and first["cpu_" .. i] < 140) end
  end)

  it("draws a seed when none is given, and leaves Lua's own generator alone", function()
    math.randomseed(1)
    local expected = math.random(1 << 30)
    math.randomseed(1)
    local p = plan.new { configurations = configurations(4), samples = { count = 5 } }
    assert.equal(expected, math.random(1 << 30))
    assert.equal("integer", math.type(p.seed))
    assert.is_true(p.seed >= 1 and p.seed < 1 << 31)
    assert.equal(keys(p.entries), keys(make({ seed = p.seed }).entries))
  end)

  it("begins with warm-up rounds, counted apart", function()
    local p = make { warmup = 2 }
    assert.equal(28, #p.entries)
    assert.is_true(p.entries[8].warmup)
    assert.equal(2, p.entries[8].index)
    assert.is_false(p.entries[9].warmup)
    assert.equal(1, p.entries[9].index)
    assert.equal(9, p.entries[9].order)
  end)

  it("cannot plan nothing", function()
    assert.has_error(function() make { configurations = {} } end, "plan.new: no configurations")
  end)
end)

describe("an adaptive plan", function()
  local function adaptive() return make { samples = { min = 2, max = 4, until_ci = 0.02 }, warmup = 1 } end

  it("has the sure rounds first, and more on demand", function()
    local p = adaptive()
    assert.is_true(p.adaptive)
    assert.equal(3, p.first_rounds)
    assert.equal(12, #p.entries)
    assert.equal(4, #p:wanted(4))
    assert.equal(4, #p:wanted(5))
    assert.is_nil(p:wanted(6))
    assert.is_nil(p:round(0))
  end)

  it("leaves out what is settled without moving the rest", function()
    local p = adaptive()
    local all, some = p:round(4), p:wanted(4, { cpu_2 = true })
    assert.equal(3, #some)
    for _, entry in ipairs(some) do
      local same
      for _, other in ipairs(all) do same = same or other.order == entry.order and other.key == entry.key end
      assert.is_true(same)
    end
    assert.is_nil(p:wanted(4, { cpu_1 = true, cpu_2 = true, cpu_3 = true, cpu_4 = true }))
  end)

  it("is the same in whatever order the rounds are asked for", function()
    local p = adaptive()
    local last = keys(p:round(5))
    assert.equal(keys(p:round(4)), keys(adaptive():round(4)))
    assert.equal(last, keys(adaptive():round(5)))
    assert.equal(keys(make({ samples = { count = 4 }, warmup = 1 }):round(5)), last)
  end)
end)

describe("plan:remaining", function()
  it("goes on where a run was cut off", function()
    local p = make()
    local rest = p:remaining { [1] = true, [2] = true, [4] = true }
    assert.equal(17, #rest)
    assert.equal(3, rest[1].order)
    assert.equal(5, rest[2].order)
    assert.equal(p.entries[3], rest[1])
  end)
end)

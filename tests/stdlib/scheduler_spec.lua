local scheduler = require "moonboot.scheduler"
local task = require "moonboot.task"

describe("scheduler", function()
  local function disjoint(a, b)
    for _, x in ipairs(a) do
      for _, y in ipairs(b) do
        if x == y then return false end
      end
    end
    return true
  end

  -- Whether a lease can be had at once.
  local function try(s, vcpus)
    local lease
    local waiting = task.spawn(function() lease = s:acquire(vcpus) end)
    if not waiting.done then waiting:cancel("no") end
    return lease
  end

  it("gives a single boot the whole host", function()
    local s = scheduler.new(1, { 0, 1, 2, 3 })
    local lease = s:acquire(2)
    assert.is_nil(lease.cores)
    assert.is_false(lease.crowded)
    assert.is_nil(try(s, 1))
    lease:release()
    local wide = s:acquire(4)
    assert.is_true(wide.crowded)
    assert.is_nil(wide.company)
    assert.equal(1, s.peak)
  end)

  it("deals disjoint cores out, and takes them back", function()
    local s = scheduler.new("auto", { 2, 3, 5, 7 })
    assert.equal(4, s.jobs)
    local a, b = s:acquire(1), s:acquire(2)
    assert.equal(1, #a.cores)
    assert.equal(2, #b.cores)
    assert.is_true(disjoint(a.cores, b.cores))
    assert.is_nil(a.crowded)
    local c = s:acquire(1)
    assert.is_true(disjoint(c.cores, a.cores) and disjoint(c.cores, b.cores))
    assert.is_true(a.crowded and b.crowded and c.crowded)
    assert.is_true(a.company and c.company)
    assert.equal(3, s.peak)
    b:release()
    b:release()
    local d = s:acquire(2)
    assert.is_true(disjoint(d.cores, a.cores) and disjoint(d.cores, c.cores))
  end)

  it("never oversubscribes by itself", function()
    local s = scheduler.new("auto", { 0, 1, 2 })
    local a = s:acquire(2)
    assert.is_nil(try(s, 2))
    assert.is_nil(a.shared)
    local b = try(s, 1)
    assert.same({ 2 }, b.cores)
    assert.is_nil(try(s, 1))
  end)

  it("shares cores when more jobs are asked for, and says so", function()
    local s = scheduler.new(3, { 0, 1 })
    local a, b, c = s:acquire(1), s:acquire(1), s:acquire(1)
    assert.is_nil(a.shared or b.shared)
    assert.is_true(c.shared and c.crowded)
    assert.is_nil(c.cores)
    assert.is_nil(try(s, 1))
  end)

  it("lets a configuration that needs every core run alone", function()
    local s = scheduler.new("auto", { 0, 1 })
    local a = s:acquire(1)
    assert.is_nil(try(s, 4))
    a:release()
    local wide = try(s, 4)
    assert.is_true(wide.alone and wide.crowded)
    assert.is_nil(wide.cores)
    assert.is_nil(try(s, 1))
    wide:release()
    assert.is_table(try(s, 1))
  end)

  it("keeps drain threads to spare cores, and to a boot's own where there are none", function()
    local s = scheduler.new(3, { 0, 1, 2 })
    local seen = {}
    local function follow(name, lease)
      lease:follow(function(cores) seen[name] = table.concat(cores, ",") end)
    end
    local a = s:acquire(1)
    follow("a", a)
    assert.equal("1,2", seen.a)
    local b = s:acquire(1)
    follow("b", b)
    assert.same({ a = "2", b = "2" }, seen)
    local c = s:acquire(1)
    follow("c", c)
    assert.same({ a = "0", b = "1", c = "2" }, seen)
    b:release()
    assert.same({ a = "1", b = "1", c = "1" }, seen)
    a:follow(nil)
    c:release()
    assert.equal("1", seen.a)
    -- Where cores are not dealt out, nothing is pinned.
    local alone = scheduler.new(1, { 0, 1 }):acquire(1)
    alone:follow(function() error "pinned" end)
  end)
end)

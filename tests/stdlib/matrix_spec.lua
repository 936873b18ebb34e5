local matrix = require "moonboot.matrix"

local function expand(axes, cpus)
  return assert(matrix.expand(assert(matrix.axes(axes)), cpus))
end

local function column(list, field)
  local out = {}
  for i, entry in ipairs(list) do out[i] = entry[field] end
  return out
end

local function refused(message, axes, key)
  local good, why, at = matrix.axes(axes)
  assert.is_nil(good)
  assert.matches(message, why, 1, true)
  assert.equal(key, at)
end

describe("matrix.axes", function()
  it("puts cpus first and the rest by alphabet", function()
    assert.same({ "cpus", "accel", "memory" },
      column(matrix.axes { memory = { "1G" }, accel = { "tcg" }, cpus = { 1 } }, "name"))
  end)

  it("keeps the order of a list", function()
    assert.same({ { name = "memory", values = { "1G" } }, { name = "cpus", values = { 1, 2 } } },
      matrix.axes { { "memory", { "1G" } }, { "cpus", { 1, 2 } } })
  end)

  it("takes its own result", function()
    local axes = matrix.axes { { "memory", { "1G" } }, { "cpus", { 1, 2 } } }
    assert.same(axes, matrix.axes(axes))
  end)

  it("takes a single value for a list of one, and 2.0 for 2", function()
    assert.same({ { name = "cpus", values = { 2 } } }, matrix.axes { cpus = 2.0 })
    assert.equal("integer", math.type(matrix.axes({ cpus = { 2.0 } })[1].values[1]))
  end)

  it("refuses what has no clear meaning", function()
    refused("matrix axis 'cpus' has no values", { cpus = {} }, "cpus")
    refused("has the value 2 twice", { cpus = { 1, 2, 2 } }, "cpus")
    refused("has the value 2 twice", { cpus = { 2, 2.0 } }, "cpus")
    refused("both read 'a_b'", { machine = { "a.b", "a,b" } }, "machine")
    refused("both read '1'", { x = { 1, "1" } }, "x")
    refused("value 2 must be a number, a string or a boolean, not a table", { cpus = { 1, {} } }, "cpus")
    refused("not NaN", { cpus = { 0 / 0 } }, "cpus")
    refused("not an empty string", { x = { "" } }, "x")
    refused("list without gaps", { cpus = { 1, nil, 3 } }, "cpus")
    refused("list without gaps", { cpus = { a = 1 } }, "cpus")
    refused("made of letters", { ["a-b"] = { 1 } }, "a-b")
    refused("made of letters", { { 5, { 1 } } })
    refused("as in { cpus = { 1, 2, 4 } }", { 1, 2, 4 })
    refused("is there twice", { { "cpus", { 1 } }, { "cpus", { 2 } } }, "cpus")
  end)
end)

describe("matrix.expand", function()
  it("gives keys and labels", function()
    local list = expand { cpus = { 1, 4 }, memory = { "256M", "512M" } }
    assert.same({ "cpu_1.memory_256M", "cpu_1.memory_512M", "cpu_4.memory_256M", "cpu_4.memory_512M" },
      column(list, "key"))
    assert.same({ "1cpu-memory_256M", "1cpu-memory_512M", "4cpu-memory_256M", "4cpu-memory_512M" },
      column(list, "label"))
    assert.same({ 1, 2, 3, 4 }, column(list, "index"))
    assert.same({ cpus = 4, memory = "256M" }, list[3].settings)
  end)

  it("always has vCPUs in the label", function()
    assert.same({ { key = "cpu_2", label = "2cpu", index = 1, settings = {} } }, expand({}, 2))
    local list = expand({ memory = { 256 } }, 2)
    assert.equal("memory_256", list[1].key)
    assert.equal("2cpu-memory_256", list[1].label)
  end)

  it("puts vCPUs first in labels, wherever the axis is", function()
    local list = expand { { "memory", { "1G" } }, { "cpus", { 2 } } }
    assert.equal("memory_1G.cpu_2", list[1].key)
    assert.equal("2cpu-memory_1G", list[1].label)
  end)

  it("makes file names out of any value", function()
    local list = expand { kernel = { "/boot/vmlinuz-6.1" }, smp_on = { true } }
    assert.equal("kernel__boot_vmlinuz-6_1.smp_on_true", list[1].key)
  end)

  it("refuses configurations of one name", function()
    local axes = assert(matrix.axes { cpu = { "1" }, { "cpus", { 1 } } })
    assert.truthy(matrix.expand(axes))
    local good, message = matrix.expand(assert(matrix.axes { a = { "1", "1_b" }, a_1 = { "b" } }))
    assert.truthy(good, message)
    good, message = matrix.expand { { name = "x", values = { "a.b", "a_b" } } }
    assert.is_nil(good)
    assert.matches("both be called 'x_a_b'", message)
  end)

  it("refuses names too long for a file, and floods", function()
    local good, message = matrix.expand(assert(matrix.axes { kernel = { ("x"):rep(200) } }))
    assert.is_nil(good)
    assert.matches("too long a name", message)
    local many = {}
    for i = 1, 101 do many[i] = i end
    good, message = matrix.expand(assert(matrix.axes { a = many, b = many }))
    assert.is_nil(good)
    assert.matches("more than 10000", message)
  end)
end)

describe("matrix.parse", function()
  it("reads an axis from the command line", function()
    assert.same({ "cpus", { 1, 2, 4 } }, { matrix.parse "cpus=1,2,4" })
    assert.same({ "memory", { "512M", 256 } }, { matrix.parse "memory=512M,256" })
    assert.same({ "x", { true, false, 0.5, "1e3", "0x10", "a=b" } }, { matrix.parse "x=true,false,0.5,1e3,0x10,a=b" })
  end)

  it("says how it is written", function()
    for _, bad in ipairs { "cpus", "cpus=", "=1", "a-b=1", "" } do
      local name, message = matrix.parse(bad)
      assert.is_nil(name)
      assert.matches("AXIS=VALUE", message)
    end
    assert.matches("empty value", select(2, matrix.parse "cpus=1,,2"))
  end)
end)

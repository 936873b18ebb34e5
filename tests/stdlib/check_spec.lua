local check = require "moonboot.check"

local function script(source)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(source)
  file:close()
  return path
end

describe("check.value", function()
  local function refuses(message, value, rule)
    local good, why = check.value(value, rule, "'x' in t")
    assert.is_nil(good)
    assert.equal(message, why)
  end

  it("knows types, in words", function()
    assert.equal(3, check.value(3, { type = "number" }, "x"))
    assert.equal("integer", math.type(check.value(3.0, { type = "integer" }, "x")))
    assert.equal(false, check.value(false, { type = "boolean" }, "x"))
    refuses("'x' in t must be a number or a table, not 'five'", "five", { type = { "number", "table" } })
    refuses("'x' in t must be an integer, not 1.5", 1.5, { type = "integer" })
    refuses("'x' in t must be a string, not a table", {}, { type = "string" })
    refuses("'x' in t must be a function, not a table", {}, { type = "callable" })
  end)

  it("takes a table that can be called for a function", function()
    local callable = setmetatable({}, { __call = function() end })
    assert.equal(callable, check.value(callable, { type = "callable" }, "x"))
  end)

  it("takes neither NaN nor infinity for a number", function()
    assert.is_nil(check.value(0 / 0, { type = "number" }, "x"))
    assert.is_nil(check.value(1 / 0, { type = "number" }, "x"))
    assert.is_nil(check.value(2 ^ 70, { type = "integer" }, "x"))
  end)

  it("knows choices, bounds and own checks", function()
    refuses("'x' in t must be image or configuration, not 'imgae' (did you mean 'image'?)", "imgae",
      { choices = { "image", "configuration" } })
    refuses("'x' in t must be at least 1, not 0", 0, { type = "integer", min = 1 })
    refuses("'x' in t must be at most 4, not 5", 5, { type = "integer", max = 4 })
    refuses("'x' in t is odd", 3, { check = function(v) if v % 2 == 0 then return true end return nil, "is odd" end })
  end)

  it("shows no raw bytes", function()
    refuses("'x' in t must be a number, not '\\e[2J'", "\27[2J", { type = "number" })
  end)
end)

describe("check.table", function()
  local schema = { samples = { type = "integer", default = 5 }, name = { type = "string", required = true } }

  it("fills in defaults in a copy", function()
    local given = { name = "n" }
    assert.same({ name = "n", samples = 5 }, check.table(given, schema, "experiment"))
    assert.same({ name = "n" }, given)
  end)

  it("names an unknown key and the nearest one", function()
    local good, message, key = check.table({ name = "n", sample = 5 }, schema, "experiment")
    assert.is_nil(good)
    assert.equal("unknown key 'sample' in experiment (did you mean 'samples'?)", message)
    assert.equal("sample", key)
  end)

  it("names what is missing or misplaced", function()
    assert.equal("experiment has no 'name'", select(2, check.table({}, schema, "experiment")))
    assert.equal("experiment has a value without a key, 'n'", select(2, check.table({ "n" }, schema, "experiment")))
    assert.equal("experiment must be a table, not 5", select(2, check.table(5, schema, "experiment")))
    assert.equal("'samples' in experiment must be an integer, not true",
      select(2, check.table({ name = "n", samples = true }, schema, "experiment")))
  end)
end)

describe("check.file_name_part", function()
  it("lets nothing out of a directory", function()
    assert.is_true(check.file_name_part("phase-7-5_b.2"))
    for _, bad in ipairs { "", ".hidden", "..", "a/b", "a b", "a\0b", "ü", ("x"):rep(101) } do
      assert.is_nil(check.file_name_part(bad))
    end
  end)
end)

describe("check.size", function()
  it("reads sizes in powers of 1024", function()
    assert.equal(512 << 20, check.size("512M"))
    assert.equal(2 << 30, check.size("2GiB"))
    assert.equal(1 << 10, check.size("1k"))
    assert.equal(100, check.size("100"))
  end)

  it("refuses the rest", function()
    for _, bad in ipairs { "", "M", "-1M", "1.5G", "5X", "0", "99999999999999T", "1e3" } do
      local size, message = check.size(bad)
      assert.is_nil(size)
      assert.matches("must be a size like 512M", message, 1, true)
    end
  end)
end)

describe("check.fail", function()
  local path
  after_each(function() if path then os.remove(path) end end)

  local function run(source)
    path = script(source)
    local ok, message = pcall(check.loading, path, loadfile(path))
    assert.is_false(ok)
    return message
  end

  it("blames the line of the key", function()
    local message = run [[
local check = require "moonboot.check"
-- sample = 1
local function call(t) check.fail("unknown key", "sample") return t end
call {
  name = "x",
  sample = 3,
}]]
    assert.equal(path .. ":6: unknown key", message)
  end)

  it("finds a key inside the table it belongs to", function()
    local message = run [[
local check = require "moonboot.check"
local function call(t) check.fail("no", "machine", "memory") return t end
call {
  memory = 1, machines = 2,
  machine = { arch = "i386",
    ["memory"] = 5 },
}]]
    assert.equal(path .. ":6: no", message)
  end)

  it("takes no comparison and no longer name for the key", function()
    local message = run [[
local check = require "moonboot.check"
local name_samples, b = 1, 2
local x = name_samples == b
check.fail("no", "samples")]]
    assert.equal(path .. ":4: no", message)
  end)

  it("knows the script even after a tail call", function()
    local message = run [[
local check = require "moonboot.check"
local sample
sample = 3
return check.fail("no", "sample")]]
    assert.equal(path .. ":3: no", message)
  end)

  it("names at least the file", function()
    local message = run [[return require("moonboot.check").fail("no")]]
    assert.equal(path .. ": no", message)
  end)

  it("forgets a script when it is over", function()
    run [[error "x"]]
    local ok, message = pcall(function() check.fail("here") end)
    assert.is_false(ok)
    assert.matches("check_spec.lua:%d+: here$", message)
  end)
end)

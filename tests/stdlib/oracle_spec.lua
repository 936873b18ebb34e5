local files = require "moonboot.files"
local oracle = require "moonboot.oracle"

describe("oracle", function()
  local dir

  before_each(function() dir = assert(files.make_temp_dir "/tmp/moonboot-spec-") end)
  after_each(function() files.remove(dir) end)

  local function file(name, content)
    assert(files.write(dir .. "/" .. name, content))
    return dir .. "/" .. name
  end

  -- Bytes at a given distance from one another.
  local function series(data, step_ns, from_ns)
    local times_ns = {}
    for i = 1, #data do times_ns[i] = (from_ns or 0) + i * step_ns end
    return { data = data, times_ns = times_ns }
  end

  local function write(us, address, value)
    return ("42@1700000000.%06d:serial_write write addr 0x%02x val 0x%02x\n"):format(us, address, value)
  end

  it("asks QEMU for the trace", function()
    assert.same({ "-msg", "timestamp=on", "-trace", "serial_write", "-D", "/x/trace" }, oracle.args "/x/trace")
  end)

  it("reads what was sent, and when, but neither the divisor nor what loops back", function()
    local path = file("trace", write(1, 3, 0x80) .. write(2, 0, 1) .. write(3, 1, 0) .. write(4, 3, 0x03)
      .. write(5, 0, 0x4d) .. "42@1700000000.000006:something else\n" .. write(70000, 0, 0x0a)
      .. write(70001, 4, 0x1b) .. write(70002, 0, 0x2e) .. write(70003, 4, 0x0b) .. write(999999, 0, 0xff))
    assert.same({
      data = "M\n\xff",
      times_ns = { 1700000000000005000, 1700000000070000000, 1700000000999999000 },
    }, oracle.read(path))
  end)

  it("says why there is no trace", function()
    local reference, message = oracle.read(dir .. "/none")
    assert.is_nil(reference)
    assert.matches("^cannot read QEMU's trace: .*none", message)
    reference, message = oracle.read(file("empty", ""))
    assert.is_nil(reference)
    assert.matches("has no serial_write events", message)
    assert.same({ data = "", times_ns = {} }, oracle.read(file("silent", write(1, 3, 3))))
  end)

  it("makes room for a trace that another process has opened", function()
    local path = dir .. "/reserved"
    local qemu <close> = assert(io.open(path, "wb"))
    assert.is_true(oracle.reserve(path, 5000))
    assert(qemu:write(write(5, 0, 0x4d)))
    assert(qemu:flush())
    local room <close> = assert(io.open(path, "rb"))
    assert.is_true(room:seek "end" >= 5000 * #write(5, 0, 0x4d))
    assert.same({ data = "M", times_ns = { 1700000000000005000 } }, oracle.read(path))
  end)

  it("says why there is no room for one", function()
    local reserved, message = oracle.reserve(dir .. "/nowhere/trace", 1)
    assert.is_nil(reserved)
    assert.matches("^QEMU has begun no trace: .*nowhere.*: use a QEMU with", message)
    reserved, message = oracle.reserve("/dev/full", 1)
    assert.is_nil(reserved)
    assert.matches("^no room for QEMU's trace: No space left", message)
  end)

  it("reads a capture", function()
    local log, timing = file("x.log", "abc"), file("x.timing", "1.000001 1\n0.000000 1\n-0.000002 1\n")
    assert.same({ data = "abc", times_ns = { 5000001000, 5000001000, 4999999000 } },
      oracle.capture(log, timing, 4000000000))
    local none, message = oracle.capture(log, file("y.timing", "1.000001 2\n"), 0)
    assert.is_nil(none)
    assert.matches("tells of 2 bytes, .* has 3$", message)
    assert.is_nil((oracle.capture(dir .. "/none", timing, 0)))
    assert.is_nil((oracle.capture(log, dir .. "/none", 0)))
  end)

  it("gives the error of each stamp", function()
    local errors_ns, lost, strange = oracle.errors(series("boot", 1000), series("boot", 1000, 7))
    assert.same({ 7, 7, 7, 7 }, errors_ns)
    assert.same({ 0, 0 }, { lost, strange })
  end)

  it("has no error where a byte has no stamp", function()
    local stamped = { data = "boot", times_ns = { 1007, false, false, 4009 } }
    assert.same({ 7, 9 }, (oracle.errors(series("boot", 1000), stamped)))
  end)

  it("finds the lost bytes, wherever they were", function()
    local alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    local reference = series(alphabet, 1000)
    for _, gap in ipairs { { 1, 1 }, { 10, 12 }, { 30, 30 }, { 50, 52 }, { 1, 52 } } do
      local got = { data = "", times_ns = {} }
      for i = 1, #alphabet do
        if i < gap[1] or i > gap[2] then
          got.data = got.data .. alphabet:sub(i, i)
          table.insert(got.times_ns, i * 1000 + 3)
        end
      end
      local errors_ns, lost, strange = oracle.errors(reference, got)
      assert.equal(gap[2] - gap[1] + 1, lost)
      assert.equal(0, strange)
      assert.equal(#got.data, #errors_ns)
      for _, ns in ipairs(errors_ns) do assert.equal(3, ns) end
    end
  end)

  it("counts bytes that nobody sent", function()
    local errors_ns, lost, strange = oracle.errors(series("abcdef", 10), series("abcXdef", 10))
    assert.equal(6, #errors_ns)
    assert.same({ 0, 1 }, { lost, strange })
    errors_ns, lost, strange = oracle.errors(series("", 10), series("ab", 10))
    assert.same({ {}, 0, 2 }, { errors_ns, lost, strange })
  end)
end)

local json = require "moonboot.json"

describe("json", function()
  it("keeps nanoseconds since 1970 exact, there and back", function()
    local text = json.encode { t0_realtime_ns = 1700000000123456789, small = 3, negative = -9007199254740995 }
    local back = json.decode(text)
    assert.equal(1700000000123456789, back.t0_realtime_ns)
    assert.equal(-9007199254740995, back.negative)
    assert.equal("integer", math.type(back.small))
  end)

  it("is not misled by digits inside strings", function()
    local back = json.decode(json.encode { line = [["t":1700000000123456789]], t = 1700000000123456790 })
    assert.equal(1700000000123456790, back.t)
    assert.equal([["t":1700000000123456789]], back.line)
  end)

  it("puts ranked keys first and the others by name", function()
    assert.equal('{"b":1,"a":2,"c":3}', json.encode({ a = 2, b = 1, c = 3 }, { order = { "b" } }))
  end)

  it("sorts objects of the same size but other keys each by itself", function()
    assert.equal('[{"a":1,"b":2},{"a":3,"c":4}]', json.encode { { a = 1, b = 2 }, { a = 3, c = 4 } })
  end)

  it("tells objects of the same size apart before it writes them", function()
    local deep = { a = 0, b = 0 }
    for _ = 1, 45 do deep = { a = 1, c = { x = 1, y = deep } } end
    assert.equal(1, select(2, json.encode(deep):gsub('"b":0', "")))
  end)

  it("quotes each byte as cjson does", function()
    for byte = 0, 127 do
      local c = string.char(byte)
      assert.equal((require("cjson").encode(c):gsub("\\/", "/")), json.encode(c))
    end
  end)

  it("knows an empty array from an empty object", function()
    assert.equal('{"a":[],"o":{}}', json.encode { a = json.array(), o = {} })
  end)

  it("writes null for null and reads it back as such", function()
    assert.equal('{"x":null}', json.encode { x = json.null })
    assert.equal(json.null, json.decode('{"x":null}').x)
    assert.is_nil(json.value(json.null))
  end)

  it("refuses what JSON cannot hold and says where it is", function()
    assert.error_matches(function() json.encode { a = { 1, 0 / 0 } } end, "value%.a%[2%] is %-?nan")
    assert.error_matches(function() json.encode { a = math.huge } end, "value%.a is inf")
    assert.error_matches(function() json.encode({ a = { 1, 0 / 0 } }, { width = 9 }) end, "value%.a%[2%] is %-?nan")
    assert.error_matches(function() json.encode { a = { f = print } } end, "value%.a%.f is a function")
    assert.error_matches(function() json.encode { x = 1, [true] = 2 } end, "key of type boolean")
    local loop = {}
    loop.a = loop
    assert.error_matches(function() json.encode(loop) end, "nested too deeply")
  end)

  it("makes any bytes valid UTF-8", function()
    local text = json.encode { line = "a\xff\xfeb\0\27[31m\xed\xa0\x80é" }
    assert.is_truthy(utf8.len(text))
    assert.equal("a\u{FFFD}\u{FFFD}b\0\27[31m\u{FFFD}\u{FFFD}\u{FFFD}é", json.decode(text).line)
  end)

  it("rounds to the decimals asked for, but makes no zero of a small figure", function()
    local function encode(x) return json.encode(x, { decimals = 6 }) end
    assert.equal("0.3", encode(0.1 + 0.2))
    assert.equal("66.065892", encode(66.0658921234))
    assert.equal("1.23e-09", encode(1.23e-9))
    assert.equal("100", encode(100.0000000001))
    assert.equal("-1.5", encode(-1.5))
    assert.equal("0", encode(0.0))
  end)

  it("keeps all digits that matter without", function()
    for _, x in ipairs { 0.1, 1 / 3, 2 ^ 60 + 0.0, 1e-300, -123456.789 } do
      assert.equal(x, json.decode(json.encode(x)))
    end
  end)

  it("breaks lines where they would be too long", function()
    local text = json.encode({ list = { 1, 2 }, long = { ("x"):rep(30), ("y"):rep(30) } }, { width = 40 })
    assert.equal([[
{
  "list": [ 1, 2 ],
  "long": [
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"
  ]
}]], text)
  end)

  it("reports what is no JSON", function()
    for _, bad in ipairs { "", "{", '{"a":}', "nul", "[1,2", '{"a":1}x' } do
      local value, message = json.decode(bad)
      assert.is_nil(value)
      assert.is_string(message)
      assert.is_nil(message:find("\n"))
    end
  end)
end)

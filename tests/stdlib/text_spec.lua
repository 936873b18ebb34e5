local text = require "moonboot.text"

describe("text.escape", function()
  it("leaves printable text and UTF-8 alone", function()
    assert.equal("plain \\ text ~", text.escape("plain \\ text ~"))
    assert.equal("Grüße 漢字 🌙", text.escape("Grüße 漢字 🌙"))
    assert.equal("", text.escape(""))
  end)

  it("shows controls and escape sequences instead of obeying them", function()
    assert.equal("\\e[2Ja\\r\\n\\t\\b\\x00\\x7f", text.escape("\27[2Ja\r\n\t\b\0\127"))
    assert.equal("a\nb\\r", text.escape("a\nb\r", "\n"))
  end)

  it("shows bytes that are not UTF-8", function()
    assert.equal("\\xff\\xfe", text.escape("\xff\xfe"))
    assert.equal("\\xc3(", text.escape("\xc3("))
    assert.equal("\\xc0\\xaf", text.escape("\xc0\xaf")) -- overlong
    assert.equal("\\xed\\xa0\\x80", text.escape("\xed\xa0\x80")) -- surrogate
    assert.equal("ü\\x80", text.escape("ü\x80"))
    assert.equal("\\xe2\\x82", text.escape("\xe2\x82")) -- cut short
    assert.equal("\\xf4\\x90\\x80\\x80", text.escape("\xf4\x90\x80\x80")) -- beyond U+10FFFF
  end)

  it("shows what would hide text: C1 controls, bidi overrides", function()
    assert.equal("\\u{9b}31m", text.escape("\u{9b}31m"))
    assert.equal("\\u{202e}abc", text.escape("\u{202e}abc"))
  end)

  it("gives only printable characters for any bytes", function()
    for first = 0, 255 do
      local out = text.escape(string.char(first, (first * 7 + 13) % 256, (first * 31 + 5) % 256))
      assert.is_nil(out:find("[%z\1-\31\127]"))
      assert.truthy(utf8.len(out))
    end
  end)
end)

describe("text.nearest", function()
  it("finds a slip of the finger", function()
    assert.equal("samples", text.nearest("sample", { "samples", "seed", "name" }))
    assert.equal("guest", text.nearest("geust", { "guest", "per" }))
    assert.equal("append", text.nearest("APPEND", { "append", "arch" }))
  end)

  it("finds what was cut short", function()
    assert.equal("memory", text.nearest("mem", { "memory", "name" }))
    assert.equal("cpus", text.nearest("cpu", { "cpu_model", "cpus" }))
  end)

  it("keeps silent when nothing is near", function()
    assert.is_nil(text.nearest("zebra", { "samples", "seed" }))
    assert.is_nil(text.nearest("x", { "per" }))
    assert.is_nil(text.nearest("anything", {}))
    assert.is_nil(text.nearest(("x"):rep(100000), { "samples" }))
  end)

  it("is the same whatever the order, and leaves the list alone", function()
    local list = { "b1", "a1" }
    assert.equal("a1", text.nearest("c1", list))
    assert.same({ "b1", "a1" }, list)
  end)
end)

describe("text.distance", function()
  it("counts insertions, deletions, replacements and swaps", function()
    assert.equal(0, text.distance("abc", "abc"))
    assert.equal(1, text.distance("abc", "acb"))
    assert.equal(3, text.distance("", "abc"))
    assert.equal(3, text.distance("kitten", "sitting"))
  end)
end)

describe("text.suggest and text.list", function()
  it("end a sentence", function()
    assert.equal(" (did you mean 'seed'?)", text.suggest("sed", { "seed" }))
    assert.equal("", text.suggest("zzz", { "seed" }))
    assert.equal("a, b or c", text.list { "a", "b", "c" })
    assert.equal("a and b", text.list({ "a", "b" }, "and"))
    assert.equal("a", text.list { "a" })
  end)
end)

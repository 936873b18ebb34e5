local vga = require "moonboot.vga"
local double = require "tests.stdlib.support.vga"

local cells, memory = double.cells, double.memory

describe("vga.decode", function()
  it("reads rows, without attributes and trailing blanks", function()
    local rows = vga.decode(memory { [0] = "one", [80] = "  two  " })
    assert.equal(25, #rows)
    assert.equal("one", rows[1])
    assert.equal("  two", rows[2])
    assert.equal("", rows[3])
  end)

  it("starts wherever the page does and goes on at the beginning of the memory", function()
    local rows = vga.decode(memory { [16384 - 40] = ("x"):rep(40) .. "wrapped", [40] = "next" },
      { start = 16384 - 40, rows = 2 })
    assert.same({ ("x"):rep(40) .. "wrapped", "next" }, rows)
  end)

  it("knows rows that are longer in memory than on the screen", function()
    local rows = vga.decode(memory { [0] = ("a"):rep(100), [100] = "b" }, { columns = 40, stride = 100, rows = 2 })
    assert.same({ ("a"):rep(40), "b" }, rows)
  end)

  it("translates code page 437", function()
    local rows = vga.decode(memory { [0] = "\xc9\xcd\xbb \x01 \xe1 \x9b\xfe" }, { rows = 1 })
    assert.same({ "╔═╗ ☺ ß ¢■" }, rows)
    local every = {}
    for code = 0, 255 do every[#every + 1] = string.char(code, 7) end
    local row = vga.decode(table.concat(every) .. cells "|", { columns = 257, rows = 1 })[1]
    assert.equal(257, utf8.len(row))
    assert.is_nil(row:find("[\0-\31\127]"))
  end)
end)


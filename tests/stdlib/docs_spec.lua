local docs = require "moonboot.docs"
local files = require "moonboot.files"

describe("docs", function()
  local dir, things

  before_each(function()
    dir = assert(files.make_temp_dir "/tmp/moonboot-spec-")
    local path = dir .. "/things.lua"
    assert(files.write(path, [[
--- Things. More about them.
-- @module things
local things = {}

--- Makes a thing. It can be big.
--
-- Like so:  things.make "x"
-- @string name what to
--   call it
-- @tparam[opt=1] {number,…} sizes in mm
-- @int[opt] ... more
-- @treturn ?thing the thing
-- @return or why not
function things.make(name, sizes, ...) return name, sizes, ... end

function things.bare(a, b) return a, b end

--- A method.
-- @param x
function things:method(x) return self, x end

-- No docstring.
things.field = function(only) return only end

return things
]]))
    things = dofile(path)
  end)

  after_each(function() files.remove(dir) end)

  it("says how a function is called", function()
    assert.equal("make(name, [sizes], [...])", docs.signature(things.make, "things.make"))
    assert.equal("bare(a, b)", docs.signature(things.bare, "bare"))
    assert.equal("method(x)", docs.signature(things.method, "things:method"))
    assert.equal("field(only)", docs.signature(things.field, "field"))
    assert.equal("format(…)", docs.signature(string.format, "string.format"))
  end)

  it("finds what a docstring says", function()
    local doc = docs.of(things.make)
    assert.equal("Makes a thing.", docs.summary(doc))
    assert.same({ "what to call it", name = "name", type = "string", optional = false }, doc.params[1])
    assert.same({ "in mm", name = "sizes", type = "{number,…}", optional = true }, doc.params[2])
    assert.same({ { "the thing", type = "?thing" }, { "or why not" } }, doc.returns)
    assert.is_nil(docs.of(things.bare))
    assert.is_nil(docs.of(string.format))
    assert.is_nil(docs.of(load "return 1"))
  end)

  it("lays a page out", function()
    assert.equal([[
things.make(name, [sizes], [...])
  Makes a thing. It can be big.

  Like so:  things.make "x"

  name   (string) what to call it
  sizes  ({number,…}, optional) in mm
  ...    (integer, optional) more
  returns  (thing) the thing
           or why not]], docs.page(things.make, "things.make"))
    assert.is_nil(docs.page(things.bare, "things.bare"))
  end)

  it("finds the docstring of what a guest's methods pass on to", function()
    local vm = require "moonboot.vm"
    assert.equal("function", type(vm.boot))
    assert.matches("^stats%.median%(xs, %[level%]%)\n", docs.page(require("moonboot.stats").median, "stats.median"))
    assert.matches("^moonboot%.vm\n  A running guest", docs.module_page "moonboot.vm")
    assert.is_nil(docs.module_page "no.such.module")
  end)
end)

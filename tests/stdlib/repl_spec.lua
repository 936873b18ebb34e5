local complete = require "moonboot.repl.complete"
local inspect = require "moonboot.repl.inspect"
local json = require "moonboot.json"

describe("repl.inspect", function()
  it("shows plain values as Lua writes them", function()
    assert.equal("nil", inspect(nil))
    assert.equal("1.5", inspect(1.5))
    assert.equal("3", inspect(3))
    assert.equal('"a \\"b\\" \\\\ \\e[2J"', inspect 'a "b" \\ \27[2J')
    assert.equal("null", inspect(json.null))
  end)

  it("shows texts of several lines as they are, controls escaped", function()
    assert.equal("one\n\\etwo", inspect "one\n\27two\n")
  end)

  it("sorts tables, the list first", function()
    assert.equal('{ 1, 2, [0] = 0, a = "x", ["b c"] = true, ["end"] = 1 }',
      inspect { 1, 2, [0] = 0, ["b c"] = true, a = "x", ["end"] = 1 })
    assert.equal("{}", inspect {})
  end)

  it("breaks what is wide, cuts what is deep or long", function()
    assert.equal("{\n  a = \"" .. ("x"):rep(60) .. "\",\n  b = \"" .. ("y"):rep(60) .. "\"\n}",
      inspect { a = ("x"):rep(60), b = ("y"):rep(60) })
    assert.equal("{ a = { a = { a = { a = {…} } } } }", inspect { a = { a = { a = { a = { a = { a = 1 } } } } } })
    local list = {}
    for i = 1, 1000 do list[i] = i end
    assert.matches("… %(960 more%)", inspect(list))
    assert.matches('^"x+"… %(5000 bytes%)$', inspect(("x"):rep(5000)))
  end)

  it("sees through circles, and lets objects speak", function()
    local t = { name = "t" }
    t.me = t
    assert.equal('{ me = <seen above>, name = "t" }', inspect(t))
    local object = setmetatable({}, { __tostring = function() return "vm\27 (running)" end })
    assert.equal("vm\\e (running)", inspect(object))
    assert.equal("{ <vm\\e (running)> }", inspect { object })
    assert.equal("a table that cannot be shown", inspect(setmetatable({}, { __tostring = function() error "no" end })))
  end)

  it("shows how functions are called", function()
    assert.equal("function (a, b)", inspect(load "return function(a, b) return a, b end"()))
  end)
end)

describe("repl.complete", function()
  local completer
  local environment = {
    vm = { com1 = { expect = function(_, pattern) return pattern end, name = "com1" }, boots = 1 },
    value = 1, vast = 2,
  }

  local function candidates(line)
    local word = line:match("[%w_]*$")
    return completer:complete(line, #line - #word + 1, #line)
  end

  before_each(function() completer = complete.new(environment, { "doc", "help" }) end)

  it("offers variables and words of the language", function()
    assert.same({ "value", "vast" }, (candidates "x = va"))
    assert.same({ "vm" }, (candidates "vm"))
    assert.same({ "then", "true" }, (candidates "t"))
  end)

  it("offers fields, and after a colon only methods", function()
    assert.same({ "boots", "com1" }, (candidates "vm."))
    assert.same({ "expect", "name" }, (candidates "print(vm.com1."))
    local found, hint = candidates "vm.com1:"
    assert.same({ "expect" }, found)
    assert.equal("expect(pattern)", hint)
    assert.same({}, (candidates "vm.nothing."))
    assert.same({}, (candidates "value.x"))
  end)

  it("says how the function is called whose arguments are typed", function()
    local found, hint = candidates "vm.com1:expect("
    assert.same({}, found)
    assert.equal("expect(pattern)", hint)
    assert.same({}, { select(2, candidates "nothing(") })
  end)

  it("leaves names of files inside strings to readline", function()
    assert.is_nil(candidates "load_run \"mea")
    assert.is_nil(candidates "f('a\\'b")
    assert.same({ "vm" }, (candidates "f('a'); vm"))
  end)

  it("knows the prompt's commands", function()
    assert.same({ "doc", "help" }, (candidates ":"))
    assert.same({ "help" }, (candidates ":he"))
    assert.same({ "com1" }, (candidates ":doc vm.c"))
  end)

  it("lists functions with their arguments, in columns", function()
    candidates "vm.com1:"
    assert.equal("expect(pattern)  name", completer:list({ "expect", "name" }, 80))
    assert.equal("expect(pattern)\nname", completer:list({ "expect", "name" }, 20))
  end)
end)

local options = require "moonboot.options"
local argparse = require "argparse"

local here = debug.getinfo(1, "S").source:sub(2)
local folder = here:match("^(.*)/") or "."

local function declare(specs)
  return assert(options.declare(specs))
end

local function refused(message, specs, name)
  local good, why, at = options.declare(specs)
  assert.is_nil(good)
  assert.matches(message, why, 1, true)
  if name then assert.equal(name, at) end
end

describe("options.declare", function()
  it("completes declarations, sorted by name", function()
    local list = declare {
      iso = { "the medium", type = "file", required = true },
      disk_size = { "size", type = "size" },
    }
    assert.equal("disk_size", list[1].name)
    assert.equal("--disk-size", list[1].flag)
    assert.equal("SIZE", list[1].placeholder)
    assert.same({ name = "iso", flag = "--iso", description = "the medium", type = "file", required = true,
      many = false, placeholder = "FILE" }, list[2])
  end)

  it("knows a choice by its choices", function()
    assert.equal("choice", declare({ mode = { "m", choices = { "a", "b" } } })[1].type)
    assert.same({ "a", "b" }, declare({ mode = { "m", type = { "a", "b" } } })[1].choices)
  end)

  it("names what is wrong", function()
    refused("unknown key 'requird' in option 'iso' (did you mean 'required'?)",
      { iso = { "x", requird = true } }, "iso")
    refused("must be string, file, directory, number, integer, boolean, choice or size, not 'flie' "
      .. "(did you mean 'file'?)", { iso = { "x", type = "flie" } }, "iso")
    refused("option 'iso' has no 'description'", { iso = { type = "file" } })
    refused("must be a table", { iso = "x" })
    refused("needs a name of small letters", { ["no way"] = { "x" } })
    refused("needs a name of small letters", { { "x" } })
    refused("has no choices", { mode = { "x", type = "choice" } })
    refused("choices must be strings", { mode = { "x", choices = { 1 } } })
    refused("option 'count': the default must be a whole number", { count = { "x", type = "integer", default = 1.5 } })
    refused("the default must be a or b, not 'c'", { mode = { "x", choices = { "a", "b" }, default = "c" } })
    refused("a boolean cannot be 'many'", { mode = { "x", type = "boolean", many = true } })
  end)
end)

describe("options.values", function()
  local declared = declare {
    count = { "how many", type = "integer", default = 3 },
    share = { "how much", type = "number" },
    debug = { "more", type = "boolean" },
    medium = { "what to boot", type = "file" },
    dir = { "where", type = "directory" },
    mode = { "how", choices = { "disk", "direct" } },
    size = { "how big", type = "size" },
    modules = { "boot modules", type = "file", many = true },
    title = { "words" },
  }

  it("converts what the command line gives", function()
    assert.same({ count = 5, share = 0.5, debug = false, medium = here, dir = folder, mode = "disk", size = "2G",
      modules = { here, here }, title = "" },
      options.values(declared, { count = "5", share = "0.5", medium = here, dir = folder, mode = "disk", size = "2G",
        modules = { here, here }, title = "" }))
  end)

  it("takes values as they are", function()
    assert.same({ count = 5, debug = true, modules = { here } },
      options.values(declared, { count = 5.0, debug = true, modules = here }))
    assert.same({ count = 3, debug = false }, options.values(declared))
    assert.same({ count = 3, debug = false }, options.values(declared, { modules = {} }))
  end)

  it("says which option is wrong, and why", function()
    local function fails(message, given)
      local good, why = options.values(declared, given)
      assert.is_nil(good)
      assert.matches(message, why, 1, true)
    end
    fails("option --count (how many) must be a whole number", { count = "many" })
    fails("option --count (how many) must be a whole number", { count = "1.5" })
    fails("option --share (how much) must be a number", { share = "nan" })
    fails("option --share (how much) must be a number", { share = "inf" })
    fails("option --debug (more) must be true or false", { debug = "perhaps" })
    fails("option --medium (what to boot) cannot be read: /nowhere/x.iso: No such file", { medium = "/nowhere/x.iso" })
    fails("Is a directory", { medium = folder })
    fails("option --medium (what to boot) must not be empty", { medium = "" })
    fails("option --medium (what to boot) must be a string", { medium = 5 })
    fails("NUL", { medium = "a\0b" })
    fails("is not a directory: " .. here, { dir = here })
    fails("must be disk or direct, not 'dsik' (did you mean 'disk'?)", { mode = "dsik" })
    fails("must be a size like 512M or 2G", { size = "big" })
    fails("option --modules (boot modules) cannot be read", { modules = { here, "/nowhere" } })
    fails("has no option 'modes' (did you mean 'mode'?)", { modes = "x" })
    fails("\\e[2J", { medium = "\27[2J" })
  end)

  it("asks for what is required", function()
    local good, message = options.values(declare { iso = { "the medium", type = "file", required = true } }, {})
    assert.is_nil(good)
    assert.equal("needs --iso FILE (the medium)", message)
  end)

  it("judges a default path only when it is used", function()
    local list = declare { iso = { "the medium", type = "file", default = "/nowhere" } }
    assert.matches("cannot be read", select(2, options.values(list, {})))
    assert.same({ iso = here }, options.values(list, { iso = here }))
  end)
end)

describe("options.configure", function()
  local function parse(specs, ...)
    local parser = argparse("x"):add_help(false)
    parser:argument("file"):args("?")
    options.configure(declare(specs), parser)
    local ok, result = parser:pparse { ... }
    return ok and result or nil, not ok and result or parser
  end

  it("makes options of declarations", function()
    local specs = { iso = { "i" }, debug = { "d", type = "boolean" }, modules = { "m", many = true } }
    assert.same({ file = "f", iso = "x", debug = true, modules = { "a", "b", "c" } },
      parse(specs, "f", "--debug", "--iso", "x", "--modules", "a", "b", "--modules=c"))
    assert.same({ file = "f", debug = false, modules = {} }, parse(specs, "--no-debug", "f"))
    assert.is_nil(parse(specs, "f")["debug"])
  end)

  it("describes them in the help", function()
    local _, parser = parse { iso = { "the medium", type = "file", required = true },
      mode = { "how", choices = { "disk", "direct" }, default = "disk" } }
    local help = parser:get_help()
    assert.matches("%-%-iso FILE +the medium %(required%)", help)
    assert.matches("how: disk or direct %(default: disk%)", help)
  end)
end)

-- Every public function says what it is for; `make doc` checks that it speaks of each of its arguments.
local files = require "moonboot.files"
local command = require "moonboot.command"

local function lines_of(path)
  local lines = {}
  for line in (assert(files.read(path)) .. "\n"):gmatch "(.-)\n" do lines[#lines + 1] = line end
  return lines
end

-- Whether a comment that begins with "---" ends right above this line.
local function documented(lines, number)
  local first = number - 1
  while first > 0 and lines[first]:find "^%-%-" do first = first - 1 end
  return lines[first + 1]:find "^%-%-%- %S" ~= nil and first + 1 < number
end

-- The functions of a file, by the table they are in.
local function functions(lines)
  local owners = {}
  for number, line in ipairs(lines) do
    local owner, name = line:match "^function ([%w_]+)[.:]([%w_]+)%("
    -- A method of Lua's own (__tostring) or of the module's alone (_name) is not for others.
    if owner and not name:find "^_" then
      owners[owner] = owners[owner] or { documented = {}, bare = {} }
      table.insert(documented(lines, number) and owners[owner].documented or owners[owner].bare, name)
    end
  end
  return owners
end

describe("documentation", function()
  local listing = assert(command.run { "find", "stdlib/moonboot", "-name", "*.lua" })
  for path in listing:gmatch "[^\n]+" do
    it("of " .. path, function()
      local lines = lines_of(path)
      assert.truthy(lines[1]:find "^%-%-%- %S", "it begins with what the module is for")
      local module = table.concat(lines, "\n"):match "\nreturn ([%w_]+)\n*$"
      for owner, found in pairs(functions(lines)) do
        -- Tables that stay inside a file need no docstrings, but then none of their functions has one.
        if owner == module or #found.documented > 0 then assert.same({}, found.bare, owner) end
      end
    end)
  end
end)

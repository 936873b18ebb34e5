-- Runs the code blocks of every README: what a guide shows must work. The word after ``` says how:
--
-- - `lua`: a script of its own;  `lua experiment`, `lua grammar`, `lua layout`: a script that returns one
-- - `sh`: shell commands, with moonboot in the PATH and the checkout's folders at hand
-- - anything else, as `text`, is only shown
--
-- All blocks of one guide run in one folder, in order.
local uv = require "luv"
local command = require "moonboot.command"
local files = require "moonboot.files"
local loader = require "moonboot.loader"

local CHECKOUT = assert(uv.cwd())
local PROGRAM = uv.exepath()

local function blocks_of(path)
  local blocks, number, current = {}, 0, nil
  for line in (assert(files.read(path)) .. "\n"):gmatch "(.-)\n" do
    number = number + 1
    local info = line:match "^```(.*)$"
    if info and current then
      blocks[#blocks + 1], current = current, nil
    elseif info then
      current = { kind = info, line = number, code = {} }
    elseif current then
      table.insert(current.code, line)
    end
  end
  return blocks
end

local RUN = {}

function RUN.lua(file) return { PROGRAM, file } end

RUN["lua experiment"] = function(file)
  return { PROGRAM, "run", file, "--samples", "1", "--quiet", "--output", file .. ".run" }
end

RUN["lua grammar"] = function(file) return { PROGRAM, "mark", "boot.log", "--grammar", file } end
RUN["lua layout"] = function(file) return { PROGRAM, "report", "run", "--format", file } end

function RUN.sh(file) return { "sh", "-e", "-u", file } end

describe("the guide", function()
  local listing = assert(command.run { "git", "ls-files", "README.md", "*/README.md" })
  for guide in listing:gmatch "[^\n]+" do
    describe(guide, function()
      local place

      setup(function()
        place = assert(files.make_temp_dir "/tmp/moonboot-guide-")
        for _, name in ipairs { "scripts", "examples", "build", "stdlib", "engine" } do
          assert(uv.fs_symlink(CHECKOUT .. "/" .. name, place .. "/" .. name))
        end
      end)
      teardown(function() files.remove(place) end)

      for number, block in ipairs(blocks_of(guide)) do
        if RUN[block.kind] then
          it(("runs, line %d"):format(block.line), function()
            local file = ("block-%d.%s"):format(number, block.kind == "sh" and "sh" or "lua")
            assert(files.write(place .. "/" .. file, table.concat(block.code, "\n") .. "\n"))
            local argv = { "env", "PATH=" .. PROGRAM:match "^(.*)/" .. ":" .. os.getenv "PATH",
              "XDG_CACHE_HOME=" .. place .. "/cache", table.unpack(RUN[block.kind](file)) }
            local output, message, status = command.run(argv, { cwd = place, timeout_s = 600 })
            assert(output, ("%s:%d: %s (%s)"):format(guide, block.line, message, status))
          end)
        else
          it(("shows what it says it shows, line %d"):format(block.line), function()
            assert.truthy(block.kind == "text" or block.kind == "json" or block.kind == "", block.kind)
          end)
        end
      end
    end)
  end

  it("finds the ready-made scripts that it names", function()
    for _, kind in ipairs(loader.KINDS) do assert.truthy(#loader.list(kind) > 0, kind) end
  end)
end)

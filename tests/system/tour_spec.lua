-- The sessions at the prompt that the guides show, replayed key by key on a terminal: it shows what they show.
-- A session is a fenced block that begins with `$ moonboot repl`. Numbers may differ, and so may the width of columns.
local files = require "moonboot.files"
local program = require "tests.system.support.program"

local root = debug.getinfo(1, "S").source:match("^@(.*)tests/system/") or "./"
local pty = dofile(root .. "tests/system/support/pty.lua")

local START = "$ moonboot repl\n"
local PROMPT = "\27[?2004h> " -- readline announces each prompt by asking for pasted text to be marked

local function sessions(path)
  local found = {}
  for block in (files.read(root .. path) or ""):gmatch "\n```[^\n]*\n(.-)\n```" do
    if block:sub(1, #START) == START then found[#found + 1] = block:sub(#START + 1) end
  end
  return found
end

local function comparable(shown)
  return (shown:gsub("\27%[[%d;?]*%a", ""):gsub("\r", ""):gsub("%d+[%d.]*", "N"):gsub("[ \t]+", " ")
    :gsub(" ?\n ?", "\n"):gsub("^%s+", ""):gsub("%s+$", ""))
end

-- -> what is shown first, and for each line that is typed what is shown then
local function steps(session)
  local list, current = {}, {}
  list.greeting = current
  for line in (session .. "\n"):gmatch "([^\n]*)\n" do
    local typed = line:match "^> (.*)$"
    if typed then
      current = { typed = typed }
      list[#list + 1] = current
    else
      current[#current + 1] = line
    end
  end
  return list
end

describe("the session at the prompt", function()
  for _, path in ipairs { "README.md", "stdlib/README.md" } do
    for number, session in ipairs(sessions(path)) do
      it(("%d of %s is what happens"):format(number, path), function()
        local dir <close> = assert(files.temp_dir "moonboot-spec-")
        local t <close> = pty.open(program.path .. " repl", { XDG_STATE_HOME = dir.path }, 120)
        local list = steps(session)
        assert.equal(comparable(table.concat(list.greeting, "\n")), comparable(t:expect(PROMPT)))
        for _, step in ipairs(list) do
          for key in step.typed:gmatch(utf8.charpattern) do t:type(key) end
          t:type "\r"
          if step.typed == ":quit" then break end
          local echo, shown = t:expect(PROMPT):match "^(.-)\27%[%?2004l\r(.*)$"
          assert.equal(step.typed, comparable(echo) == comparable(step.typed) and step.typed or echo)
          assert.equal(comparable(table.concat(step, "\n")), comparable(shown), step.typed)
        end
        assert.equal(0, t:wait())
      end)
    end
  end

  it("is there", function()
    assert(#sessions "README.md" + #sessions "stdlib/README.md" > 0)
  end)
end)

-- Prints what valgrind found, from its logs in a folder, and fails if that is anything: findings.lua FOLDER.
local files = require "moonboot.files"

local folder = arg[1]

-- Tests send signals to programs that do not handle them.
local SENT = "^Process terminating with default action of signal %d+ %(SIG[HIT]"

-- The paragraphs of a log. What a valgrind that lacks pidfd_open says about that is none.
local function paragraphs(log)
  local list, current = {}, nil
  for line in log:gmatch "[^\n]+" do
    local said = line:match "^==%d+== ?(.*)"
    if said and said:find "%S" and not said:find "^FILE DESCRIPTORS" then
      current = current or {}
      current[#current + 1] = said
    elseif current then
      list[#list + 1], current = table.concat(current, "\n"), nil
    end
  end
  list[#list + 1] = current and table.concat(current, "\n")
  return list
end

local found, processes = 0, 0
for name in files.entries(folder) do
  processes = processes + 1
  local path = folder .. "/" .. name
  for _, paragraph in ipairs(paragraphs(assert(files.read(path)))) do
    if not (paragraph:find "<inherited from parent>" or paragraph:find(SENT)) then
      found = found + 1
      print(("%s:\n%s\n"):format(path, paragraph))
    end
  end
end
print(("valgrind: %d processes, %d findings"):format(processes, found))
os.exit(found == 0 and 0 or 1, true)

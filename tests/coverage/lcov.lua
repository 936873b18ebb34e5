-- Turns what the hook wrote into lcov's format: lcov.lua DIRECTORY FOLDER. Every line of the .lua files in FOLDER that
-- the compiler made code of counts, whether a process loaded the file or not.
local files = require "moonboot.files"
local uv = require "luv"

local directory, folder = arg[1], arg[2]
local ran = {}
for name in files.entries(directory) do
  if name:find "%.lines$" then
    for line in io.lines(directory .. "/" .. name) do ran[line] = true end
  end
end

-- The lines that have code, in order. A line that only ends a block has some, and yet no hook is called for it.
local function active(path)
  local only_ends, number = {}, 0
  for line in io.lines(path) do
    number = number + 1
    only_ends[number] = line:find "^%s*end[%s,;)}]*$" ~= nil
  end
  local listing = assert(io.popen(("luac5.4 -l -l -p '%s'"):format(path)))
  local seen, list = {}, {}
  for line in listing:lines() do
    local at = math.tointeger(tonumber(line:match "^\t%d+\t%[(%d+)%]"))
    if at and not seen[at] and not only_ends[at] then
      seen[at] = true
      list[#list + 1] = at
    end
  end
  listing:close()
  table.sort(list)
  return list
end

local function walk(path)
  for name, kind in files.entries(path) do
    local child = path .. "/" .. name
    if kind == "directory" then
      walk(child)
    elseif name:find "%.lua$" then
      print("SF:" .. child)
      for _, number in ipairs(active(child)) do
        print(("DA:%d,%d"):format(number, ran[child .. ":" .. number] and 1 or 0))
      end
      print "end_of_record"
    end
  end
end

walk(assert(uv.fs_realpath(folder)))

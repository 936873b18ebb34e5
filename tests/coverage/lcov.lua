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

-- The lines that have code, in order. A line that only closes what others opened has some, and so has the first one of
-- a function with a variable number of arguments, as a file is; and yet no hook is called for them.
local function active(path)
  local closes, number = {}, 0
  for line in io.lines(path) do
    number = number + 1
    closes[number] = line:find "^%s*end[%s,;)}]*$" or line:find "^[%s,;)}]*$"
  end
  local listing = assert(io.popen(("luac5.4 -l -l -p '%s'"):format(path)))
  local seen, list = {}, {}
  for line in listing:lines() do
    local at, instruction = line:match "^\t%d+\t%[(%d+)%]\t(%u+)"
    at = instruction ~= "VARARGPREP" and math.tointeger(tonumber(at))
    if at and not seen[at] and not closes[at] then
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

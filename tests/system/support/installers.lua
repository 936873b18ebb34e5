--- Installers on their own: with a guest that plays an installation medium, or with a recorded installation.
local disk = require "moonboot.disk"
local files = require "moonboot.files"
local options = require "moonboot.options"
local pair = require "tests.stdlib.support.pair"
local task = require "moonboot.task"
local vm = require "moonboot.vm"

local installers = {}

-- A message is said in pieces that a socket's buffer holds.
local PIECE_BYTES = 4096

local function values_of(installer, given)
  return assert(options.values(assert(options.declare(installer.options)), given))
end

--- Lets a ready-made installer answer a guest, to the guest's end. -> true, or nil and a message; the transcript
function installers.run(dir, name, machine, given)
  local installer = require("installers." .. name)
  local image, transcript = dir .. "/disk.qcow2", dir .. "/transcript"
  files.remove(image)
  assert(disk.create(image, "600M"))
  machine.arch, machine.memory = "i386", "64M"
  machine.disk = { file = image, format = "qcow2", interface = "ide" }
  local guest <close> = assert(vm.boot(machine, { transcript = transcript }))
  local ok, message = pcall(installer.run, guest, values_of(installer, given))
  if ok then ok, message = guest:wait(60) end
  return ok and true or nil, message, files.read(transcript)
end

-- The folder of recordings beside that of the captures.
local function recordings()
  local captures = os.getenv "MOONBOOT_CAPTURES"
  return captures and captures:gsub("/+$", "") .. "/../minix-installer"
end

local function unpacked(path)
  local pipe <close> = assert(io.popen(("gzip -dc '%s'"):format(path), "r"))
  return pipe:read "a"
end

--- MINIX's installation as it was recorded. -> a list of texts, each of which ends where an answer was given; nil when
-- it is not at hand
function installers.recording()
  local dir = recordings()
  local sent = dir and files.read(dir .. "/serial-install.sent")
  if not sent then return nil end
  local said, timing = unpacked(dir .. "/serial-install.log.gz"), unpacked(dir .. "/serial-install.timing.gz")
  local ends, time_s, offset, chunks = {}, 0, 0, {}
  for delta, bytes in timing:gmatch "(%S+) (%d+)" do
    time_s, offset = time_s + tonumber(delta), offset + math.tointeger(tonumber(bytes))
    table.insert(chunks, { time_s = time_s, offset = offset })
  end
  local at = 0
  for answered_s in sent:gmatch "([%d.]+) [^\n]*" do
    local last = 0
    for _, chunk in ipairs(chunks) do
      if chunk.time_s <= tonumber(answered_s) then last = chunk.offset end
    end
    table.insert(ends, said:sub(at + 1, last))
    at = last
  end
  table.insert(ends, said:sub(at + 1))
  return ends
end

--- Plays a recording to MINIX's installer: each text as soon as the one before is answered. -> how many were, true when
-- the installer came to its end, or nil and its message
function installers.replay(texts)
  local installer = require "installers.minix"
  local line, guest = pair.open()
  local answered = 0
  local player = task.spawn(pcall, function()
    local byte = " "
    for i, text in ipairs(texts) do
      for from = 1, #text, PIECE_BYTES do guest:says(text:sub(from, from + PIECE_BYTES - 1)) end
      -- What was typed beyond its first byte is in the recording already. SPACE, alone, stops the menu's countdown.
      while i > 2 and byte ~= "\r" do byte = guest:hears(1) end
      byte = guest:hears(1)
      answered = i
    end
  end)
  local played = setmetatable({ machine = { graphics = false }, step = function() end }, { __index = function(_, key)
    local method = line[key]
    return type(method) == "function" and function(_, ...) return method(line, ...) end or method
  end })
  local ok, message = pcall(installer.run, played, values_of(installer, { vga_console = true }))
  player:cancel()
  guest:close()
  return answered, ok or nil, message
end

return installers

-- A real console whose far end is the test's: what a guest would say goes in there, what is sent to it comes out.
local console = require "moonboot.console"
local engine = require "moonboot.engine"
local files = require "moonboot.files"
local task = require "moonboot.task"
local uv = require "luv"

local pair = {}

local Guest = {}
Guest.__index = Guest

--- Opens a console. -> it, its guest
function pair.open(options)
  options = options or {}
  local line = assert(console.open(options.name or "com1", options))
  line:start(engine.clock.now())
  return line, setmetatable({ line = line, fd = line.handle:guest_fd(), tasks = {} }, Guest)
end

--- Says texts, each as a message of its own, and waits until the console has them all.
function Guest:says(...)
  local bytes = self.line:stats().bytes
  for _, piece in ipairs { ... } do
    bytes = bytes + assert(uv.fs_write(self.fd, piece))
  end
  while self.line:stats().bytes < bytes do task.sleep(0.001) end
  self.line:pump()
end

-- Something that goes on until the guest is closed.
local function in_background(self, fn)
  table.insert(self.tasks, task.spawn(fn))
end

--- Says something after a while, in the background.
function Guest:later(seconds, ...)
  local texts = { ... }
  in_background(self, function()
    task.sleep(seconds)
    self:says(table.unpack(texts))
  end)
end

--- Waits for so many bytes from the console.
function Guest:hears(count)
  local heard = ""
  while #heard < count do
    assert(task.readable(self.fd, 100), "nothing comes")
    heard = heard .. assert(uv.fs_read(self.fd, 1))
  end
  return heard
end

--- Answers each byte by its echo, in the background; `shown(byte)` may give another one.
function Guest:echoes(shown)
  in_background(self, function()
    while true do
      local byte = self:hears(1)
      uv.fs_write(self.fd, shown and shown(byte) or byte)
    end
  end)
end

--- Ends what goes on, and the console with it.
function Guest:close()
  for _, one in ipairs(self.tasks) do one:cancel() end
  self.line:close()
end

--- A path for a file of the test.
function pair.path(name)
  return assert(files.make_temp_dir "/tmp/moonboot-spec-") .. "/" .. name
end

return pair

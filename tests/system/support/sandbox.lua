--- A folder to run programs in, with a demo guest, and every process that comes of it.
local accelerator = require "moonboot.accelerator"
local files = require "moonboot.files"
local program = require "tests.system.support.program"
local uv = require "luv"

local support = {}

local Sandbox = {}
Sandbox.__index = Sandbox

-- Inherited by everything that is started in a sandbox, however it detaches itself.
local MARK = "MOONBOOT_TEST_SANDBOX"

--- The demo guest; there is one for all builds of the engine.
support.guest = uv.cwd() .. "/build/guest"

-- To find out what this host's QEMU can do takes seconds: once for all sandboxes.
local function share_accelerators(cache)
  accelerator.known()
  local known = files.read(files.cache_dir() .. "/accelerators.json")
  if known and files.make_dir(cache) then files.write(cache .. "/accelerators.json", known) end
end

--- Makes a folder; `sandbox.dir`. Caches and temporary files are kept there, too.
function support.sandbox()
  local dir = assert(files.make_temp_dir "/tmp/moonboot-system-")
  local self = setmetatable({ dir = dir, env = {} }, Sandbox)
  share_accelerators(dir .. "/cache")
  self:setenv(MARK, dir)
  self:setenv("MOONBOOT_CACHE", dir .. "/cache")
  self:setenv("TMPDIR", dir)
  return self
end

--- Sets a variable for the time of the sandbox; `false` takes it away.
function Sandbox:setenv(name, value)
  if self.env[name] == nil then self.env[name] = os.getenv(name) or false end
  if value then uv.os_setenv(name, value) else uv.os_unsetenv(name) end
end

--- Writes a file and returns its path.
function Sandbox:write(name, content)
  local path = self.dir .. "/" .. name
  assert(files.write(path, content))
  return path
end

--- A copy of the demo guest's kernel -> its path.
function Sandbox:kernel()
  local path = self.dir .. "/demo.elf"
  if not uv.fs_stat(path) then assert(uv.fs_copyfile(support.guest .. "/demo.elf", path)) end
  return path
end

--- Writes an experiment that boots the copy of the kernel: `fields` is Lua source that goes into its table, as line 7.
-- -> its path
function Sandbox:experiment(append, fields)
  return self:write("experiment.lua", ([[
local mb = require "moonboot"
return mb.experiment {
  name = "spec",
  grammar = require "grammars.demo",
  measure = { from = "kernel_entry", to = "login_prompt" },
  machine = { arch = "i386", memory = "32M", kernel = %q, append = %q },
  %s
}
]]):format(self:kernel(), append, fields or ""))
end

--- The processes that were started in it, as a list of pids.
function Sandbox:processes()
  local list, own = {}, uv.os_getpid()
  for name in files.entries "/proc" do
    local pid = math.tointeger(tonumber(name))
    local environment = pid and pid ~= own and files.read("/proc/" .. name .. "/environ")
    if environment and ("\0" .. environment):find(("\0%s=%s\0"):format(MARK, self.dir), 1, true) then
      list[#list + 1] = pid
    end
  end
  return list
end

--- Its guests, as a list of their QEMUs' pids; a QEMU that is only asked something is none.
function Sandbox:guests()
  local list = {}
  for _, pid in ipairs(self:processes()) do
    local command = files.read(("/proc/%d/cmdline"):format(pid)) or ""
    if command:find "^[^%z]*qemu%-system" and command:find("\0-S\0", 1, true) then list[#list + 1] = pid end
  end
  return list
end

--- Waits for a guest to run -> its process id.
function Sandbox:await_guest()
  return program.await(function() return self:guests()[1] end, "a guest")
end

--- Waits until no process is left, and fails if one stays.
function Sandbox:assert_no_orphan()
  program.await(function() return #self:processes() == 0 end, "the end of every process")
end

--- Removes the folder, after having made sure that no process is left.
function Sandbox:close()
  local ended, message = pcall(self.assert_no_orphan, self)
  for name, value in pairs(self.env) do
    if value then uv.os_setenv(name, value) else uv.os_unsetenv(name) end
  end
  files.remove(self.dir)
  assert(ended, message)
end

Sandbox.__close = Sandbox.close

return support

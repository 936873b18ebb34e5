--- The program as a user runs it, in a folder of its own, and every process that comes of it.
local engine = require "moonboot.engine"
local files = require "moonboot.files"
local json = require "moonboot.json"
local journal = require "moonboot.journal"
local task = require "moonboot.task"
local uv = require "luv"

local support = {}

local Sandbox = {}
Sandbox.__index = Sandbox

-- Inherited by everything that is started in a sandbox, however it detaches itself.
local MARK = "MOONBOOT_TEST_SANDBOX"

-- Longer than any of this takes on a busy machine under a sanitizer.
local PATIENCE_S = 300

--- The demo guest; there is one for all builds of the engine.
support.guest = uv.cwd() .. "/build/guest"

--- Makes a folder to run things in; `sandbox.dir`. Caches and temporary files are kept there, too.
function support.sandbox()
  local dir = assert(files.make_temp_dir "/tmp/moonboot-system-")
  local self = setmetatable({ dir = dir, env = {} }, Sandbox)
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

--- Starts a program; closing it kills it.
function Sandbox.start(_, argv)
  return assert(engine.process.spawn { argv = argv })
end

--- Waits for the end of a process. -> exit status (nil: ended by a signal), standard output and error
function support.finish(process)
  local deadline_ns = engine.clock.now() + PATIENCE_S * 1000000000
  local ended = process:poll()
  while not ended do
    assert(engine.clock.now() < deadline_ns, "the program does not end")
    task.readable(process:fd(), 1)
    ended = process:poll()
  end
  return ended.code, process:stdout(), process:stderr()
end

--- Runs moonboot to its end. -> exit status, standard output, standard error
function Sandbox:moonboot(...)
  local process <close> = self:start { uv.exepath(), ... }
  return support.finish(process)
end

--- Runs any program to its end.
function Sandbox:execute(...)
  local process <close> = self:start { ... }
  return support.finish(process)
end

--- The processes that this sandbox has started, as a list of pids.
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

--- The records of a run's journal.
function support.records(directory)
  return assert(journal.read(directory .. "/" .. journal.NAME))
end

--- The records of its samples, in the order of the plan.
function support.samples(directory)
  local list = {}
  for _, record in ipairs(support.records(directory)) do
    if record.type == "sample" then list[#list + 1] = record end
  end
  table.sort(list, function(a, b) return a.order < b.order end)
  return list
end

--- The results that a run wrote.
function support.results(directory)
  for name in files.entries(directory) do
    if name:find("%-results%-.*%.json$") then return assert(json.decode(files.read(directory .. "/" .. name))) end
  end
  error("no results in " .. directory)
end

--- Removes the folder, after having made sure that no process is left.
function Sandbox:close()
  local left = self:processes()
  for name, value in pairs(self.env) do
    if value then uv.os_setenv(name, value) else uv.os_unsetenv(name) end
  end
  files.remove(self.dir)
  assert(#left == 0, ("%d processes are left: %s"):format(#left, table.concat(left, ", ")))
end

return support

--- A lock that keeps two processes from writing one run directory.
-- Lua has neither flock nor fcntl locks, so the lock is a file, `lock`, that comes into being whole (by link(2))
-- and names its holder: process id, the start time of that process (ids are used again), the boot of the host,
-- the pid name space. A lock whose holder is gone blocks nobody.
-- @module moonboot.lockfile
local json = require "moonboot.json"
local uv = require "luv"

local lockfile = {}

local Lock = {}
Lock.__index = Lock
Lock.__name = "moonboot.lock"

local function read(path)
  local f = io.open(path, "rb")
  if not f then return nil end
  local text = f:read("a")
  f:close()
  return text
end

-- Field 22 of /proc/PID/stat; the command name before it may hold blanks and parentheses.
local function start_time(pid)
  local stat = read(("/proc/%d/stat"):format(pid))
  local after = stat and stat:match("^.*%)(.*)$")
  if not after then return nil end
  local state, n = nil, 2
  for field in after:gmatch("%S+") do
    n = n + 1
    if n == 3 then state = field end
    if n == 22 then return state ~= "Z" and field or nil end
  end
end

local function myself()
  local pid = math.tointeger(uv.os_getpid())
  return {
    pid = pid,
    started = start_time(pid),
    boot = (read("/proc/sys/kernel/random/boot_id") or ""):match("%S*"),
    host = uv.os_gethostname(),
    pid_namespace = uv.fs_readlink("/proc/self/ns/pid") or "",
  }
end

-- Whether the process that wrote the lock is gone for certain.
local function is_stale(holder, me)
  if type(holder) ~= "table" or type(holder.pid) ~= "number" then return true end
  if holder.host ~= me.host then return false end
  if holder.boot ~= me.boot then return true end
  if holder.pid_namespace ~= me.pid_namespace then return false end
  return start_time(holder.pid) ~= holder.started
end

-- Takes a stale lock away. Another process may do the same at the same moment and have made its own lock since:
-- what was taken away is looked at again, and put back if it is not the one that was judged.
local function remove_stale(path, text, aside)
  if not uv.fs_rename(path, aside) then return end
  if read(aside) ~= text then uv.fs_link(aside, path) end
  uv.fs_unlink(aside)
end

--- Takes the lock of a directory.
-- @string directory
-- @treturn Lock with `release()`; also a to-be-closed value. Or nil, message, code ("EEXIST" when another
--   process holds it)
function lockfile.acquire(directory)
  local path = directory .. "/lock"
  local me = myself()
  local text = json.encode(me) .. "\n"
  local mine = ("%s.%d.%d"):format(path, me.pid, uv.hrtime())
  local f, err, code = uv.fs_open(mine, "wx", tonumber("600", 8))
  if not f then return nil, ("%s: cannot lock the run directory: %s"):format(directory, err), code end
  local written
  written, err, code = uv.fs_write(f, text, -1)
  uv.fs_close(f)
  if written ~= #text then
    uv.fs_unlink(mine)
    return nil, ("%s: cannot lock the run directory: %s"):format(directory, err or "disk full"), code or "ENOSPC"
  end
  for _ = 1, 10 do
    local ok
    ok, err, code = uv.fs_link(mine, path)
    if ok then
      uv.fs_unlink(mine)
      return setmetatable({ path = path, text = text }, Lock)
    end
    if code ~= "EEXIST" then break end
    local theirs = read(path)
    local holder = theirs and json.decode(theirs)
    if theirs and not is_stale(holder, me) then
      uv.fs_unlink(mine)
      return nil, ("%s: process %d on %s is writing this run directory (if it is not, remove %s)"):format(
        directory, holder.pid, tostring(holder.host), path), "EEXIST"
    end
    if theirs then remove_stale(path, theirs, mine .. ".stale") end
  end
  uv.fs_unlink(mine)
  return nil, ("%s: cannot lock the run directory: %s"):format(directory, err or "others keep taking it"), code
end

--- Gives the lock back. Releasing twice is fine.
function Lock:release()
  -- Only what is ours: the directory may have been removed and made anew.
  if self.path and read(self.path) == self.text then uv.fs_unlink(self.path) end
  self.path = nil
end

Lock.__gc = Lock.release
Lock.__close = Lock.release

return lockfile

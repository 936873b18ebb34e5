--- Files and directories: what several modules need beyond `io` and `os`.
-- @module moonboot.files
local uv = require "luv"

local files = {}

local PRIVATE_DIR = tonumber("700", 8)

-- Names of a directory that are read at a time.
local READ_AT_ONCE = 64

--- The absolute form of a path. An absolute path also has no part that QEMU could take for a protocol (`name:rest`)
-- or a tool for an option.
-- @string path
-- @treturn string
function files.absolute(path)
  if path:sub(1, 1) == "/" then return path end
  return uv.cwd() .. "/" .. path
end

local function set(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

-- The XDG base directory specification: a relative path there is to be ignored.
local function base_dir(variable, default)
  local base = set(variable)
  if base and base:sub(1, 1) == "/" then return base .. "/moonboot" end
  return (uv.os_homedir() or "/tmp") .. default .. "/moonboot"
end

--- Where moonboot keeps what it can make again: `$MOONBOOT_CACHE`, else `$XDG_CACHE_HOME/moonboot`, else
-- `~/.cache/moonboot`.
-- @treturn string absolute; it need not exist
function files.cache_dir()
  local own = set("MOONBOOT_CACHE")
  return own and files.absolute(own) or base_dir("XDG_CACHE_HOME", "/.cache")
end

--- Where moonboot keeps what should outlive a session, such as the prompt's history: `$XDG_STATE_HOME/moonboot`, else
-- `~/.local/state/moonboot`.
-- @treturn string absolute; it need not exist
function files.state_dir()
  return base_dir("XDG_STATE_HOME", "/.local/state")
end

--- What is wrong, without the path: luv says "ENOENT: no such file or directory: PATH", the C library "No such file or
-- directory", perhaps after a path.
-- @string message
-- @treturn string
function files.reason(message)
  return message:match "^%u+: [^:]*" or message:match " ?([^:]*)$"
end

--- Makes a directory and those above it, for this user only.
-- @string dir
-- @treturn ?boolean true, or nil and a message
function files.make_dir(dir)
  local stat = uv.fs_stat(dir)
  if stat then
    if stat.type == "directory" then return true end
    return nil, ("%s is a %s, not a directory"):format(dir, stat.type)
  end
  local parent = dir:match("^(.+)/[^/]+/*$")
  if parent then
    local made, message = files.make_dir(parent)
    if not made then return nil, message end
  end
  local made, message, code = uv.fs_mkdir(dir, PRIVATE_DIR)
  if made or code == "EEXIST" then return true end
  return nil, message
end

--- Makes a directory with an unguessable name, for this user only.
-- @string prefix path and beginning of the name
-- @treturn ?string its path, or nil and a message
function files.make_temp_dir(prefix)
  local dir, message = uv.fs_mkdtemp(prefix .. "XXXXXX")
  if dir then return dir end
  return nil, ("cannot make a directory in %s: %s"):format(prefix:match "^(.*)/" or ".", files.reason(message))
end

local TempDir = {}

function TempDir.__close(self)
  files.remove(self.path)
end

--- Makes a directory for the time that a variable lives: `local dir <close> = files.temp_dir "moonboot-probe-"`.
-- @string name beginning of its name
-- @string[opt] parent where it goes; default `$TMPDIR` or /tmp
-- @treturn ?table `path`; removed with all that is in it when the variable is closed. Or nil and a message
function files.temp_dir(name, parent)
  local path, message = files.make_temp_dir((parent or uv.os_tmpdir() or "/tmp") .. "/" .. name)
  if not path then return nil, message end
  return setmetatable({ path = path }, TempDir)
end

--- The whole content of a file.
-- @string path
-- @treturn ?string nil and a message when it cannot be read
function files.read(path)
  local file, message = io.open(path, "rb")
  if not file then return nil, message end
  local text
  text, message = file:read("a")
  file:close()
  if not text then return nil, path .. ": " .. tostring(message) end
  return text
end

local function unwritable(path, why)
  return nil, ("%s: cannot be written: %s"):format(path, files.reason(why))
end

-- What is no file of the disk (a terminal, a pipe, /dev/null) is written into, never replaced.
local function write_through(path, text)
  local file, message = io.open(path, "wb")
  if not file then return unwritable(path, message) end
  local done
  file:setvbuf "no"
  done, message = file:write(text)
  file:close()
  if done then return true end
  return unwritable(path, message)
end

local function public_mode()
  local status = files.read "/proc/self/status"
  local umask = status and status:match "\nUmask:%s*(%d+)"
  return tonumber("666", 8) & ~tonumber(umask or "077", 8)
end

--- Writes a file so that a reader sees the old content or the new, never a part, whatever interrupts it.
-- @string path
-- @string text
-- @tparam[opt] table options `public = true` for a file that is to be handed on: whoever the umask lets may read it,
--   otherwise the user alone
-- @treturn ?boolean true, or nil and a message
function files.write(path, text, options)
  local stat = uv.fs_stat(path)
  if stat and stat.type ~= "file" and stat.type ~= "directory" then return write_through(path, text) end
  local fd, temporary = uv.fs_mkstemp(path .. ".XXXXXX")
  if not fd then return unwritable(path, temporary) end
  local done, message = uv.fs_write(fd, text)
  if done and done < #text then done, message = nil, "no space left on device" end
  if done then done, message = uv.fs_fsync(fd) end
  if options and options.public then uv.fs_fchmod(fd, public_mode()) end
  uv.fs_close(fd)
  if done then done, message = uv.fs_rename(temporary, path) end
  if done then return true end
  uv.fs_unlink(temporary)
  return unwritable(path, message)
end

--- Removes a file, or a directory with all that is in it. Links are removed, never followed.
-- @string path
-- @treturn ?boolean true (also if there is nothing), or nil and a message
function files.remove(path)
  local stat = uv.fs_lstat(path)
  if not stat then return true end
  local done, message
  if stat.type == "directory" then
    for name in files.entries(path) do
      done, message = files.remove(path .. "/" .. name)
      if not done then return nil, message end
    end
    done, message = uv.fs_rmdir(path)
  else
    done, message = uv.fs_unlink(path)
  end
  if not done and uv.fs_lstat(path) then return nil, message end
  return true
end

--- Walks the names in a directory, sorted.
-- @string dir
-- @treturn function iterator over names and their types ("file", "directory", …); none if the directory is not there
function files.entries(dir)
  local list = {}
  -- Not fs_scandir: luv (up to 1.44 at least) never lets go of its requests, and a run makes one for each sample.
  local opened = uv.fs_opendir(dir, nil, READ_AT_ONCE)
  while opened do
    local entries = uv.fs_readdir(opened)
    if not entries then break end
    table.move(entries, 1, #entries, #list + 1, list)
  end
  if opened then uv.fs_closedir(opened) end
  table.sort(list, function(a, b) return a.name < b.name end)
  local i = 0
  return function()
    i = i + 1
    if list[i] then return list[i].name, list[i].type end
    return nil
  end
end

return files

--- The cache of installed images: each is installed once, then only ever used as the backing file of overlays.
--
-- An image lives in `images/<key>/` below the cache directory, as `image.qcow2` (read-only) and `image.json` (what
-- made it). It is built beside that place and moved there when it is whole, so a directory with that name is always a
-- good image. There are two locks for each key, flock(2) on files in `images/.locks`: `<key>.build` is held by the one
-- process that builds, and `<key>` is held shared, until its end, by every process that builds or uses the image,
-- so that `prune` takes nothing away from a run. The kernel takes a lock back from a process that dies,
-- whatever killed it: there are no stale locks.
-- @module moonboot.images
local uv = require "luv"
local command = require "moonboot.command"
local digest = require "moonboot.digest"
local disk = require "moonboot.disk"
local files = require "moonboot.files"
local json = require "moonboot.json"
local moonboot = require "moonboot"

local images = {}

local SCHEMA = "moonboot-image/1"
local IMAGE, RECORD = "image.qcow2", "image.json"
local BUILDING, DISCARDED = ".build-", ".discarded-"
local READ_ONLY, PRIVATE = tonumber("444", 8), tonumber("600", 8)

-- Another process may install for as long as an installer takes; nobody waits longer than this.
local LONGEST_WAIT_S = 24 * 3600

-- flock's exit status when the lock is another's and it was told not to wait.
local TAKEN = 1

-- The locks this process holds on images in use, by key.
local leases = {}

local function silent() end

--- Where the images are.
-- @treturn string
function images.dir()
  return files.cache_dir() .. "/images"
end

local Lock = {}
Lock.__index = Lock

function Lock:close()
  if self.fd then uv.fs_close(self.fd) end
  self.fd = nil
end

Lock.__gc = Lock.close

-- A lock that goes out of scope is given up, unless it has become a lease.
function Lock:__close()
  if not self.leased then self:close() end
end

-- flock(2) locks belong to the open file, which the tool shares with us: the lock stays ours when it has ended.
local function flock(fd, mode, wait)
  local argv = wait and { "flock", mode, "3" } or { "flock", mode, "-n", "3" }
  return command.run(argv, { fds = { fd }, timeout_s = LONGEST_WAIT_S })
end

-- Takes a lock that is open, in either mode ("-s" shared, "-x" exclusive).
local function take(lock, mode, wait, report)
  local done, message, code = flock(lock.fd, mode, false)
  if done then return true end
  if code ~= TAKEN then return nil, message end
  if not wait then return nil, "in use", TAKEN end
  local holder = (files.read(lock.path) or ""):match("%d+")
  report(("waiting for %s, which is at work on the same image (%s)"):format(
    holder and "process " .. holder or "another process", lock.key))
  done, message = flock(lock.fd, mode, true)
  if not done then return nil, message end
  return true
end

-- Opens and takes a lock of a key: its own, or with a suffix the one for building.
local function acquire(key, suffix, mode, wait, report)
  local dir = images.dir() .. "/.locks"
  local made, message = files.make_dir(dir)
  if not made then return nil, message end
  local path = dir .. "/" .. key .. suffix
  while true do
    local fd, why = uv.fs_open(path, "a+", PRIVATE)
    if not fd then return nil, why end
    local lock = setmetatable({ fd = fd, path = path, key = key }, Lock)
    local taken, refusal, code = take(lock, mode, wait, report)
    if not taken then
      lock:close()
      return nil, refusal, code
    end
    -- Its last holder may have removed the file meanwhile: a lock on a file that is gone protects nothing.
    local mine, present = uv.fs_fstat(fd), uv.fs_stat(path)
    if present and present.ino == mine.ino then return lock end
    lock:close()
  end
end

-- What is known of the image in a directory; nil and a message unless it is whole.
local function load(dir)
  local content, message = files.read(dir .. "/" .. RECORD)
  if not content then return nil, message end
  local info = json.decode(content)
  if type(info) ~= "table" or info.schema ~= SCHEMA then return nil, dir .. ": its " .. RECORD .. " is damaged" end
  local stat = uv.fs_stat(dir .. "/" .. IMAGE)
  if not stat or stat.size ~= info.bytes then return nil, dir .. ": its " .. IMAGE .. " is not as it was made" end
  info.path = dir .. "/" .. IMAGE
  return info
end

-- Takes a directory out of sight at once, then removes it.
local function discard(dir)
  local aside, message = files.make_temp_dir(images.dir() .. "/" .. DISCARDED)
  if not aside then return nil, message end
  local moved
  moved, message = uv.fs_rename(dir, aside .. "/image")
  if not moved then
    files.remove(aside)
    return nil, message
  end
  return files.remove(aside)
end

-- The key that a directory of an unfinished build belongs to.
local function building_key(name)
  return name:sub(1, #BUILDING) == BUILDING and name:sub(#BUILDING + 1, -8) or nil
end

-- Removes what builds that were cut off have left. The caller holds the key's lock: none of them still runs.
local function remove_unfinished(key)
  for name in files.entries(images.dir()) do
    if building_key(name) == key then files.remove(images.dir() .. "/" .. name) end
  end
end

local function sync(path)
  local fd = uv.fs_open(path, "r", 0)
  if not fd then return end
  uv.fs_fsync(fd)
  uv.fs_close(fd)
end

local Unfinished = {}
function Unfinished.__close(self)
  files.remove(self.dir)
end

-- Looks a built image over and writes down what made it.
local function finish(dir, recipe, began_s)
  local path = dir .. "/" .. IMAGE
  if not uv.fs_stat(path) then return nil, "the installer made no disk image" end
  local sound, message = disk.check(path)
  if not sound then return nil, "the installed image is not sound: " .. message end
  local shape, sum
  shape, message = disk.info(path, { format = "qcow2" })
  if not shape then return nil, message end
  if shape.backing then return nil, "the installed image depends on " .. shape.backing .. "; convert it first" end
  sum, message = digest.file(path)
  if not sum then return nil, message end
  uv.fs_chmod(path, READ_ONLY)
  sync(path)
  local info = {
    schema = SCHEMA,
    recipe = recipe,
    moonboot = moonboot._VERSION,
    created_at = os.date("!%Y-%m-%dT%H:%M:%SZ"),
    build_s = os.time() - began_s,
    bytes = uv.fs_stat(path).size,
    virtual_bytes = shape.virtual_bytes,
    sha256 = sum,
  }
  return files.write(dir .. "/" .. RECORD, json.encode(info, { width = 100 }) .. "\n")
end

-- Builds an image under its exclusive lock.
local function construct(key, recipe, build)
  local root = images.dir()
  if recipe.disk_size then
    local bytes, wrong = disk.bytes(recipe.disk_size)
    if not bytes then return nil, wrong end
    local room, message = disk.preflight { dir = root, needs_bytes = bytes, what = "a full disk of " .. key }
    if not room then return nil, message end
  end
  local dir, message = files.make_temp_dir(root .. "/" .. BUILDING .. key .. "-")
  if not dir then return nil, message end
  local _ <close> = setmetatable({ dir = dir }, Unfinished)
  local began_s = os.time()
  local built, why = build(dir .. "/" .. IMAGE)
  if not built then return nil, why or "the installer failed without saying why" end
  local finished, unsound = finish(dir, recipe, began_s)
  if not finished then return nil, unsound end
  local moved, refusal = uv.fs_rename(dir, root .. "/" .. key)
  if not moved then return nil, refusal end
  sync(root)
  return true
end

-- Makes the image that is missing, or is not whole.
local function install(key, recipe, build, report)
  local lock <close>, message = acquire(key, ".build", "-x", true, report)
  if not lock then return nil, message end
  local dir = images.dir() .. "/" .. key
  remove_unfinished(key)
  -- Another process may have built it while this one waited.
  local info, damage = load(dir)
  if info then return info end
  if uv.fs_stat(dir) then
    report(damage .. "; installing it again")
    local gone, stuck = discard(dir)
    if not gone then return nil, stuck end
  end
  uv.fs_ftruncate(lock.fd, 0)
  uv.fs_write(lock.fd, ("%d\n"):format(uv.os_getpid()))
  local built, failure = construct(key, recipe, build)
  uv.fs_unlink(lock.path)
  if not built then return nil, failure end
  return load(dir)
end

--- The name of an image in the cache: the guest's, and a digest of everything in the recipe.
-- @tparam table recipe strings, numbers, booleans and tables of them; `guest` is used in the name
-- @treturn ?string nil and a message when it cannot be computed
function images.key(recipe)
  local sum, message = digest.text(SCHEMA .. "\n" .. json.encode(recipe))
  if not sum then return nil, message end
  local guest = tostring(recipe.guest or "image"):gsub("[^%w_-]", "_"):sub(1, 40)
  return ("%s-%s"):format(guest, sum:sub(1, 16))
end

-- Marks an image as used now, keeps it from being pruned, and hands it out.
local function lend(lock, info)
  local now_s = os.time()
  uv.fs_utime(images.dir() .. "/" .. lock.key .. "/" .. RECORD, now_s, now_s)
  local former = leases[lock.key]
  leases[lock.key], lock.leased = lock, true
  if former then former:close() end
  info.key = lock.key
  return info.path, info
end

--- The image that a recipe stands for: from the cache, else built now.
-- @tparam table recipe everything that decides what is in the image: `guest`, the medium's SHA-256, the installer's
--   hash, `disk_size`, the machine, …
-- @tparam function build called as `build(path)` when there is no such image; makes a qcow2 image at `path` and
--   returns true, or nil and a message
-- @tparam[opt] table options `report(message)`: says what it waits for
-- @treturn ?string path of the image, which nothing may write to (make an overlay: `disk.overlay`); or nil
-- @return what made it (`key`, `recipe`, `sha256`, `bytes`, `virtual_bytes`, `created_at`, `build_s`); or a message
function images.obtain(recipe, build, options)
  local report = options and options.report or silent
  local key, message = images.key(recipe)
  if not key then return nil, message end
  local lock <close>, refusal = acquire(key, "", "-s", true, report)
  if not lock then return nil, refusal end
  local info, failure = load(images.dir() .. "/" .. key)
  if not info then info, failure = install(key, recipe, build, report) end
  if not info then return nil, failure end
  return lend(lock, info)
end

--- Gives up this process's hold on the images it uses, so that they may be pruned. The end of the process does too.
function images.release()
  for key, lock in pairs(leases) do
    lock:close()
    leases[key] = nil
  end
end

local function bytes_in(dir)
  local bytes = 0
  for name, kind in files.entries(dir) do
    if kind == "directory" then
      bytes = bytes + bytes_in(dir .. "/" .. name)
    else
      local stat = uv.fs_lstat(dir .. "/" .. name)
      -- Blocks, not length: an image has holes.
      bytes = bytes + (stat and stat.blocks * 512 or 0)
    end
  end
  return bytes
end

--- The images in the cache, and what builds that were cut off have left.
-- @treturn {table,…} sorted by key: `key`, `path`, `state` ("good", "damaged", "unfinished"), `disk_bytes` (space it
--   takes), and for good ones `recipe`, `sha256`, `created_at`, `build_s`, `used_s` (when it was last used, seconds
--   since 1970), `age_s` (seconds since then)
function images.list()
  local list, root, now_s = json.array(), images.dir(), os.time()
  for name, kind in files.entries(root) do
    local dir = root .. "/" .. name
    local entry
    if kind ~= "directory" or name == ".locks" then
      entry = nil
    elseif name:sub(1, 1) == "." then
      entry = { key = building_key(name) or name, state = "unfinished", path = dir }
    else
      entry = load(dir) or { state = "damaged", path = dir }
      entry.state = entry.state or "good"
      entry.key = name
      local stat = uv.fs_stat(dir .. "/" .. RECORD)
      entry.used_s = stat and stat.mtime.sec
      entry.age_s = stat and now_s - stat.mtime.sec
    end
    if entry then
      entry.disk_bytes = bytes_in(dir)
      entry.dir = dir
      table.insert(list, entry)
    end
  end
  return list
end

--- Removes images that have not been used for long, and what builds that were cut off have left. What a running
-- moonboot uses or builds stays.
-- @tparam[opt] table options `older_than_s` (seconds since the last use; default 30 days), `all` (true:
--   whatever the age)
-- @treturn table `removed` and `in_use`: lists of entries as of `images.list`; `failed`: list of messages;
--   `freed_bytes`
function images.prune(options)
  options = options or {}
  local older_than_s = options.older_than_s or 30 * 86400
  local outcome = { removed = json.array(), in_use = json.array(), failed = json.array(), freed_bytes = 0 }
  for _, entry in ipairs(images.list()) do
    if options.all or entry.state ~= "good" or entry.age_s >= older_than_s then
      local lock, message, code = acquire(entry.key, "", "-x", false, silent)
      local gone
      if lock then
        if entry.state == "unfinished" then
          gone, message = files.remove(entry.dir)
        else
          gone, message = discard(entry.dir)
        end
        uv.fs_unlink(lock.path)
        lock:close()
      end
      if gone then
        table.insert(outcome.removed, entry)
        outcome.freed_bytes = outcome.freed_bytes + entry.disk_bytes
      elseif code == TAKEN then
        table.insert(outcome.in_use, entry)
      else
        table.insert(outcome.failed, ("cannot remove %s: %s"):format(entry.dir, files.reason(message)))
      end
    end
  end
  return outcome
end

return images

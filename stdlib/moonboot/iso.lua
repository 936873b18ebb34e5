--- Installation media: is this file what it claims to be, and what is inside?
-- (ISO 9660 is ECMA-119; the boot catalogue is the El Torito specification, 1995.)
-- @module moonboot.iso
local uv = require "luv"
local command = require "moonboot.command"
local digest = require "moonboot.digest"
local disk = require "moonboot.disk"
local files = require "moonboot.files"
local text = require "moonboot.text"

local iso = {}

local SECTOR = 2048
local FIRST_DESCRIPTOR = 16
local MOST_DESCRIPTORS = 64

local EL_TORITO = "EL TORITO SPECIFICATION"
local PLATFORMS = { [0] = "bios", [1] = "powerpc", [2] = "mac", [0xef] = "efi" }

-- Compressed downloads are taken for images again and again: name the way out.
local COMPRESSED = {
  { "\x1f\x8b", "gzip", "gunzip" },
  { "BZh", "bzip2", "bunzip2" },
  { "\xfd7zXZ\0", "xz", "unxz" },
  { "\x28\xb5\x2f\xfd", "zstd", "unzstd" },
  { "PK\3\4", "zip", "unzip" },
}

local function read_at(file, offset, bytes)
  if not file:seek("set", offset) then return "" end
  return file:read(bytes) or ""
end

-- The platforms that a boot catalogue has a bootable entry for.
local function catalogue(file, sector)
  local entries = read_at(file, sector * SECTOR, SECTOR)
  if #entries < 64 or entries:byte(1) ~= 1 or entries:sub(31, 32) ~= "\x55\xaa" then return {} end
  local platforms, seen = {}, {}
  local platform = entries:byte(2)
  for at = 33, #entries - 31, 32 do
    local kind = entries:byte(at)
    if kind == 0x88 then
      local name = PLATFORMS[platform] or ("platform %d"):format(platform)
      if not seen[name] then
        seen[name] = true
        table.insert(platforms, name)
      end
    elseif kind == 0x90 or kind == 0x91 then
      platform = entries:byte(at + 1)
    elseif at > 33 and kind == 0 then
      break
    end
  end
  return platforms
end

-- What the volume descriptors say; nil if this is no ISO 9660.
local function descriptors(file)
  local found
  for i = FIRST_DESCRIPTOR, FIRST_DESCRIPTOR + MOST_DESCRIPTORS do
    local sector = read_at(file, i * SECTOR, SECTOR)
    if #sector < 190 or sector:sub(2, 6) ~= "CD001" then break end
    local kind = sector:byte(1)
    if kind == 255 then break end
    found = found or { platforms = {} }
    if kind == 1 and not found.volume_bytes then
      found.volume_bytes = ("<I4"):unpack(sector, 81) * ("<I2"):unpack(sector, 129)
      found.label = text.escape(sector:sub(41, 72)):gsub("[\x80-\xff]", "?"):gsub("%s+$", "")
    elseif kind == 0 and sector:sub(8, 7 + #EL_TORITO) == EL_TORITO then
      found.platforms = catalogue(file, ("<I4"):unpack(sector, 72))
    end
  end
  return found
end

-- What a file without an ISO 9660 file system is.
local function other(file, path, name, bytes)
  local head = read_at(file, 0, 512)
  for _, entry in ipairs(COMPRESSED) do
    if head:sub(1, #entry[1]) == entry[1] then
      return nil, ("%s is compressed with %s: unpack it first (%s)"):format(name, entry[2], entry[3])
    end
  end
  local format = disk.format(path)
  if format ~= "raw" then return { kind = "disk", format = format, bootable = nil } end
  if #head == 512 and head:sub(511, 512) == "\x55\xaa" then
    return { kind = "disk", format = "raw", bootable = true, platforms = { "bios" } }
  end
  if bytes <= (FIRST_DESCRIPTOR + 1) * SECTOR then
    return nil, ("%s is only %s: no installation medium is that small; was the download cut short?"):format(
      name, disk.human(bytes))
  end
  local hint = ""
  if head:lower():find("<!doctype html", 1, true) or head:lower():find("<html", 1, true) then
    hint = " but a web page: download it again"
  end
  return nil, ("%s is neither an ISO 9660 image nor a disk image%s"):format(name, hint)
end

local function examine(file, path, name, bytes)
  local found = descriptors(file)
  if not found then return other(file, path, name, bytes) end
  if not found.volume_bytes then
    return nil, ("%s has an ISO 9660 header without a primary volume: the file is damaged"):format(name)
  end
  if bytes < found.volume_bytes then
    return nil, ("%s is %s but its ISO 9660 header says %s: the download was cut short"):format(
      name, disk.human(bytes), disk.human(found.volume_bytes))
  end
  return {
    kind = "iso",
    format = "raw",
    label = found.label,
    volume_bytes = found.volume_bytes,
    platforms = found.platforms,
    bootable = #found.platforms > 0,
  }
end

--- Checks an installation medium before anything is started.
-- @string path
-- @tparam[opt] table options `sha256` (the expected one, 64 hex digits), `hash` (false: skip the checksum, which reads
--   the whole file, unless one is expected), `bootable` (true: a medium that no PC firmware can start is an error)
-- @treturn ?table `path` (absolute), `kind` ("iso" or "disk"), `format` (for QEMU), `bytes`, `label` and
--   `volume_bytes` (ISO only), `bootable`, `platforms` (list of "bios", "efi", …), `sha256`; or nil and a message
function iso.verify(path, options)
  options = options or {}
  local absolute = files.absolute(path)
  local name = text.escape(path:match("[^/]+$") or path)
  local stat = uv.fs_stat(absolute)
  if not stat then return nil, ("%s does not exist"):format(text.escape(path)) end
  if stat.type ~= "file" then
    return nil, ("%s is a %s, not a file with an image in it"):format(text.escape(path), stat.type)
  end
  if stat.size == 0 then return nil, name .. " is empty: the download failed" end
  local opened, message = io.open(absolute, "rb")
  if not opened then return nil, ("%s cannot be read: %s"):format(name, message:match("([^:]+)$"):gsub("^ ", "")) end
  local file <close> = opened
  local info, wrong = examine(file, absolute, name, stat.size)
  if not info then return nil, wrong end
  if options.bootable and info.bootable == false then
    return nil, name .. " has no El Torito boot record: it is a CD with data, not one that boots"
  end
  info.path, info.bytes = absolute, stat.size
  if options.sha256 or options.hash ~= false then
    info.sha256, message = digest.file(absolute)
    if not info.sha256 then return nil, message end
  end
  if options.sha256 and options.sha256:lower() ~= info.sha256 then
    return nil, ("%s has SHA-256 %s, not the expected %s: it is another file, or damaged"):format(
      name, info.sha256, text.escape(options.sha256:lower()))
  end
  return info
end

local function xorriso(image, ...)
  -- -return_with SORRY: a file that is not there must not pass as success.
  return command.run({ "xorriso", "-return_with", "SORRY", "32", "-osirrox", "on", "-indev",
    "stdio:" .. files.absolute(image), ... }, { timeout_s = 900 })
end

-- xorriso quotes paths for the shell: 'it'"'"'s'
local function unquote(line)
  if line:sub(1, 1) ~= "'" then return nil end
  return (line:gsub("'\"'\"'", "\0"):gsub("'", ""):gsub("%z", "'"))
end

--- The files in an ISO that match a shell pattern in their last part.
-- @string image path of the ISO
-- @string pattern e.g. "/boot/minix_default/mod*"
-- @treturn ?{string,…} sorted; or nil and a message
function iso.find(image, pattern)
  local dir, name = ("/" .. pattern):gsub("//+", "/"):match("^(.*)/([^/]+)$")
  local output, message = xorriso(image, "-find", dir == "" and "/" or dir, "-maxdepth", "1", "-type", "f",
    "-name", name)
  if not output then return nil, message end
  local paths = {}
  for line in output:gmatch("[^\n]+") do
    local path = unquote(line)
    if path then table.insert(paths, path) end
  end
  table.sort(paths)
  return paths
end

-- The names asked for, patterns replaced by what they match.
local function expand(image, names)
  local paths = {}
  for _, name in ipairs(names) do
    if name:find("[*?%[]") then
      local matches, message = iso.find(image, name)
      if not matches then return nil, message end
      if #matches == 0 then return nil, ("%s holds nothing that matches %s"):format(image, name) end
      table.move(matches, 1, #matches, #paths + 1, paths)
    else
      table.insert(paths, (("/" .. name):gsub("//+", "/")))
    end
  end
  return paths
end

-- A file name made from the last part of a path in the ISO; it can never leave the directory.
local function local_name(path)
  local name = path:match("[^/]*$"):gsub("[^%w%._+-]", "_")
  if name == "" or name:find("^%.+$") then return nil end
  return name
end

local function unpacked(path)
  local file = io.open(path, "rb")
  local head = file and file:read(2)
  if file then file:close() end
  if head ~= "\x1f\x8b" then return path end
  local packed = path:match("%.gz$") and path or path .. ".gz"
  if packed ~= path then
    local renamed, message = os.rename(path, packed)
    if not renamed then return nil, message end
  end
  local done, message = command.run { "gzip", "-d", "-f", packed }
  if not done then return nil, message end
  return packed:sub(1, -4)
end

--- Takes files (a kernel and its modules) out of an ISO without mounting it, so that `-kernel` and `-initrd` can skip
-- the loader's menu.
-- @string image path of the ISO
-- @tparam {string,…} names paths inside it; the last part may be a pattern, which stands for its matches in order
-- @string dir where they go, an existing directory
-- @tparam[opt] table options `decompress` (true: files packed with gzip are unpacked)
-- @treturn ?{string,…} absolute paths of the files, in the order asked for; or nil and a message
function iso.extract(image, names, dir, options)
  local inside, message = expand(image, names)
  if not inside then return nil, message end
  local argv, paths, taken = {}, {}, {}
  for i, path in ipairs(inside) do
    local name = local_name(path)
    if not name then return nil, ("%s: %s is no file name"):format(image, text.escape(path)) end
    if taken[name] then
      return nil, ("%s and %s of %s would both become %s; take them out into different directories"):format(
        taken[name], path, image, name)
    end
    taken[name] = path
    paths[i] = files.absolute(dir) .. "/" .. name
    table.move({ "-extract", path, paths[i] }, 1, 3, #argv + 1, argv)
  end
  local done, wrong = xorriso(image, table.unpack(argv))
  if not done then return nil, wrong end
  for i, path in ipairs(paths) do
    local stat = uv.fs_stat(path)
    if not stat or stat.type ~= "file" then return nil, ("%s holds no file %s"):format(image, inside[i]) end
    uv.fs_chmod(path, tonumber("644", 8))
    if options and options.decompress then
      local plain, failed = unpacked(path)
      if not plain then return nil, failed end
      paths[i] = plain
    end
  end
  return paths
end

return iso

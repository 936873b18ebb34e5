--- Disk images: qemu-img with explicit formats, absolute paths and errors of one line.
-- @module moonboot.disk
local uv = require "luv"
local command = require "moonboot.command"
local files = require "moonboot.files"
local json = require "moonboot.json"
local text = require "moonboot.text"

local disk = {}

-- How each image format that QEMU knows begins (from its block/*.c); anything else is raw.
local MAGIC = {
  { "QFI\xfb", "qcow2" },
  { "KDMV", "vmdk" },
  { "COWD", "vmdk" },
  { "vhdxfile", "vhdx" },
  { "conectix", "vpc" },
  { "<<< ", "vdi" },
}

local UNITS = { K = 1 << 10, M = 1 << 20, G = 1 << 30, T = 1 << 40 }

--- The bytes in a size such as `"512M"`, `"2G"`, `"1.5G"` or `4096`.
-- @tparam string|number size
-- @treturn ?int nil and a message if it is not a size
function disk.bytes(size)
  if math.type(size) == "integer" and size > 0 then return size end
  local number, unit = tostring(size):match("^(%d+%.?%d*)([KMGTkmgt]?)i?B?$")
  local bytes = number and tonumber(number) * (UNITS[unit:upper()] or 1)
  if not bytes or bytes < 1 then
    return nil, ("%q is not a size; write it as 512M or 2G"):format(text.escape(tostring(size)))
  end
  return math.floor(bytes)
end

--- A number of bytes as people write it: `"1.2 GB"`.
-- @number bytes
-- @treturn string
function disk.human(bytes)
  local names = { "bytes", "kB", "MB", "GB", "TB" }
  local i = 1
  while bytes >= 1000 and i < #names do
    bytes, i = bytes / 1000, i + 1
  end
  local form = (i == 1 or bytes >= 10) and "%.0f %s" or "%.1f %s"
  return (form:format(bytes, names[i]):gsub("%.0 ", " "))
end

--- The format of an image, from its first bytes.
-- @string path
-- @treturn ?string "qcow2", "vmdk", "vhdx", "vpc", "vdi" or "raw"; or nil and a message
function disk.format(path)
  local file, message = io.open(path, "rb")
  if not file then return nil, message end
  local head = file:read(8)
  file:close()
  if not head then return nil, path .. ": is empty or cannot be read" end
  for _, entry in ipairs(MAGIC) do
    if head:sub(1, #entry[1]) == entry[1] then return entry[2] end
  end
  return "raw"
end

-- The format given, or else that which the file shows.
local function format_of(path, options)
  if options and options.format then return options.format end
  return disk.format(path)
end

local function qemu_img(...)
  return command.run({ "qemu-img", ... }, { timeout_s = 1800 })
end

--- Makes an empty image.
-- @string path
-- @tparam string|int size e.g. "2G"
-- @tparam[opt] table options `format` (default "qcow2")
-- @treturn ?boolean true, or nil and a message
function disk.create(path, size, options)
  local bytes, wrong = disk.bytes(size)
  if not bytes then return nil, wrong end
  local format = options and options.format or "qcow2"
  local done, message = qemu_img("create", "-q", "-f", format, files.absolute(path), ("%d"):format(bytes))
  if not done then return nil, message end
  return true
end

--- Makes an overlay: an image that keeps what is written and leaves the rest to `base`, which is never written.
-- @string base
-- @string path the new qcow2 image
-- @tparam[opt] table options `format` of the base (default: what its first bytes show), `size`
-- @treturn ?boolean true, or nil and a message
function disk.overlay(base, path, options)
  local format, wrong = format_of(base, options)
  if not format then return nil, wrong end
  local argv = { "qemu-img", "create", "-q", "-f", "qcow2", "-F", format, "-b", files.absolute(base) }
  table.insert(argv, files.absolute(path))
  if options and options.size then
    local bytes, bad = disk.bytes(options.size)
    if not bytes then return nil, bad end
    table.insert(argv, ("%d"):format(bytes))
  end
  local done, message = command.run(argv)
  if not done then return nil, message end
  return true
end

--- Writes what an overlay holds into the image beneath it.
-- @string path a qcow2 overlay
-- @treturn ?boolean true, or nil and a message
function disk.commit(path)
  local done, message = qemu_img("commit", "-q", "-f", "qcow2", files.absolute(path))
  if not done then return nil, message end
  return true
end

--- Copies an image, with all that is beneath it, into a new one that stands alone.
-- @string source
-- @string target
-- @tparam[opt] table options `format` of the target (default "qcow2"), `from` (format of the source; default: what
--   its first bytes show), `compress`
-- @treturn ?boolean true, or nil and a message
function disk.convert(source, target, options)
  options = options or {}
  local from, wrong = format_of(source, { format = options.from })
  if not from then return nil, wrong end
  local argv = { "qemu-img", "convert", "-q", "-f", from, "-O", options.format or "qcow2" }
  if options.compress then table.insert(argv, "-c") end
  table.insert(argv, files.absolute(source))
  table.insert(argv, files.absolute(target))
  local done, message = command.run(argv, { timeout_s = 1800 })
  if not done then return nil, message end
  return true
end

--- Checks that a qcow2 image is sound. Leaked clusters waste space and harm nothing; they pass.
-- @string path
-- @treturn ?boolean true, or nil and a message
function disk.check(path)
  local done, message, status = qemu_img("check", "-q", "-f", "qcow2", files.absolute(path))
  if done or status == 3 then return true end
  if status == 2 then message = ("%s is corrupt (%s)"):format(path, message) end
  return nil, message
end

--- What an image is.
-- @string path
-- @tparam[opt] table options `format` (default: what its first bytes show)
-- @treturn ?table `format`, `virtual_bytes` (what a guest sees), `actual_bytes` (what it takes), `backing` (path of
--   the image beneath it, or nil); or nil and a message
function disk.info(path, options)
  local format, wrong = format_of(path, options)
  if not format then return nil, wrong end
  -- -U: an image that a guest has open may be looked at too.
  local output, message = qemu_img("info", "-U", "--output=json", "-f", format, files.absolute(path))
  if not output then return nil, message end
  local info = json.decode(output)
  if type(info) ~= "table" then return nil, "qemu-img info: gave no JSON for " .. path end
  return {
    format = info.format,
    virtual_bytes = math.tointeger(info["virtual-size"]),
    actual_bytes = math.tointeger(info["actual-size"]),
    backing = info["full-backing-filename"] or info["backing-filename"],
  }
end

--- Free space for a file in a directory, or in the nearest directory above it that exists.
-- @string dir
-- @treturn ?int bytes that this user may fill, or nil and a message
function disk.free_bytes(dir)
  local path = files.absolute(dir)
  while not uv.fs_stat(path) do
    local parent = path:match("^(.+)/[^/]*$") or "/"
    if parent == path then break end
    path = parent
  end
  local stat, message = uv.fs_statfs(path)
  if not stat then return nil, message end
  return stat.bavail * stat.bsize
end

--- Checks, before anything is started, that a directory has the space for the worst case.
-- @tparam table needs `dir`, `needs_bytes`, `what` (what the space is for; default "the experiment")
-- @treturn ?boolean true, or nil and a message
function disk.preflight(needs)
  local free_bytes, message = disk.free_bytes(needs.dir)
  if not free_bytes then return nil, message end
  if free_bytes >= needs.needs_bytes then return true end
  return nil, ("%s needs %s, %s free in %s; free some space or use another directory"):format(
    needs.what or "the experiment", disk.human(needs.needs_bytes), disk.human(free_bytes), needs.dir)
end

return disk

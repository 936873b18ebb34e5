--- Which accelerators of QEMU work on this host, and which is fastest: found out by booting a probe, because an
-- accelerator that opens (/dev/kvm) may still be too slow to use, or run nothing at all.
-- @module moonboot.accelerator
local uv = require "luv"
local command = require "moonboot.command"
local engine = require "moonboot.engine"
local files = require "moonboot.files"
local host = require "moonboot.host"
local json = require "moonboot.json"
local task = require "moonboot.task"
local text = require "moonboot.text"

local accelerator = {}

-- The probe is for PC firmware; other machines have TCG only, unless the host is of their kind.
local PC = { i386 = true, x86_64 = true }

local GREETING, FAREWELL = "moonboot probe\n", "done\n"
local EXIT_VALUE = 0x10
-- isa-debug-exit ends QEMU with this status for that value.
local EXIT_STATUS = EXIT_VALUE << 1 | 1

local TCG_DEADLINE_S = 30
local SHORTEST_DEADLINE_S = 2
-- An accelerator that needs this many times TCG's time has lost already.
local PATIENCE = 4

--- The probe: a boot sector that greets on COM1, computes, says it is done, and ends QEMU.
-- @treturn string 512 bytes
function accelerator.boot_sector()
  local ORIGIN = 0x7c00
  local function print_text(address, message)
    return "\xbe" .. ("<I2"):pack(address) -- mov si, address
      .. "\xb9" .. ("<I2"):pack(#message) -- mov cx, length
      .. "\xac" -- next: lodsb
      .. "\xee" -- out dx, al
      .. "\xe2\xfc" -- loop next
  end
  local start = "\xfa" -- cli
    .. "\xfc" -- cld
    .. "\x31\xc0" -- xor ax, ax
    .. "\x8e\xd8" -- mov ds, ax
    .. "\xba\xf8\x03" -- mov dx, 0x3f8 (COM1's data register)
  -- 256 times 65,536 dependent steps: tens of milliseconds under TCG, so that speeds can be compared.
  local work = "\xbb\x00\x01" -- mov bx, 256
    .. "\x31\xc9" -- round: xor cx, cx
    .. "\x01\xc8" -- step: add ax, cx
    .. "\xd1\xc0" -- rol ax, 1
    .. "\xe2\xfa" -- loop step
    .. "\x4b" -- dec bx
    .. "\x75\xf5" -- jnz round
  local finish = "\xb0" .. string.char(EXIT_VALUE) -- mov al, value
    .. "\xe6\xf4" -- out 0xf4, al (isa-debug-exit)
    .. "\xf4" -- stop: hlt
    .. "\xeb\xfd" -- jmp stop
  local code_bytes = #start + 2 * #print_text(0, "") + #work + #finish
  local greeting = ORIGIN + code_bytes
  local code = start .. print_text(greeting, GREETING) .. work .. print_text(greeting + #GREETING, FAREWELL) .. finish
  local body = code .. GREETING .. FAREWELL
  return body .. ("\0"):rep(510 - #body) .. "\x55\xaa"
end

-- A path as part of an option of QEMU, where a comma would end it.
local function option(path)
  return (path:gsub(",", ",,"))
end

-- Boots the probe under one accelerator.
local function boot(program, name, dir, deadline_s)
  local output = ("%s/%s.out"):format(dir, name)
  local function failed(reason) return { name = name, works = false, reason = reason } end
  local began_ns = engine.clock.now()
  local process, message, code = engine.process.spawn {
    argv = {
      program, "-nodefaults", "-no-user-config", "-display", "none", "-machine", "pc", "-accel", name, "-m", "16",
      "-drive", ("file=%s/probe.img,format=raw,if=ide,snapshot=on"):format(option(dir)),
      "-chardev", ("file,id=com1,path=%s"):format(option(output)), "-serial", "chardev:com1",
      "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04", "-no-reboot",
    },
  }
  if not process then
    if code == "ENOENT" then
      message = ("%s: not found; install %s"):format(program, command.package(program) or "QEMU")
    end
    return failed(message)
  end
  local guest <close> = process
  local ended = guest:poll()
  while not ended do
    local left_s = deadline_s - (engine.clock.now() - began_ns) / 1e9
    if left_s <= 0 or not task.readable(guest:fd(), left_s) then
      return failed(("did not finish the probe guest within %.1f s"):format(deadline_s))
    end
    ended = guest:poll()
  end
  local ms = (ended.ended_ns - began_ns) / 1e6
  local said = files.read(output)
  if ended.code == EXIT_STATUS and said == GREETING .. FAREWELL then return { name = name, works = true, ms = ms } end
  local why = guest:stderr():match("[^\r\n]+")
  if why then
    why = text.escape(why)
  elseif ended.code == EXIT_STATUS then
    why = "the probe guest's output was lost or changed"
  else
    why = ("QEMU ended with %s"):format(ended.code and "status " .. ended.code or tostring(ended.signal))
  end
  return failed(why)
end

-- The fastest that works, or nil.
local function fastest(list)
  local best
  for _, entry in ipairs(list) do
    if entry.works and (not best or (entry.ms or math.huge) < (best.ms or math.huge)) then best = entry end
  end
  return best and best.name
end

local function probe_pc(program, deadline_s)
  local temporary <close>, message = files.temp_dir "moonboot-probe-"
  if not temporary then return nil, message end
  local dir = temporary.path
  local written, why = files.write(dir .. "/probe.img", accelerator.boot_sector())
  if not written then return nil, why end
  local tcg = boot(program, "tcg", dir, deadline_s or TCG_DEADLINE_S)
  local kvm
  if not uv.fs_stat("/dev/kvm") then
    kvm = { name = "kvm", works = false, reason = "the host has no /dev/kvm" }
  elseif not uv.fs_access("/dev/kvm", "RW") then
    kvm = { name = "kvm", works = false, reason = "no right to use /dev/kvm; add this user to the group kvm" }
  else
    local patience_s = tcg.works and math.max(SHORTEST_DEADLINE_S, PATIENCE * tcg.ms / 1e3) or TCG_DEADLINE_S
    kvm = boot(program, "kvm", dir, deadline_s or patience_s)
    if not kvm.works and tcg.works and kvm.reason:find("^did not finish") then
      kvm.reason = ("%s; tcg needs %.2f s"):format(kvm.reason, tcg.ms / 1e3)
    end
  end
  return { tcg, kvm }
end

--- Boots the probe under each accelerator.
-- @tparam[opt] table options `arch` (default "i386"), `program` (QEMU's path), `deadline_s` (for each; default: TCG 30,
--   KVM four times what TCG took and at least 2)
-- @treturn ?{table,…} `name` ("tcg", "kvm"), `works`, `ms` (start to end of the probe; nil if it does not work or
--   there is no probe for the architecture), `reason` (why it does not work); or nil and a message
-- @treturn ?string the name of the fastest that works
function accelerator.probe(options)
  options = options or {}
  local arch = options.arch or "i386"
  local program = options.program or host.qemu_program(arch)
  if not PC[arch] then
    return { { name = "tcg", works = true, reason = "there is no probe guest for " .. arch } }, "tcg"
  end
  local list, message = probe_pc(program, options.deadline_s)
  if not list then return nil, message end
  return list, fastest(list)
end

-- Finds the file that a program name stands for.
local function on_path(program)
  if program:find("/", 1, true) then return program end
  for dir in (os.getenv("PATH") or ""):gmatch("[^:]+") do
    local path = dir .. "/" .. program
    if uv.fs_access(path, "X") then return path end
  end
  return nil
end

-- What an earlier answer depends on: this QEMU, this boot of the host, this user's right to KVM.
local function signature(arch, program)
  local path = on_path(program)
  local qemu = path and uv.fs_stat(path)
  if not qemu then return nil end
  local kvm = uv.fs_stat("/dev/kvm")
  local boot_id = files.read("/proc/sys/kernel/random/boot_id")
  if not boot_id then return nil end
  return table.concat({ arch, path, qemu.size, qemu.mtime.sec, qemu.ino, boot_id:gsub("%s", ""), uv.getuid(),
    kvm and tostring(uv.fs_access("/dev/kvm", "RW")) or "none" }, " ")
end

local function remembered(path, key)
  local cache = json.decode(files.read(path) or "")
  local list = type(cache) == "table" and cache[key]
  if type(list) ~= "table" or not fastest(list) then return nil end
  return list
end

--- Like `accelerator.probe`, with the answer kept until QEMU changes or the host is booted again.
-- @tparam[opt] table options as for `probe`, and `fresh` (true: probe again)
-- @return as `probe`
function accelerator.known(options)
  options = options or {}
  local arch = options.arch or "i386"
  local key = signature(arch, options.program or host.qemu_program(arch))
  local path = files.cache_dir() .. "/accelerators.json"
  local list = key and not options.fresh and remembered(path, key)
  if list then return list, fastest(list) end
  local best
  list, best = accelerator.probe(options)
  if not list then return nil, best end
  if key and best and files.make_dir(files.cache_dir()) then
    local cache = json.decode(files.read(path) or "")
    if type(cache) ~= "table" then cache = {} end
    -- Answers of earlier boots of the host are of no use any more.
    local boot_id = (files.read("/proc/sys/kernel/random/boot_id") or ""):gsub("%s", "")
    for old in pairs(cache) do
      if not old:find(boot_id, 1, true) then cache[old] = nil end
    end
    cache[key] = list
    -- A cache that cannot be written costs the next run a second, nothing else.
    files.write(path, json.encode(cache))
  end
  return list, best
end

--- Chooses the accelerator for a run.
-- @string[opt="i386"] arch
-- @tparam[opt] table options as for `known`
-- @treturn ?string "tcg" or "kvm"; nil when none works
-- @treturn string why, for the report; or the message
function accelerator.choose(arch, options)
  options = options or {}
  arch = arch or "i386"
  local list, best = accelerator.known {
    arch = arch, program = options.program, deadline_s = options.deadline_s, fresh = options.fresh,
  }
  if not list then return nil, best end
  local parts = {}
  for _, entry in ipairs(list) do
    if entry.ms then
      table.insert(parts, ("%s ran the probe guest in %.0f ms"):format(entry.name, entry.ms))
    else
      table.insert(parts, ("%s: %s"):format(entry.name, entry.reason))
    end
  end
  local reason = table.concat(parts, "; ")
  if not best then return nil, "no accelerator works: " .. reason end
  return best, reason
end

return accelerator

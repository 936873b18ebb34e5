--- A machine: a table that describes what to boot, and the QEMU command line that boots it.
-- Pure: no file is opened and nothing is started here.
--
-- Fields of a description, all optional:
--
-- - `arch`: "x86_64" (default), "i386", "aarch64", "arm" or "riscv64"
-- - `qemu`: the program, by default `qemu-system-<arch>`
-- - `machine`: QEMU's machine type with its options, by default "pc", or "virt" where the architecture is not x86
-- - `cpus`: vCPUs, default 1; `smp`: topology, as in "sockets=1,cores=4"; `cpu_model`: as in "qemu64,+x2apic"
-- - `memory`: "512M" (default) or a number of MiB
-- - `accel`: "tcg" or "kvm", options allowed ("tcg,thread=single"); left out: the runner probes the host
-- - `kernel`, `append`, `dtb`; `initrd`: one path, or a list of multiboot modules, each a path, a string
--   "path arguments…" or a table `{ file =, args = }`
-- - `disk`: a path, a table `{ file =, format =, interface =, snapshot =, readonly =, cache = }`, or a list of either;
--   a format that is not given follows from the file name's ending (raw where that says nothing): QEMU never probes it
-- - `cdrom`: path of an ISO image; `boot`: as QEMU's `-boot` ("c", "d", "order=dc,menu=on")
-- - `consoles`: how many serial lines (default 1: "com1"), or the list of their names
-- - `graphics`: false makes the firmware speak on the first serial line; `vga`: default "std" on a PC, "none" elsewhere
-- - `network`: false (default), true (user-mode network) or a value for QEMU's `-nic`
-- - `firmware` (or `bios`): path of the firmware image
-- - `rtc`: value for QEMU's `-rtc`
-- - `icount`: virtual nanoseconds per instruction as a power of two (0 to 10), or "auto"
-- - `deterministic`: true for virtual time from `icount` (default 3) and a fixed clock; needs TCG. Its stamps are the
--   guest's virtual clock (see `engine/qemu/virtualtime.c`)
-- - `reboot`: true lets the guest reset itself instead of ending QEMU
-- - `sandbox`: false runs QEMU without its seccomp filter
-- - `args`: list of strings passed to QEMU verbatim, after all others
-- @module moonboot.machine
local check = require "moonboot.check"
local text = require "moonboot.text"

local machine = {}

--- Stands for no value in `machine.with`, which then takes the field away.
machine.NONE = setmetatable({}, { __tostring = function() return "none" end })

--- The architectures a description may name, with what differs between them.
machine.architectures = {
  i386 = { machine = "pc", interface = "ide", vga = "std", consoles = 4 },
  x86_64 = { machine = "pc", interface = "ide", vga = "std", consoles = 4 },
  aarch64 = { machine = "virt", interface = "virtio", vga = "none", consoles = 1 },
  arm = { machine = "virt", interface = "virtio", vga = "none", consoles = 1 },
  riscv64 = { machine = "virt", interface = "virtio", vga = "none", consoles = 1 },
}

local FORMATS = { qcow2 = "qcow2", vmdk = "vmdk", vdi = "vdi", vhdx = "vhdx", qed = "qed", vpc = "vpc", vhd = "vpc" }

local function no_nul(value)
  if type(value) == "string" and (value == "" or value:find("\0", 1, true)) then
    return nil, value == "" and "must not be empty" or "must not contain a NUL byte"
  end
  return true
end

local function accelerator(value)
  local name = value:match("^[^,]*")
  if name == "tcg" or name == "kvm" then return true end
  return nil, ("must be tcg or kvm, not '%s'"):format(text.escape(name))
end

local function memory(value)
  if type(value) == "string" then return check.size(value) end
  if value >= 1 then return true end
  return nil, ("must be a number of MiB or a size like 512M, not %s"):format(value)
end

local function icount(value)
  if value == "auto" or math.type(value) == "integer" and value >= 0 and value <= 10 then return true end
  return nil, "must be an integer from 0 to 10 or 'auto'"
end

local function strings(list)
  for i = 1, #list do
    if type(list[i]) ~= "string" or list[i]:find("\0", 1, true) then return nil, "must be a list of strings" end
  end
  for key in pairs(list) do
    if math.type(key) ~= "integer" or key < 1 or key > #list then return nil, "must be a list of strings" end
  end
  return true
end

local PATH = { type = "string", check = no_nul }

local SCHEMA = {
  arch = { type = "string", default = "x86_64" },
  qemu = PATH,
  machine = PATH,
  cpus = { type = "integer", min = 1, max = 1024, default = 1 },
  smp = PATH,
  cpu_model = PATH,
  memory = { type = { "integer", "string" }, check = memory, default = "512M" },
  accel = { type = "string", check = accelerator },
  kernel = PATH,
  append = { type = "string", check = function(v) return v == "" or no_nul(v) end },
  dtb = PATH,
  initrd = { type = { "string", "table" }, check = no_nul },
  disk = { type = { "string", "table" }, check = no_nul },
  cdrom = PATH,
  boot = PATH,
  consoles = { type = { "integer", "table" }, default = 1 },
  graphics = { type = "boolean" },
  vga = PATH,
  network = { type = { "boolean", "string" }, check = no_nul, default = false },
  firmware = PATH,
  bios = PATH,
  rtc = PATH,
  icount = { type = { "integer", "string" }, check = icount },
  deterministic = { type = "boolean", default = false },
  reboot = { type = "boolean", default = false },
  sandbox = { type = "boolean" },
  args = { type = "table", check = strings },
}

local DISK = {
  file = { type = "string", required = true, check = no_nul },
  format = { type = "string", choices = { "raw", "qcow2", "vmdk", "vdi", "vhdx", "qed", "vpc" } },
  interface = { type = "string", choices = { "ide", "virtio", "scsi", "sd", "floppy", "pflash", "none" } },
  snapshot = { type = "boolean", default = false },
  readonly = { type = "boolean", default = false },
  cache = { type = "string", choices = { "writeback", "none", "writethrough", "directsync", "unsafe" } },
}

local MODULE = {
  file = { type = "string", required = true, check = no_nul },
  args = { type = "string", check = no_nul },
}

-- A list of `item`s from one item or a list of them.
local function each(value, is_one, item)
  local list = is_one and { value } or value
  local out = {}
  if #list == 0 then return nil, "is an empty list" end
  for i, entry in ipairs(list) do
    local good, message = item(entry, i)
    if not good then return nil, message end
    out[i] = good
  end
  return out
end

local function disk(entry, interface)
  if type(entry) == "string" then entry = { file = entry } end
  local out, message = check.table(entry, DISK, "a disk of the machine")
  if not out then return nil, message end
  out.format = out.format or FORMATS[out.file:match("%.(%w+)$") or ""] or "raw"
  out.interface = out.interface or interface
  return out
end

local function module(entry)
  if type(entry) == "string" then
    local file, args = entry:match("^(%S+) +(.*)$")
    entry = { file = file or entry, args = args ~= "" and args or nil }
  end
  local out, message = check.table(entry, MODULE, "an initrd module of the machine")
  if not out then return nil, message end
  if out.file:find(" ", 1, true) then
    return nil, ("initrd module '%s': QEMU takes what follows the space for the module's arguments; rename the file")
      :format(text.escape(out.file))
  end
  return out
end

local function consoles(value, limit, what)
  local names = value
  if type(value) == "number" then
    names = {}
    for i = 1, math.min(value, 64) do names[i] = "com" .. i end
  end
  local seen, out = {}, {}
  for i, name in ipairs(names) do
    if type(name) ~= "string" or not name:find("^%a[%w_]*$") or #name > 32 or name == "qmp" then
      return nil, "'consoles' in machine must be a number or a list of names (letters, digits, '_'; not 'qmp')"
    end
    if seen[name] then return nil, ("two consoles of the machine are called '%s'"):format(name) end
    seen[name], out[i] = true, name
  end
  if #out == 0 then return nil, "'consoles' in machine: at least one serial line is needed to time a boot" end
  if limit and #out > limit then
    return nil, ("'consoles' in machine: a %s has at most %d serial line%s"):format(what, limit,
      limit == 1 and "" or "s")
  end
  return out
end

--- The names of all fields, sorted.
-- @treturn {string,…}
function machine.fields()
  local names = {}
  for name in pairs(SCHEMA) do names[#names + 1] = name end
  table.sort(names)
  return names
end

--- Whether a machine has a field of that name.
-- @string name
-- @treturn boolean
function machine.has(name)
  return SCHEMA[name] ~= nil
end

--- A value as a field wants it: a number where only text is allowed becomes text ("486" for a CPU model).
-- @string name  of the field
-- @param value
-- @return the value
function machine.coerce(name, value)
  local rule = SCHEMA[name]
  return rule and rule.type == "string" and type(value) == "number" and tostring(value) or value
end

--- Checks a description and completes it; completing it twice changes nothing.
-- @tparam table description  see above; not modified
-- @treturn ?table with defaults, `memory` as a string, `disk` as a list of tables, `consoles` as a list of names;
--   nil when something is wrong
-- @treturn ?string what
-- @treturn ?string the field at fault
function machine.normalise(description)
  local out, message, key = check.table(description, SCHEMA, "machine")
  if not out then return nil, message, key end
  local arch = machine.architectures[out.arch]
  if not arch then
    local names = {}
    for name in pairs(machine.architectures) do names[#names + 1] = name end
    table.sort(names)
    return nil, ("'arch' in machine must be %s, not '%s'%s"):format(text.list(names), text.escape(out.arch),
      text.suggest(out.arch, names)), "arch"
  end
  if out.bios then
    if out.firmware and out.firmware ~= out.bios then
      return nil, "'bios' in machine is another word for 'firmware': give one of them", "bios"
    end
    out.firmware, out.bios = out.bios, nil
  end
  out.machine = out.machine or arch.machine
  if out.vga == nil then out.vga = arch.vga end
  out.memory = (type(out.memory) == "number" or not out.memory:find("%D")) and out.memory .. "M" or out.memory

  -- Only the default machine's limits are known; another type may have more lines.
  local known = out.machine:match("^[^,]*") == arch.machine
  out.consoles, message = consoles(out.consoles, known and arch.consoles, arch.machine)
  if not out.consoles then return nil, message, "consoles" end

  if out.disk then
    local one = type(out.disk) == "string" or out.disk.file ~= nil or next(out.disk) ~= nil and #out.disk == 0
    out.disk, message = each(out.disk, one, function(entry) return disk(entry, arch.interface) end)
    if not out.disk then return nil, "'disk' in machine: " .. message, "disk" end
  end
  if type(out.initrd) == "table" then
    local one = out.initrd.file ~= nil
    out.initrd, message = each(out.initrd, one, module)
    if not out.initrd then return nil, "'initrd' in machine: " .. message, "initrd" end
  end
  if out.initrd and not out.kernel then return nil, "'initrd' in machine needs a 'kernel'", "initrd" end
  if out.append and out.append ~= "" and not out.kernel then
    return nil, "'append' in machine needs a 'kernel'", "append"
  end
  if out.deterministic and out.icount == "auto" then
    return nil, "a deterministic machine needs a fixed 'icount': 'auto' follows the host's speed", "icount"
  end
  if (out.deterministic or out.icount) and out.accel and out.accel:find("^kvm") then
    return nil, "a deterministic machine counts instructions, which needs accel = 'tcg', not 'kvm'", "accel"
  end
  return out
end

--- A description with some fields replaced, checked again.
-- @tparam table description
-- @tparam table changes  field = value, or `machine.NONE` to take a field away
-- @treturn ?table
-- @treturn ?string message
-- @treturn ?string the field at fault
function machine.with(description, changes)
  local merged = {}
  for key, value in pairs(description) do merged[key] = value end
  for key, value in pairs(changes) do
    if value == machine.NONE then value = nil end
    merged[key] = value
    if key == "bios" then merged.firmware = nil end
  end
  return machine.normalise(merged)
end

-- In a QEMU option list a comma ends a value; a doubled one is a comma.
local function escaped(value)
  return (value:gsub(",", ",,"))
end

-- QEMU takes "word:" in front of a file name for a protocol. A path that has a directory is never one.
local function file_name(path)
  if path:match("^[^/]*:") then path = "./" .. path end
  return escaped(path)
end

local function drives(desc, add)
  local ide = 0
  for i, entry in ipairs(desc.disk or {}) do
    local index = ""
    if entry.interface == "ide" then
      -- The CD drive is where firmware and guests expect it, master on the second channel.
      if ide == 2 and desc.cdrom then ide = 3 end
      index, ide = ",index=" .. ide, ide + 1
    end
    add("-drive", ("file=%s,format=%s,if=%s%s,media=disk,id=disk%d%s%s%s"):format(file_name(entry.file), entry.format,
      entry.interface, index, i - 1, entry.snapshot and ",snapshot=on" or "", entry.readonly and ",readonly=on" or "",
      entry.cache and ",cache=" .. entry.cache or ""))
  end
  if desc.cdrom then
    local interface = machine.architectures[desc.arch].interface
    add("-drive", ("file=%s,format=raw,if=%s%s,media=cdrom,id=cdrom0,readonly=on"):format(file_name(desc.cdrom),
      interface, interface == "ide" and ",index=2" or ""))
  end
end

local function boot_source(desc, add)
  if desc.firmware then add("-bios", desc.firmware) end
  if desc.kernel then add("-kernel", desc.kernel) end
  if type(desc.initrd) == "string" then
    add("-initrd", desc.initrd)
  elseif desc.initrd then
    local modules = {}
    for i, entry in ipairs(desc.initrd) do
      modules[i] = escaped(entry.file .. (entry.args and " " .. entry.args or ""))
    end
    add("-initrd", table.concat(modules, ","))
  end
  if desc.dtb then add("-dtb", desc.dtb) end
  if desc.append and desc.append ~= "" then add("-append", desc.append) end
  if desc.boot then add("-boot", desc.boot) end
end

local function time_keeping(desc, add)
  local shift = desc.icount or desc.deterministic and 3
  if shift then
    -- sleep=off: idle time passes at once, and the host's clock has no part in the guest's.
    add("-icount", shift == "auto" and "shift=auto" or ("shift=%d,sleep=off"):format(shift))
  end
  if desc.rtc then
    add("-rtc", desc.rtc)
  elseif desc.deterministic then
    add("-rtc", "base=2000-01-01T00:00:00,clock=vm")
  end
  if desc.deterministic then add("-seed", "1") end
end

--- The command line of QEMU for a machine. QMP is at one inherited file descriptor, each console at another.
-- The guest does not run until QMP's `cont`.
-- @tparam table desc  from `machine.normalise`
-- @tparam[opt] table env  what the host decides: `accel` (used unless the machine names one; default "tcg"),
--   `sandbox` (true: QEMU's seccomp filter, unless the machine says no), `name`, `qmp_fd` (default 3), `console_fds`
--   (list; default the numbers after `qmp_fd`), `run_as` (an unprivileged user for QEMU to become), `args` (list,
--   passed like the machine's own)
-- @treturn ?{string,…} the program and its arguments; nil when machine and host do not go together
-- @treturn ?string why not
function machine.argv(desc, env)
  env = env or {}
  local argv = { desc.qemu or "qemu-system-" .. desc.arch }
  local function add(...)
    for i = 1, select("#", ...) do argv[#argv + 1] = (select(i, ...)) end
  end

  local accel = desc.accel or env.accel or "tcg"
  local counted = desc.icount ~= nil or desc.deterministic
  if counted and not desc.accel then accel = "tcg" end
  if desc.cpu_model and desc.cpu_model:match("^[^,]*") == "host" and accel:match("^[^,]*") ~= "kvm" then
    return nil, "cpu_model 'host' needs KVM, and the accelerator is TCG: use 'max' or a named model"
  end

  if env.name then add("-name", escaped(env.name)) end
  add("-nodefaults", "-no-user-config", "-display", "none", "-S")
  if not desc.reboot then add("-no-reboot") end
  add("-machine", desc.machine .. (desc.graphics == nil and "" or desc.graphics and ",graphics=on" or ",graphics=off"))
  add("-accel", accel)
  if desc.cpu_model then add("-cpu", desc.cpu_model) end
  add("-smp", desc.cpus .. (desc.smp and "," .. desc.smp or ""))
  add("-m", desc.memory)
  if desc.vga ~= "none" then add("-vga", desc.vga) end
  add("-nic", desc.network == true and "user" or desc.network or "none")

  local fd = env.qmp_fd or 3
  add("-chardev", "socket,id=qmp,fd=" .. fd, "-mon", "chardev=qmp,mode=control")
  for i, name in ipairs(desc.consoles) do
    add("-chardev", ("socket,id=%s,fd=%d"):format(name, env.console_fds and env.console_fds[i] or fd + i))
    add("-serial", "chardev:" .. name)
  end

  boot_source(desc, add)
  drives(desc, add)
  time_keeping(desc, add)
  if env.sandbox and desc.sandbox ~= false then
    -- To the filter, giving up root is a change of user like any other; without root or exec there is no way back.
    add("-sandbox", ("on,obsolete=deny,elevateprivileges=%s,spawn=deny,resourcecontrol=deny"):format(
      env.run_as and "allow" or "deny"))
  end
  if env.run_as then add("-runas", env.run_as) end
  for _, list in ipairs { desc.args or {}, env.args or {} } do
    for _, arg in ipairs(list) do add(arg) end
  end
  return argv
end

return machine

--- What this host is and how busy it is: the facts that a measurement is reported with. An unknown fact is nil.
-- @module moonboot.host
local uv = require "luv"
local command = require "moonboot.command"
local escape = require("moonboot.text").escape

local host = {}

local function slurp(path)
  local file = io.open(path, "r")
  if not file then return nil end
  local content = file:read("a")
  file:close()
  return content
end

local function first_line(path)
  local content = slurp(path)
  local line = content and content:match("^%s*([^\n]-)%s*\n") or content
  if line and line ~= "" then return line end
  return nil
end

-- How many CPUs a list such as "0-3,7" names.
local function count_list(list)
  if not list then return nil end
  local count = 0
  for part in list:gmatch("[^,]+") do
    local from, to = part:match("^%s*(%d+)%-(%d+)%s*$")
    if from then
      count = count + tonumber(to) - tonumber(from) + 1
    elseif part:match("^%s*%d+%s*$") then
      count = count + 1
    else
      return nil
    end
  end
  return math.tointeger(count)
end

local function kilobytes(content, name)
  local number = content and content:match("\n" .. name .. ":%s*(%d+) kB")
  return number and tonumber(number) * 1024
end

--- The CPUs: model, how many are online, how many this process may use.
-- @string root prefix of /proc and /sys, "" but in tests
-- @treturn table `cpu_model`, `cores` (online), `cores_allowed`, `virtualised` (true in a virtual machine)
function host.cpus(root)
  local content = slurp(root .. "/proc/cpuinfo") or ""
  local _, listed = ("\n" .. content):gsub("\nprocessor%s*:", "")
  local status = slurp(root .. "/proc/self/status")
  local flags = content:match("\nflags%s*:([^\n]*)")
  local virtualised
  if flags then virtualised = (flags .. " "):find(" hypervisor ", 1, true) ~= nil end
  return {
    cpu_model = content:match("\nmodel name%s*:%s*([^\n]*)"),
    cores = count_list(first_line(root .. "/sys/devices/system/cpu/online")) or (listed > 0 and listed or nil),
    cores_allowed = status and count_list(status:match("\nCpus_allowed_list:%s*([^\n]*)")),
    virtualised = virtualised,
  }
end

--- The host's name.
-- @string[opt=""] root prefix of /proc, for tests
-- @treturn ?string
function host.name(root)
  return first_line((root or "") .. "/proc/sys/kernel/hostname")
end

--- The release of the host's kernel.
-- @string[opt=""] root
-- @treturn ?string e.g. "6.1.0-18-amd64"
function host.kernel(root)
  return first_line((root or "") .. "/proc/sys/kernel/osrelease")
end

--- The cores that this process may use.
-- @string[opt=""] root prefix of /proc, for tests
-- @treturn {int,…} their numbers; {0} where the host does not say
function host.allowed_cores(root)
  local status = slurp((root or "") .. "/proc/self/status") or ""
  local cores = {}
  for part in (status:match("\nCpus_allowed_list:%s*([^\n]*)") or "0"):gmatch("[^,]+") do
    local from, to = part:match("^(%d+)%-?(%d*)$")
    for core = math.tointeger(from), math.tointeger(to) or math.tointeger(from) do table.insert(cores, core) end
  end
  return cores
end

--- Memory.
-- @string root
-- @treturn table `memory_bytes`, `memory_available_bytes`
function host.memory(root)
  local content = slurp(root .. "/proc/meminfo")
  content = content and "\n" .. content
  return { memory_bytes = kilobytes(content, "MemTotal"), memory_available_bytes = kilobytes(content, "MemAvailable") }
end

--- Load averages over 1, 5 and 15 minutes.
-- @string[opt=""] root
-- @treturn ?{number,number,number}
function host.load(root)
  local content = slurp((root or "") .. "/proc/loadavg")
  local one, five, fifteen = (content or ""):match("^([%d.]+) ([%d.]+) ([%d.]+)")
  if not one then return nil end
  return { tonumber(one), tonumber(five), tonumber(fifteen) }
end

--- The frequency governor. Different ones on different CPUs are joined by a comma.
-- @string root
-- @treturn ?string e.g. "performance"; nil where the host shows none
function host.governor(root)
  local names, seen = {}, {}
  for cpu = 0, 4095 do
    local dir = ("%s/sys/devices/system/cpu/cpu%d"):format(root, cpu)
    local name = first_line(dir .. "/cpufreq/scaling_governor")
    if not name and not uv.fs_stat(dir) then break end
    if name and not seen[name] then
      seen[name] = true
      table.insert(names, name)
    end
  end
  if #names == 0 then return nil end
  return table.concat(names, ",")
end

-- The clock rate of the fastest CPU: idle ones may be slow without anything being wrong.
local function frequency_khz(root)
  local highest
  for cpu = 0, 4095 do
    local khz = tonumber(first_line(("%s/sys/devices/system/cpu/cpu%d/cpufreq/scaling_cur_freq"):format(root, cpu)))
    if not khz then break end
    highest = math.max(highest or 0, khz)
  end
  return highest
end

--- Signs of disturbance: counters to be read before and after a boot.
-- @string[opt=""] root
-- @treturn table `pressure_us` (CPU time some task waited for, /proc/pressure/cpu; nil without PSI),
--   `steal_ticks`, `busy_ticks` and `total_ticks` (/proc/stat: what a hypervisor took away, what was used here, and all
--   there was), `frequency_khz` (clock rate of the fastest CPU; nil where the host shows none)
function host.counters(root)
  root = root or ""
  local pressure = slurp(root .. "/proc/pressure/cpu")
  local counters = {
    pressure_us = pressure and math.tointeger(tonumber(pressure:match("some.-total=(%d+)"))),
    frequency_khz = frequency_khz(root),
  }
  local line = first_line(root .. "/proc/stat")
  if not line or not line:find("^cpu ") then return counters end
  local ticks = {}
  for number in line:gmatch("%d+") do table.insert(ticks, math.tointeger(tonumber(number))) end
  -- user nice system idle iowait irq softirq steal; guest time is in user already.
  if #ticks < 8 then return counters end
  counters.total_ticks = 0
  for i = 1, 8 do counters.total_ticks = counters.total_ticks + ticks[i] end
  counters.steal_ticks = ticks[8]
  counters.busy_ticks = counters.total_ticks - ticks[4] - ticks[5] - ticks[8]
  return counters
end

--- What this process may do, as far as it matters for measuring.
-- @string[opt=""] root
-- @treturn table `realtime` (may use SCHED_FIFO), `large_buffers` (may exceed net.core.wmem_max),
--   `send_buffer_bytes` (net.core.wmem_max); nil where unknown
function host.rights(root)
  root = root or ""
  local status = slurp(root .. "/proc/self/status") or ""
  local limits = slurp(root .. "/proc/self/limits") or ""
  local mask = status:match("\nCapEff:%s*(%x+)")
  local capabilities = mask and tonumber(mask, 16)
  local function has(bit)
    if not capabilities then return nil end
    return capabilities >> bit & 1 == 1
  end
  local CAP_NET_ADMIN, CAP_SYS_NICE = 12, 23
  local priority = limits:match("Max realtime priority%s+(%S+)")
  local realtime = has(CAP_SYS_NICE)
  if not realtime and priority then realtime = priority ~= "0" end
  return {
    realtime = realtime,
    large_buffers = has(CAP_NET_ADMIN),
    send_buffer_bytes = math.tointeger(tonumber(first_line(root .. "/proc/sys/net/core/wmem_max"))),
  }
end

--- The program that emulates an architecture.
-- @string arch e.g. "i386"
-- @treturn string e.g. "qemu-system-i386"
function host.qemu_program(arch)
  return "qemu-system-" .. arch
end

--- The version of QEMU.
-- @string[opt="i386"] arch
-- @tparam[opt] string program its path, when it is not the one on PATH
-- @treturn ?string e.g. "7.2.22"; or nil and a message
-- @treturn ?string the whole first line, with the distribution's package version
function host.qemu_version(arch, program)
  program = program or host.qemu_program(arch or "i386")
  local output, message = command.run({ program, "--version" }, { timeout_s = 20 })
  if not output then return nil, message end
  local line = output:match("[^\n]+") or ""
  local version = line:match("version (%d+[%d.]*)")
  if not version then return nil, "QEMU did not say its version: " .. escape(line) end
  return version, escape(line)
end

--- All facts for the host block of a run.
-- @tparam[opt] table options `arch` (asks that QEMU for its version; none: does not), `root` (prefix of /proc and
--   /sys, for tests)
-- @treturn table `kernel`, `hostname`, `cpu_model`, `cores`, `cores_allowed`, `virtualised`, `memory_bytes`,
--   `memory_available_bytes`, `load`, `governor`, `clocksource`, `boot_id`, `qemu_version`, and `counters`, `rights`
function host.facts(options)
  options = options or {}
  local root = options.root or ""
  local facts = host.cpus(root)
  for name, value in pairs(host.memory(root)) do facts[name] = value end
  facts.kernel = host.kernel(root)
  facts.hostname = host.name(root)
  facts.boot_id = first_line(root .. "/proc/sys/kernel/random/boot_id")
  facts.clocksource = first_line(root .. "/sys/devices/system/clocksource/clocksource0/current_clocksource")
  facts.load = host.load(root)
  facts.governor = host.governor(root)
  facts.counters = host.counters(root)
  facts.rights = host.rights(root)
  if options.arch then facts.qemu_version = host.qemu_version(options.arch) end
  return facts
end

return host

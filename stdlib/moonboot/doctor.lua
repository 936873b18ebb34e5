--- Is this host fit to measure on, and what would make it fitter?
-- Looking (`gather`) and judging (`judge`) are apart: the judgement is a pure function of the facts.
-- @module moonboot.doctor
local accelerator = require "moonboot.accelerator"
local command = require "moonboot.command"
local disk = require "moonboot.disk"
local files = require "moonboot.files"
local host = require "moonboot.host"
local json = require "moonboot.json"
local text = require "moonboot.text"

local doctor = {}

local OLDEST_QEMU = 6
local QUIET_LOAD_PER_CORE = 0.3
local NOTICEABLE_STEAL = 0.01
-- A guest may run this far ahead of us when it can send about a thousand bytes (830 bytes of buffer each).
local ROOMY_BUFFER_BYTES = 1 << 20
-- What QEMU itself takes beside its guest's memory.
local QEMU_BYTES = 128 << 20
local FAST_CLOCKS = { tsc = true, ["kvm-clock"] = true, arch_sys_counter = true, hyperv_clocksource_tsc_page = true }

-- The modules that moonboot cannot do without, and the Debian package of each.
local MODULES = {
  { "lpeg", "lua-lpeg" }, { "cjson", "lua-cjson" }, { "luv", "lua-luv" }, { "argparse", "lua-argparse" },
}

local function module_version(module)
  local version = module.version or module._VERSION
  if type(version) == "function" then version = version() end
  if type(version) == "number" or type(version) == "string" then return tostring(version) end
  return nil
end

local function modules()
  local found = {}
  for i, entry in ipairs(MODULES) do
    local ok, module = pcall(require, entry[1])
    found[i] = { name = entry[1], package = entry[2], present = ok }
    if ok and type(module) == "table" then
      found[i].version = entry[1] == "luv" and module.version_string() or module_version(module)
    end
  end
  return found
end

local function tool(argv)
  local output, message = command.run(argv, { timeout_s = 20 })
  if not output then return { message = message } end
  local line = output:match("[^\n]+") or ""
  return { version = line:match("[Vv]ersion:?%s*(%d[%w.]*)") or line:match("%d[%w.]*"), line = text.escape(line) }
end

-- A machine's memory is a size, or a number of MiB.
local function memory_bytes(memory)
  if math.type(memory) == "integer" then return memory << 20 end
  return disk.bytes(memory or "") or 512 << 20
end

--- What an experiment needs of a host.
-- @tparam ?table experiment as normalised by `moonboot.experiment`; nil: a small guest
-- @tparam[opt] table options `dir`: where its files will go (default: the cache and the present directory)
-- @treturn table `arch`, `memory_bytes` (its largest guest), `disk_bytes` (worst case: the installed image and the
--   overlay of one sample), `cpus` (most vCPUs), `dir`, `name`
function doctor.needs(experiment, options)
  local machine = experiment and experiment.machine or {}
  local needs = {
    arch = machine.arch or "i386",
    memory_bytes = memory_bytes(machine.memory),
    cpus = machine.cpus or 1,
    disk_bytes = 64 << 20,
    dir = options and options.dir or ".",
    name = experiment and experiment.name,
  }
  for _, axis in ipairs(experiment and experiment.axes or {}) do
    for _, value in ipairs(axis.values) do
      if axis.name == "cpus" then needs.cpus = math.max(needs.cpus, tonumber(value) or 1) end
      if axis.name == "memory" then needs.memory_bytes = math.max(needs.memory_bytes, memory_bytes(value)) end
    end
  end
  local image_bytes = experiment and experiment.install and experiment.disk_size and disk.bytes(experiment.disk_size)
  if image_bytes then needs.disk_bytes = needs.disk_bytes + 2 * image_bytes end
  return needs
end

--- Looks at the host.
-- @tparam table needs as of `doctor.needs`
-- @tparam[opt] table options `probe` (false: do not boot the accelerators' probe), `fresh` (default true: boot it even
--   if its answer is known)
-- @treturn table facts: those of `host.facts`, and `qemu`, `qemu_img`, `xorriso` (each `version` or `message`),
--   `modules`, `free` (list of `dir`, `bytes`), `accelerators`, `accelerator`
function doctor.gather(needs, options)
  options = options or {}
  local facts = host.facts {}
  facts.qemu = tool { host.qemu_program(needs.arch), "--version" }
  facts.qemu_img = tool { "qemu-img", "--version" }
  facts.xorriso = tool { "xorriso", "-version" }
  facts.modules = modules()
  facts.free = {}
  for _, dir in ipairs { needs.dir, files.cache_dir() } do
    table.insert(facts.free, { dir = dir, bytes = disk.free_bytes(dir) })
  end
  if facts.qemu.version and options.probe ~= false then
    local list, best = accelerator.known { arch = needs.arch, fresh = options.fresh ~= false }
    facts.accelerators = list or {}
    facts.accelerator = list and best or nil
    facts.accelerator_message = not list and best or nil
  end
  return facts
end

local NO_KVM = "expect the slower TCG; its times are QEMU's, not a real machine's: compare them with each other only"

local judges = {}

local function judge_tool(found, name, absent_status, purpose)
  if found.version then return { name = name, status = "ok", finding = found.line } end
  local advice = found.message:match("; (install .*)$")
  return {
    name = name,
    status = absent_status,
    finding = (found.message:gsub("; install .*$", "")),
    advice = (advice and advice .. ": " or "") .. purpose,
  }
end

function judges.qemu(facts, needs)
  local check = judge_tool(facts.qemu, "QEMU", "fail", "it runs the guests")
  local major = facts.qemu.version and tonumber(facts.qemu.version:match("^%d+"))
  if major and major < OLDEST_QEMU then
    check.status = "warn"
    check.advice = ("use QEMU %d or newer: moonboot is not tested with %s of %s"):format(OLDEST_QEMU,
      facts.qemu.version, host.qemu_program(needs.arch))
  end
  return check
end

function judges.qemu_img(facts)
  return judge_tool(facts.qemu_img, "qemu-img", "fail", "it makes the disk images")
end

function judges.xorriso(facts)
  return judge_tool(facts.xorriso, "xorriso", "warn", "it takes kernels out of ISO images and makes the demo's")
end

function judges.accelerator(facts)
  if not facts.accelerators then return nil end
  local parts, advice = {}, nil
  for _, entry in ipairs(facts.accelerators) do
    if entry.ms then
      table.insert(parts, ("%s ran the probe guest in %.0f ms"):format(entry.name, entry.ms))
    else
      table.insert(parts, ("%s: %s"):format(entry.name, entry.reason))
    end
    if entry.name == "kvm" and not entry.works then
      advice = NO_KVM
    end
  end
  local finding = facts.accelerator_message or table.concat(parts, "; ")
  if not facts.accelerator then
    return { name = "accelerator", status = "fail", finding = finding, advice = "no guest can boot: check QEMU" }
  end
  return {
    name = "accelerator",
    status = facts.accelerator == "kvm" and "ok" or "warn",
    finding = ("%s is used (%s)"):format(facts.accelerator, finding),
    advice = facts.accelerator ~= "kvm" and (advice or "KVM is slower than TCG here: this host emulates it") or nil,
  }
end

function judges.cores(facts, needs)
  local cores = facts.cores_allowed or facts.cores
  if not cores then return { name = "cores", status = "warn", finding = "the number of cores is unknown" } end
  local finding = cores == 1 and "1 core" or ("%d cores"):format(cores)
  if facts.cpu_model then finding = finding .. ", " .. text.escape(facts.cpu_model) end
  if facts.cores and cores < facts.cores then finding = ("%s (of %d online)"):format(finding, facts.cores) end
  local check = { name = "cores", status = "ok", finding = finding }
  if cores < 2 then
    check.status = "warn"
    check.advice = "guest and measurement share one core: expect spread; use a host with 2 or more"
  elseif needs.name and needs.cpus > cores then
    check.status = "warn"
    check.advice = ("guests with more vCPUs than %d take turns on the cores; their results are marked"):format(cores)
  end
  return check
end

function judges.memory(facts, needs)
  local available = facts.memory_available_bytes
  if not available then return { name = "memory", status = "warn", finding = "the free memory is unknown" } end
  local wanted = needs.memory_bytes + QEMU_BYTES
  local check = { name = "memory", status = "ok", finding = ("%s available"):format(disk.human(available)) }
  if available < wanted then
    check.status = "fail"
    check.advice = ("a guest of this size takes %s; free some memory or give the guest less"):format(disk.human(wanted))
  end
  return check
end

function judges.disk(facts, needs)
  local check = { name = "disk", status = "ok" }
  local parts = {}
  for _, place in ipairs(facts.free) do
    local dir = text.escape(place.dir)
    table.insert(parts, place.bytes and ("%s free in %s"):format(disk.human(place.bytes), dir) or dir .. ": unknown")
    if place.bytes and place.bytes < needs.disk_bytes then
      check.status = "fail"
      check.advice = ("in the worst case %s is needed in each; free some space, or choose another place with --output "
        .. "and MOONBOOT_CACHE"):format(disk.human(needs.disk_bytes))
    end
  end
  check.finding = table.concat(parts, "; ")
  return check
end

function judges.load(facts)
  if not facts.load then return { name = "load", status = "warn", finding = "the load is unknown" } end
  local check = { name = "load", status = "ok", finding = ("%.2f %.2f %.2f"):format(table.unpack(facts.load)) }
  if facts.load[1] > QUIET_LOAD_PER_CORE * (facts.cores_allowed or facts.cores or 1) then
    check.status = "warn"
    check.advice = "something else is running: stop it or wait, or boot times will spread"
  end
  return check
end

function judges.governor(facts)
  local check = { name = "governor", status = "ok", finding = facts.governor or "the host shows no frequency scaling" }
  if facts.governor and facts.governor ~= "performance" then
    check.status = "warn"
    check.advice = "the clock frequency follows the load: cpupower frequency-set -g performance"
  end
  return check
end

function judges.realtime(facts)
  local right = facts.rights.realtime
  if right then return { name = "SCHED_FIFO", status = "ok", finding = "may be used" } end
  return {
    name = "SCHED_FIFO",
    status = "warn",
    finding = right == false and "may not be used" or "unknown whether it may be used",
    advice = "kernel stamps do not need it; for the fallback without them: raise `ulimit -r` or grant CAP_SYS_NICE",
  }
end

function judges.buffers(facts)
  local rights = facts.rights
  if rights.large_buffers then return { name = "send buffers", status = "ok", finding = "any size (CAP_NET_ADMIN)" } end
  local bytes = rights.send_buffer_bytes
  local check = {
    name = "send buffers",
    status = "ok",
    finding = bytes and ("up to %d bytes (net.core.wmem_max)"):format(bytes) or "their limit is unknown",
  }
  if not bytes or bytes < ROOMY_BUFFER_BYTES then
    check.status = "warn"
    check.advice = ("a guest that prints fast may have to wait: sysctl -w net.core.wmem_max=%d"):format(
      4 * ROOMY_BUFFER_BYTES)
  end
  return check
end

function judges.disturbance(facts)
  local counters = facts.counters
  local steal = counters.steal_ticks and counters.total_ticks > 0 and counters.steal_ticks / counters.total_ticks
  if not counters.pressure_us then
    return {
      name = "disturbance",
      status = "warn",
      finding = "the kernel keeps no pressure figures (/proc/pressure/cpu)",
      advice = "disturbed samples cannot be told from quiet ones by them; boot the host with psi=1",
    }
  end
  local finding = "pressure figures are there"
  if steal then finding = ("%s; %.1f %% of CPU time was stolen since the host started"):format(finding, 100 * steal) end
  local check = { name = "disturbance", status = "ok", finding = finding }
  if steal and steal > NOTICEABLE_STEAL then
    check.status = "warn"
    check.advice = "other virtual machines take this one's cores: use a quieter machine or dedicated cores"
  end
  return check
end

function judges.clocksource(facts)
  local check = { name = "clock", status = "ok", finding = facts.clocksource or "the clock source is unknown" }
  if facts.clocksource and not FAST_CLOCKS[facts.clocksource] then
    check.status = "warn"
    check.advice = "reading this clock is slow and disturbs what is measured; prefer tsc"
  end
  return check
end

function judges.modules(facts)
  local parts, missing = {}, {}
  for _, module in ipairs(facts.modules) do
    if module.present then
      table.insert(parts, module.name .. (module.version and " " .. module.version or ""))
    else
      table.insert(missing, module.package)
    end
  end
  if #missing == 0 then return { name = "Lua modules", status = "ok", finding = table.concat(parts, ", ") } end
  return {
    name = "Lua modules",
    status = "fail",
    finding = ("%d of %d are missing"):format(#missing, #facts.modules),
    advice = "install " .. table.concat(missing, " "),
  }
end

local ORDER = { "qemu", "qemu_img", "xorriso", "modules", "accelerator", "cores", "memory", "disk", "load", "governor",
  "disturbance", "clocksource", "realtime", "buffers" }

--- Judges a host by its facts.
-- @tparam table facts as of `doctor.gather`
-- @tparam table needs as of `doctor.needs`
-- @treturn {table,…} checks: `name`, `status` ("ok", "warn", "fail"), `finding`, `advice` (nil where nothing is to do)
-- @treturn string the worst status
function doctor.judge(facts, needs)
  local checks, worst = json.array(), "ok"
  for _, name in ipairs(ORDER) do
    local check = judges[name](facts, needs)
    if check then
      table.insert(checks, check)
      if check.status == "fail" or check.status == "warn" and worst == "ok" then worst = check.status end
    end
  end
  return checks, worst
end

--- Examines this host.
-- @tparam ?table experiment what it is to be fit for
-- @tparam[opt] table options as for `needs` and `gather`
-- @treturn table `schema`, `status`, `checks`, `needs`, `accelerator`, `accelerators`
function doctor.examine(experiment, options)
  local needs = doctor.needs(experiment, options)
  local facts = doctor.gather(needs, options)
  local checks, worst = doctor.judge(facts, needs)
  return {
    schema = "moonboot-doctor/1",
    status = worst,
    checks = checks,
    needs = needs,
    accelerator = facts.accelerator or json.null,
    accelerators = json.array(facts.accelerators or {}),
  }
end

--- What the doctor says, for people.
-- @tparam table examination as of `doctor.examine`
-- @treturn string
function doctor.format(examination)
  local width = 0
  for _, check in ipairs(examination.checks) do width = math.max(width, #check.name) end
  local lines = {}
  for _, check in ipairs(examination.checks) do
    table.insert(lines, ("%-4s  %-" .. width .. "s  %s"):format(check.status, check.name, check.finding))
    if check.advice then table.insert(lines, ("      %s  -> %s"):format((" "):rep(width), check.advice)) end
  end
  local verdicts = {
    ok = "This host is fit to measure on.",
    warn = "This host can measure; what would make it fitter is said above (->).",
    fail = "This host cannot run this; what to do is said above (->).",
  }
  table.insert(lines, "")
  table.insert(lines, verdicts[examination.status])
  return table.concat(lines, "\n") .. "\n"
end

return doctor

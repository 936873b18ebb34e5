--- Journals of boots that never happened, as lists of records.
local journals = {}

local RULES = { "firmware", "kernel_starts", "memory", "drivers", "services", "login" }
-- Milliseconds since t0 on one CPU; the share of each phase that more CPUs divide.
local TIMES = { 100, 160, 180, 205, 220, 226 }

-- A small generator of its own: the same figures on every machine and in every version of Lua.
local function noise(seed)
  local state = seed
  return function()
    state = (state * 1103515245 + 12345) % 2147483648
    return state / 2147483648 - 0.5
  end
end

local function fill(defaults, options)
  local t = {}
  for k, v in pairs(defaults) do t[k] = v end
  for k, v in pairs(options or {}) do t[k] = v end
  return t
end

--- The header of a run.
function journals.run(options)
  local rules = {}
  for i, name in ipairs(RULES) do rules[i] = { name = name, optional = false, channel = "com1" } end
  return fill({
    type = "run", schema = "moonboot-journal/1", moonboot = "0.1.0", name = "demo", guest = "demo",
    started_at = "2026-11-23T05:42:12.128486Z", seed = 1234, jobs = 1,
    axes = { { name = "cpus", values = { 1, 2 } } }, samples = 5, warmup = 0, timeout_s = 120,
    measure = { from = "kernel_starts", to = "login" },
    baselines = { { name = "default", estimated_ms = 65, from = "kernel_starts", to = "login", source = "a paper" } },
    rules = rules, grammar_hash = "abc",
    host = {
      kernel = "6.1.0", cpu_model = "Test CPU", cores = 2, memory_bytes = 8 << 30, load_before = { 0.1, 0.1, 0.1 },
      qemu_version = "7.2.22", accelerator = "tcg", accelerator_reason = "kvm is slower here",
    },
  }, options)
end

--- A configuration's record.
function journals.configuration(key, index, settings, options)
  return fill({
    type = "configuration", key = key, index = index, settings = settings, cpus = settings.cpus or 1,
    memory = settings.memory or "512M", argv = { "qemu-system-i386", "-smp", tostring(settings.cpus or 1) },
  }, options)
end

--- A sample's record. `options.skip` names markers that are missing, `options.scale` stretches all times.
function journals.sample(key, index, order, options)
  options = options or {}
  local markers, scale = {}, options.scale or 1
  local skip = {}
  for _, name in ipairs(options.skip or {}) do skip[name] = true end
  for i, name in ipairs(RULES) do
    if not skip[name] then
      markers[#markers + 1] = {
        name = name, t_ns = math.floor(TIMES[i] * scale * 1e6), channel = "com1", line = name .. " ok",
        line_number = i, count = 1,
      }
    end
  end
  local log = ("boot-%s-%d.log"):format(key, index)
  local sample = fill({
    type = "sample", key = key, index = index, order = order, warmup = false, status = "ok",
    t0_realtime_ns = 1700000000123456789, markers = markers, captures = { cpus = options.guest_cpus },
    host_times_ns = { spawned = -50000000, qmp_ready = -2000000, cont_sent = -100000, first_byte = 30000000 },
    qemu = { code = 0, user_ns = 200000000, system_ns = 10000000, max_rss_bytes = 60 << 20 },
    consoles = { { name = "com1", log = log, timing = (log:gsub("log$", "timing")), bytes = 1234, overruns = 0,
      clock_source = "kernel" } },
    flags = {}, ended_at = "2026-11-23T05:43:00.000000Z",
  }, options)
  sample.skip, sample.scale, sample.guest_cpus = nil, nil, nil
  return sample
end

--- A sample without a boot time.
function journals.failed(key, index, order, status, options)
  return journals.sample(key, index, order, fill({
    status = status or "timeout", reason = "missing login after 120 s", skip = { "drivers", "services", "login" },
  }, options))
end

function journals.conclusion(options)
  return fill({ type = "conclusion", ended_at = "2026-11-23T05:58:30.281069Z", load_after = { 0.5, 0.3, 0.2 },
    interrupted = false }, options)
end

--- A whole run over `options.cpus` (default 1 and 2) with `options.n` samples each; 0.7 of the work is parallel.
-- `options.scale` stretches all, `options.seed` varies the noise (1 %), `options.guest_cpus(cpus)` is what the guest
-- claims to have brought up, `options.sample(key, index, order, defaults)` may make a sample itself.
function journals.sweep(options)
  options = options or {}
  local cpus, n, random = options.cpus or { 1, 2 }, options.n or 5, noise(options.seed or 1)
  local records = { journals.run(fill({ axes = { { name = "cpus", values = cpus } }, samples = n }, options.run)) }
  for i, c in ipairs(cpus) do
    records[#records + 1] = journals.configuration("cpu_" .. c, i, { cpus = c })
  end
  local order = 0
  for index = 1, n do
    for _, c in ipairs(cpus) do
      order = order + 1
      local up = options.guest_cpus and options.guest_cpus(c) or c
      local speed = 0.3 + 0.7 / math.min(c, up)
      local defaults = {
        scale = speed * (options.scale or 1) * (1 + random() * (options.noise or 0.01)), guest_cpus = tostring(up),
      }
      local make = options.sample or journals.sample
      records[#records + 1] = make("cpu_" .. c, index, order, defaults)
    end
  end
  if options.conclusion ~= false then records[#records + 1] = journals.conclusion() end
  return records
end

--- Writes records as a journal in a new directory and returns its path.
function journals.write(records)
  local uv = require "luv"
  local json = require "moonboot.json"
  local directory = assert(uv.fs_mkdtemp((os.getenv("TMPDIR") or "/tmp") .. "/moonboot-test-XXXXXX"))
  local f = assert(io.open(directory .. "/journal.jsonl", "wb"))
  for _, record in ipairs(records) do f:write(json.encode(record), "\n") end
  f:close()
  return directory
end

--- Removes what `journals.write` made.
function journals.remove(directory)
  require("moonboot.files").remove(directory)
end

return journals

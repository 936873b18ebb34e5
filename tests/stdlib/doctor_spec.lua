local doctor = require "moonboot.doctor"

-- A host without fault.
local function facts(changes)
  local good = {
    qemu = { version = "7.2.22", line = "QEMU emulator version 7.2.22" },
    qemu_img = { version = "7.2.22", line = "qemu-img version 7.2.22" },
    xorriso = { version = "1.5.4", line = "xorriso 1.5.4" },
    modules = { { name = "lpeg", package = "lua-lpeg", present = true, version = "1.0.2" } },
    accelerators = { { name = "tcg", works = true, ms = 200 }, { name = "kvm", works = true, ms = 90 } },
    accelerator = "kvm",
    cores = 8,
    cores_allowed = 8,
    cpu_model = "Some CPU",
    memory_available_bytes = 8 << 30,
    free = { { dir = ".", bytes = 100 << 30 }, { dir = "/cache", bytes = 100 << 30 } },
    load = { 0.1, 0.2, 0.3 },
    governor = "performance",
    counters = { pressure_us = 1, steal_ticks = 0, total_ticks = 1000, idle_ticks = 900 },
    clocksource = "tsc",
    rights = { realtime = true, large_buffers = true, send_buffer_bytes = 212992 },
  }
  for key, value in pairs(changes or {}) do
    if value == "none" then value = nil end
    good[key] = value
  end
  return good
end

local function needs(changes)
  local wanted = doctor.needs()
  for key, value in pairs(changes or {}) do wanted[key] = value end
  return wanted
end

local function check(name, changed, wanted)
  local checks, worst = doctor.judge(facts(changed), needs(wanted))
  for _, entry in ipairs(checks) do
    if entry.name == name then return entry, worst end
  end
  error("no check " .. name)
end

describe("doctor.needs", function()
  it("takes the largest guest of an experiment", function()
    local wanted = doctor.needs({
      name = "sweep",
      machine = { arch = "x86_64", memory = "512M", cpus = 1 },
      axes = { { name = "cpus", values = { 1, 8, 4 } }, { name = "memory", values = { 256, "2G" } } },
      install = function() end,
      disk_size = "1G",
    }, { dir = "/runs" })
    assert.equal("x86_64", wanted.arch)
    assert.equal(8, wanted.cpus)
    assert.equal(2 << 30, wanted.memory_bytes)
    assert.equal((2 << 30) + (64 << 20), wanted.disk_bytes)
    assert.equal("/runs", wanted.dir)
  end)

  it("is modest without one", function()
    local wanted = doctor.needs()
    assert.equal("i386", wanted.arch)
    assert.equal(1, wanted.cpus)
  end)
end)

describe("doctor.judge", function()
  it("finds nothing on a host without fault", function()
    local checks, worst = doctor.judge(facts(), needs())
    assert.equal("ok", worst)
    for _, entry in ipairs(checks) do
      assert.equal("ok", entry.status)
      assert.is_string(entry.finding)
      assert.is_nil(entry.advice)
    end
  end)

  -- check name, what is wrong with the host, what is needed, status, pattern of finding, pattern of advice
  local cases = {
    { "QEMU", { qemu = { message = "qemu-system-i386: not found; install qemu-system-x86" } }, nil,
      "fail", "^qemu%-system%-i386: not found$", "^install qemu%-system%-x86: " },
    { "QEMU", { qemu = { version = "5.2.0", line = "QEMU 5.2.0" } }, nil, "warn", "5.2.0", "use QEMU 6 or newer" },
    { "qemu-img", { qemu_img = { message = "qemu-img: not found; install qemu-utils" } }, nil,
      "fail", "not found", "install qemu%-utils" },
    { "xorriso", { xorriso = { message = "xorriso: not found; install xorriso" } }, nil,
      "warn", "not found", "install" },
    { "Lua modules", { modules = { { name = "lpeg", package = "lua-lpeg", present = false } } }, nil,
      "fail", "1 of 1 are missing", "install lua%-lpeg" },
    { "accelerator", { accelerator = "tcg", accelerators = { { name = "tcg", works = true, ms = 240 },
      { name = "kvm", works = false, reason = "did not finish" } } }, nil,
      "warn", "tcg is used %(tcg ran the probe guest in 240 ms; kvm: did not finish%)", "slower TCG" },
    { "accelerator", { accelerator = "tcg", accelerators = { { name = "tcg", works = true, ms = 240 },
      { name = "kvm", works = true, ms = 5800 } } }, nil, "warn", "5800 ms", "KVM is slower than TCG here" },
    { "accelerator", { accelerator = "none", accelerators = { { name = "tcg", works = false, reason = "died" } } }, nil,
      "fail", "tcg: died", "check QEMU" },
    { "cores", { cores = 1, cores_allowed = 1 }, nil, "warn", "^1 core, Some CPU$", "share one core" },
    { "cores", { cores_allowed = 2 }, { cpus = 4, name = "demo" },
      "warn", "^2 cores, Some CPU %(of 8 online%)$", "marked" },
    { "memory", { memory_available_bytes = 1 << 30 }, { memory_bytes = 2 << 30 },
      "fail", "1.1 GB available", "2.3 GB" },
    { "memory", { memory_available_bytes = "none" }, nil, "warn", "unknown" },
    { "disk", { free = { { dir = ".", bytes = 300e6 } } }, { disk_bytes = 1200000000 },
      "fail", "300 MB free in %.", "1.2 GB is needed" },
    { "load", { load = { 3, 2, 1 } }, nil, "warn", "^3.00 2.00 1.00$", "something else is running" },
    { "load", { load = "none" }, nil, "warn", "unknown" },
    { "governor", { governor = "powersave" }, nil, "warn", "powersave", "cpupower" },
    { "governor", { governor = "none" }, nil, "ok", "no frequency scaling" },
    { "disturbance", { counters = {} }, nil, "warn", "no pressure figures", "psi=1" },
    { "disturbance", { counters = { pressure_us = 1, steal_ticks = 50, total_ticks = 1000 } }, nil,
      "warn", "5.0 %% of CPU time was stolen", "dedicated cores" },
    { "clock", { clocksource = "hpet" }, nil, "warn", "hpet", "prefer tsc" },
    { "SCHED_FIFO", { rights = { realtime = false, large_buffers = true } }, nil,
      "warn", "may not be used", "ulimit %-r" },
    { "send buffers", { rights = { realtime = true, large_buffers = false, send_buffer_bytes = 212992 } }, nil,
      "warn", "up to 212992 bytes", "sysctl %-w net.core.wmem_max=4194304" },
    { "send buffers", { rights = { realtime = true, large_buffers = false, send_buffer_bytes = 4194304 } }, nil,
      "ok", "up to 4194304 bytes" },
  }
  for i, case in ipairs(cases) do
    it(("says what to do: %s (%d)"):format(case[1], i), function()
      local entry, worst = check(case[1], case[2], case[3])
      assert.equal(case[4], entry.status)
      assert.equal(case[4], worst)
      assert.matches(case[5], entry.finding)
      if case[6] then assert.matches(case[6], entry.advice) end
      if case[4] == "ok" then assert.is_nil(entry.advice) end
    end)
  end

  it("says nothing of accelerators that were not probed", function()
    assert.has_error(function() check("accelerator", { accelerators = "none" }) end)
  end)

  it("writes a line for each check and each advice", function()
    local checks, worst = doctor.judge(facts { governor = "powersave" }, needs())
    local said = doctor.format { checks = checks, status = worst }
    assert.matches("\nwarn  governor      powersave\n +%-> .*cpupower frequency%-set %-g performance\n", said)
    assert.matches("This host can measure", said)
    assert.is_nil(said:find("\27"))
  end)
end)

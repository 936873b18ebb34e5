-- The MINIX grammar on captures of real boots, in the folder that MOONBOOT_CAPTURES names: NAME.com1.log and so on.
local capture = require "moonboot.capture"
local files = require "moonboot.files"
local grammar = require "moonboot.grammar"

local function logs(prefix, ending)
  local folder, list = os.getenv "MOONBOOT_CAPTURES", {}
  if not folder then
    pending "skipped: MOONBOOT_CAPTURES is not set"
    return list
  end
  for name in files.entries(folder) do
    if name:find(prefix, 1, true) == 1 and name:sub(-#ending) == ending then list[#list + 1] = folder .. "/" .. name end
  end
  assert(#list > 0, ("no %s*%s in %s"):format(prefix, ending, folder))
  return list
end

-- The time of a text's first byte, found without the engine.
local function first_byte_ns(log, text)
  local at = assert(assert(files.read(log)):find(text, 1, true))
  local us, bytes = 0, 0
  for line in io.lines((log:gsub("%.log$", ".timing"))) do
    local seconds, fraction, count = line:match("^(%d+)%.(%d%d%d%d%d%d) (%d+)$")
    us, bytes = us + seconds * 1000000 + fraction, bytes + count
    if bytes >= at then return math.tointeger(us * 1000) end
  end
  error("the timing ends too early")
end

local function names(markers)
  local list, by_name = {}, {}
  for i, marker in ipairs(markers) do list[i], by_name[marker.name] = marker.name, marker end
  return list, by_name
end

describe("MINIX 3.3.0 captures", function()
  local minix

  before_each(function() minix = assert(grammar.load "minix") end)

  it("of verbose boots give the phases of kernel and userland, over two consoles", function()
    for _, com1 in ipairs(logs("verbose-", ".com1.log")) do
      local outcome = assert(capture.mark({ com1, (com1:gsub("com1%.log$", "com2.log")) }, minix))
      local found, by_name = names(outcome.markers)
      assert.same({
        "kernel_starts", "interrupts", "kernel_main", "kernel_tasks", "boot_processes", "system_init", "banner",
        "timer", "cpus_up", "ipc_style", "vfs", "root_device", "root_mounted", "multiuser", "services", "daemons",
        "network", "shell_prompt",
      }, found)
      assert.same({}, outcome.missing)
      assert.is_nil(outcome.failure)
      assert.equal("cstart", by_name.kernel_starts.line)
      assert.equal(first_byte_ns(com1, "cstart"), by_name.kernel_starts.t_ns)
      assert.equal(first_byte_ns(com1, "MINIX 3."), by_name.banner.t_ns)
      local kernel_ms = (by_name.banner.t_ns - by_name.kernel_starts.t_ns) / 1e6
      assert(kernel_ms > 5 and kernel_ms < 25, kernel_ms)
      assert.equal("3.3.0", by_name.banner.captures.version)
      assert.equal("9", by_name.vfs.captures.vfs_workers)
      assert.equal("1", by_name.cpus_up.captures.cpus)
      assert.equal("com2", by_name.shell_prompt.channel)
      assert.equal("login: ", by_name.shell_prompt.line)
    end
  end)

  it("of boots from disk give theirs in spite of the spinner", function()
    for _, com1 in ipairs(logs("disk-", ".com1.log")) do
      local outcome = assert(capture.mark({ com1 }, minix))
      local found, by_name = names(outcome.markers)
      assert.same({
        "boot_monitor", "countdown_ends", "first_module", "last_module", "kernel_starts", "banner", "vfs",
        "root_device", "root_mounted", "multiuser", "services", "daemons", "network", "shell_prompt",
      }, found)
      assert.same({}, outcome.missing)
      assert.is_nil(outcome.failure)
      assert.equal("MINIX 3.3.0. (588a35b)", by_name.kernel_starts.line)
      assert.matches("^Loading /boot/minix_default/mod01_ds", by_name.first_module.line)
      assert.matches("^Loading /boot/minix_default/mod11_init", by_name.last_module.line)
      assert.equal(11, by_name.last_module.count)
      assert.equal(first_byte_ns(com1, "Loading /boot/minix_default/mod01_ds"), by_name.first_module.t_ns)
      assert.equal(first_byte_ns(com1, "login: "), by_name.shell_prompt.t_ns)
    end
  end)
end)

describe("the MINIX grammar", function()
  local engine = require "moonboot.engine"

  local function matcher_after(text)
    local lines <close> = engine.lines.new()
    local matcher = assert(grammar.load "minix"):matcher()
    lines:push(text, 1)
    matcher:feed("com1", lines)
    return matcher
  end

  it("does not take the boot monitor for the kernel", function()
    for _, greeting in ipairs {
      "--- Welcome to MINIX 3. This is the boot monitor. ---\r\n", "Welcome to the MINIX 3 installation CD\r\n",
      "MINIX/x86 minixfs3 Primary Bootstrap\r\n", "     1. Start MINIX 3\r\n", "     2. Start latest MINIX 3\r\n",
    } do
      for _, marker in ipairs(matcher_after(greeting):markers()) do assert.equal("boot_monitor", marker.name) end
    end
  end)

  it("knows the banner of 3.4.0", function()
    local banner = "MINIX 3.4.0. Copyright 2016, Vrije Universiteit, Amsterdam, The Netherlands\r\n"
    local found, by_name = names(matcher_after(banner):markers())
    assert.same({ "kernel_starts", "banner" }, found)
    assert.equal("3.4.0", by_name.banner.captures.version)
  end)

  it("counts the CPUs of a kernel that brings up several", function()
    local _, by_name = names(matcher_after("CPU 0 freq 2592 MHz\r\nCPU 1 freq 2591 MHz\r\n"):markers())
    assert.equal("2", by_name.cpus_up.captures.cpus)
  end)

  it("knows panics, and what is none", function()
    assert.is_table(matcher_after("kernel panic: no memory\r\n"):failure())
    assert.is_table(matcher_after("vfs(1): panic: couldn't mount root\r\n"):failure())
    assert.is_nil(matcher_after("Starting services: random panic inet.\r\n"):failure())
  end)
end)

--- Boots MINIX 3 for i386: installed from its CD (--iso), from a disk (--disk), or its kernel directly (--kernel).
--
-- - `--iso`: installs it once, then boots the installed disk through its boot monitor, the console on COM1.
-- - `--disk`: a disk with MINIX on it whose boot.cfg has `consdev=com0` and `console=tty00`.
-- - `--kernel` with `--modules` (in their order: mod01_ds mod02_rs …), and a `--disk` or an `--iso` to have a root file
--   system: no boot monitor; the kernel speaks on COM1 as things happen, userland on COM2. Only this way times the
--   kernel itself: through the boot monitor its messages come when the TTY driver has started, all at once.
local mb = require "moonboot"
local installer = require "installers.minix"
local minix = require "grammars.minix"

local WHOLE = {
  estimated_ms = 65,
  source = "an estimate for MINIX/i386, of the kernel: through the boot monitor only the way to the login prompt can "
    .. "be timed; --kernel times the kernel",
}

local KERNEL = {
  {
    estimated_ms = 65,
    from = "kernel_starts",
    to = "ipc_style",
    source = "an estimate for MINIX/i386 in total, taken as the kernel's whole way: from cstart to its last message "
      .. "before userland",
  },
  {
    name = "kernel",
    estimated_ms = 35,
    from = "kernel_starts",
    to = "banner",
    source = "an estimate for MINIX/i386, taken as the kernel's own start: from cstart to its banner",
  },
}

local function machine(options)
  local described = { arch = "i386", memory = "512M", disk = options.disk }
  if options.kernel then
    described.kernel, described.initrd, described.consoles = options.kernel, options.modules, 2
    described.append = ("rootdevname=%s console=tty01 cttyline=0 verbose=2"):format(options.root)
  end
  return described
end

local function configure(options)
  if not (options.iso or options.disk or options.kernel) then
    error("what is to be booted? Give --iso FILE, --disk FILE, or --kernel FILE with --modules FILE…", 0)
  end
  return {
    install = options.iso and not options.disk and installer or false,
    grammar = minix:up_to(options.to),
    measure = { from = "kernel_starts", to = options.to },
    baseline = not options.kernel and WHOLE or false,
    baselines = options.kernel and KERNEL or false,
  }
end

return mb.experiment {
  name = "phase-7-5",
  title = "Boot phases of MINIX 3",
  guest = "minix",
  options = {
    iso = { "the installation CD", type = "file" },
    disk = { "a disk with MINIX on it; never written to", type = "file" },
    kernel = { "the kernel, to be booted without a boot monitor", type = "file" },
    modules = { "its boot modules, in their order", type = "file", many = true },
    root = { "with --kernel: the root file system, as MINIX names it", default = "c0d0p0s0" },
    to = { "the marker that ends the boot", default = "shell_prompt" },
  },
  machine = machine,
  install = installer,
  disk_size = "4G",
  configure = configure,
  matrix = { cpus = { 1, 2, 4, 8 } },
  samples = 5,
  timeout = 180,
  grammar = minix,
  phases = {
    { name = "loader", from = "boot_monitor", to = "kernel_starts" },
    { name = "countdown", from = "boot_monitor", to = "countdown_ends" },
    { name = "kernel", from = "kernel_starts", to = "ipc_style" },
    { name = "userland", from = "vfs", to = "shell_prompt" },
  },
}

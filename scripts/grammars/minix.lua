--- What MINIX 3 says while it boots, over one console or two.
--
-- Two ways of booting are covered, and what only one of them says is optional:
--
-- - From a disk or CD through the boot monitor, with the console on COM1 (`consdev=com0`, `console=tty00`). Kernel
--   messages are then replayed when the TTY driver starts, so the banner is the first sign of the kernel, and late.
-- - The kernel and its modules directly (`-kernel`, `-initrd`), with `cttyline=0 verbose=2`: the kernel speaks on COM1
--   as things happen, from `cstart` on, and userland on COM2 (`console=tty01`).
--
-- `cpus` is the number of CPUs that the kernel brought up, where it says so; the stock kernel brings up one, whatever
-- QEMU offers.
local lpeg = require "lpeg"
local mb = require "moonboot"

local B, Cg, P, R = lpeg.B, lpeg.Cg, lpeg.P, lpeg.R
local number = R "09" ^ 1
local version = number * "." * number * ("." * number) ^ -1

-- Not the boot monitor's "Welcome to MINIX 3. This is …", nor the CD's: no version follows there.
local banner = "MINIX " * Cg(version, "version")

local function count_up(index)
  return tostring(index + 1)
end

return mb.grammar {
  -- The boot monitor. Its countdown waits for a key and is no boot time: measure from a later marker.
  { "boot_monitor", P "This is the boot monitor" + "MINIX 3 installation CD", optional = true,
    hint = { "This is the boot monitor", "MINIX 3 installation CD" } },
  { "countdown_ends", B "will be chosen in " * P "0 seconds.", optional = true, hint = "0 seconds." },
  { "first_module", "Loading /boot/", optional = true },
  { "last_module", "Loading /boot/", optional = true, last = true },

  -- The kernel.
  { "kernel_starts", P "cstart" + banner, hint = { "cstart", "MINIX " } },
  { "interrupts", "intr_init(0)", optional = true },
  { "kernel_main", "main()", optional = true },
  { "kernel_tasks", "initializing kernel... done", optional = true },
  { "boot_processes", "initializing init... done", optional = true },
  { "system_init", "system_init()... done", optional = true },
  { "banner", banner, hint = "MINIX " },
  { "timer", "Initiating legacy i8253 timer", optional = true },
  { "cpus_up", "CPU " * Cg(number / count_up, "cpus") * " freq " * Cg(number, "mhz") * " MHz", optional = true,
    last = true, hint = " freq " },
  { "ipc_style", "kernel: selecting ", optional = true },

  -- Userland.
  { "vfs", "Started VFS: " * Cg(number, "vfs_workers") * " worker thread", hint = "Started VFS: " },
  { "root_device", "Root device name is " * Cg((P(1) - " ") ^ 1, "root_device"), hint = "Root device name is " },
  { "root_mounted", " is mounted on /", optional = true },
  { "multiuser", "Multiuser startup in progress" },
  { "services", "Starting services:" },
  { "daemons", "Starting daemons:" },
  { "network", "Starting network", optional = true },
  { "shell_prompt", "login: ", partial = true },

  -- The kernel's panic(), and that of system processes: "name(endpoint): panic: …".
  fail = { "kernel panic", "): panic: ", "No CD found" },
}

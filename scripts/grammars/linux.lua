--- What a Linux kernel says while it boots with its console on a serial line (`console=ttyS0`).
--
-- - Messages from before the line "console [ttyS0] enabled" are kept by the kernel and printed then, in one go: the
--   times of `kernel_starts` and `memory` are late, unless `earlyprintk=ttyS0` or `earlycon` is on the command line.
-- - `kernel_done` is the kernel's last own step: it starts init, or finds no root file system to start it from. A
--   kernel booted without a root is measured up to there; its panic over the missing root is no failure, any other
--   is. For a boot that is to go on into userland, require what it is to reach:
--   `grammar = require("grammars.linux"):requiring { "shell_prompt" }`.
-- - `cpus` is the number of CPUs that the kernel brought up. `kernel_s` is the kernel's own stamp of a line, in
--   seconds, on the guest's clock: compare with care.
local lpeg = require "lpeg"
local mb = require "moonboot"

local Cg, P, R = lpeg.Cg, lpeg.P, lpeg.R
local number = R "09" ^ 1
local word = (P(1) - " ") ^ 1
local rest = P(1) ^ 1

-- "[    0.171773] ", or "[    0.171773][    T1] " of kernels that name the caller; absent with printk.time=0.
local caller = "[" * (1 - P "]") ^ 1 * "]"
local stamp = ("[" * P " " ^ 0 * Cg(number * "." * number, "kernel_s") * "]" * caller ^ -1 * " ") ^ -1

-- A kernel message: `literal` and what follows it.
local function message(name, literal, follows, options)
  local rule = { name, stamp * literal * (follows or P(true)), hint = literal }
  for key, value in pairs(options or {}) do rule[key] = value end
  return rule
end

-- A text that differs from this one. Not merely the absence of it: the line may still be under way.
local function other_than(text)
  if text == "" then return P(false) end
  local first = P(text:sub(1, 1))
  return 1 - first + first * other_than(text:sub(2))
end

local optional = { optional = true }

local no_root = P "VFS: Cannot open root device" + "VFS: Unable to mount root fs"
local prompt = P "login: " + "(initramfs) " + "/ # " + "~ # "

return mb.grammar {
  message("kernel_starts", "Linux version ", Cg(word, "version")),
  message("memory", "Memory: ", Cg(number, "available_kb") * "K/" * Cg(number, "memory_kb") * "K available"),
  { "console_enabled", stamp * (1 - P "console") ^ 0 * "console [tty" * word * " enabled", optional = true, last = true,
    hint = "] enabled" },
  message("smp_init", "smp: Bringing up secondary CPUs", nil, optional),
  message("cpus_up", "smp: Brought up ", number * " node" * P "s" ^ -1 * ", " * Cg(number, "cpus") * " CPU", optional),
  message("device_nodes", "devtmpfs: initialized", nil, optional),
  message("acpi", "ACPI: Interpreter enabled", nil, optional),
  message("pci", "PCI host bridge to bus ", nil, optional),
  message("clocksource", "clocksource: Switched to clocksource ", Cg(rest, "clocksource")),
  message("network", "NET: Registered P", P "F_INET protocol family" + "rotocol family 2"),
  message("initramfs", "Trying to unpack rootfs image", nil, optional),
  message("initramfs_unpacked", "Freeing initrd memory: ", nil, optional),
  message("io_scheduler", "io scheduler ", nil, optional),
  message("serial_driver", "Serial: 8250/16550 driver", nil, optional),
  message("ipv6", "NET: Registered PF_INET6 protocol family", nil, optional),
  message("init_memory_freed", "Freeing unused kernel ", nil, optional),
  { "kernel_done", stamp * ("Run " * Cg(word, "init") * " as init process" + no_root),
    hint = { " as init process", "VFS: Cannot open root device", "VFS: Unable to mount root fs" } },
  { "shell_prompt", prompt, optional = true, partial = true, hint = { "login: ", "(initramfs) ", "/ # ", "~ # " } },
  fail = { { "Kernel panic - not syncing: " * other_than "VFS: Unable to mount root fs", hint = "Kernel panic" } },
}

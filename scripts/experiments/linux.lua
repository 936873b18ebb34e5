--- Boots any Linux kernel and reports its phases: up to the start of init, or with an initrd up to its shell prompt.
local mb = require "moonboot"
local linux = require "grammars.linux"

return mb.experiment {
  name = "linux",
  title = "Boot phases of a Linux kernel",
  options = {
    kernel = { "the kernel (vmlinuz)", type = "file", required = true },
    initrd = { "the initial RAM disk", type = "file" },
    append = { "kernel command line", type = "string", default = "console=ttyS0 panic=-1" },
    arch = { "architecture", type = "choice", choices = { "x86_64", "i386" }, default = "x86_64" },
    to = { "the marker that ends the boot (shell_prompt with an initrd, else kernel_done)", type = "string" },
  },
  machine = function(options)
    return {
      arch = options.arch,
      memory = "512M",
      kernel = options.kernel,
      initrd = options.initrd,
      append = options.append,
    }
  end,
  configure = function(options)
    local to = options.to or (options.initrd and "shell_prompt" or "kernel_done")
    return {
      grammar = linux:requiring { to },
      measure = { from = "kernel_starts", to = to },
    }
  end,
  matrix = { cpus = { 1, 2, 4, 8 } },
  samples = 5,
  timeout = 120,
  grammar = linux,
}

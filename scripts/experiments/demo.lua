--- Boots the demo guest (examples/guest): from its installation CD to a report over 1, 2, 4 and 8 vCPUs.
local mb = require "moonboot"

return mb.experiment {
  name = "demo",
  title = "Boot time of the demo guest",
  options = {
    iso = { "installation medium", type = "file", default = mb.installation.guest .. "/demo.iso" },
  },
  machine = { arch = "i386", memory = "128M" },
  install = require "installers.demo",
  disk_size = "64M",
  matrix = { cpus = { 1, 2, 4, 8 } },
  samples = 3,
  timeout = 60,
  grammar = require "grammars.demo",
  measure = { from = "kernel_entry", to = "login_prompt" },
  baseline = { estimated_ms = 400, source = "made up, to show how a claim is judged" },
  report = { "json", "text" },
}

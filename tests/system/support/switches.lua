--- Boots the demo guest's kernel once for each set of switches, and expects a whole boot of every one.
local mb = require "moonboot"

return mb.experiment {
  name = "switches",
  guest = "demo",
  options = {
    kernel = { "the demo guest's kernel", type = "file", required = true },
    consoles = { "serial lines", type = "integer", default = 1 },
    also = { "switches for all of them", type = "string", default = "work=5" },
    reboot = { "let the guest reset itself", type = "boolean" },
  },
  machine = function(options, settings)
    return {
      arch = "i386",
      memory = "32M",
      kernel = options.kernel,
      append = ("%s %s"):format(options.also, settings.switches or ""),
      consoles = options.consoles,
      reboot = options.reboot,
    }
  end,
  matrix = { switches = { "none" } },
  samples = 1,
  timeout = 60,
  grammar = require "grammars.demo",
}

#!/usr/bin/env moonboot
--- An installer in fifteen lines: prompts and what to answer, in whatever order the guest asks.
local mb = require "moonboot"

local function install(vm)
  assert(vm:expect("Option 1 will be chosen"))
  vm:send "1"
  assert(vm:expect {
    { "hit ENTER to continue.", "\r" },
    { "Keyboard type? [us-std] ", "\r" },
    { "Enter the disk number to use: [0] ", "\r" },
    { "Please enter 'yes' or 'no': ", "yes\r" },
    { "/home to be in MB", "\r", optional = true },
    { "Shut down now? [Y] ", "\r", done = true },
    fail = "installation has failed", timeout = 60,
  })
end

return mb.experiment {
  name = "installed",
  options = { iso = { "installation medium", type = "file", default = mb.installation.guest .. "/demo.iso" } },
  machine = { arch = "i386", memory = "64M" },
  install = install,
  disk_size = "64M",
  samples = 2,
  grammar = require "grammars.demo",
}

#!/usr/bin/env moonboot
--- Does more memory make a boot slower? An experiment over one axis of the machine.
local mb = require "moonboot"

return mb.experiment {
  name = "memory",
  title = "Boot time against memory",
  machine = { arch = "i386", kernel = mb.installation.guest .. "/demo.elf" },
  matrix = { memory = { "32M", "128M", "512M" } },
  samples = 3,
  grammar = require "grammars.demo",
  measure = { from = "kernel_entry", to = "login_prompt" },
}

#!/usr/bin/env moonboot
--- Drives a guest that says nothing on its serial line: by its screen and keyboard.
local mb = require "moonboot"

local vm <close> = assert(mb.vm.boot {
  arch = "i386", kernel = mb.installation.guest .. "/demo.elf", append = "console=vga",
})

assert(vm.screen:expect "login: ")
assert(vm.keyboard:type "root\n")
assert(vm.screen:expect "# ")
print(table.concat(vm.screen:rows(), "\n"))

#!/usr/bin/env moonboot
--- Two serial lines on one clock: the kernel speaks on COM1, userland on COM2.
local mb = require "moonboot"

local vm <close> = assert(mb.vm.boot {
  arch = "i386", kernel = mb.installation.guest .. "/demo.elf", append = "com2", consoles = 2,
})

local kernel = assert(vm.com1:expect "demo: kernel entry")
local login = assert(vm.com2:expect "login: ")
print(("from the kernel's first word on COM1 to the prompt on COM2: %.1f ms"):format((login.t_ns - kernel.t_ns) / 1e6))
vm.com2:sendline "root"
assert(vm.com2:expect "# ")

#!/usr/bin/env moonboot
--- Boots a guest, waits for its prompt, logs in, and asks it something.
local mb = require "moonboot"

local vm <close> = assert(mb.vm.boot { arch = "i386", kernel = mb.installation.guest .. "/demo.elf" })

assert(vm:expect("login: ", { fail = "panic:" }))
assert(vm:sendline "root")
assert(vm:expect "# ")
local answer, status = assert(vm:run "uname")
print(("uname says %s, exit status %d"):format(answer:gsub("%s+$", ""), status))

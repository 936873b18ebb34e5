#!/usr/bin/env moonboot
--- Times one phase of a boot: from one message of the guest to another.
local mb = require "moonboot"

local vm <close> = assert(mb.vm.boot { arch = "i386", kernel = mb.installation.guest .. "/demo.elf" })

local start = assert(vm:expect "demo: drivers: ")
local stop = assert(vm:expect "demo: file system check: ")

-- Each time is that of the first byte of what matched, in nanoseconds.
print(("file system check: %.3f ms"):format((stop.t_ns - start.t_ns) / 1e6))

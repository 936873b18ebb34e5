--- What the demo guest (examples/guest) says while it boots.
-- Every message is complete when its phase is; only the first two tell of a beginning.
local lpeg = require "lpeg"
local mb = require "moonboot"

local number = lpeg.R "09" ^ 1

return mb.grammar {
  { "firmware", "demo: firmware hand-over" },
  { "kernel_entry", "demo: kernel entry" },
  { "memory", "demo: memory: " },
  { "interrupts", "demo: interrupts: " },
  {
    "cpus",
    "demo: CPUs: " * lpeg.Cg(number, "cpus") * " of " * lpeg.Cg(number, "cpus_present") * " up",
    hint = "demo: CPUs: ",
  },
  { "process_table", "demo: process table: " },
  { "drivers", "demo: drivers: " },
  { "file_system_check", "demo: file system check: " },
  { "services", "demo: services: " },
  { "login_prompt", "login: ", partial = true },
  fail = { "panic: " },
}

rockspec_format = "3.0"
package = "moonboot"
version = "scm-1"
source = {
  url = "git+file://.",
}
description = {
  summary = "Profiles how operating systems boot under QEMU",
  detailed = [[
    A C engine owns QEMU processes, serial lines and time stamps; Lua scripts say what to boot, how to answer an
    installer, what the boot messages mean and how the report looks. Linux only; needs QEMU, and for the demo guest
    gcc and xorriso.
  ]],
  license = "MIT",
  labels = { "qemu", "boot", "profiling", "benchmark" },
}
supported_platforms = { "linux" }
dependencies = {
  "lua ~> 5.4",
  "lpeg ~> 1.0",
  "lua-cjson ~> 2.1",
  "luv ~> 1.44",
  "argparse ~> 0.7",
}
build = {
  type = "make",
  build_target = "all",
  variables = {},
  install_variables = {
    PREFIX = "$(PREFIX)",
    BINDIR = "$(BINDIR)",
    LUADIR = "$(LUADIR)",
    LIBDIR = "$(LIBDIR)",
  },
}

#!/usr/bin/env moonboot
--- Hooks: code of yours before each boot, at each marker, after each sample, and at the end.
local mb = require "moonboot"

return mb.experiment {
  name = "hooks",
  machine = { arch = "i386", kernel = mb.installation.guest .. "/demo.elf" },
  matrix = { cpus = { 1, 2 } },
  samples = 2,
  grammar = require "grammars.demo",
  prepare = function(vm, configuration) print("about to boot", configuration.key, vm) end,
  on_marker = function(vm, marker)
    if marker.name == "cpus" then print("the guest brought up", marker.captures.cpus, "of", vm.machine.cpus) end
  end,
  on_sample = function(record) print("sample", record.key, record.index, record.status) end,
  conclude = function(results)
    local one, two = results.cpu_1.statistics, results.cpu_2.statistics
    print("the second CPU saves", one.mean_ms - two.mean_ms, "ms")
  end,
}

#!/usr/bin/env moonboot
--- Is one kernel slower than the other? Both are booted in turns, so that what disturbs one disturbs the other.
-- `moonboot examples/kernels.lua --samples 10`
local mb = require "moonboot"

return mb.experiment {
  name = "kernels",
  title = "Two kernels: the demo guest, and the demo guest with half as much to do",
  matrix = { kernel_variant = { "old", "new" } },
  machine = function(_, settings)
    local switches = { old = "", new = "work=50" }
    return { arch = "i386", kernel = mb.installation.guest .. "/demo.elf", append = switches[settings.kernel_variant] }
  end,
  samples = 6,
  grammar = require "grammars.demo",
  conclude = function(results)
    local old, new = results.kernel_variant_old, results.kernel_variant_new
    local shift, low, high = mb.stats.hodges_lehmann(mb.selection.times(old), mb.selection.times(new))
    print(("the new kernel takes %+.1f ms (95 %% interval %+.1f .. %+.1f)"):format(shift, low, high))
  end,
}

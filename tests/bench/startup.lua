--- How long it takes to start: what a script that calls moonboot in a loop pays.
local files = require "moonboot.files"
local measure = require "tests.bench.support.measure"
local stats = require "moonboot.stats"

-- Modules are loaded when they are first used: what a script that defines an experiment or drives a guest uses, and
-- what a whole run, its statistics and its reports use besides.
local LIBRARY = [[
local mb = require "moonboot"
local _ = mb.experiment {
  name = "linux", machine = { kernel = "vmlinuz" }, matrix = { cpus = { 1, 2 } },
  grammar = mb.grammar { { "kernel", "Linux version " }, { "prompt", "login: ", partial = true } },
}, mb.vm
]]
local EVERYTHING = [[
local mb = require "moonboot"
local _ = mb.vm, mb.stats, mb.grammar, mb.experiment, mb.runner, mb.report, mb.compare, mb.screen, mb.disk
]]

local function wall_ms(...)
  local argv = { ... }
  return function() return measure.run(argv).wall_ns / 1e6 end
end

return function(bench)
  local moonboot = bench.build .. "/moonboot"
  local function script(name, text)
    assert(files.write(bench.dir .. "/" .. name, text))
    return bench.dir .. "/" .. name
  end
  local empty = script("empty.lua", "")
  local values = measure.interleaved(bench.rounds(40), {
    { "version", wall_ms(moonboot, "--version") },
    { "lua version", wall_ms("lua5.4", "-v") },
    { "empty", wall_ms(moonboot, empty) },
    { "lua empty", wall_ms("lua5.4", empty) },
    { "library", wall_ms(moonboot, script("library.lua", LIBRARY)) },
    { "everything", wall_ms(moonboot, script("everything.lua", EVERYTHING)) },
  })
  local function median(name) return (stats.median(values[name])) end
  bench.row {
    what = "moonboot --version", value = median "version", unit = "ms",
    peer = "lua5.4 -v", peer_value = median "lua version",
    ratio = measure.ratio(values["version"], values["lua version"]),
    bars = { { of = "ratio", at_most = 2 } },
  }
  bench.row {
    what = "an empty script", value = median "empty", unit = "ms",
    peer = "lua5.4", peer_value = median "lua empty",
    ratio = measure.ratio(values["empty"], values["lua empty"]),
  }
  bench.row {
    what = "a script that loads the library", value = median "library", unit = "ms",
    bars = { { of = "value", at_most = 15 } },
  }
  bench.row { what = "a script that loads every module", value = median "everything", unit = "ms" }
end

--- What the benchmarks boot, with moonboot and without.
local machine = require "moonboot.machine"
local measure = require "tests.bench.support.measure"
local uv = require "luv"

local guests = {}

local kernel

--- A Linux that boots, says some 22,000 bytes, finds no root file system and ends QEMU.
-- @tparam[opt] table changes  fields of the machine
-- @treturn table a machine
function guests.linux(changes)
  kernel = kernel or measure.run({ "tests/system/support/fetch-linux" }).stdout:match("[^\n]+")
  local description = {
    arch = "x86_64",
    accel = "tcg",
    memory = "512M",
    kernel = kernel,
    append = "console=ttyS0 panic=-1",
  }
  for name, value in pairs(changes or {}) do description[name] = value end
  return assert(machine.normalise(description))
end

--- The demo guest.
-- @string switches  its command line
-- @tparam[opt] table changes  fields of the machine
-- @treturn table a machine
function guests.demo(switches, changes)
  local description = { arch = "i386", accel = "tcg", memory = "64M", kernel = guests.root .. "/guest/demo.elf",
    append = switches }
  for name, value in pairs(changes or {}) do description[name] = value end
  return assert(machine.normalise(description))
end

--- Where the build is: the folder of the program that runs.
guests.root = uv.exepath():match("^(.*)/")

--- moonboot's command line of QEMU as it would be without moonboot: no control connection, no stop before the first
-- instruction, the serial line somewhere else.
-- @tparam {string,…} argv
-- @string serial  for `-serial`
-- @treturn {string,…}
function guests.without_moonboot(argv, serial)
  local out, i = {}, 1
  while i <= #argv do
    local arg = argv[i]
    if arg == "-chardev" or arg == "-mon" then
      i = i + 1
    elseif arg == "-serial" then
      table.insert(out, arg)
      table.insert(out, serial)
      i = i + 1
    elseif arg ~= "-S" then
      table.insert(out, arg)
    end
    i = i + 1
  end
  return out
end

--- QEMU's command line for a machine, without moonboot.
-- @tparam table description  from `machine.normalise`
-- @string serial  for `-serial`
-- @treturn {string,…}
function guests.bare(description, serial)
  return guests.without_moonboot(assert(machine.argv(description, { sandbox = true })), serial)
end

--- Keeps cores busy until it is closed.
-- @int count  of busy loops
-- @return with `<close>`
function guests.load(count)
  local loops = {}
  for i = 1, count do loops[i] = measure.start { "sh", "-c", "while :; do :; done" } end
  return setmetatable(loops, { __close = function()
    for _, loop in ipairs(loops) do loop:close() end
  end })
end

return guests

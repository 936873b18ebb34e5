-- Guests come and go, in every way they can, and leave nothing behind: no descriptor, thread, loop handle or process.
local files = require "moonboot.files"
local program = require "tests.system.support.program"
local support = require "tests.system.support.sandbox"
local uv = require "luv"
local vm = require "moonboot.vm"

local function count(dir)
  local n = 0
  for _ in files.entries(dir) do n = n + 1 end
  return n
end

local function holdings(sandbox)
  collectgarbage()
  collectgarbage()
  uv.run "nowait" -- handles that were closed are gone after the loop's next round
  local handles = 0
  uv.walk(function() handles = handles + 1 end)
  return {
    descriptors = count "/proc/self/fd",
    threads = count "/proc/self/task",
    handles = handles,
    processes = #sandbox:processes(),
  }
end

describe("a guest leaves nothing behind", function()
  local sandbox

  setup(function() sandbox = support.sandbox() end)
  teardown(function() sandbox:close() end)

  local function description(switches, more)
    local machine = { arch = "i386", memory = "32M", kernel = support.guest .. "/demo.elf", append = switches,
      consoles = 2 }
    for key, value in pairs(more or {}) do machine[key] = value end
    return machine
  end

  local function boot(name, switches, options)
    options = options or { dir = sandbox.dir, name = name }
    return assert(vm.boot(description(switches), options))
  end

  local WAYS = {
    { "when it powers itself off", function()
      local guest <close> = boot("poweroff", "work=1 poweroff")
      assert(guest:wait(60))
    end },
    { "when it is stopped", function()
      local guest <close> = boot("stop", "work=1", { dir = sandbox.dir, name = "stop",
        transcript = sandbox.dir .. "/stop.transcript" })
      assert(guest:expect("login: ", { timeout = 60 }))
      guest:stop()
    end },
    { "when it is closed while it runs", function()
      local guest <close> = boot("close", "hang=memory")
      assert(guest:expect("kernel entry", { timeout = 60 }))
    end },
    { "when it is closed while it floods", function()
      local guest <close> = boot("flood", "flood=entry")
      assert(guest:expect("flood: line 100 ", { timeout = 60 }))
    end },
    { "when it is closed before it runs", function()
      local guest <close> = assert(vm.start(description "work=1", { dir = sandbox.dir, name = "never" }))
      assert(guest.qemu_version)
    end },
    { "when it is closed twice", function()
      local guest = boot("twice", "hang=memory")
      guest:close()
      guest:close()
    end },
    { "when it is killed", function()
      local guest <close> = boot("killed", "hang=memory")
      guest.process:signal "SIGKILL"
      assert.equal("SIGKILL", assert(guest:wait(60)).signal)
    end },
    { "when QEMU refuses it", function()
      local guest, message = vm.boot(description("", { cpu_model = "none-such" }), { dir = sandbox.dir, name = "no" })
      assert.is_nil(guest)
      assert.matches("none%-such", message)
    end },
    { "when there is no QEMU", function()
      assert.is_nil((vm.boot(description("", { qemu = sandbox.dir .. "/qemu" }), {})))
    end },
    { "when its captures cannot be made", function()
      assert.is_nil((vm.boot(description "", { dir = sandbox.dir .. "/nowhere", name = "no" })))
    end },
    { "when a wait of it fails", function()
      local guest <close> = boot("wait", "hang=memory")
      assert.is_nil((guest:expect("login: ", { timeout = 0.1 })))
      assert.same({ nil, "the guest is still running after 0.1 s" }, { guest:wait(0.1) })
    end },
  }

  for _, way in ipairs(WAYS) do
    local words, run = table.unpack(way)
    it(words, function()
      run() -- what is only made once is not held against it
      local before = holdings(sandbox)
      for _ = 1, 3 do run() end
      assert.same(before, holdings(sandbox))
      assert.equal(0, before.processes)
    end)
  end

  it("when a script forgets it", function()
    local script = sandbox:write("forget.lua", ([[
      local vm = require "moonboot.vm"
      local guest = assert(vm.boot { arch = "i386", memory = "32M", kernel = "%s/demo.elf", append = "hang=memory" })
      assert(guest:expect("kernel entry", { timeout = 60 }))
      print(guest.process:pid())
    ]]):format(support.guest))
    local code, out, err = program.run(script)
    assert.same({ 0, "" }, { code, err })
    assert.matches("^%d+\n$", out)
    assert.same({}, sandbox:processes())
  end)
end)

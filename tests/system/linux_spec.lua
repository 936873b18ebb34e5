-- A real Linux kernel: to a shell, to a report, and every byte of it against QEMU's own trace.
local files = require "moonboot.files"
local linux = require "tests.system.support.linux"
local program = require "tests.system.support.program"
local rundir = require "tests.system.support.rundir"
local support = require "tests.system.support.sandbox"
local vm = require "moonboot.vm"

local LINE_CONTROL, DIVISOR_LATCH = 3, 0x80 -- of a 16550: register, and the bit that turns register 0 into the divisor

-- What the guest wrote to its serial line, by the trace of QEMU's `serial_write`.
local function traced_bytes(path)
  local bytes, divisor = {}, false
  for line in io.lines(path) do
    local register, value = line:match("serial_write write addr 0x(%x+) val 0x(%x+)")
    register, value = tonumber(register, 16), tonumber(value or "", 16)
    if register == LINE_CONTROL then
      divisor = value & DIVISOR_LATCH ~= 0
    elseif register == 0 and not divisor then
      bytes[#bytes + 1] = string.char(value)
    end
  end
  return table.concat(bytes)
end

describe("a Linux kernel", function()
  local sandbox, dir, kernel

  setup(function()
    sandbox = support.sandbox()
    dir = sandbox.dir
  end)
  teardown(function() sandbox:close() end)
  before_each(function() kernel = kernel or linux.kernel() end)

  it("reaches a shell, and loses no byte of the whole way there and back", function()
    if not kernel then return end
    local trace = dir .. "/trace"
    local guest <close> = assert(vm.boot(linux.machine(kernel, linux.initramfs(dir),
      { "-msg", "timestamp=on", "-trace", "serial_write", "-D", trace }), { dir = dir, name = "exact" }))
    assert(guest:expect("userland: init runs", { timeout = 200 }))
    assert(guest:expect("# ", { timeout = 60 }))
    local release, status = guest:run("uname -r", { timeout = 60 })
    assert.equal(0, status)
    assert.matches("^6%.1%.0%-%d+%-cloud%-amd64\n$", release)
    assert(guest:sendline "poweroff -f")
    assert(guest:wait(60))
    guest:stop()
    assert.is_nil(guest:capture_error())
    local expected, captured = traced_bytes(trace), files.read(dir .. "/exact.log")
    assert.is_true(#expected > 15000, "the trace holds " .. #expected .. " bytes")
    assert.equal(#expected, #captured)
    assert.is_true(expected == captured, "the capture differs from QEMU's trace")
    local stats = guest.com1:stats()
    assert.same({ #expected, 0 }, { stats.bytes, stats.overruns })
  end)

  it("gives a report with its phases on one CPU and on two", function()
    if not kernel then return end
    local output = dir .. "/run"
    local code, out, err = program.run("run", "scripts/experiments/linux.lua", "--kernel", kernel, "--set",
      "cpus=1,2", "--samples", "3", "--timeout", "250", "--output", output)
    assert.equal(0, code, err)
    local results = rundir.results(output)
    for cpus = 1, 2 do
      local configuration = results["cpu_" .. cpus]
      assert.equal(3, configuration.statistics.n)
      assert.is_true(#configuration.phases >= 8, #configuration.phases .. " phases")
      for _, phase in ipairs(configuration.phases) do
        assert.matches("^[%l_0-9]+ %-> [%l_0-9]+$", phase.name)
        assert.is_true(phase.median_ms >= 0)
        assert.is_truthy(out:find(phase.name, 1, true))
      end
    end
    assert.equal(2, results.cpu_2.guest_cpus)
    assert.equal("kernel_starts", results.cpu_1.phases[1].from)
    assert.equal("kernel_done", results.cpu_1.phases[#results.cpu_1.phases].to)
  end)

  it("is measured up to its shell when it has one", function()
    if not kernel then return end
    local output = dir .. "/shell"
    local code, _, err = program.run("run", "linux", "--kernel", kernel, "--initrd", linux.initramfs(dir),
      "--set", "cpus=1", "--samples", "1", "--timeout", "250", "--output", output)
    assert.equal(0, code, err)
    local markers = rundir.samples(output)[1].markers
    assert.equal("shell_prompt", markers[#markers].name)
  end)
end)

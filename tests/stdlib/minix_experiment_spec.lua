-- The ready-made MINIX experiment: which machine each way of booting makes, and what is claimed of it.
local files = require "moonboot.files"
local loader = require "moonboot.loader"
local machine = require "moonboot.machine"

describe("the MINIX experiment", function()
  local dir

  before_each(function() dir = assert(files.make_temp_dir "/tmp/moonboot-spec-") end)
  after_each(function() files.remove(dir) end)

  local function file(name)
    local path = dir .. "/" .. name
    assert(files.write(path, "x"))
    return path
  end

  local function resolve(values, sets)
    return assert(loader.experiment "minix"):resolve(values, sets)
  end

  local function argv(experiment)
    return table.concat(assert(machine.argv(experiment.configurations[1].machine, { accel = "tcg" })), " ")
  end

  it("boots a kernel and its modules, the kernel on one console and userland on the other", function()
    local e = assert(resolve { kernel = file "kernel", modules = { file "mod01_ds", file "mod02_rs" },
      disk = file "minix.img" })
    assert.equal("phase-7-5", e.name)
    assert.equal(4, #e.configurations)
    assert.is_nil(e.install)
    local line = argv(e)
    assert.is_truthy(line:find(("-initrd %s/mod01_ds,%s/mod02_rs "):format(dir, dir), 1, true))
    assert.is_truthy(line:find("-append rootdevname=c0d0p0s0 console=tty01 cttyline=0 verbose=2", 1, true))
    assert.is_truthy(line:find("-serial chardev:com1 ", 1, true) and line:find("-serial chardev:com2 ", 1, true))
    assert.is_truthy(line:find(("file=%s/minix.img,format=raw,if=ide"):format(dir), 1, true))
    local claims = {}
    for i, claim in ipairs(e.baselines) do
      claims[i] = { claim.name, claim.estimated_ms, claim.from, claim.to }
    end
    assert.same({ "default", 65, "kernel_starts", "ipc_style" }, claims[1])
    assert.same({ "kernel", 35, "kernel_starts", "banner" }, claims[2])
    assert.same({ from = "kernel_starts", to = "shell_prompt" }, e.measure)
  end)

  it("installs from a CD, whichever way it boots then", function()
    local iso = file "minix.iso"
    local e = assert(resolve { iso = iso })
    assert.is_function(e.install)
    assert.is_nil(argv(e):find("-kernel", 1, true))
    assert.equal("us-std", e.option_values.keyboard)
    e = assert(resolve { iso = iso, kernel = file "kernel", modules = { file "mod01_ds" } })
    assert.is_function(e.install)
    assert.is_truthy(argv(e):find("-kernel", 1, true))
  end)

  it("boots a disk through its boot monitor, which is no time of the kernel's", function()
    local e = assert(resolve { disk = file "minix.qcow2" })
    assert.is_nil(e.install)
    assert.same({ "com1" }, e.configurations[1].machine.consoles)
    assert.is_nil(argv(e):find("-kernel", 1, true))
    assert.same({ 65, "kernel_starts", "shell_prompt" }, { e.baselines[1].estimated_ms, e.baselines[1].from,
      e.baselines[1].to })
    assert.same({ name = "loader", from = "boot_monitor", to = "kernel_starts" }, e.phases[1])
  end)

  it("ends where it is told to", function()
    local e = assert(resolve { kernel = file "kernel", modules = { file "mod01_ds" }, to = "banner" })
    assert.same({ "kernel_starts", "banner" }, e.grammar:matcher():missing())
    local _, message = resolve { disk = file "disk.img", to = "login" }
    assert.matches("the grammar has no rule 'login'", message)
  end)

  it("says what it needs", function()
    local e, message = resolve {}
    assert.is_nil(e)
    assert.matches("what is to be booted%? Give %-%-iso FILE, %-%-disk FILE, or %-%-kernel FILE with %-%-modules FILE",
      message)
  end)
end)

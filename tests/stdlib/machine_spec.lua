local machine = require "moonboot.machine"

local function normal(description)
  return assert(machine.normalise(description))
end

local function argv(description, env)
  return assert(machine.argv(normal(description), env))
end

-- The value that follows an option, or all of them.
local function values(args, option)
  local out = {}
  for i, arg in ipairs(args) do
    if arg == option then out[#out + 1] = args[i + 1] end
  end
  return out
end

local function has(args, option)
  for _, arg in ipairs(args) do
    if arg == option then return true end
  end
  return false
end

local function refused(message, description, key)
  local good, why, at = machine.normalise(description)
  assert.is_nil(good)
  assert.matches(message, why, 1, true)
  if key then assert.equal(key, at) end
end

describe("machine.normalise", function()
  it("completes an empty description", function()
    local m = normal {}
    assert.equal("x86_64", m.arch)
    assert.equal("pc", m.machine)
    assert.equal("512M", m.memory)
    assert.equal(1, m.cpus)
    assert.equal("std", m.vga)
    assert.same({ "com1" }, m.consoles)
    assert.is_false(m.network)
    assert.is_nil(m.accel)
  end)

  it("does not touch what it was given", function()
    local given = { disk = "a.qcow2", consoles = 2, memory = 256 }
    normal(given)
    assert.same({ disk = "a.qcow2", consoles = 2, memory = 256 }, given)
  end)

  it("changes nothing the second time", function()
    local once = normal {
      arch = "i386", cpus = 4, memory = 256, kernel = "k", initrd = { "mod1 a=b", { file = "mod2" } }, consoles = 2,
      disk = { "a.qcow2", { file = "b", interface = "virtio" } }, bios = "fw", graphics = false, args = { "-d", "int" },
    }
    assert.same(once, normal(once))
  end)

  it("takes memory as MiB or with a unit", function()
    assert.equal("256M", normal({ memory = 256 }).memory)
    assert.equal("256M", normal({ memory = "256" }).memory)
    assert.equal("1G", normal({ memory = "1G" }).memory)
    refused("'memory' in machine must be a size like 512M or 2G, not 'lots'", { memory = "lots" }, "memory")
    refused("'memory' in machine must be", { memory = 0 })
  end)

  it("takes one disk, a table or a list, and never leaves the format open", function()
    assert.same({ { file = "a.qcow2", format = "qcow2", interface = "ide", snapshot = false, readonly = false } },
      normal({ disk = "a.qcow2" }).disk)
    assert.equal("raw", normal({ disk = "a.img" }).disk[1].format)
    assert.equal("raw", normal({ disk = "/dev/sdz" }).disk[1].format)
    assert.equal("virtio", normal({ arch = "aarch64", disk = "a.img" }).disk[1].interface)
    local two = normal({ disk = { { file = "a", format = "qcow2" }, "b.img" } }).disk
    assert.equal("qcow2", two[1].format)
    assert.equal("b.img", two[2].file)
    refused("unknown key 'fromat' in a disk of the machine (did you mean 'format'?)",
      { disk = { file = "a", fromat = "raw" } }, "disk")
    refused("unknown key 'path' in a disk", { disk = { path = "a" } }, "disk")
    refused("'format' in a disk of the machine must be", { disk = { file = "a", format = "qcow3" } })
    refused("is an empty list", { disk = {} })
  end)

  it("takes an initrd or a list of multiboot modules", function()
    assert.equal("a b,c", normal({ kernel = "k", initrd = "a b,c" }).initrd)
    assert.same({ { file = "m1", args = "x=1 y" }, { file = "m2" } },
      normal({ kernel = "k", initrd = { "m1 x=1 y", "m2" } }).initrd)
    refused("rename the file", { kernel = "k", initrd = { { file = "a b" } } }, "initrd")
    refused("needs a 'kernel'", { initrd = "a" }, "initrd")
    refused("needs a 'kernel'", { append = "quiet" }, "append")
  end)

  it("names consoles, and knows how many a machine has", function()
    assert.same({ "com1", "com2" }, normal({ consoles = 2 }).consoles)
    assert.same({ "kernel", "user" }, normal({ consoles = { "kernel", "user" } }).consoles)
    refused("at most 4 serial lines", { consoles = 5 }, "consoles")
    refused("at most 4 serial lines", { consoles = math.maxinteger }, "consoles")
    refused("at most 1 serial line", { arch = "aarch64", consoles = 2 })
    assert.equal(2, #normal({ arch = "aarch64", machine = "sbsa-ref", consoles = 2 }).consoles)
    refused("at least one", { consoles = 0 })
    refused("must be a number or a list of names", { consoles = { "a,b" } })
    refused("must be a number or a list of names", { consoles = { "qmp" } })
    refused("two consoles of the machine are called 'a'", { consoles = { "a", "a" } })
  end)

  it("names what is wrong", function()
    refused("unknown key 'mem' in machine (did you mean 'memory'?)", { mem = "1G" }, "mem")
    refused("'arch' in machine must be aarch64, arm, i386, riscv64 or x86_64, not 'i686'", { arch = "i686" }, "arch")
    refused("'cpus' in machine must be at least 1, not 0", { cpus = 0 }, "cpus")
    refused("'cpus' in machine must be an integer, not '4'", { cpus = "4" })
    refused("must be tcg or kvm, not 'hax'", { accel = "hax" })
    refused("'kernel' in machine must not be empty", { kernel = "" })
    refused("NUL", { kernel = "a\0b" })
    refused("'args' in machine must be a list of strings", { args = { "-d", 3 } })
    refused("'args' in machine must be a list of strings", { args = { d = "x" } })
    refused("another word for 'firmware'", { bios = "a", firmware = "b" }, "bios")
    refused("needs accel = 'tcg'", { accel = "kvm", deterministic = true }, "accel")
    refused("needs a fixed 'icount'", { icount = "auto", deterministic = true }, "icount")
    refused("'icount' in machine must be an integer from 0 to 10 or 'auto'", { icount = 11 })
    assert.equal("tcg,thread=single", normal({ accel = "tcg,thread=single" }).accel)
  end)
end)

describe("machine.with", function()
  it("replaces fields and checks again", function()
    local base = normal { memory = 256, bios = "a" }
    local bigger = assert(machine.with(base, { memory = 512, cpus = 4 }))
    assert.equal("512M", bigger.memory)
    assert.equal(4, bigger.cpus)
    assert.equal("256M", base.memory)
    assert.equal("b", machine.with(base, { bios = "b" }).firmware)
    local good, message, key = machine.with(base, { cpus = -1 })
    assert.is_nil(good)
    assert.equal("'cpus' in machine must be at least 1, not -1", message)
    assert.equal("cpus", key)
  end)

  it("takes fields away", function()
    local base = normal { kernel = "k", initrd = "i", append = "a" }
    local bare = assert(machine.with(base, { kernel = machine.NONE, initrd = machine.NONE, append = machine.NONE }))
    assert.is_nil(bare.kernel)
    assert.is_nil(bare.initrd)
  end)
end)

describe("machine.argv", function()
  it("starts a stopped, isolated machine with QMP and consoles on inherited descriptors", function()
    assert.same({
      "qemu-system-i386", "-name", "demo", "-nodefaults", "-no-user-config", "-display", "none", "-S", "-no-reboot",
      "-machine", "pc", "-accel", "tcg", "-smp", "2", "-m", "512M", "-vga", "std", "-nic", "none",
      "-chardev", "socket,id=qmp,fd=3", "-mon", "chardev=qmp,mode=control",
      "-chardev", "socket,id=com1,fd=4", "-serial", "chardev:com1",
      "-chardev", "socket,id=com2,fd=5", "-serial", "chardev:com2",
      "-kernel", "demo.elf", "-append", "a,b c",
      "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
      "-d", "int",
    }, argv({ arch = "i386", cpus = 2, consoles = 2, kernel = "demo.elf", append = "a,b c", args = { "-d", "int" } },
      { name = "demo", sandbox = true }))
  end)

  it("takes descriptors from the host", function()
    local args = argv({ consoles = 2 }, { qmp_fd = 7, console_fds = { 9, 8 } })
    assert.same({ "socket,id=qmp,fd=7", "socket,id=com1,fd=9", "socket,id=com2,fd=8" }, values(args, "-chardev"))
  end)

  it("doubles commas where QEMU parses a list, and only there", function()
    local args = argv({ disk = "/a,b/c,format=x.qcow2", cdrom = "d,e.iso", kernel = "k,1", firmware = "f,2" },
      { name = "n,m" })
    assert.same({ "file=/a,,b/c,,format=x.qcow2,format=qcow2,if=ide,index=0,media=disk,id=disk0",
      "file=d,,e.iso,format=raw,if=ide,index=2,media=cdrom,id=cdrom0,readonly=on" }, values(args, "-drive"))
    assert.same({ "k,1" }, values(args, "-kernel"))
    assert.same({ "f,2" }, values(args, "-bios"))
    assert.same({ "n,,m" }, values(args, "-name"))
  end)

  it("takes no file name for a protocol", function()
    local args = argv { disk = { "minix-05:42:12.qcow2", "/x:y.img", "json:{}" } }
    assert.same({ "file=./minix-05:42:12.qcow2", "file=/x:y.img", "file=./json:{}" },
      (function()
        local files = {}
        for i, value in ipairs(values(args, "-drive")) do files[i] = value:match("^[^,]*") end
        return files
      end)())
  end)

  it("passes one initrd as it is and modules as a list", function()
    assert.same({ "a,b c" }, values(argv { kernel = "k", initrd = "a,b c" }, "-initrd"))
    assert.same({ "m,,1 x=1,,2,m2" }, values(argv { kernel = "k", initrd = { "m,1 x=1,2", "m2" } }, "-initrd"))
  end)

  it("leaves the CD's place free among IDE disks", function()
    local args = argv { disk = { "a.img", "b.img", "c.img" }, cdrom = "d.iso" }
    local places = {}
    for i, value in ipairs(values(args, "-drive")) do places[i] = value:match("index=(%d)") end
    assert.same({ "0", "1", "3", "2" }, places)
  end)

  it("passes a disk's options", function()
    local args = argv {
      disk = { file = "a", interface = "virtio", snapshot = true, readonly = true, cache = "unsafe" },
    }
    assert.same({ "file=a,format=raw,if=virtio,media=disk,id=disk0,snapshot=on,readonly=on,cache=unsafe" },
      values(args, "-drive"))
  end)

  it("chooses the accelerator: the machine's word, else the host's, else TCG", function()
    assert.same({ "kvm" }, values(argv({ accel = "kvm" }, { accel = "tcg" }), "-accel"))
    assert.same({ "kvm" }, values(argv({}, { accel = "kvm" }), "-accel"))
    assert.same({ "tcg" }, values(argv {}, "-accel"))
    assert.same({ "tcg" }, values(argv({ deterministic = true }, { accel = "kvm" }), "-accel"))
  end)

  it("refuses the host's CPU without KVM, which would end QEMU at once", function()
    local args, message = machine.argv(normal { cpu_model = "host,-avx" }, { accel = "tcg" })
    assert.is_nil(args)
    assert.matches("needs KVM", message)
    assert.same({ "host" }, values(argv({ cpu_model = "host" }, { accel = "kvm" }), "-cpu"))
  end)

  it("keeps time apart from the host when deterministic", function()
    local args = argv { deterministic = true }
    assert.same({ "shift=3,sleep=off" }, values(args, "-icount"))
    assert.same({ "base=2000-01-01T00:00:00,clock=vm" }, values(args, "-rtc"))
    assert.same({ "1" }, values(args, "-seed"))
    args = argv { icount = "auto", rtc = "base=utc" }
    assert.same({ "shift=auto" }, values(args, "-icount"))
    assert.same({ "base=utc" }, values(args, "-rtc"))
    assert.is_false(has(argv {}, "-icount"))
    assert.is_false(has(argv {}, "-rtc"))
  end)

  it("opens nothing that was not asked for", function()
    assert.same({ "none" }, values(argv {}, "-nic"))
    assert.same({ "user" }, values(argv { network = true }, "-nic"))
    assert.same({ "user,model=e1000" }, values(argv { network = "user,model=e1000" }, "-nic"))
    assert.is_false(has(argv({ sandbox = false }, { sandbox = true }), "-sandbox"))
    assert.is_false(has(argv { reboot = true }, "-no-reboot"))
  end)

  it("can give up privileges", function()
    local args = argv({}, { sandbox = true, run_as = "nobody" })
    assert.same({ "nobody" }, values(args, "-runas"))
    assert.matches("elevateprivileges=allow,spawn=deny", values(args, "-sandbox")[1], 1, true)
  end)

  it("knows the other fields", function()
    local args = argv({ arch = "aarch64", machine = "virt,gic-version=3", graphics = false, cpus = 4, dtb = "d",
      smp = "sockets=1,cores=4", cpu_model = "cortex-a57", boot = "c", firmware = "u-boot.bin", qemu = "/opt/qemu" },
      { args = { "-trace", "x" } })
    assert.equal("/opt/qemu", args[1])
    assert.same({ "virt,gic-version=3,graphics=off" }, values(args, "-machine"))
    assert.same({ "4,sockets=1,cores=4" }, values(args, "-smp"))
    assert.same({ "cortex-a57" }, values(args, "-cpu"))
    assert.same({ "c" }, values(args, "-boot"))
    assert.same({ "d" }, values(args, "-dtb"))
    assert.is_false(has(args, "-vga"))
    assert.equal("x", args[#args])
  end)
end)

describe("machine.coerce", function()
  it("makes text of a number where a field is text", function()
    assert.equal("486", machine.coerce("cpu_model", 486))
    assert.equal(486, machine.coerce("memory", 486))
    assert.equal(4, machine.coerce("cpus", 4))
    assert.equal(1, machine.coerce("no_field", 1))
  end)
end)

describe("machine.fields", function()
  it("lists every field, sorted", function()
    local fields = machine.fields()
    assert.is_true(#fields > 25)
    for i, name in ipairs(fields) do
      assert.is_true(machine.has(name))
      if i > 1 then assert.is_true(fields[i - 1] < name) end
    end
    assert.is_false(machine.has("colour"))
  end)
end)

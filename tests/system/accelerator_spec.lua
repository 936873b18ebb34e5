local accelerator = require "moonboot.accelerator"
local files = require "moonboot.files"
local json = require "moonboot.json"
local uv = require "luv"

local function names(dir)
  local list = {}
  for name in files.entries(dir) do table.insert(list, name) end
  return list
end

-- Does what QEMU does with the probe, at once.
local OBEDIENT = [[
for argument in "$@"; do
  case $argument in file,id=com1,path=*) printf 'moonboot probe\ndone\n' > "${argument#*path=}" ;; esac
done
exit 33
]]

describe("accelerator, with real QEMU", function()
  local dir, former_cache, former_tmp

  local function set(name, value)
    if value then uv.os_setenv(name, value) else uv.os_unsetenv(name) end
  end

  before_each(function()
    dir = assert(files.make_temp_dir "/tmp/moonboot-spec-")
    former_cache, former_tmp = os.getenv "MOONBOOT_CACHE", os.getenv "TMPDIR"
    set("MOONBOOT_CACHE", dir .. "/cache")
    assert(files.make_dir(dir .. "/tmp"))
    set("TMPDIR", dir .. "/tmp")
  end)

  after_each(function()
    set("MOONBOOT_CACHE", former_cache)
    set("TMPDIR", former_tmp)
    files.remove(dir)
  end)

  -- A stand-in for QEMU: a shell script.
  local function program(script)
    local path = dir .. "/qemu"
    assert(files.write(path, "#!/bin/sh\n" .. script))
    assert(uv.fs_chmod(path, tonumber("700", 8)))
    return path
  end

  it("boots the probe under TCG and says how long it took", function()
    local list, best = assert(accelerator.probe())
    assert.equal("tcg", list[1].name)
    assert.is_true(list[1].works)
    assert.is_true(list[1].ms > 0)
    assert.equal("kvm", list[2].name)
    assert.is_boolean(list[2].works)
    if not list[2].works then
      assert.is_string(list[2].reason)
      assert.equal("tcg", best)
    end
    assert.same({}, names(dir .. "/tmp"))
  end)

  it("is no boot sector but a boot sector", function()
    assert.equal(512, #accelerator.boot_sector())
    assert.equal("\x55\xaa", accelerator.boot_sector():sub(511))
  end)

  it("gives up on an accelerator that never ends, and leaves no process", function()
    local path = program(("echo $$ >> %s/pids; exec sleep 1000"):format(dir))
    local list, best = assert(accelerator.probe { program = path, deadline_s = 0.2 })
    assert.is_nil(best)
    assert.is_false(list[1].works)
    assert.equal("did not finish the probe guest within 0.2 s", list[1].reason)
    for pid in files.read(dir .. "/pids"):gmatch("%d+") do
      assert.is_nil(uv.fs_stat("/proc/" .. pid))
    end
  end)

  it("gives QEMU's own words when it refuses", function()
    local list = assert(accelerator.probe { program = program "echo 'qemu: no such machine' >&2; exit 1" })
    assert.equal("qemu: no such machine", list[1].reason)
  end)

  it("says how QEMU ended when it gives no words", function()
    local list = assert(accelerator.probe { program = program "exit 7" })
    assert.equal("QEMU ended with status 7", list[1].reason)
    list = assert(accelerator.probe { program = program "kill -SEGV $$" })
    assert.equal("QEMU ended with SIGSEGV", list[1].reason)
  end)

  it("tells a host without KVM from a user without the right to it", function()
    local fs_stat, fs_access = uv.fs_stat, uv.fs_access
    finally(function() uv.fs_stat, uv.fs_access = fs_stat, fs_access end)
    local function kvm() return assert(accelerator.probe { program = program(OBEDIENT) })[2].reason end
    uv.fs_access = function(path, mode) return path ~= "/dev/kvm" and fs_access(path, mode) end
    uv.fs_stat = function(path) return path == "/dev/kvm" and {} or fs_stat(path) end
    assert.equal("no right to use /dev/kvm; add this user to the group kvm", kvm())
    uv.fs_stat = function(path) return path ~= "/dev/kvm" and fs_stat(path) or nil end
    assert.equal("the host has no /dev/kvm", kvm())
  end)

  it("does not believe an exit status without the guest's output", function()
    local list = assert(accelerator.probe { program = program "exit 33" })
    assert.is_false(list[1].works)
    assert.equal("the probe guest's output was lost or changed", list[1].reason)
  end)

  it("says when there is no QEMU", function()
    local chosen, reason = accelerator.choose("i386", { program = dir .. "/qemu-system-i386" })
    assert.is_nil(chosen)
    assert.matches("no accelerator works: tcg: .*qemu%-system%-i386: not found; install ", reason)
    assert.is_nil(uv.fs_stat(dir .. "/cache/accelerators.json"))
  end)

  it("remembers, until QEMU changes or it is told to look again", function()
    local script = ("echo >> %s/count\n"):format(dir) .. OBEDIENT
    local path = program(script)
    local function count() return #(files.read(dir .. "/count") or "") end
    local chosen, reason = assert(accelerator.choose("i386", { program = path }))
    local first = count()
    assert.is_true(first >= 1)
    assert.matches(chosen .. " ran the probe guest in %d+ ms", reason)
    assert.same({ chosen, reason }, { accelerator.choose("i386", { program = path }) })
    assert.equal(first, count())
    accelerator.known { program = path, fresh = true }
    assert.is_true(count() > first)
    local second = count()
    program(script .. " # another version")
    assert(accelerator.choose("i386", { program = path }))
    assert.is_true(count() > second)
  end)

  it("survives a cache that is damaged, or cannot be written", function()
    local options = { program = program(OBEDIENT) }
    assert(files.make_dir(dir .. "/cache"))
    for _, content in ipairs { "{", "[]", "null", '{"x":1}' } do
      assert(files.write(dir .. "/cache/accelerators.json", content))
      assert.is_string((accelerator.choose("i386", options)))
      assert.is_table(json.decode(files.read(dir .. "/cache/accelerators.json")))
    end
    set("MOONBOOT_CACHE", "/proc/nowhere")
    assert.is_string((accelerator.choose("i386", options)))
  end)

  it("has nothing but TCG for machines without a probe", function()
    local chosen, reason = accelerator.choose "riscv64"
    assert.equal("tcg", chosen)
    assert.equal("tcg: there is no probe guest for riscv64", reason)
  end)
end)

-- A guest, and the names that come from scripts, may be hostile: what QEMU may do, who may read, where files end up.
local files = require "moonboot.files"
local program = require "tests.system.support.program"
local rundir = require "tests.system.support.rundir"
local support = require "tests.system.support.sandbox"
local uv = require "luv"

describe("what is not trusted", function()
  local sandbox, dir, run_dir

  before_each(function()
    sandbox = support.sandbox()
    dir = sandbox.dir
    run_dir = dir .. "/run"
  end)

  after_each(function() sandbox:close() end)

  local function names(path)
    local list = {}
    for name in files.entries(path) do list[#list + 1] = name end
    return list
  end

  it("runs under seccomp, without devices, network and configuration that nobody asked for", function()
    local script = sandbox:experiment("hang", "timeout = 60,")
    local started <close> = program.start("moonboot", "run", script, "--output", run_dir)
    local guest = sandbox:await_guest()
    program.await(function()
      local status = files.read(("/proc/%d/status"):format(guest))
      return status and status:match "Seccomp:%s*2"
    end, "the filter")
    local words = files.read(("/proc/%d/cmdline"):format(guest)):gsub("\0", " ")
    for _, wanted in ipairs { "-sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
      "-nodefaults", "-no-user-config", "-nic none" } do
      assert.is_truthy(words:find(" " .. wanted .. " ", 1, true), wanted)
    end
    -- Every socket is a pair whose other end only moonboot has: nothing of it has a name that somebody could open.
    for name, kind in files.entries(run_dir) do
      assert.is_true(kind ~= "socket" and kind ~= "fifo", name)
    end
    started:signal "SIGINT"
    started:wait()
  end)

  it("runs without a filter where QEMU has none, and the record says so", function()
    local qemu = dir .. "/qemu"
    files.write(qemu, [[#!/bin/sh
for word in "$@"; do
  if [ "$word" = -sandbox ]; then
    echo "qemu-system-i386: -sandbox support is not enabled in this QEMU binary" >&2
    exit 1
  fi
done
exec qemu-system-i386 "$@"
]])
    uv.fs_chmod(qemu, tonumber("755", 8))
    local path = sandbox:experiment("work=1", "samples = 1,")
    local machine = ("arch = 'i386', accel = 'tcg', qemu = %q"):format(qemu)
    files.write(path, (files.read(path):gsub('arch = "i386"', machine)))
    local code, _, err = program.run("run", path, "--output", run_dir)
    assert.equal(0, code, err)
    assert.is_false(rundir.samples(run_dir)[1].qemu.sandboxed)
  end)

  it("leaves files that only this user may read", function()
    local script = sandbox:experiment("work=1",
      ("samples = 1, matrix = { disk = { %q } },"):format(dir .. "/demo.elf"))
    assert.equal(0, (program.run("run", script, "--output", run_dir)))
    assert.equal(tonumber("700", 8), uv.fs_stat(run_dir).mode & 511)
    local count = 0
    for _, name in ipairs(names(run_dir)) do
      assert.equal(tonumber("600", 8), uv.fs_stat(run_dir .. "/" .. name).mode & 511, name)
      count = count + 1
    end
    assert.is_true(count >= 6) -- capture, disk, journal, two reports
  end)

  it("can run as another user, whose rights suffice for what it was given", function()
    if uv.getuid() ~= 0 then return pending "needs root" end
    assert(uv.fs_chmod(dir, tonumber("755", 8)))
    local image = dir .. "/private.raw"
    files.write(image, ("\0"):rep(1024 * 1024))
    uv.fs_chmod(image, tonumber("600", 8))
    uv.fs_chmod(dir .. "/demo.elf", tonumber("600", 8))
    local script = sandbox:experiment("work=1", ([[samples = 1, matrix = { disk = { %q } },
  prepare = function(guest) assert(guest.screen:screenshot(%q)) end,]]):format(image, dir .. "/screen.png"))
    local code, _, err = program.run("run", script, "--output", run_dir, "--run-as", "nobody")
    assert.equal(0, code, err)
    assert.equal("ok", rundir.samples(run_dir)[1].status)
    assert.equal("\137PNG", files.read(dir .. "/screen.png"):sub(1, 4))
    assert.equal(0, uv.fs_stat(dir .. "/screen.png").uid)
  end)

  it("is told what it has no right to", function()
    local path = sandbox:write("rights.lua", [[
      local engine = require "moonboot.engine"
      for _, wish in ipairs { { nice = -5 }, { uid = 1, gid = 1 } } do
        wish.argv = { "true" }
        print((select(2, engine.process.spawn(wish))))
      end
    ]])
    local function bare(...)
      if uv.getuid() ~= 0 then return program.execute(...) end
      return program.execute("setpriv", "--bounding-set", "-sys_nice,-setuid,-setgid", ...)
    end
    if bare "true" ~= 0 then return pending "skipped: this test cannot take rights away from itself" end
    local code, out, err = bare("moonboot", path)
    assert.same({ 0, "" }, { code, err })
    assert.equal("true: nice -5: Operation not permitted\n"
      .. "true: cannot run as user 1, group 1: Operation not permitted\n", out)
  end)

  it("is told by name who it cannot run as", function()
    local script = sandbox:experiment("work=1")
    for _, name in ipairs { "nosuchuser", "-1", "a b", "" } do
      local code, _, err = program.run("run", script, "--output", run_dir, "--run-as=" .. name)
      assert.equal(2, code)
      assert.matches("%-%-run%-as", err)
      assert.is_nil(uv.fs_stat(run_dir))
    end
  end)

  it("stays inside the run directory, whatever the values of its matrix are", function()
    local expected = { run = true, ["demo.elf"] = true, ["experiment.lua"] = true, cache = true }
    for _, value in ipairs { "../../escaped", "/etc/escaped", "a\0b", "\27[31mred", ("x"):rep(60), ".." } do
      local script = sandbox:experiment("", ([[samples = 1,
  machine = function() return { arch = "i386", memory = "32M", kernel = %q, append = "work=1" } end,
  matrix = { where = { %q } },]]):format(dir .. "/demo.elf", value))
      local code, out, err = program.run("run", script, "--output", run_dir)
      assert.equal(0, code, err)
      assert.is_nil((out .. err):find "[\27%z]")
      assert.is_nil(uv.fs_stat "/etc/escaped")
      for _, name in ipairs(names(dir)) do assert.is_true(expected[name], name) end
      for name, kind in files.entries(run_dir) do assert.equal("file", kind, name) end
      files.remove(run_dir)
    end
  end)

  it("cannot be a part of a file name that leads elsewhere", function()
    for _, name in ipairs { "../up", "a/b", "/etc", "..", "\27[2J" } do
      local script = sandbox:experiment("work=1", "samples = 1,")
      files.write(script, (files.read(script):gsub('name = "spec"', ("name = %q"):format(name))))
      local code, _, err = program.run("run", script, "--output", run_dir)
      assert.equal(2, code)
      assert.is_nil(err:find "\27")
      assert.is_nil(uv.fs_stat(run_dir))
    end
  end)

  it("may have commas, colons, blanks and quotes in its paths", function()
    local odd = dir .. "/a,b=c:d 'e\" f"
    assert(uv.fs_mkdir(odd, 448))
    local image = odd .. "/disk,format=qcow2.raw"
    files.write(image, ("\0"):rep(1024 * 1024))
    local script = sandbox:experiment("work=1", ("samples = 1, matrix = { disk = { %q } },"):format(image))
    local code, _, err = program.run("run", script, "--output", odd .. "/run,file=x")
    assert.equal(0, code, err)
    assert.equal("ok", rundir.samples(odd .. "/run,file=x")[1].status)
  end)
end)

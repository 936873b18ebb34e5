local disk = require "moonboot.disk"
local engine = require "moonboot.engine"
local files = require "moonboot.files"
local images = require "moonboot.images"
local task = require "moonboot.task"
local uv = require "luv"

describe("images", function()
  local dir, former

  before_each(function()
    dir = assert(files.make_temp_dir "/tmp/moonboot-spec-")
    former = os.getenv "MOONBOOT_CACHE"
    uv.os_setenv("MOONBOOT_CACHE", dir .. "/cache")
  end)

  after_each(function()
    images.release()
    if former then uv.os_setenv("MOONBOOT_CACHE", former) else uv.os_unsetenv "MOONBOOT_CACHE" end
    files.remove(dir)
  end)

  local function build(path) return disk.create(path, "1M") end
  local function never() error "built again" end
  local function recipe(changes)
    local machine = { arch = "i386", memory = "64M" }
    local made = { guest = "demo", medium_sha256 = "ab12", disk_size = "1M", machine = machine }
    for key, value in pairs(changes or {}) do made[key] = value end
    return made
  end

  local function names()
    local list = {}
    for name in files.entries(images.dir()) do
      if name ~= ".locks" then table.insert(list, name) end
    end
    return list
  end

  -- Another moonboot that installs the same image: says "building" in a file, then takes `seconds` for it.
  local function other_process(seconds)
    local script = dir .. "/other.lua"
    assert(files.write(script, ([[
      package.path, package.cpath = %q, %q
      local disk, files, images = require "moonboot.disk", require "moonboot.files", require "moonboot.images"
      local task = require "moonboot.task"
      local path = assert(images.obtain(
        { guest = "demo", medium_sha256 = "ab12", disk_size = "1M", machine = { arch = "i386", memory = "64M" } },
        function(path)
          assert(disk.create(path, "1M"))
          assert(files.write(%q, path))
          task.sleep(%f)
          return true
        end))
      print(path)
    ]]):format(package.path, package.cpath, dir .. "/building", seconds)))
    return assert(engine.process.spawn { argv = { uv.exepath(), script } })
  end

  local function wait_for(condition)
    for _ = 1, 1000 do
      if condition() then return true end
      task.sleep(0.01)
    end
    error("never happened", 2)
  end

  local function builds() return uv.fs_stat(dir .. "/building") ~= nil end

  local function ending(process)
    local ended = process:poll()
    while not ended do
      assert(task.readable(process:fd(), 20))
      ended = process:poll()
    end
    return ended
  end

  it("builds once, then finds", function()
    local path, info = assert(images.obtain(recipe(), build))
    assert.equal(images.dir() .. "/" .. info.key .. "/image.qcow2", path)
    assert.matches("^demo%-%x+$", info.key)
    assert.equal(1 << 20, info.virtual_bytes)
    assert.same(recipe(), info.recipe)
    assert.equal(64, #info.sha256)
    local again, same = assert(images.obtain(recipe(), never))
    assert.equal(path, again)
    assert.equal(info.sha256, same.sha256)
    assert.equal(info.created_at, same.created_at)
  end)

  it("makes another image for another recipe, whatever the order of its keys", function()
    local key = assert(images.key(recipe()))
    assert.equal(key, (images.key(recipe())))
    for _, changes in ipairs { { medium_sha256 = "ab13" }, { disk_size = "2M" }, { machine = { arch = "i386" } },
      { guest = "other" } } do
      assert.not_equal(key, (images.key(recipe(changes))))
    end
    assert.matches("^___etc_passwd%-%x+$", (images.key(recipe { guest = "../etc/passwd" })))
  end)

  it("protects the image from writes", function()
    local path = assert(images.obtain(recipe(), build))
    assert.equal(tonumber("100444", 8), uv.fs_stat(path).mode)
    assert.is_true(disk.overlay(path, dir .. "/overlay.qcow2"))
    assert.equal(path, disk.info(dir .. "/overlay.qcow2").backing)
  end)

  it("keeps nothing of a build that fails", function()
    local path, message = images.obtain(recipe(), function(at)
      assert(build(at))
      return nil, "the installer asked something new"
    end)
    assert.is_nil(path)
    assert.equal("the installer asked something new", message)
    assert.same({}, names())
    local ok, raised = pcall(images.obtain, recipe(), function() error("a bug in the installer", 0) end)
    assert.is_false(ok)
    assert.equal("a bug in the installer", raised)
    assert.same({}, names())
    assert.is_string((images.obtain(recipe(), build)))
  end)

  it("refuses images that are not sound", function()
    local function refusal(make)
      local path, message = images.obtain(recipe(), make)
      assert.is_nil(path)
      assert.same({}, names())
      return message
    end
    assert.equal("the installer made no disk image", refusal(function() return true end))
    assert.matches("^the installed image is not sound: ", refusal(function(path)
      return files.write(path, "no image")
    end))
    assert.matches("^the installed image depends on .*base.qcow2", refusal(function(path)
      assert(disk.create(dir .. "/base.qcow2", "1M"))
      return disk.overlay(dir .. "/base.qcow2", path)
    end))
  end)

  it("checks the space before it builds", function()
    local path, message = images.obtain(recipe { disk_size = "900T" }, never)
    assert.is_nil(path)
    assert.matches("^a full disk of demo%-%x+ needs 990 TB, ", message)
  end)

  it("cleans up when the build's task is cancelled", function()
    local started = task.event()
    local t = task.spawn(function()
      pcall(images.obtain, recipe(), function(path)
        assert(build(path))
        started:set()
        task.sleep(100)
      end)
    end)
    assert(started:wait(10))
    assert.equal(1, #names())
    t:cancel()
    assert.same({}, names())
    assert.is_string((images.obtain(recipe(), build)))
  end)

  it("installs again what was damaged, and says so", function()
    local path = assert(images.obtain(recipe(), build))
    images.release()
    assert(uv.fs_chmod(path, tonumber("644", 8)))
    assert(files.write(path, "overwritten"))
    assert.equal("damaged", images.list()[1].state)
    local said = {}
    local count = 0
    local again = assert(images.obtain(recipe(), function(at)
      count = count + 1
      return build(at)
    end, { report = function(message) table.insert(said, message) end }))
    assert.equal(1, count)
    assert.equal(path, again)
    assert.matches("image.qcow2 is not as it was made; installing it again$", said[1])
    assert.is_true(disk.check(path))
    assert.equal(1, #names())
  end)

  it("waits for another process that installs the same image", function()
    local process <close> = other_process(0.5)
    wait_for(builds)
    local said = {}
    local path = assert(images.obtain(recipe(), never, { report = function(message) table.insert(said, message) end }))
    assert.equal(1, #said)
    assert.matches(("^waiting for process %d, which is at work on the same image %%(demo%%-"):format(process:pid()),
      said[1])
    assert.equal(0, ending(process).code)
    assert.equal(path .. "\n", process:stdout())
    assert.equal(1, #names())
  end)

  it("takes over from a process that was killed in mid-install", function()
    local process <close> = other_process(100)
    wait_for(builds)
    process:signal "SIGKILL"
    ending(process)
    assert.equal(1, #names())
    assert.equal("unfinished", images.list()[1].state)
    local path = assert(images.obtain(recipe(), build))
    assert.same({ path:match("([^/]+)/image.qcow2$") }, names())
  end)

  it("takes over while it waits", function()
    local process <close> = other_process(100)
    wait_for(builds)
    local path
    local waiting = task.spawn(function()
      path = images.obtain(recipe(), build, { report = function() process:signal "SIGKILL" end })
    end)
    waiting:join()
    assert.is_string(path)
    assert.equal(1, #names())
  end)

  it("builds once for two tasks of one process", function()
    local count = 0
    local function slow(path)
      count = count + 1
      task.sleep(0.05)
      return build(path)
    end
    local function obtain() return (images.obtain(recipe(), slow)) end
    local paths = task.all { obtain, obtain, obtain }
    assert.equal(1, count)
    assert.equal(paths[1], paths[2])
    assert.equal(paths[1], paths[3])
  end)

  it("lists what there is", function()
    assert.same({}, images.list())
    local path, info = assert(images.obtain(recipe(), build))
    local list = images.list()
    assert.equal(1, #list)
    assert.equal("good", list[1].state)
    assert.equal(info.key, list[1].key)
    assert.equal(path, list[1].path)
    assert.is_true(list[1].disk_bytes > 0)
    assert.is_true(list[1].age_s >= 0 and list[1].age_s < 100)
  end)

  describe("prune", function()
    it("keeps what is young, and what is in use", function()
      local path = assert(images.obtain(recipe(), build))
      assert.same({}, images.prune().removed)
      local outcome = images.prune { all = true }
      assert.same({}, outcome.removed)
      assert.equal(1, #outcome.in_use)
      assert.is_table(uv.fs_stat(path))
    end)

    it("removes what is old, or everything", function()
      local path, info = assert(images.obtain(recipe(), build))
      images.release()
      local record = images.dir() .. "/" .. info.key .. "/image.json"
      assert(uv.fs_utime(record, os.time() - 40 * 86400, os.time() - 40 * 86400))
      local outcome = images.prune()
      assert.equal(info.key, outcome.removed[1].key)
      assert.is_true(outcome.freed_bytes > 0)
      assert.is_nil(uv.fs_stat(path))
      assert(images.obtain(recipe(), build))
      images.release()
      assert.equal(1, #images.prune({ all = true }).removed)
      assert.same({}, names())
      assert.same({}, images.prune({ all = true }).removed)
    end)

    it("keeps an image that it may not remove, and says which", function()
      local path, info = assert(images.obtain(recipe(), build))
      images.release()
      local folder = images.dir() .. "/" .. info.key
      if not os.execute("chattr +i " .. folder .. " 2>/dev/null") then
        pending "needs the right to make a folder immutable"
        return
      end
      finally(function() os.execute("chattr -i " .. folder) end)
      local outcome = images.prune { all = true }
      assert.same({ 0, 0 }, { #outcome.removed, outcome.freed_bytes })
      assert.same({ ("cannot remove %s: EPERM: operation not permitted"):format(folder) }, outcome.failed)
      assert.is_table(uv.fs_stat(path))
      assert.same({ info.key }, names())
    end)

    it("leaves a build under way alone, and removes one that was cut off", function()
      local process <close> = other_process(100)
      wait_for(builds)
      local outcome = images.prune { all = true }
      assert.same({}, outcome.removed)
      assert.equal(1, #outcome.in_use)
      assert.equal(1, #names())
      process:signal "SIGKILL"
      ending(process)
      assert.equal(1, #images.prune().removed)
      assert.same({}, names())
    end)
  end)
end)

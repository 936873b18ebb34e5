local files = require "moonboot.files"
local uv = require "luv"

describe("files", function()
  local dir
  before_each(function() dir = assert(files.make_temp_dir "/tmp/moonboot-spec-") end)
  after_each(function() files.remove(dir) end)

  it("makes paths absolute", function()
    assert.equal("/a/b", files.absolute "/a/b")
    assert.equal(uv.cwd() .. "/a:b", files.absolute "a:b")
  end)

  it("finds the cache directory", function()
    local own, xdg = os.getenv "MOONBOOT_CACHE", os.getenv "XDG_CACHE_HOME"
    finally(function()
      if own then uv.os_setenv("MOONBOOT_CACHE", own) else uv.os_unsetenv "MOONBOOT_CACHE" end
      if xdg then uv.os_setenv("XDG_CACHE_HOME", xdg) else uv.os_unsetenv "XDG_CACHE_HOME" end
    end)
    uv.os_setenv("MOONBOOT_CACHE", "/c")
    uv.os_setenv("XDG_CACHE_HOME", "/x")
    assert.equal("/c", files.cache_dir())
    uv.os_setenv("MOONBOOT_CACHE", "")
    assert.equal("/x/moonboot", files.cache_dir())
    uv.os_setenv("XDG_CACHE_HOME", "relative")
    assert.equal(uv.os_homedir() .. "/.cache/moonboot", files.cache_dir())
  end)

  it("makes private directories, those above included", function()
    assert.is_true(files.make_dir(dir .. "/a/b/c"))
    assert.is_true(files.make_dir(dir .. "/a/b/c"))
    assert.equal(tonumber("40700", 8), uv.fs_stat(dir .. "/a/b").mode)
    assert(files.write(dir .. "/file", ""))
    local made, message = files.make_dir(dir .. "/file/below")
    assert.is_nil(made)
    assert.equal(dir .. "/file is a file, not a directory", message)
  end)

  it("writes whole files and leaves nothing beside them", function()
    assert.is_true(files.write(dir .. "/f", "one"))
    assert.is_true(files.write(dir .. "/f", "two\n\0three"))
    assert.equal("two\n\0three", files.read(dir .. "/f"))
    local names = {}
    for name in files.entries(dir) do table.insert(names, name) end
    assert.same({ "f" }, names)
  end)

  it("writes into what is no file of the disk, and does not replace it", function()
    local pipe = dir .. "/pipe"
    assert(os.execute("mkfifo '" .. pipe .. "'"))
    local reader = assert(io.popen(("cat '%s'"):format(pipe)))
    assert(files.write(pipe, "through"))
    assert.equal("through", reader:read "a")
    reader:close()
    assert.equal("fifo", uv.fs_lstat(pipe).type)
    assert(files.write("/dev/null", "gone"))
    assert.equal("char", uv.fs_lstat("/dev/null").type)
  end)

  it("keeps to the umask what is to be handed on, and everything else private", function()
    assert(files.write(dir .. "/mine", "x"))
    assert.equal(tonumber("600", 8), uv.fs_stat(dir .. "/mine").mode & tonumber("777", 8))
    assert(files.write(dir .. "/ours", "x", { public = true }))
    local umask = tonumber(io.popen("umask"):read("l"), 8)
    assert.equal(tonumber("666", 8) & ~umask, uv.fs_stat(dir .. "/ours").mode & tonumber("777", 8))
  end)

  it("keeps the old content when it cannot write", function()
    assert(files.make_dir(dir .. "/taken/x"))
    local done, message = files.write(dir .. "/taken", "text")
    assert.is_nil(done)
    assert.matches("EISDIR", message)
    local names = {}
    for name in files.entries(dir) do table.insert(names, name) end
    assert.same({ "taken" }, names)
    assert.is_nil((files.write(dir .. "/no/such/place", "text")))
  end)

  it("keeps nothing of the directories it has read", function()
    local function references()
      local count = 0
      for key in pairs(debug.getregistry()) do
        if math.type(key) == "integer" then count = count + 1 end
      end
      return count
    end
    local before = references()
    for _ = 1, 20 do
      for _ in files.entries(dir) do end
      for _ in files.entries(dir .. "/nowhere") do end
    end
    assert.is_true(references() < before + 10)
  end)

  it("removes trees and never follows links", function()
    assert(files.make_dir(dir .. "/keep"))
    assert(files.write(dir .. "/keep/precious", "!"))
    assert(files.make_dir(dir .. "/tree/sub"))
    assert(uv.fs_symlink(dir .. "/keep", dir .. "/tree/sub/link"))
    assert.is_true(files.remove(dir .. "/tree"))
    assert.is_nil(uv.fs_stat(dir .. "/tree"))
    assert.equal("!", files.read(dir .. "/keep/precious"))
    assert.is_true(files.remove(dir .. "/tree"))
  end)

  it("removes a temporary directory when its variable goes, also by an error", function()
    local path
    pcall(function()
      local temporary <close> = assert(files.temp_dir "moonboot-spec-")
      path = temporary.path
      assert(files.write(path .. "/f", "x"))
      error "cut off"
    end)
    assert.is_nil(uv.fs_stat(path))
  end)
end)

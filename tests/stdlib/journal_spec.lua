local journal = require "moonboot.journal"
local files = require "moonboot.files"
local lockfile = require "moonboot.lockfile"
local uv = require "luv"

describe("journal", function()
  local dir, path

  before_each(function()
    dir = assert(files.make_temp_dir("/tmp/moonboot-journal-"))
    path = dir .. "/journal.jsonl"
  end)

  after_each(function() files.remove(dir) end)

  local function put(bytes)
    local f = assert(io.open(path, "wb"))
    f:write(bytes)
    f:close()
  end

  local function names_in(folder)
    local names = {}
    for name in files.entries(folder) do names[#names + 1] = name end
    return names
  end

  it("gives back what was appended", function()
    local j = assert(journal.create(path))
    assert.is_true(j:append { type = "run", seed = 1 << 60, name = "a\nb" })
    assert.is_true(j:append { type = "sample", key = "cpu_1", markers = {} })
    j:close()
    local records, torn = journal.read(path)
    assert.is_nil(torn)
    assert.equal(2, #records)
    assert.equal(1 << 60, records[1].seed)
    assert.equal("a\nb", records[1].name)
    assert.equal("cpu_1", records[2].key)
  end)

  it("has each record on disk as one line when append returns", function()
    local j = assert(journal.create(path))
    j:append { type = "run" }
    assert.equal('{"type":"run"}\n', files.read(path))
    j:append { type = "sample", key = "k" }
    assert.equal('{"type":"run"}\n{"type":"sample","key":"k"}\n', files.read(path))
    j:close()
  end)

  it("is readable by its owner only", function()
    journal.create(path):close()
    assert.equal(tonumber("600", 8), uv.fs_stat(path).mode & tonumber("777", 8))
  end)

  it("does not overwrite a journal", function()
    put "x\n"
    local j, message, code = journal.create(path)
    assert.is_nil(j)
    assert.matches("journal", message)
    assert.equal("EEXIST", code)
    assert.equal("x\n", files.read(path))
  end)

  it("says which directory is missing", function()
    local j, message = journal.create(dir .. "/none/journal.jsonl")
    assert.is_nil(j)
    assert.matches("none/journal.jsonl", message, 1, true)
  end)

  it("raises on a closed journal, and closes twice", function()
    local j = assert(journal.create(path))
    j:close()
    j:close()
    assert.error_matches(function() j:append { type = "run" } end, "closed")
  end)

  it("passes over a torn last line and gives it back", function()
    put '{"type":"run"}\n{"type":"sample","ke'
    local records, torn = journal.read(path)
    assert.equal(1, #records)
    assert.equal('{"type":"sample","ke', torn)
  end)

  it("takes even a whole object without its newline as torn: it was never reported done", function()
    put '{"type":"run"}\n{"type":"sample"}'
    local records, torn = journal.read(path)
    assert.equal(1, #records)
    assert.equal('{"type":"sample"}', torn)
  end)

  it("names the line that is damaged", function()
    for _, bad in ipairs { "garbage", "\0\0\0", "[1,2", "42", '"text"', "" } do
      put('{"type":"run"}\n' .. bad .. '\n{"type":"sample"}\n')
      local records, message = journal.read(path)
      assert.is_nil(records)
      assert.matches("journal.jsonl:2: ", message, 1, true)
      assert.is_nil(message:find("\n"))
    end
  end)

  it("cuts a torn line off before it goes on", function()
    put '{"type":"run"}\n{"type":"sam'
    local j, torn = journal.open(path)
    assert.equal('{"type":"sam', torn)
    assert.is_true(j:append { type = "conclusion" })
    j:close()
    assert.equal('{"type":"run"}\n{"type":"conclusion"}\n', files.read(path))
  end)

  it("goes on with none whose torn line it may not cut off", function()
    put '{"type":"run"}\n{"type":"sam'
    if not os.execute("chattr +a " .. path .. " 2>/dev/null") then
      pending "needs the right to make a file append-only"
      return
    end
    finally(function() os.execute("chattr -a " .. path) end)
    local j, message, code = journal.open(path)
    assert.same({ nil, "EPERM" }, { j, code })
    assert.equal(path .. ": cannot repair the journal: EPERM: operation not permitted", message)
    assert.equal('{"type":"run"}\n{"type":"sam', files.read(path))
  end)

  it("opens no journal that is not there", function()
    local j, message = journal.open(path)
    assert.is_nil(j)
    assert.matches("journal", message)
  end)

  -- A file system of 4 KiB, or nil and the test is skipped.
  local function small_disk()
    local small = dir .. "/small"
    assert(files.make_dir(small))
    if not os.execute("mount -t tmpfs -o size=4k none " .. small .. " 2>/dev/null") then
      pending "needs the right to mount a tmpfs"
      return nil
    end
    finally(function() os.execute("umount " .. small) end)
    return small
  end

  it("leaves nothing of a record that did not fit", function()
    local small = small_disk()
    if not small then return end
    path = small .. "/journal.jsonl"
    local j = assert(journal.create(path))
    assert.is_true(j:append { type = "run" })
    local ok, message, code = j:append { type = "sample", line = ("x"):rep(100000) }
    assert.is_nil(ok)
    assert.equal("ENOSPC", code)
    assert.matches("no space left", message)
    assert.equal('{"type":"run"}\n', files.read(path))
    assert.is_true(j:append { type = "conclusion" })
    j:close()
    assert.equal('{"type":"run"}\n{"type":"conclusion"}\n', files.read(path))
  end)

  it("reads record by record, and leaves the numbers of samples alone when told to be quick", function()
    put '{"type":"run","seed":3}\n{"type":"sample","t0_realtime_ns":1700000000123456789,"index":2}\n'
    local reader = assert(journal.reader(path, { quick = true }))
    local run, sample = reader:next(), reader:next()
    assert.equal("integer", math.type(run.seed))
    assert.equal(2, sample.index)
    assert.equal(1700000000123456789, sample.t0_realtime_ns)
    assert.is_nil(reader:next())
    assert.is_nil(reader:next())
  end)

  describe("lock", function()
    it("keeps a second writer out and names the first", function()
      local lock = assert(journal.lock(dir))
      local second, message, code = journal.lock(dir)
      assert.is_nil(second)
      assert.equal("EEXIST", code)
      assert.matches("process " .. math.tointeger(uv.os_getpid()), message, 1, true)
      lock:release()
      lock:release()
      local third <close> = assert(journal.lock(dir))
      assert.truthy(third)
    end)

    it("is not blocked by a process that is gone", function()
      -- A process id that was valid and whose process has ended.
      local p = io.popen("echo $$")
      local pid = p:read("n")
      p:close()
      local mine = assert(lockfile.acquire(dir))
      local text = files.read(dir .. "/lock")
      mine:release()
      local f = assert(io.open(dir .. "/lock", "w"))
      f:write((text:gsub('"pid":%d+', ('"pid":%d'):format(pid))))
      f:close()
      assert(lockfile.acquire(dir)):release()
    end)

    it("is not blocked by another process that has the same id now", function()
      local mine = assert(lockfile.acquire(dir))
      local text = files.read(dir .. "/lock")
      mine:release()
      local f = assert(io.open(dir .. "/lock", "w"))
      f:write((text:gsub('"started":"%d+"', '"started":"1"')))
      f:close()
      assert(lockfile.acquire(dir)):release()
    end)

    it("is not blocked by a torn lock file, nor by one from before a reboot", function()
      for _, text in ipairs { "", "{", '{"pid":1,"boot":"x","host":"' .. uv.os_gethostname() .. '"}' } do
        local f = assert(io.open(dir .. "/lock", "w"))
        f:write(text)
        f:close()
        assert(lockfile.acquire(dir)):release()
      end
    end)

    it("respects a holder on another host: nobody can tell whether it lives", function()
      local f = assert(io.open(dir .. "/lock", "w"))
      f:write '{"pid":1,"boot":"x","host":"elsewhere","started":"1"}'
      f:close()
      local lock, message = lockfile.acquire(dir)
      assert.is_nil(lock)
      assert.matches("elsewhere", message)
    end)

    it("leaves nothing behind", function()
      assert(lockfile.acquire(dir)):release()
      local lock <close> = assert(lockfile.acquire(dir))
      assert.same({ "lock" }, names_in(dir))
      assert.truthy(lock)
    end)

    it("is not taken, and leaves nothing, when the disk is full", function()
      local small = small_disk()
      if not small then return end
      local full = assert(io.open(small .. "/filler", "wb"))
      full:write(("x"):rep(10000))
      full:close()
      local lock, message, code = lockfile.acquire(small)
      assert.same({ nil, "ENOSPC" }, { lock, code })
      assert.equal(small .. ": cannot lock the run directory: ENOSPC: no space left on device", message)
      assert.same({ "filler" }, names_in(small))
    end)

    it("says when the directory cannot be written", function()
      local lock, message, code = lockfile.acquire(dir .. "/none")
      assert.is_nil(lock)
      assert.equal("ENOENT", code)
      assert.matches("none", message)
    end)
  end)
end)

-- The bindings: what they hand on, what they refuse, what they close. What lies beneath is tested in tests/engine.
local engine = require "moonboot.engine"
local uv = require "luv"

local PATIENCE_MS = 60000

-- Waits until a descriptor is readable, as moonboot.task would.
local function await_readable(fd)
  local poll, timer = uv.new_poll(fd), uv.new_timer()
  local readable
  poll:start("r", function() readable = true; uv.stop() end)
  timer:start(PATIENCE_MS, 0, function() uv.stop() end)
  uv.run()
  poll:close()
  timer:close()
  uv.run("nowait")
  assert.is_true(readable)
end

local function await_end(process)
  local result = process:poll()
  while not result do
    await_readable(process:fd())
    result = process:poll()
  end
  return result
end

local function read_file(path)
  local file = assert(io.open(path, "rb"))
  local content = file:read("a")
  file:close()
  return content
end

local function fds()
  local n = 0
  local directory = assert(uv.fs_scandir("/proc/self/fd"))
  while uv.fs_scandir_next(directory) do n = n + 1 end
  return n
end

-- Each: a handle type, a way to open one, its methods.
local HANDLES = {
  { "console", function() return assert(engine.console.open()) end,
    { "guest_fd", "handover", "start", "fd", "drain_event", "read", "write", "finish", "stats" } },
  { "process", function() return assert(engine.process.spawn { argv = { "sleep", "1000" } }) end,
    { "pid", "fd", "poll", "stdout", "stderr", "signal" } },
}

for _, entry in ipairs(HANDLES) do
  local name, open, methods = table.unpack(entry)
  describe("a " .. name .. " handle", function()
    it("says what it is, and when it is closed", function()
      local handle <close> = open()
      assert.matches("^" .. name .. ": 0x%x+$", tostring(handle))
      handle:close()
      assert.equal(name .. " (closed)", tostring(handle))
    end)

    it("closes twice without harm", function()
      local handle = open()
      handle:close()
      assert.has_no.errors(function() handle:close() end)
    end)

    it("raises at the caller's line when used after close", function()
      local handle = open()
      handle:close()
      for _, method in ipairs(methods) do
        local ok, message = pcall(function() return (handle[method](handle)) end)
        assert.is_false(ok)
        assert.matches("engine_spec.lua:%d+: attempt to use a closed " .. name, message)
      end
    end)

    it("refuses another type of handle", function()
      local handle <close> = open()
      for _, method in ipairs(methods) do
        assert.error_matches(function() handle[method](io.stdout) end, "moonboot." .. name .. " expected")
        assert.error_matches(function() handle[method]() end, "moonboot." .. name .. " expected")
      end
    end)

    it("is closed by going out of scope, and by the collector", function()
      collectgarbage()
      local before = fds()
      do
        local handle <close> = open()
        assert.is_true(handle:fd() >= 0)
      end
      assert.equal(before, fds())
      open()
      collectgarbage()
      collectgarbage()
      assert.equal(before, fds())
    end)
  end)
end

describe("engine.clock", function()
  it("counts nanoseconds, forward", function()
    local first = engine.clock.now()
    local second = engine.clock.now()
    assert.equal("integer", math.type(first))
    assert.is_true(second >= first)
  end)

  it("gives the offset that joins its two clocks", function()
    local offset_ns, width_ns = engine.clock.offset()
    assert.is_true(width_ns >= 0)
    local before_ns = engine.clock.now()
    local real_ns = engine.clock.realtime()
    local after_ns = engine.clock.now()
    local slack_ns = 1000000 -- for a clock that is being slewed
    assert.is_true(real_ns - offset_ns >= before_ns - slack_ns and real_ns - offset_ns <= after_ns + slack_ns)
  end)
end)

describe("engine.process", function()
  it("runs a program and keeps both its outputs", function()
    local process <close> = assert(engine.process.spawn { argv = { "sh", "-c", "echo out; echo err >&2; exit 3" } })
    local result = await_end(process)
    assert.equal(3, result.code)
    assert.is_nil(result.signal)
    for _, key in ipairs { "user_ns", "system_ns", "max_rss_bytes", "ended_ns" } do
      assert.equal("integer", math.type(result[key]))
    end
    assert.equal("out\n", process:stdout())
    assert.equal("err\n", process:stderr())
    assert.same(result, process:poll())
  end)

  it("names the signal that ended it", function()
    local process <close> = assert(engine.process.spawn { argv = { "sleep", "1000" } })
    assert.is_nil(process:poll())
    assert.is_true(process:signal("SIGTERM"))
    local result = await_end(process)
    assert.equal("SIGTERM", result.signal)
    assert.is_nil(result.code)
    local ok, message, code = process:signal("KILL")
    assert.is_nil(ok)
    assert.equal(("process %d has ended"):format(process:pid()), message)
    assert.equal("ESRCH", code)
  end)

  it("numbers a signal that has no name", function()
    local process <close> = assert(engine.process.spawn { argv = { "sh", "-c", "kill -40 $$" } })
    assert.equal("signal 40", await_end(process).signal)
  end)

  it("tells why a program cannot be started", function()
    local process, message, code = engine.process.spawn { argv = { "qemu-system-none" } }
    assert.is_nil(process)
    assert.equal("qemu-system-none: not found in PATH", message)
    assert.equal("ENOENT", code)
  end)

  it("takes a place, a niceness and CPUs", function()
    local process <close> = assert(engine.process.spawn {
      argv = { "sh", "-c", "pwd; nice; grep Cpus_allowed_list /proc/self/status" }, cwd = "/", nice = 2, cpus = { 0 },
    })
    await_end(process)
    assert.equal("/\n2\nCpus_allowed_list:\t0\n", process:stdout())
  end)

  it("passes descriptors on as 3, 4, …", function()
    local console <close> = assert(engine.console.open())
    local process <close> = assert(engine.process.spawn {
      argv = { "sh", "-c", "readlink /proc/$$/fd/3; readlink /proc/$$/fd/4" },
      fds = { console:guest_fd(), console:fd() },
    })
    await_end(process)
    assert.matches("^socket:%[%d+%]\nanon_inode:%[eventfd%]\n$", process:stdout())
  end)

  it("moves a thread to other CPUs", function()
    local process <close> = assert(engine.process.spawn { argv = { "sleep", "1000" } })
    assert.is_true(engine.process.set_affinity(process:pid(), { 0 }))
    local ok, message, code = engine.process.set_affinity(process:pid(), { 100000 })
    assert.is_nil(ok)
    assert.matches("cannot be bound", message)
    assert.equal("EINVAL", code)
  end)

  local MISUSE = {
    { "no options", nil, "table expected" },
    { "an unknown option", { argv = { "true" }, env = {} }, "unknown option 'env'" },
    { "a list for options", { "true" }, "unknown option '1'" },
    { "no argv", {}, "option 'argv' must be a list" },
    { "an empty argv", { argv = {} }, "option 'argv' must be a list" },
    { "a number in argv",
      { argv = { "true", 1 } }, "option 'argv' must hold strings without zeros, not number %(argument 1%)" },
    { "a zero in argv", { argv = { "a\0b" } }, "strings without zeros" },
    { "fds that are no list", { argv = { "true" }, fds = 3 }, "option 'fds' must be a list of integers" },
    { "fds that are no integers",
      { argv = { "true" }, fds = { "x" } }, "option 'fds' must be a list of integers, not of x" },
    { "a negative CPU", { argv = { "true" }, cpus = { -1 } }, "option 'cpus' must be a list of integers" },
    { "a cwd that is no string", { argv = { "true" }, cwd = 1 }, "option 'cwd' must be a string, not a number" },
    { "a nice that is no integer", { argv = { "true" }, nice = 1.5 }, "option 'nice' must be an integer, not 1.5" },
    { "a nice out of range", { argv = { "true" }, nice = 100 }, "option 'nice' is out of range: 100" },
    { "a gid without uid", { argv = { "true" }, gid = 5 }, "option 'gid' needs 'uid'" },
  }
  for _, case in ipairs(MISUSE) do
    it("raises on " .. case[1], function()
      local ok, message = pcall(function() engine.process.spawn(case[2]) end)
      assert.is_false(ok)
      assert.matches(case[3], message)
      assert.matches("engine_spec.lua:%d+:", message)
    end)
  end

  it("raises on an unknown signal", function()
    local process <close> = assert(engine.process.spawn { argv = { "sleep", "1000" } })
    assert.error_matches(function() process:signal("SIGNOPE") end, "unknown signal 'SIGNOPE'")
  end)
end)

describe("engine.console", function()
  local directory

  before_each(function() directory = assert(uv.fs_mkdtemp("/tmp/moonboot-spec-XXXXXX")) end)
  after_each(function()
    os.remove(directory .. "/x.log")
    os.remove(directory .. "/x.timing")
    os.remove(directory)
  end)

  -- A console whose far end a shell script speaks and listens on, as its descriptor 3.
  local function converse(script, options)
    local console = assert(engine.console.open(options))
    local process = assert(engine.process.spawn { argv = { "sh", "-c", script }, fds = { console:guest_fd() } })
    console:handover()
    return console, process
  end

  for _, transport in ipairs { "kernel", "read" } do
    it("stamps what the guest says (transport " .. transport .. ")", function()
      local log, timing = directory .. "/x.log", directory .. "/x.timing"
      local before_ns = engine.clock.now()
      local console, process = converse("printf MINIX >&3; printf '3\\n' >&3",
        { log = log, timing = timing, transport = transport })
      assert.is_nil(console:stats().first_ns)
      assert.is_true(console:start(before_ns))
      await_end(process)
      assert.is_true(console:finish(60000000000))
      local stats = console:stats()
      assert.equal(7, stats.bytes)
      assert.equal(0, stats.overruns)
      assert.equal(transport, stats.clock_source)
      assert.is_true(stats.ended)
      assert.is_nil(stats.error)
      assert.is_true(before_ns <= stats.first_ns and stats.first_ns <= stats.last_ns)
      assert.is_true(stats.last_ns <= engine.clock.now())
      assert.is_true(stats.offset_min_ns <= stats.offset_max_ns)
      assert.is_true(stats.sndbuf_bytes > 0)
      local text, stamps = "", {}
      for data, t_ns in function() return console:read() end do
        text = text .. data
        table.insert(stamps, t_ns)
      end
      assert.equal("MINIX3\n", text)
      assert.equal(stats.first_ns, stamps[1])
      assert.equal(stats.last_ns, stamps[#stamps])
      assert.equal("MINIX3\n", read_file(log))
      assert.matches("^%d+%.%d%d%d%d%d%d %d\n", read_file(timing))
      console:close()
      process:close()
    end)
  end

  it("wakes a loop when bytes have come", function()
    local console, process = converse("printf x >&3; read line")
    console:start(engine.clock.now())
    await_readable(console:fd())
    assert.is_true(console:drain_event())
    assert.equal("x", (console:read()))
    assert.is_nil(console:read())
    process:close()
    console:close()
  end)

  it("sends to the guest, until the guest has gone", function()
    local console, process = converse("dd bs=1 count=4 <&3 2>&-")
    assert.equal(4, console:write("root"))
    await_end(process)
    assert.equal("root", process:stdout())
    local n, message, code = console:write("x")
    assert.is_nil(n)
    assert.equal("console: the guest's end is closed: Broken pipe", message)
    assert.equal("EPIPE", code)
    process:close()
    console:close()
  end)

  it("tells of a full disk when it is finished", function()
    local console, process = converse("printf x >&3", { log = "/dev/full" })
    console:start(engine.clock.now())
    local ok, message, code = console:finish(60000000000)
    assert.is_nil(ok)
    assert.equal("/dev/full: cannot be written: No space left on device", message)
    assert.equal("ENOSPC", code)
    assert.equal(message, console:stats().error)
    process:close()
    console:close()
  end)

  it("tells why a file cannot be made", function()
    local console, message, code = engine.console.open { log = "/no/such/place/x.log" }
    assert.is_nil(console)
    assert.equal("/no/such/place/x.log: cannot be created: No such file or directory", message)
    assert.equal("ENOENT", code)
  end)

  it("starts once", function()
    local console <close> = assert(engine.console.open())
    assert.is_true(console:start(0))
    local ok, _, code = console:start(0)
    assert.is_nil(ok)
    assert.equal("EALREADY", code)
  end)

  local MISUSE = {
    { "an unknown option", function() engine.console.open { path = "x" } end, "unknown option 'path'" },
    { "a log that is no string", function() engine.console.open { log = true } end, "option 'log' must be a string" },
    { "an unknown transport", function() engine.console.open { transport = "pty" } end,
      "option 'transport' must be 'kernel', 'read' or 'virtual', not 'pty'" },
    { "a negative ring", function() engine.console.open { ring_bytes = -1 } end, "must not be negative" },
    { "no t0", function() engine.console.open():start() end, "number expected" },
    { "nothing to write", function() engine.console.open():write() end, "string expected" },
  }
  for _, case in ipairs(MISUSE) do
    it("raises on " .. case[1], function()
      local ok, message = pcall(case[2])
      assert.is_false(ok)
      assert.matches(case[3], message)
      assert.matches("engine_spec.lua:%d+:", message)
    end)
  end
end)

describe("engine.json", function()
  local json = engine.json

  it("refuses what it cannot work with", function()
    assert.error_matches(function() json.encoder {} end, "keys must be a function")
    assert.error_matches(function() json.encoder { keys = print } end, "array must be a metatable")
    assert.error_matches(function() json.encoder { keys = print, array = {}, decimals = 18 } end, "0 to 17")
    assert.error_matches(function() json.encoder { keys = print, array = {}, digits = 3 } end, "unknown option")
    assert.error_matches(function() json.join { "a", 1 } end, "must hold strings only")
    local encode = json.encoder { keys = function() return "a" end, array = {} }
    assert.error_matches(function() encode { a = 1 } end, "keys must give a list, not string")
  end)

  it("joins strings", function()
    assert.equal("", json.join {})
    assert.equal("a\0bc", json.join { "a\0", "", "bc" })
  end)
end)

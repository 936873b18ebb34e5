local task = require "moonboot.task"
local uv = require "luv"

describe("task", function()
  -- Something that the loop watches and that never happens.
  local function with_idle_pipe(fn)
    local ends = assert(uv.pipe())
    local poll = assert(uv.new_poll(ends.read))
    poll:start("r", function() end)
    fn()
    poll:close()
    task.settle()
    uv.fs_close(ends.read)
    uv.fs_close(ends.write)
  end

  local function busy(milliseconds)
    local until_ns = uv.hrtime() + milliseconds * 1000000
    repeat local now = uv.hrtime() until now > until_ns
  end

  it("blames the caller for what is no number of seconds", function()
    for what, fn in pairs { sleep = task.sleep, deadline = task.deadline } do
      local ok, message = pcall(function()
        fn "1 s"
        return true
      end)
      assert.is_false(ok)
      assert.matches("task_spec%.lua:%d+: " .. what .. " takes a number of seconds, not a string$", message)
    end
  end)

  it("does not oversleep a timer that is over before the loop looks at it", function()
    with_idle_pipe(function()
      local guard, guarded = uv.new_timer(), false
      uv.update_time()
      guard:start(5000, 0, function() guarded = true end)
      local timer = uv.new_timer()
      task.wait(function(wake)
        timer:start(1, 0, wake)
        busy(5)
      end)
      timer:close()
      guard:close()
      assert.is_false(guarded)
    end)
  end)

  it("counts from now on, however long the loop has not run", function()
    task.sleep(0)
    busy(30)
    local began_ns = uv.hrtime()
    task.sleep(0.02)
    -- The loop's clock has whole milliseconds.
    assert.is_true(uv.hrtime() - began_ns >= 19000000)
  end)

  it("goes on waiting after a wait that stopped the loop", function()
    for _ = 1, 3 do task.sleep(0.001) end
    local event = task.event()
    task.spawn(function()
      task.sleep(0.002)
      event:set(1)
    end)
    assert.equal(1, event:wait(10))
  end)
end)

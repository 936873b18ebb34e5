-- Scripts that are wrong: their file and line are named, only what they were for is lost, and they can be stopped.
local files = require "moonboot.files"
local program = require "tests.system.support.program"
local rundir = require "tests.system.support.rundir"
local support = require "tests.system.support.sandbox"
local uv = require "luv"

describe("a script", function()
  local sandbox, dir, run_dir

  before_each(function()
    sandbox = support.sandbox()
    dir = sandbox.dir
    run_dir = dir .. "/run"
  end)

  after_each(function() sandbox:close() end)

  local HOOKS = {
    prepare = "prepare = function(guest) local t = nil; t.x = 1 end,",
    on_marker = "on_marker = function(guest, marker) error 'no good' end,",
    on_sample = "on_sample = function(record) return record.no.such end,",
    conclude = "conclude = function(results) error { 'a table' } end,",
  }
  for hook, source in pairs(HOOKS) do
    it("with an error in " .. hook .. " loses that hook and nothing else", function()
      local path = sandbox:experiment("work=1", "samples = 2,\n" .. source)
      local code, out, err = program.run("run", path, "--output", run_dir)
      assert.equal(0, code)
      assert.matches("moonboot: hook " .. hook .. ": ", err, 1, true)
      if hook ~= "conclude" then assert.matches(path .. ":8: ", err, 1, true) end
      assert.matches("n = 2 ok, 0 not ok", out)
      assert.not_matches("traceback", err)
    end)
  end

  it("with an error in its layout loses that report and nothing else", function()
    local path = sandbox:experiment("work=1", [[samples = 1,
  report = { "json", function(results) return results.no.such end },]])
    local code, out, err = program.run("run", path, "--output", run_dir)
    assert.equal(0, code)
    assert.matches(path .. ":8: ", err, 1, true)
    assert.matches("n = 1 ok", out)
    assert.matches("spec%-results%-", out)
  end)

  it("with an error in its grammar loses the sample, and goes on", function()
    local path = sandbox:experiment("work=1", [[samples = 2, timeout = 60,
  grammar = mb.grammar { { "a", "x" }, { "b", require("lpeg").Cmt(1, function(s)
    return s:find "kernel entry" and nil + 1
  end) } },
  measure = { to = "b" },]])
    local code = program.run("run", path, "--output", run_dir)
    assert.equal(1, code)
    for _, sample in ipairs(rundir.samples(run_dir)) do
      assert.equal("error", sample.status)
      assert.matches(path .. ":9: attempt to perform arithmetic on a nil value", sample.reason, 1, true)
    end
    assert.equal(2, #rundir.samples(run_dir))
  end)

  it("with a pattern of exponential time in its grammar loses the sample, and goes on", function()
    if program.holds_signals() then return pending "no signal comes while LPeg is at work" end
    local path = sandbox:experiment("work=1", [[samples = 2, timeout = 60,
  grammar = mb.grammar { { "a", "x" }, { "slow", (function()
    local P, V = require("lpeg").P, require("lpeg").V
    return P { 1 * V(1) * "\\1" + 1 * V(1) * "\\2" + 1 * P "\\3" }
  end)() } },
  measure = { to = "slow" },]])
    local code, out = program.run("run", path, "--output", run_dir)
    assert.equal(1, code)
    for _, sample in ipairs(rundir.samples(run_dir)) do
      assert.equal("error", sample.status)
      assert.matches("the pattern of rule 'slow' cannot be tried on \"demo: ", sample.reason, 1, true)
      assert.matches(sample.reason, out, 1, true)
    end
    assert.equal(2, #rundir.samples(run_dir))
  end)

  -- Each makes a file when it begins.
  local LOOPS = {
    prepare = "prepare = function() io.open(%q, 'w'):close() while true do end end,",
    on_marker = "on_marker = function() io.open(%q, 'w'):close() while true do end end,",
    on_sample = "on_sample = function() io.open(%q, 'w'):close() while true do pcall(string.rep, 'x', 9) end end,",
    conclude = "conclude = function() io.open(%q, 'w'):close() while true do _ = ('x'):rep(9) end end,",
    grammar = [[grammar = mb.grammar { { "a", "x" }, { "b", require("lpeg").Cmt(1, function(s)
    if s:find "kernel entry" then io.open(%q, 'w'):close() while true do end end
  end) } },
  measure = { to = "b" },]],
  }
  for hook, source in pairs(LOOPS) do
    it("in an endless loop in " .. hook .. " can be interrupted", function()
      if program.holds_signals() then return pending "no signal comes in a loop" end
      local began = dir .. "/began"
      local path = sandbox:experiment("work=1", "samples = 2, timeout = 60,\n" .. source:format(began))
      local started <close> = program.start("moonboot", "run", path, "--output", run_dir)
      program.await(function() return uv.fs_stat(began) end, "the loop")
      started:signal "SIGINT"
      local code, _, err = started:wait()
      -- By the time of the last hook all samples are there.
      assert.equal(hook == "conclude" and 0 or 130, code, err)
      if hook ~= "grammar" then -- the sample that the grammar belongs to is not finished
        assert.matches(path .. ":8: interrupted: it ran for 2 s without a wait", err, 1, true)
      end
      assert.same({}, rundir.leftovers(run_dir))
    end)
  end

  it("in an endless loop that no error ends is ended by a second signal", function()
    if program.holds_signals() then return pending "no signal comes in a loop" end
    sandbox:setenv("VALGRIND_TRACK_FDS", "no")
    for _, loop in ipairs {
      "while true do pcall(function() while true do end end) end",
      '("a"):rep(30):find(("a?"):rep(30) .. ("a"):rep(30))',
    } do
      local path = sandbox:experiment("work=1", ("timeout = 60, prepare = function() %s end,"):format(loop))
      local started <close> = program.start("moonboot", "run", path, "--output", run_dir)
      sandbox:await_guest()
      uv.sleep(300)
      started:signal "SIGINT"
      uv.sleep(500) -- more than what counts as one request
      started:signal "SIGINT"
      assert.equal(130, (started:wait()))
      sandbox:assert_no_orphan()
      files.remove(run_dir)
    end
  end)

  it("of its own in an endless loop ends by Ctrl-C", function()
    if program.holds_signals() then return pending "no signal comes in a loop" end
    sandbox:setenv("VALGRIND_TRACK_FDS", "no")
    local path = dir .. "/loop.lua"
    files.write(path, ("local f = io.open(%q, 'w'); f:close(); while true do end"):format(dir .. "/began"))
    local started <close> = program.start("moonboot", path)
    program.await(function() return uv.fs_stat(dir .. "/began") end)
    started:signal "SIGINT"
    local code, _, _, signal = started:wait()
    assert.is_true(code == 130 or signal == "SIGINT")
  end)

  it("that does not compile, or fails while it is loaded, is named with its line", function()
    local path = dir .. "/experiment.lua"
    for _, case in ipairs {
      { "return {", ":1: unexpected symbol near <eof>" },
      { "\nlocal x = nil + 1", ":2: attempt to perform arithmetic on a nil value" },
      { "return mb.experiment {}", ":1: attempt to index a nil value %(global 'mb'%)" },
      { "return 1", "experiment" },
    } do
      files.write(path, case[1])
      local code, _, err = program.run("run", path, "--output", run_dir)
      assert.equal(2, code)
      assert.matches(case[2], err)
      assert.equal(1, select(2, err:gsub("\n", "")), err)
      assert.is_nil(uv.fs_stat(run_dir))
    end
  end)
end)

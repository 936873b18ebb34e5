-- QEMU's control connection, with a QEMU that says what the test lets it say.
local qmp = require "moonboot.qmp"
local task = require "moonboot.task"
local uv = require "luv"

local GREETING = '{"QMP":{"version":{"qemu":{"major":7,"minor":2,"micro":0},"package":""},"capabilities":[]}}\r\n'

describe("qmp", function()
  local connection, far

  before_each(function()
    local pair = assert(uv.socketpair("stream", nil, { nonblock = true }, {}))
    connection, far = qmp.open(pair[1]), pair[2]
  end)

  after_each(function()
    connection:close()
    if far then uv.fs_close(far) end
    task.settle()
  end)

  local function says(text) assert(uv.fs_write(far, text)) end

  it("knows QEMU's version once it has been greeted", function()
    local negotiating = task.spawn(function() return assert(connection:negotiate(60)) end)
    says(GREETING)
    assert(task.readable(far, 60))
    assert.matches('"execute":"qmp_capabilities"', uv.fs_read(far, 1000), 1, true)
    says '{"return":{},"id":1}\r\n'
    assert.same({ major = 7, minor = 2, micro = 0 }, negotiating:join().version.qemu)
  end)

  it("says that nobody speaks", function()
    assert.same({ nil, "QEMU did not speak on its control connection within 0.01 s" }, { connection:negotiate(0.01) })
  end)

  local BROKEN = {
    ["no JSON"] = { "words\n", "QMP: not a JSON object: " },
    ["no object"] = { "1\n", "QMP: not a JSON object: " },
    ["no version"] = { '{"QMP":{}}\n', "QMP: a greeting without QEMU's version" },
  }
  for what, case in pairs(BROKEN) do
    it("fails when what comes is " .. what, function()
      says(case[1])
      local greeting, message = connection:negotiate(60)
      assert.is_nil(greeting)
      assert.matches("^" .. case[2], message)
      assert.same({ nil, message }, { connection:execute "query-status" })
    end)
  end

  local REFUSALS = {
    { '{"error":{"class":"GenericError","desc":"no\\u001b[2J"},"id":1}', "QEMU refused stop: no\\e[2J" },
    { '{"error":1,"id":1}', "QEMU refused stop: it does not say why" },
    { '{"error":{},"id":1}', "QEMU refused stop: it does not say why" },
    { '{"id":1}', "QEMU's answer to stop holds no result" },
  }
  it("says why a command was refused", function()
    for i, case in ipairs(REFUSALS) do
      says((case[1]:gsub('"id":1', '"id":' .. i)) .. "\n")
      assert.same({ nil, case[2] }, { connection:execute("stop", nil, 60) })
    end
  end)

  it("says that a command is not answered", function()
    assert.same({ nil, "QEMU did not answer stop within 0.01 s" }, { connection:execute("stop", nil, 0.01) })
  end)

  it("ends every wait when QEMU is gone", function()
    local waiting = task.spawn(function() return connection:execute("stop", nil, 60) end)
    uv.fs_close(far)
    far = nil
    local answer, message = waiting:join()
    assert.is_nil(answer)
    assert.matches("^QEMU closed its control connection", message)
    assert.same({ nil, message }, { connection:execute "cont" })
  end)
end)

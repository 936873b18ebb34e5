-- The checker of the fault campaign finds what it is there to find.
local campaign = require "tests.torture.campaign"
local checker = require "tests.torture.checker"
local files = require "moonboot.files"
local random = require "moonboot.random"
local rundir = require "tests.system.support.rundir"
local uv = require "luv"

describe("the checker", function()
  local place, path, whole, history

  setup(function()
    place = campaign.place(random.new(1))
    history = campaign.run(place, random.new(1), {
      count = function() end,
      found = function(what) error(what) end,
      deadline_ns = 0, -- no faults
    })
    path = place.run_dir .. "/journal.jsonl"
    whole = assert(files.read(path))
  end)

  teardown(function() place:close() end)

  after_each(function() assert(files.write(path, whole)) end)

  local function findings()
    local list = {}
    checker.check(place, history, function(what) list[#list + 1] = what end)
    return table.concat(list, "\n")
  end

  local function lines()
    local list = {}
    for line in whole:gmatch "[^\n]*\n" do list[#list + 1] = line end
    return list
  end

  it("has nothing against a run that was left alone", function()
    assert.equal("", findings())
    assert.equal(2 * campaign.SAMPLES, #rundir.samples(place.run_dir))
  end)

  it("finds a sample that is lost, doubled, or out of order", function()
    local list = lines()
    table.remove(list, 6)
    files.write(path, table.concat(list))
    assert.matches("are lost", findings())
    assert.matches("31 samples, 32 were planned", findings())
    list = lines()
    table.insert(list, 7, list[6])
    files.write(path, table.concat(list))
    assert.matches("33 samples", findings())
    list = lines()
    list[6], list[7] = list[7], list[6]
    files.write(path, table.concat(list))
    assert.matches("is not number %d+ of the plan", findings())
  end)

  it("finds a record that is cut off or damaged", function()
    files.write(path, whole .. '{"type":"sam')
    assert.matches("the last line of a finished journal is cut off", findings())
    files.write(path, "x" .. whole)
    assert.matches("the journal cannot be read", findings())
  end)

  it("finds a status that the capture denies, and times that it does not give", function()
    files.write(path, (whole:gsub('"status":"ok"', '"status":"timeout","reason":"x"', 1)))
    assert.matches("its capture is complete", findings())
    files.write(path, (whole:gsub('"t_ns":%d+', '"t_ns":1', 1)))
    assert.matches("in the journal, %d+ ns in the capture", findings())
  end)

  it("finds a capture that is not whole or not there", function()
    local log = place.run_dir .. "/" .. rundir.samples(place.run_dir)[3].consoles[1].log
    local bytes = assert(files.read(log))
    files.write(log, bytes:sub(1, -20))
    assert.matches("bytes, the journal says", findings())
    files.remove(log)
    assert.matches("is not there", findings())
    files.write(log, bytes)
  end)

  it("finds what is left behind", function()
    assert(uv.fs_mkdir(place.run_dir .. "/.sample-abcdef", 448))
    files.write(place.tmp .. "/forgotten", "")
    assert.matches("left in the run directory: %.sample%-abcdef", findings())
    assert.matches("left among the temporary files: forgotten", findings())
    files.remove(place.run_dir .. "/.sample-abcdef")
    files.remove(place.tmp .. "/forgotten")
  end)
end)

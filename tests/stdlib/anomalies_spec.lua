local analysis = require "moonboot.analysis"
local anomalies = require "moonboot.anomalies"
local files = require "moonboot.files"
local journals = require "tests.stdlib.support.journals"
local json = require "moonboot.json"
local novelty = require "moonboot.anomalies.novelty"
local report = require "moonboot.report"

-- One configuration of `n` boots; `change(record, i)` makes some of them special.
local function records(n, change)
  return journals.sweep {
    cpus = { 1 }, n = n, noise = 0,
    sample = function(key, index, order)
      local record = journals.sample(key, index, order, { scale = 1 + index % 5 * 0.001 })
      return change and change(record, index) or record
    end,
  }
end

local function without(record, name)
  for i, marker in ipairs(record.markers) do
    if marker.name == name then table.remove(record.markers, i) break end
  end
  return record
end

local function marker(record, name)
  for _, one in ipairs(record.markers) do
    if one.name == name then return one end
  end
end

local function kinds(list)
  local names = {}
  for i, one in ipairs(list) do names[i] = one.kind end
  return names
end

local function find(n, change)
  return (anomalies.find(assert(analysis.results(records(n, change)))))
end

describe("anomalies of the markers", function()
  it("are none where all boots are alike, or there is only one", function()
    assert.same({}, find(5))
    assert.same({}, find(1))
    assert.same({}, find(0))
  end)

  it("tell a missing marker from a boot that stops", function()
    local list = find(5, function(record, i)
      if i == 2 then return without(record, "memory") end
      if i == 4 then return journals.failed("cpu_1", 4, 4) end
    end)
    assert.same({ "missing", "missing" }, kinds(list))
    assert.equal("cpu_1", list[1].key)
    assert.equal(2, list[1].index)
    assert.equal("lacks 'memory', which 3 of 4 samples that are ok have", list[1].text)
    assert.equal(4, list[2].index)
    assert.equal("stops after 'memory': 'drivers', 'services' and 'login' did not come", list[2].text)
  end)

  it("count alike ones once, and name the others", function()
    local list = find(9, function(record, i) return i <= 3 and without(record, "memory") or record end)
    assert.equal(1, #list)
    assert.equal(3, list[1].samples)
    assert.matches("%(likewise samples 2 and 3%)$", list[1].text)
  end)

  it("see extra, disordered and repeated markers", function()
    local list = find(7, function(record, i)
      if i == 1 then table.insert(record.markers, { name = "network", t_ns = 230000000, count = 1 }) end
      if i == 2 then
        local a, b = marker(record, "memory"), marker(record, "drivers")
        a.t_ns, b.t_ns = b.t_ns, a.t_ns
      end
      if i == 3 then marker(record, "services").count = 3 end
      return record
    end)
    assert.same({ "extra", "order", "repeated", "phase" }, kinds(list))
    assert.equal("has 'network', which 1 of 7 samples have", list[1].text)
    assert.equal("'drivers' came before 'memory', which it usually follows", list[2].text)
    assert.equal("'services' came 3 times, usually once", list[3].text)
  end)

  it("do not call repeated what is repeated in all boots", function()
    assert.same({}, find(5, function(record)
      marker(record, "drivers").count = 12
      return record
    end))
  end)

  it("see resets: that QEMU tells of, and a boot that begins twice", function()
    local list = find(5, function(record, i)
      if i == 1 then
        return journals.failed("cpu_1", 1, 1, "guest_reset", { reason = "the guest reset itself; missing login" })
      end
      if i == 2 then marker(record, "firmware").count = 2 end
      if i == 3 then record.flags = { "guest_reset" } end
      return record
    end)
    assert.same({ "reset", "reset", "reset" }, kinds(list))
    assert.equal("the guest reset itself; missing login", list[1].text)
    assert.matches("the guest seems to have started again", list[2].text)
    assert.equal("the guest reset itself during the boot", list[3].text)
  end)

  it("have a usual sequence even if no boot is ok", function()
    local list = find(4, function(_, i)
      return journals.failed("cpu_1", i, i, "timeout", i == 4 and { markers = json.array() } or nil)
    end)
    assert.equal(1, #list)
    assert.equal("none of the usual markers came", list[1].text)
  end)
end)

describe("anomalies of the phases", function()
  it("are those beyond Tukey's fences, the worst first", function()
    local list = find(9, function(record, i)
      for _, name in ipairs { "drivers", "services", "login" } do
        if i == 3 then marker(record, name).t_ns = marker(record, name).t_ns + 40000000 end
        if i == 4 then marker(record, name).t_ns = marker(record, name).t_ns + 70000000 end
      end
      return record
    end)
    assert.same({ "phase", "phase" }, kinds(list))
    assert.equal(4, list[1].index)
    assert.equal(3, list[2].index)
    assert.matches("^memory %-> drivers took 95.%d+ ms %(fences %d", list[1].text)
  end)

  it("are not told from fewer than five boots", function()
    assert.same({}, find(4, function(record, i)
      if i == 1 then marker(record, "login").t_ns = 900000000 end
      return record
    end))
  end)

  it("are listed up to a limit, then counted", function()
    local n = 200
    local list = find(n, function(record, i)
      if i % 8 == 0 then marker(record, "login").t_ns = marker(record, "login").t_ns + i * 1000000 end
      return record
    end)
    assert.equal(anomalies.LISTED + 1, #list)
    local last = list[#list]
    assert.is_nil(last.index)
    assert.equal(n // 8 - anomalies.LISTED, last.samples)
    assert.equal(("%d more boots with phases beyond their fences"):format(last.samples), last.text)
  end)
end)

describe("the normal form of a line", function()
  it("knows no numbers and addresses", function()
    local form = novelty.normal_form
    assert.equal(form "[    0.171773] eth0: 12:34:56 up", form "[   10.002] eth1: 9:01:02 up")
    assert.equal(form "BIOS-e820: 0x00000000-0x0009fbff", form "BIOS-e820: 0xff-0xA")
    assert.equal(form "at ffffffff81000000", form "at ffff88800009f000")
    assert.equal(form "id deadbeef", form "id cafef00d")
  end)

  it("keeps words", function()
    local form = novelty.normal_form
    assert.are_not.equal(form "added a face", form "faded a cafe")
    assert.are_not.equal(form "panic: no root", form "panic: no disk")
  end)
end)

describe("anomalies of the lines", function()
  local dir

  after_each(function()
    if dir then journals.remove(dir) end
    dir = nil
  end)

  -- Writes the boots and what they said: a line for each marker, and what `extra(i)` adds, as lines at a time in ms.
  local function written(n, extra, change)
    local list = records(n, change)
    dir = journals.write(list)
    for _, record in ipairs(list) do
      if record.type == "sample" then
        local said = {}
        for _, one in ipairs(record.markers) do
          said[#said + 1] = { one.t_ns / 1e6, ("%s ok in %d us\r\n"):format(one.name, record.index * 317) }
        end
        for _, line in ipairs(extra and extra(record.index) or {}) do said[#said + 1] = line end
        table.sort(said, function(a, b) return a[1] < b[1] end)
        local log, timing, before = {}, {}, 0
        for i, line in ipairs(said) do
          log[i], timing[i] = line[2], ("%.6f %d\n"):format((line[1] - before) / 1e3, #line[2])
          before = line[1]
        end
        assert(files.write(dir .. "/" .. record.consoles[1].log, table.concat(log)))
        assert(files.write(dir .. "/" .. record.consoles[1].timing, table.concat(timing)))
      end
    end
    return assert(report.load(dir))
  end

  it("are none where all say the same", function()
    assert.same({}, written(4).anomalies)
  end)

  it("are those that no other boot says, with their times", function()
    local results = written(4, function(i)
      return i == 3 and { { 190, "ata1: lost interrupt (Status 0x50)\r\n" }, { 500, "after the boot\r\n" } } or nil
    end)
    assert.equal(1, #results.anomalies)
    local one = results.anomalies[1]
    assert.equal("line", one.kind)
    assert.equal(3, one.index)
    assert.equal("says a line that no other boot says", one.text)
    assert.same({ "   190.000 ms  ata1: lost interrupt (Status 0x50)" }, one.lines)
    assert.matches("ANOMALIES.*cpu_1 sample 3: says a line.*| +190.000 ms  ata1: lost", report.render(results, "text"))
  end)

  it("show a panic that hit several boots", function()
    local results = written(6, function(i)
      return i <= 2 and { { 190 + i, ("panic: no root at 0x%x\r\n"):format(i) } } or nil
    end, function(record, i)
      if i <= 2 then return journals.failed("cpu_1", i, i, "failed_pattern") end
      return record
    end)
    assert.same({ "missing", "line" }, kinds(results.anomalies))
    assert.equal(2, results.anomalies[2].samples)
    assert.matches("no other boot that is ok says %(likewise sample 2%)", results.anomalies[2].text)
    assert.matches("panic: no root", results.anomalies[2].lines[1])
  end)

  it("are not judged with two boots", function()
    assert.same({}, written(2, function(i) return { { 150, "only " .. ("x"):rep(i) .. "\r\n" } } end).anomalies)
  end)

  it("come with the lines around a missing marker and a slow phase", function()
    local results = written(9, nil, function(record, i)
      if i == 2 then without(record, "memory") end
      if i == 5 then marker(record, "login").t_ns = 300000000 end
      return record
    end)
    local missing, slow = results.anomalies[1], results.anomalies[2]
    assert.matches("kernel_starts ok", missing.lines[1])
    assert.matches("drivers ok", missing.lines[2])
    assert.matches("services %-> login took 80.00 ms", slow.text)
    assert.matches("services ok", slow.lines[1])
    assert.matches("300.000 ms  login ok", slow.lines[2])
  end)

  it("are kept to a limit of logs, which the caveats tell of", function()
    local logs = anomalies.LOGS
    anomalies.LOGS = 4
    finally(function() anomalies.LOGS = logs end)
    local results = written(9)
    assert.matches("in 4 of 9 boots", table.concat(results.caveats, "\n"))
  end)

  it("say which logs are gone, and are looked for once only", function()
    dir = journals.write(records(3))
    local results = assert(report.load(dir))
    report.enrich(results, dir)
    local _, times = table.concat(results.caveats, "\n"):gsub("the logs of 3 boots cannot be read", "")
    assert.equal(1, times)
  end)

  it("never lead out of the run directory", function()
    local list = records(3)
    for _, record in ipairs(list) do
      if record.consoles then record.consoles[1].log = "../../../../etc/passwd" end
    end
    dir = journals.write(list)
    assert.same({ "cannot be read" }, { (table.concat(assert(report.load(dir)).caveats):match("cannot be read")) })
  end)
end)

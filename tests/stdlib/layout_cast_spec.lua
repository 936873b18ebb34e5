local analysis = require "moonboot.analysis"
local command = require "moonboot.command"
local files = require "moonboot.files"
local journals = require "tests.stdlib.support.journals"
local json = require "moonboot.json"
local report = require "moonboot.report"

describe("layout cast", function()
  local dir

  after_each(function()
    if dir then journals.remove(dir) end
    dir = nil
  end)

  local function write(name, chunks)
    local log, timing, before_ms = {}, {}, 0
    for i, chunk in ipairs(chunks) do
      log[i], timing[i] = chunk[2], ("%.6f %d\n"):format((chunk[1] - before_ms) / 1000, #chunk[2])
      before_ms = chunk[1]
    end
    assert(files.write(("%s/%s.log"):format(dir, name), table.concat(log)))
    assert(files.write(("%s/%s.timing"):format(dir, name), table.concat(timing)))
  end

  local function run(options)
    dir = journals.write(journals.sweep(options or { n = 3 }))
    return assert(report.load(dir))
  end

  -- The header and the events of a cast.
  local function cast(results, options)
    local page, message = report.render(results, "cast", options)
    assert(page, message)
    local list = {}
    for line in page:gmatch("[^\n]+") do list[#list + 1] = assert(json.decode(line)) end
    return table.remove(list, 1), list
  end

  local function of_kind(events, kind)
    local list = {}
    for _, event in ipairs(events) do
      if event[2] == kind then list[#list + 1] = event[3] end
    end
    return list
  end

  it("plays the median boot of the first configuration, with its markers", function()
    local results = run { n = 3, noise = 0, sample = function(key, index, order)
      return journals.sample(key, index, order, { scale = ({ 1.2, 1, 1.1 })[index] })
    end }
    write("boot-cpu_1-3", { { 110, "firmware ok\r\n" }, { 176, "kernel" }, { 176.5, "_starts ok\r\n" } })
    local header, events = cast(results)
    assert.equal(2, header.version)
    assert.equal(1700000000, header.timestamp)
    assert.matches("^demo: cpu_1 sample 3, kernel_starts %-> login 72.60 ms$", header.title)
    assert.same({ 0.11, "m", "firmware" }, events[1])
    assert.same({ 0.11, "o", "firmware ok\r\n" }, events[2])
    assert.same({ 0.176, "m", "kernel_starts" }, events[3])
    assert.same({ 0.176, "o", "kernel_starts ok\r\n" }, events[4])
    assert.equal(6, #of_kind(events, "m"))
    for i = 2, #events do assert.is_true(events[i][1] >= events[i - 1][1]) end
  end)

  it("plays the boot that is asked for", function()
    local results = run()
    write("boot-cpu_2-1", { { 1, "two" } })
    local _, events = cast(results, { sample = "cpu_2:1" })
    assert.same({ "two" }, of_kind(events, "o"))
    for name, word in pairs { ["cpu_3:1"] = "did you mean 'cpu_", ["cpu_2:9"] = "only 3", ["x\27:1"] = "x\\e",
      cpu_2 = "named like cpu_1:1", ["schema:1"] = "no sample" } do
      local page, message = report.render(results, "cast", { sample = name })
      assert.is_nil(page)
      assert.is_truthy(message:find(word, 1, true), message)
    end
  end)

  it("keeps characters whole and replaces what is no UTF-8", function()
    local results = run { cpus = { 1 }, n = 1 }
    write("boot-cpu_1-1", { { 10, "\xE2" }, { 20, "\x82" }, { 30, "\xAC|" }, { 40, "\xFF\xE2\x82" }, { 50, "x\xC3" } })
    local _, events = cast(results)
    assert.equal("€|\u{FFFD}\u{FFFD}\u{FFFD}x\u{FFFD}", table.concat(of_kind(events, "o")))
  end)

  it("gives every line end its carriage return, once, however it came", function()
    local results = run { cpus = { 1 }, n = 1 }
    write("boot-cpu_1-1", { { 10, "a\n" }, { 20, "b\r" }, { 30, "\nc\r\n" }, { 40, "\n" }, { 50, "d\re" } })
    local _, events = cast(results)
    assert.equal("a\r\nb\r\nc\r\n\r\nd\re", table.concat(of_kind(events, "o")))
  end)

  it("plays the consoles of a boot into one terminal", function()
    local results = run { cpus = { 1 }, n = 1, sample = function(key, index, order)
      return journals.sample(key, index, order, { consoles = { { name = "com1", log = "a.log" },
        { name = "com2", log = "a.com2.log" } } })
    end }
    write("a", { { 10, "k" }, { 30, "l" } })
    write("a.com2", { { 20, "u" }, { 40, "v" } })
    local _, events = cast(results)
    assert.equal("kulv", table.concat(of_kind(events, "o")))
  end)

  it("says where times end, and has no cast without any", function()
    local results = run { cpus = { 1 }, n = 1 }
    write("boot-cpu_1-1", { { 10, "timed" } })
    assert(files.write(dir .. "/boot-cpu_1-1.log", "timed and not"))
    local _, events = cast(results)
    assert.same({ "timed", " and not" }, of_kind(events, "o"))
    assert.equal("no times from here on", table.remove(of_kind(events, "m")))
    assert(files.remove(dir .. "/boot-cpu_1-1.timing"))
    local page, message = report.render(results, "cast")
    assert.is_nil(page)
    assert.matches("no timing", message)
  end)

  it("says why there is nothing to play", function()
    local page, message = report.render(run(), "cast")
    assert.is_nil(page)
    assert.matches("boot%-cpu_1%-%d.log", message)
    page, message = report.render(assert(analysis.results(journals.sweep { n = 0 })), "cast", { directory = "." })
    assert.is_nil(page)
    assert.matches("no boot to play", message)
    page, message = report.render(assert(analysis.results(journals.sweep { n = 1 })), "cast")
    assert.is_nil(page)
    assert.matches("needs the run directory", message)
  end)

  it("says of a boot without a boot time that it has none", function()
    local results = run { cpus = { 1 }, n = 1, sample = function(...) return journals.failed(..., 1, 1) end }
    write("boot-cpu_1-1", { { 10, "firm" } })
    assert.matches("sample 1, timeout, no boot time$", (cast(results)).title)
  end)

  it("is played by asciinema", function()
    local found = command.run { "asciinema", "--version" }
    if not found then return pending "skipped: asciinema is not installed" end
    local results = run { cpus = { 1 }, n = 1 }
    write("boot-cpu_1-1", { { 100, "firmware \xFFok\r\n" }, { 160, "kernel_starts ok\r\n" } })
    local path = dir .. "/boot.cast"
    assert(files.write(path, assert(report.render(results, "cast"))))
    -- It wants a terminal, which script(1) gives it.
    for _, action in ipairs { "cat", "play -s 100" } do
      local shown = assert(command.run { "script", "-qec", ("asciinema %s %s"):format(action, path), "/dev/null" })
      assert.matches("firmware \u{FFFD}ok\r\nkernel_starts ok", shown)
    end
  end)
end)

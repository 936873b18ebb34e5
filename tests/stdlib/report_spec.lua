local report = require "moonboot.report"
local command = require "moonboot.commands.report"
local files = require "moonboot.files"
local journals = require "tests.stdlib.support.journals"
local json = require "moonboot.json"

describe("report", function()
  local dir

  after_each(function()
    if dir then journals.remove(dir) end
    dir = nil
  end)

  local function script(text)
    local path = dir .. "/layout.lua"
    local f = assert(io.open(path, "w"))
    f:write(text)
    f:close()
    return path
  end

  it("reads a run directory alone", function()
    dir = journals.write(journals.sweep { n = 2 })
    local results = assert(report.load(dir .. "/"))
    assert.equal(dir, results.directory)
    assert.matches("KEY FINDINGS", report.render(results, "text"))
    assert.equal(2, json.decode(report.render(results, "json")).cpu_1.statistics.n)
  end)

  it("works on a run that was killed while it wrote", function()
    dir = journals.write(journals.sweep { n = 2, conclusion = false })
    local f = assert(io.open(dir .. "/journal.jsonl", "a"))
    f:write('{"type":"sample","key":"cpu_1"')
    f:close()
    local text = report.render(assert(report.load(dir)), "text")
    assert.matches("not finished", text)
    assert.matches("cut off", text)
  end)

  it("has one line for what is no run directory, and for a damaged journal", function()
    local results, message = report.load("/nonexistent\27")
    assert.is_nil(results)
    assert.matches("^/nonexistent\\e is no run directory", message)
    dir = journals.write(journals.sweep { n = 1 })
    local f = assert(io.open(dir .. "/journal.jsonl", "a"))
    f:write("garbage\n")
    f:close()
    results, message = report.load(dir)
    assert.is_nil(results)
    assert.matches("journal.jsonl:7: ", message, 1, true)
    assert.is_nil(message:find("\n"))
  end)

  it("shows the ends of a silent guest's log", function()
    local function unheard(key, i, order) return journals.failed(key, i, order, "timeout", { markers = {} }) end
    dir = journals.write(journals.sweep { cpus = { 1 }, n = 1, sample = unheard })
    local lines = {}
    for i = 1, 40 do lines[i] = ("line %d\b\b%d \27[1m\r\n"):format(i, i) end
    assert(files.write(dir .. "/boot-cpu_1-1.log", table.concat(lines)))
    local results = assert(report.load(dir))
    assert.equal(5, #results.cpu_1.silence.first)
    assert.equal(5, #results.cpu_1.silence.last)
    assert.matches("^line", results.cpu_1.silence.last[5])
    local text = report.render(results, "text")
    assert.is_nil(text:find("[\27\b\r]"))
    assert.matches("NO MARKER WAS SEEN", text)
  end)

  it("tells an empty log from one that is gone", function()
    local function unheard(key, i, order) return journals.failed(key, i, order, "no_output", {
      markers = {}, consoles = { { name = "com1", log = "boot.log" } } }) end
    dir = journals.write(journals.sweep { cpus = { 1 }, n = 1, sample = unheard })
    assert.is_nil(report.load(dir).cpu_1.silence.bytes)
    assert(files.write(dir .. "/boot.log", ""))
    assert.equal(0, report.load(dir).cpu_1.silence.bytes)
  end)

  describe("with a user's layout", function()
    before_each(function() dir = journals.write(journals.sweep { n = 1 }) end)

    it("hands it results and options", function()
      local path = script "return function(results, options) return results.order[1] .. options.directory end"
      assert.equal("cpu_1" .. dir, report.render(report.load(dir), path, { directory = dir }))
    end)

    it("names file and line of its error", function()
      local path = script "return function(results)\n  return results.nothing.at_all\nend"
      local page, message = report.render(report.load(dir), path)
      assert.is_nil(page)
      assert.is_truthy(message:find(path .. ":2:", 1, true), message)
      assert.is_nil(message:find("\n"))
    end)

    it("refuses what is no layout", function()
      for text, word in pairs { ["return 42"] = "number", ["}"] = ":1:", ["error 'x'"] = ":1:",
        ["return function() end"] = "no text", ["return function() return nil, 'why not' end"] = "why not" } do
        local page, message = report.render(report.load(dir), script(text))
        assert.is_nil(page)
        assert.is_truthy(message:find(word, 1, true), message)
      end
    end)

    it("suggests the nearest name", function()
      local page, message = report.render(report.load(dir), "txt")
      assert.is_nil(page)
      assert.matches("txt", message)
    end)
  end)

  describe("written into a run directory", function()
    it("has the names that people look for", function()
      dir = journals.write(journals.sweep { n = 1, run = { name = "phase-7-5" } })
      local written = assert(report.write(assert(report.load(dir)), dir, { "json", "text" }))
      assert.matches("/phase%-7%-5%-results%-%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%d%d%d%d%.json$", written[1])
      assert.matches("/phase%-7%-5%-report%-%d%d%d%d%-.*%.txt$", written[2])
      for _, path in ipairs(written) do assert.is_true(#files.read(path) > 0) end
    end)

    it("takes a layout that the experiment's script holds", function()
      dir = journals.write(journals.sweep { n = 1 })
      local written = assert(report.write(assert(report.load(dir)), dir, { function() return "mine\n" end }))
      assert.equal("mine\n", files.read(written[1]))
      local page, message = report.render({}, function() error "no" end)
      assert.is_nil(page)
      assert.matches("^layout of the experiment: .*report_spec.lua:%d+: no$", message)
    end)

    it("never leaves it, whatever the experiment is called", function()
      dir = journals.write(journals.sweep { n = 1, run = { name = "../../etc/x\n" } })
      local written = assert(report.write(assert(report.load(dir)), dir, { "text" }))
      assert.matches("^[^/]+$", written[1]:sub(#dir + 2))
      assert.is_truthy(files.read(written[1]))
    end)

    it("writes the others when one fails, and says which", function()
      dir = journals.write(journals.sweep { n = 1 })
      local written, trouble = report.write(assert(report.load(dir)), dir, { "nonsense", "text" })
      assert.equal(1, #written)
      assert.matches("nonsense", trouble)
    end)
  end)

  describe("command", function()
    local function run(args)
      local out, err = {}, {}
      local stdout, stderr = io.stdout, io.stderr
      local function sink(list) return { write = function(self, ...)
        for _, s in ipairs { ... } do list[#list + 1] = s end
        return self
      end } end
      io.stdout, io.stderr = sink(out), sink(err) -- luacheck: ignore
      local ok, status = pcall(command.run, args)
      io.stdout, io.stderr = stdout, stderr -- luacheck: ignore
      assert(ok, status)
      return status, table.concat(out), table.concat(err)
    end

    it("prints the report", function()
      dir = journals.write(journals.sweep { n = 1 })
      local status, out, err = run { dir = dir }
      assert.equal(0, status)
      assert.matches("KEY FINDINGS", out)
      assert.equal("", err)
      status, out = run { dir = dir .. "/journal.jsonl", json = true }
      assert.equal(0, status)
      assert.is_table(json.decode(out).cpu_1)
    end)

    it("writes to a file", function()
      dir = journals.write(journals.sweep { n = 1 })
      local status, out = run { dir = dir, output = dir .. "/r.txt", format = "text" }
      assert.equal(0, status)
      assert.equal("", out)
      assert.matches("KEY FINDINGS", files.read(dir .. "/r.txt"))
      local cannot, _, err = run { dir = dir, output = dir .. "/none/r.txt" }
      assert.equal(3, cannot)
      assert.equal(("moonboot: %s/none/r.txt: cannot be written: ENOENT: no such file or directory\n"):format(dir), err)
    end)

    it("has one line and status 2 for what it cannot do", function()
      dir = journals.write(journals.sweep { n = 1 })
      for _, args in ipairs { { dir = "/none" }, { dir = dir, format = "nonsense" } } do
        local status, out, err = run(args)
        assert.equal(2, status)
        assert.equal("", out)
        assert.matches("^moonboot: [^\n]+\n$", err)
      end
    end)
  end)
end)

local analysis = require "moonboot.analysis"
local chartjs = require "moonboot.layout.html.chartjs"
local drawn = require "moonboot.layout.html.drawn"
local files = require "moonboot.files"
local journals = require "tests.stdlib.support.journals"
local json = require "moonboot.json"
local logs = require "moonboot.layout.html.logs"
local report = require "moonboot.report"
local template = require "moonboot.layout.html.template"

-- What a browser makes of the page is in tests/html.
describe("layout html", function()
  local dir

  after_each(function()
    if dir then files.remove(dir) end
    dir = nil
  end)

  local function folder()
    dir = dir or assert(files.make_temp_dir "/tmp/moonboot-test-")
    return dir
  end

  local function results_of(options)
    return assert(analysis.results(journals.sweep(options)))
  end

  describe("templates", function()
    local function render(page, view)
      local path = folder() .. "/page.html"
      assert(files.write(path, page))
      return template.load(path)(view or {})
    end

    it("put values so that they are text, or as they are", function()
      assert.equal("<b>&lt;i&gt; &amp; &#39;&quot;\\e[1m</b>", render("<b><%= x %></b>", { x = "<i> & '\"\27[1m" }))
      assert.equal("<i>", render("<%- x %>", { x = "<i>" }))
      assert.equal("", render "<%= nil %>")
    end)

    it("are Lua", function()
      assert.equal("1,2,", render "<% for i = 1, 2 do %><%= i %>,<% end %>")
    end)

    it("leave no line behind where there is only code", function()
      local page = "<ul>\n<% for i = 1, 2 do %>\n  <% local j = i %>\n<li><%= j %>\n<% end %>\n</ul>\n"
      assert.equal("<ul>\n<li>1\n<li>2\n</ul>\n", render(page))
    end)

    it("name the line of an error", function()
      local ok, message = pcall(render, "one\n<% if true then %>\n<p>\n<%= nothing.at_all %>\n<% end %>\n")
      assert.is_false(ok)
      assert.matches("page.html:4:", message)
    end)
  end)

  describe("draws", function()
    it("every boot of a few", function()
      local results = results_of { n = 20 }
      assert.equal(results.cpu_1.samples, drawn.choose(results.cpu_1, results))
    end)

    it("of many those that tell the most, in run order", function()
      local n, odd = 3000, { [1234] = true, [2345] = true }
      local results = results_of { cpus = { 1 }, n = n, sample = function(key, index, order, defaults)
        if odd[index] then return journals.failed(key, index, order) end
        if index == 777 then defaults.scale = 9 end
        return journals.sample(key, index, order, defaults)
      end }
      local chosen, there = drawn.choose(results.cpu_1, results), {}
      assert.is_true(#chosen <= drawn.ROWS and #chosen > drawn.ROWS * 0.9)
      for i, sample in ipairs(chosen) do
        there[sample.index] = true
        assert.is_true(i == 1 or chosen[i - 1].order < sample.order)
      end
      for _, index in ipairs { 777, 1234, 2345 } do assert.is_true(there[index], index) end
    end)
  end)

  describe("logs", function()
    local function add(book, text, sample)
      assert(files.write(folder() .. "/x.log", text))
      assert(files.write(folder() .. "/x.timing", ("0.100000 %d\n"):format(#text)))
      return book:add(sample or { log = "x.log", markers = {} })
    end

    it("have each text once, and the markers of a line", function()
      local book = logs.new(folder())
      local first = add(book, "one\ntwo\n", { log = "x.log", markers = { a = 100, b = 100.0004, c = 5 } })
      assert.same({ 100000, 0, "", "a", "b" }, first.lines[1])
      assert.same({ 100000, 1, "" }, add(book, "two\n").lines[1])
      assert.same({ "one", "two" }, book.texts)
    end)

    it("lose their middle when they are long", function()
      local lines = {}
      for i = 1, 1000 do lines[i] = "line " .. i end
      local page = add(logs.new(folder()), table.concat(lines, "\n") .. "\n")
      assert.equal(logs.HEAD + logs.TAIL, #page.lines)
      assert.same({ logs.HEAD, 1000 - logs.HEAD - logs.TAIL }, page.left_out)
    end)

    it("say why they are not there", function()
      local book = logs.new(folder())
      assert.matches("no log was kept", book:add({ markers = {} }).missing)
      assert.matches("none.log", book:add({ log = "none.log", markers = {} }).missing)
      book.lines = logs.ALL_LINES + 1
      assert.matches("too large", add(book, "x\n").missing)
    end)
  end)

  it("carries Chart.js, fit for a script element, or says how to get it", function()
    local paths = chartjs.PATHS
    finally(function() chartjs.PATHS = paths end)
    local path = folder() .. "/chart.js"
    assert(files.write(path, 'x="</script>";\n//# sourceMappingURL=chart.js.map\n'))
    chartjs.PATHS = { folder() .. "/none.js", path }
    local page = assert(report.render(results_of { n = 1 }, "html"))
    assert.is_truthy(page:find('x="<\\/script>";', 1, true))
    assert.is_nil(page:find("sourceMappingURL", 1, true))
    chartjs.PATHS = {}
    page = assert(report.render(results_of { n = 1 }, "html"))
    assert.is_truthy(page:find("apt-get install libjs-chart.js", 1, true))
  end)

  it("has data that no script element can be ended by", function()
    local page = assert(report.render(results_of { n = 1, run = { measure = { to = "</script>" } } }, "html"))
    local data = page:match('id="data">(.-)</script>')
    assert.equal("</script>", json.decode(data).measure.to)
  end)
end)

local analysis = require "moonboot.analysis"
local journals = require "tests.stdlib.support.journals"
local json = require "moonboot.json"
local report = require "moonboot.report"
local truths = require "tests.stdlib.support.truths"

describe("every layout", function()
  for name, run in pairs(truths.RUNS) do
    for _, format in ipairs(run.large and {} or truths.FORMATS) do
      it(("says something true of a run with %s: %s"):format(name, format), function()
        truths.check(assert(analysis.results(run.records())), run, format)
      end)
    end
  end
end)

describe("layout csv", function()
  local function rows(results)
    local list = {}
    for line in report.render(results, "csv"):gmatch("[^\n]+") do list[#list + 1] = line end
    return list
  end

  it("has a row for each sample and phase, and one for the whole", function()
    local list = rows(analysis.results(journals.sweep { n = 3 }))
    assert.equal(1 + 2 * 3 * (1 + 4), #list)
    assert.equal("experiment,configuration,cpus,guest_cpus,sample,run_order,warmup,status,phase,from,to,time_ms,"
      .. "outlier,log,reason,clock_source", list[1])
  end)

  it("gives a failed sample an empty time in every row, and its reason", function()
    local list = rows(analysis.results(journals.sweep { cpus = { 1 }, n = 2, sample = function(key, i, order, d)
      if i == 1 then return journals.failed(key, i, order, "timeout", { reason = 'no "login", ever' }) end
      return journals.sample(key, i, order, d)
    end }))
    assert.equal(1 + 2 * 5, #list)
    for i = 2, 6 do
      assert.matches(",timeout,[^,]*,[^,]+,[^,]+,,,boot%-cpu_1%-1%.log,\"no \"\"login\"\", ever\",kernel$", list[i])
    end
    assert.matches(",ok,total,kernel_starts,login,%d+%.%d%d%d%d%d%d,,boot", list[7])
  end)

  it("has a column for each further axis, and marks warm-ups", function()
    local records = { journals.run { axes = { { name = "memory", values = { "512M" } } }, samples = 1 },
      journals.configuration("memory_512M", 1, { memory = "512M" }),
      journals.sample("memory_512M", 1, 1, { warmup = true }), journals.sample("memory_512M", 1, 2) }
    local list = rows(analysis.results(records))
    assert.matches("^experiment,configuration,memory,cpus,", list[1])
    assert.matches("^demo,memory_512M,512M,1,,1,1,yes,ok,total,", list[2])
    assert.matches("^demo,memory_512M,512M,1,,1,2,no,ok,total,", list[7])
  end)
end)

describe("layout markdown", function()
  it("fits into a comment, however large the matrix, and says that it was cut", function()
    local cpus = {}
    for i = 1, 400 do cpus[i] = i end
    local page = report.render(analysis.results(journals.sweep { cpus = cpus, n = 2,
      run = { name = ("x"):rep(200) } }), "markdown")
    assert.is_true(#page < 65536)
    local _, opened = page:gsub("<details>", "")
    local _, closed = page:gsub("</details>", "")
    assert.equal(opened, closed)
    assert.matches("more are in the results file", page)
  end)

  it("takes nothing that a guest or a script said as Markdown", function()
    local page = report.render(analysis.results(journals.sweep { n = 1, run = {
      title = "<img src=x> | @octocat #1 `a` *b* \27[2J" } }), "markdown")
    assert.is_nil(page:find("<img", 1, true))
    assert.is_nil(page:find("@octocat", 1, true))
    assert.is_nil(page:find("#1", 1, true))
    assert.is_nil(page:find("\27", 1, true))
    assert.matches("\\| ", page)
  end)
end)

describe("layout latex", function()
  local tex = require "moonboot.layout.latex.tex"

  it("takes nothing as TeX", function()
    assert.equal("\\textbackslash{}input\\{x\\} \\$a\\_1\\% \\&\\#", tex.escape("\\input{x} $a_1% &#"))
    assert.equal("a \\ensuremath{\\rightarrow} b", tex.escape("a -> b"))
    assert.equal("é [U+4E2D]", tex.escape("é \u{4e2d}"))
    assert.is_nil(tex.escape("\27\0\n"):find("[%c]"))
    assert.is_nil(tex.comment("a\nb"):find("\n"))
  end)

  it("has the parts it names, and no other", function()
    local results = analysis.results(journals.sweep { n = 1 })
    local page, message = report.render(results, "latex:figure-tim")
    assert.is_nil(page)
    assert.matches("did you mean 'figure%-time'", message)
    for _, part in ipairs { "table", "figure-time", "figure-efficiency", "figure-phases" } do
      page = report.render(results, "latex:" .. part)
      assert.matches("@nodocument", page)
      assert.matches("\\moonbootend\n$", page)
    end
  end)

  it("puts the shortest phases together, and loses no time by it", function()
    local markers, names = {}, {}
    for i = 1, 12 do
      names[i] = { name = "m" .. i }
      markers[i] = { name = "m" .. i, t_ns = i * i * 1000000 }
    end
    local page = report.render(analysis.results { journals.run { axes = json.array(), rules = names,
      measure = { from = "m1", to = "m12" } }, journals.configuration("cpu_1", 1, {}),
      journals.sample("cpu_1", 1, 1, { markers = markers }) }, "latex:figure-phases")
    local total, bars = 0, 0
    for mean in page:gmatch("coordinates { %(1,([%d.]+)%) }") do total, bars = total + tonumber(mean), bars + 1 end
    assert.equal(7, bars)
    assert.is_true(math.abs(total - 143) < 1e-3)
    assert.matches("the other 5 phases", page)
  end)

  it("plots an axis that is not numbers", function()
    local records = { journals.run { axes = { { name = "cpu_model", values = { "qemu32", "max_x" } } }, samples = 1 } }
    for i, model in ipairs { "qemu32", "max_x" } do
      records[#records + 1] = journals.configuration("cpu_model_" .. model, i, { cpu_model = model })
      records[#records + 1] = journals.sample("cpu_model_" .. model, 1, i, { scale = i })
    end
    local results = analysis.results(records)
    assert.matches("xticklabels={{qemu32},{max\\_x}}", report.render(results, "latex:figure-time"))
    assert.matches("Nothing to plot: efficiency needs an axis", report.render(results, "latex:figure-efficiency"))
  end)
end)

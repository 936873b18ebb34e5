local analysis = require "moonboot.analysis"
local files = require "moonboot.files"
local journals = require "tests.stdlib.support.journals"
local program = require "tests.system.support.program"
local report = require "moonboot.report"
local system = require "tests.system.support.sandbox"
local tex = require "tests.reports.support.tex"
local truths = require "tests.stdlib.support.truths"
local uv = require "luv"

local PARTS = { "table", "figure-time", "figure-efficiency", "figure-phases" }

local PICTURES = uv.exepath():match("^(.*)/") .. "/latex"

-- A paper in two columns that takes in every part.
local PAPER = [[
\documentclass[twocolumn]{article}
\usepackage{booktabs}
\usepackage{pgfplots}
\pgfplotsset{compat=1.16}
\begin{document}
\begin{table}\caption{Boot times}\input{table}\end{table}
\begin{figure}\input{figure-time}\caption{Boot time}\end{figure}
\begin{figure}\input{figure-efficiency}\caption{Efficiency}\end{figure}
\begin{figure}\input{figure-phases}\caption{Phases}\end{figure}
Text after the figures.
\end{document}
]]

describe("LaTeX", function()
  local sandbox, here

  setup(function()
    sandbox = system.sandbox()
    assert(files.make_dir(PICTURES))
    here = uv.cwd()
    assert(uv.chdir(sandbox.dir))
  end)

  teardown(function()
    uv.chdir(here)
    sandbox:close()
  end)

  local function look(name, label)
    local pdf, log = tex.compile(sandbox, name)
    assert.is_nil(log:match("LaTeX Warning: [^\n]*undefined[^\n]*"))
    assert.is_nil(log:match("mktexpk"), "a font that is no outline")
    local text = tex.text(pdf)
    for _, word in ipairs { "nan", "inf", "NaN", "??" } do
      assert.is_nil((" " .. text .. " "):find(" " .. word .. " ", 1, true))
    end
    local dark = tex.picture(sandbox, pdf, ("%s/%s-%s"):format(PICTURES, label, name))
    assert.is_true(dark > 0.002, name .. " is blank")
    return text, pdf, log
  end

  -- The document of all parts. -> its text
  local function compile_document(results, label)
    sandbox:write("document.tex", assert(report.render(results, "latex")))
    return (look("document", label))
  end

  -- Every part by itself, and all of them in a paper. -> text of each
  local function compile_parts(results, label)
    local texts = {}
    for _, part in ipairs(PARTS) do
      sandbox:write(part .. ".tex", assert(report.render(results, "latex:" .. part)))
      local pdf
      texts[part], pdf = look(part, label)
      local pages, width, height = tex.size(pdf)
      assert.equal(1, pages)
      assert.is_true(width < 400 and height < 500, ("%s is %g x %g pt"):format(part, width, height))
    end
    sandbox:write("paper.tex", PAPER)
    local text, _, log = look("paper", label)
    for points in log:gmatch("Overfull \\hbox %(([%d.]+)pt") do
      assert.is_true(tonumber(points) < 20, ("a part is %s pt too wide for a column"):format(points))
    end
    assert.is_truthy(text:find("Text after the figures", 1, true))
    return texts
  end

  it("of a real run compiles, alone and in a paper, and has its figures", function()
    local directory = sandbox.dir .. "/demo"
    local status, _, err = program.run("run", "demo", "--samples", "5", "--output", directory, "--quiet")
    assert(status == 0 or status == 1, err)
    local results = assert(report.load(directory))
    assert.is_truthy(compile_document(results, "demo"):find("The boot time of demo was measured", 1, true))
    local texts = compile_parts(results, "demo")
    for _, key in ipairs(results.order) do
      local s = results[key].statistics
      for _, name in ipairs { "mean_ms", "median_ms", "min_ms", "max_ms", "stdev_ms" } do
        assert.is_truthy(texts.table:find(("%.2f"):format(s[name]), 1, true), key .. " " .. name)
      end
    end
    for _, word in ipairs { "Boot time (ms)", "vCPUs", "median boot time", "claim: 400 ms" } do
      assert.is_truthy(texts["figure-time"]:find(word, 1, true), word)
    end
    assert.is_truthy(texts["figure-efficiency"]:find("ideal", 1, true))
    -- An underscore is a rule there, and no character.
    assert.is_truthy(texts["figure-phases"]:find("process.table → drivers"), texts["figure-phases"])
  end)

  for name, run in pairs(truths.RUNS) do
    it("compiles for a run with " .. name, function()
      local results = assert(analysis.results(run.records()))
      compile_document(results, (name:gsub("[^%w]+", "-")))
      if run.large then
        for _, format in ipairs(truths.FORMATS) do truths.check(results, run, format) end
      end
    end)
  end

  it("compiles whatever things are called", function()
    local hostile = "\\input{x} $_^~#%&{}<>|\"`' \27[2J é µ ± 中 …"
    local records = { journals.run {
      name = hostile, guest = hostile, title = hostile, axes = { { name = "kernel_args", values = { hostile, "b" } } },
      baselines = { { name = "default", estimated_ms = 65, from = "kernel_starts", to = "login", source = hostile } },
    } }
    for i, value in ipairs { hostile, "b" } do
      records[#records + 1] = journals.configuration("args_" .. i, i, { kernel_args = value })
      for n = 1, 2 do
        local sample = journals.sample("args_" .. i, n, 2 * i + n, { scale = i })
        sample.markers[3].name = hostile
        records[#records + 1] = sample
      end
    end
    compile_document(assert(analysis.results(records)), "hostile")
  end)

  it("compiles with two axes, fits and many phases", function()
    local records = { journals.run {
      axes = { { name = "cpus", values = { 1, 2, 4, 8, 16 } }, { name = "memory", values = { "256M", "1G" } } },
      host = { cores = 8 }, samples = 6,
    } }
    local order = 0
    for m, memory in ipairs { "256M", "1G" } do
      for _, cpus in ipairs { 1, 2, 4, 8, 16 } do
        local key = ("cpu_%d.memory_%s"):format(cpus, memory)
        records[#records + 1] = journals.configuration(key, #records, { cpus = cpus, memory = memory })
        for i = 1, 6 do
          order = order + 1
          records[#records + 1] = journals.sample(key, i, order, {
            scale = (0.3 + 0.7 / cpus) * (1.3 - 0.3 * m) * (1 + 0.01 * ((i * 7) % 6)),
          })
        end
      end
    end
    local texts = compile_parts(assert(analysis.results(records)), "two-axes")
    assert.is_truthy(texts["figure-time"]:find("Amdahl, serial fraction 0.3", 1, true))
    assert.is_truthy(texts["figure-time"]:find("oversubscribed", 1, true))
    assert.is_truthy(texts.table:find("memory", 1, true))
  end)
end)

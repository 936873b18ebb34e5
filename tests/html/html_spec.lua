local analysis = require "moonboot.analysis"
local browser = require "tests.html.support.browser"
local chartjs = require "moonboot.layout.html.chartjs"
local files = require "moonboot.files"
local journals = require "tests.stdlib.support.journals"
local program = require "tests.system.support.program"
local report = require "moonboot.report"
local system = require "tests.system.support.sandbox"
local truths = require "tests.stdlib.support.truths"
local uv = require "luv"

local PICTURES = uv.exepath():match("^(.*)/") .. "/html"

describe("a page", function()
  local sandbox

  setup(function() sandbox = system.sandbox() end)
  teardown(function() sandbox:close() end)

  local function page_of(results, options)
    return assert(report.render(results, "html", options))
  end

  -- What is true of every page.
  local function look(page, width)
    assert.is_nil(page:find("https?://[^%s\"']*%.js"), "it needs no network")
    local seen = browser.look(sandbox.dir, page, width)
    assert.same({}, seen.errors)
    for _, word in ipairs { "NaN", "nan", "Infinity", "inf", "undefined", "null" } do
      assert.is_nil((" " .. seen.text .. " "):find("[^%w_]" .. word .. "[^%w_]"), word .. " in the page")
    end
    return seen
  end

  local function assert_drawn(seen, ...)
    for _, name in ipairs { ... } do
      assert.is_true((seen.canvases["plot-" .. name] or 0) > 2, name .. " is blank")
    end
  end

  describe("of the demo experiment", function()
    local page, results

    setup(function()
      local dir = sandbox.dir .. "/demo"
      local status, _, err = program.run("run", "demo", "--samples", "5", "--output", dir, "--quiet")
      assert(status == 0 or status == 1, err)
      results = assert(report.load(dir))
      page = page_of(results)
    end)

    it("shows its plots, wide and narrow", function()
      local seen
      for _, width in ipairs { 1280, 390 } do
        seen = look(page, width)
        assert_drawn(seen, "boot-time", "scaling-1", "phases", "timeline")
        assert.equal(0, seen.overflow, "it must not be wider than the screen")
      end
      for _, words in ipairs { "Boot time of the demo guest", "8 CPU", "400.00 ms", "kernel_entry → memory",
        "Speed-up", "seed" } do
        assert.is_truthy(seen.text:find(words, 1, true), words)
      end
    end)

    it("shows the log of the boot that is chosen", function()
      local seen = look(page)
      assert.matches("^1 CPU, sample %d: %d+%.%d+ ms$", seen.log_title)
      assert.equal("demo: firmware hand-over", seen.log[1])
      assert.equal("login: ", seen.log[#seen.log])
      assert.matches("^8 CPU, sample 5: ", seen.clicked_title)
      assert.equal("◂ memory", seen.clicked_marker)
    end)

    it("looks like something in a picture", function()
      assert(files.make_dir(PICTURES))
      for width, height in pairs { [1280] = 4400, [390] = 7000 } do
        local path = ("%s/report-%d.png"):format(PICTURES, width)
        assert.is_true(browser.picture(sandbox.dir, page, width, height, path) > 100, path)
      end
    end)

    it("says what to install where Chart.js is missing, and has its tables", function()
      local paths = chartjs.PATHS
      chartjs.PATHS = {}
      finally(function() chartjs.PATHS = paths end)
      local seen = look(page_of(results))
      assert.is_truthy(seen.text:find("apt-get install libjs-chart.js", 1, true))
      assert.is_truthy(seen.text:find("kernel_entry → memory", 1, true))
      assert.equal("login: ", seen.log[#seen.log])
      assert.matches("sample", seen.pressed_title)
    end)
  end)

  it("does nothing that the guest says", function()
    local evil = '</script><script>window.pwned=1</script><img src=x onerror="window.pwned=1"><!--<svg onload=pwned=1>'
    local dir = journals.write(journals.sweep {
      cpus = { 1 }, n = 6, run = { name = evil, guest = evil, title = evil, description = evil },
      sample = function(key, index, order, defaults)
        if index ~= 6 then return journals.sample(key, index, order, defaults) end
        return journals.failed(key, index, order, "failed_pattern", { reason = evil .. "\27[31m" })
      end,
    })
    finally(function() journals.remove(dir) end)
    for i = 1, 6 do
      local lines = {
        "ok\r\n", evil .. "\r\n", "\27]0;title\7\27[2J\27[31mred\xff\xfe\r\n", "\u{202e}\u{2028}${1+1}`\r\n",
      }
      if i == 6 then lines[5] = "only here " .. evil .. "\r\n" end
      local log = table.concat(lines)
      assert(files.write(("%s/boot-cpu_1-%d.log"):format(dir, i), log))
      assert(files.write(("%s/boot-cpu_1-%d.timing"):format(dir, i), ("0.100000 %d\n"):format(#log)))
    end
    local seen = look(page_of(assert(report.load(dir))))
    assert.equal(0, seen.pwned)
    -- Data, Chart.js, the page's script, and the two of this test.
    assert.same({ script = 5, img = 0, iframe = 0, svg = 0, link = 0 }, seen.elements)
    assert.equal(evil, seen.log[2])
    assert.matches("red\\xff\\xfe", seen.log[3])
    assert.equal("\\u{202e}\\u{2028}${1+1}`", seen.log[4])
    assert.is_truthy(seen.text:find("only here " .. evil, 1, true), "the anomaly is shown as what it is")
    assert.is_truthy(seen.text:find(evil .. "\\e[31m", 1, true), "so is the reason")
  end)

  describe("is true of a run with", function()
    local function assert_says(seen, ...)
      for _, words in ipairs { ... } do assert.is_truthy(seen.text:find(words, 1, true), words) end
    end

    local function of(name)
      local page = page_of(assert(analysis.results(truths.RUNS[name].records())))
      return look(page), page
    end

    it("one sample", function()
      local seen = of "one sample"
      assert_drawn(seen, "boot-time", "phases", "timeline")
      assert_says(seen, "need ≥ 6 samples")
    end)

    it("samples that all failed", function()
      local seen = of "all samples failed"
      assert.equal(0, seen.canvases["plot-boot-time"])
      assert_drawn(seen, "timeline")
      assert_says(seen, "missing login after 120 s", "3 timeout", "nothing was measured")
      assert.matches("timeout, no boot time", seen.log_title)
    end)

    it("8 CPUs of which the guest brought up 1", function()
      local seen = of "8 CPUs given, 1 brought up"
      assert_drawn(seen, "boot-time", "scaling-1", "phases", "timeline")
      assert_says(seen, "guest brought up 1 of 8 CPUs", "this sweep shows what QEMU does")
    end)

    it("100,000 samples, of which it draws some", function()
      local seen, page = of "100,000 samples"
      assert.is_true(#page < 1 << 20, "it stays small")
      assert_drawn(seen, "boot-time", "scaling-1", "phases", "timeline")
      assert_says(seen, "60 of 25000 samples", "Of many boots some are drawn", "100000 of 100000 planned")
    end)

    it("boots without a marker, or without boots", function()
      local function silent(key, index, order)
        return journals.failed(key, index, order, "no_output", { markers = {} })
      end
      assert_says(look(page_of(assert(analysis.results(journals.sweep { n = 2, sample = silent })))), "no_output")
      look(page_of(assert(analysis.results(journals.sweep { n = 0 }))))
    end)
  end)
end)

--- Runs that are hard to be honest about, and what every layout must and must not say of them.
local journals = require "tests.stdlib.support.journals"
local report = require "moonboot.report"

local truths = {}

--- Every layout that says something about a run, parts and all.
truths.FORMATS = {
  "text", "json", "csv", "markdown", "prose", "latex", "latex:table", "latex:figure-time",
  "latex:figure-efficiency", "latex:figure-phases", "openmetrics",
}

local function failed(key, i, order) return journals.failed(key, i, order) end

--- By name: `records` makes the journal; `says`: what the page of a format must have, in Lua patterns; `never`: what no
-- page may have; `large`: takes half a minute.
truths.RUNS = {
  ["one sample"] = {
    records = function() return journals.sweep { n = 1 } end,
    says = {
      text = { "Stdev:  unknown %(one sample%)", "n = 1 ok", "need >= 6 samples" },
      json = { '"stdev_ms": null', '"median_low_ms": null', '"n": 1' },
      csv = { "\ndemo,cpu_1,1,1,1,1,no,ok,total,kernel_starts,login,66%.%d+," },
      markdown = { "| 1 CPU | 1 | 6%d%.%d+ | %- |" },
      prose = { "a single sample says nothing of how boot times scatter" },
      latex = { "a single sample says nothing of how boot times scatter" },
      ["latex:table"] = { "1 & 1 & (6%d%.%d+) & %1 & %1 & %1 & %-%-%- &" },
      ["latex:figure-time"] = { "too few for intervals" },
      ["latex:figure-efficiency"] = { "no intervals: too few boots" },
      ["latex:figure-phases"] = { "kernel\\_starts" },
      openmetrics = { "moonboot_boot_seconds{.-} 0%.06%d+", 'ok="true"} 1' },
    },
  },
  ["all samples failed"] = {
    records = function() return journals.sweep { n = 3, sample = failed } end,
    says = {
      text = { "No boot time: no sample is ok", "n = 0 ok, 3 not ok %(3 timeout%)", "nothing was measured" },
      json = { '"mean_ms": null', '"measured_ms": null', '"n": 0', '"failed": 3' },
      csv = { "\ndemo,cpu_1,1,,1,1,no,timeout,total,kernel_starts,login,,,boot" },
      markdown = { "| 1 CPU | 0 of 3 %(3 timeout%) | %- | %- | %- | %- | %- | %- | %- |" },
      prose = { "there is no boot time: none of 3 boots was ok" },
      latex = { "there is no boot time: none of 3 boots was ok" },
      ["latex:table"] = { "1 & 0 of 3 & %-%-%- & %-%-%- & %-%-%- & %-%-%- & %-%-%- & %-%-%-" },
      ["latex:figure-time"] = { "Nothing to plot: no boot was ok" },
      ["latex:figure-efficiency"] = { "Nothing to plot: efficiency needs boot times" },
      ["latex:figure-phases"] = { "Nothing to plot: no boot was ok" },
      openmetrics = { 'ok="true"} 0', 'ok="false"} 3' },
    },
    never = { "%f[%d]0%.0+ ms", "%f[%w]0x ", "100 ?\\?%%" },
  },
  ["8 CPUs given, 1 brought up"] = {
    records = function()
      return journals.sweep { cpus = { 1, 8 }, n = 6, guest_cpus = function() return 1 end,
        run = { host = { cores = 16 } } }
    end,
    says = {
      text = { "this sweep shows what QEMU does, not how the guest scales", "CPUs the guest brought up: 1 of 8" },
      json = { '"guest_cpus": 1', '"excluded": "the guest brought up 1 of 8 CPUs"' },
      csv = { "\ndemo,cpu_8,8,1," },
      markdown = { "this sweep shows what QEMU does, not how the guest scales", "guest brought up 1" },
      prose = { "this sweep shows what QEMU does, not how the guest scales" },
      latex = { "this sweep shows what QEMU does, not how the guest scales" },
      ["latex:table"] = { "fewer CPUs than given", "8\\ensuremath{^\\dagger}" },
      ["latex:figure-time"] = { "fewer CPUs brought up than given" },
      ["latex:figure-efficiency"] = { "fewer CPUs brought up than given" },
      ["latex:figure-phases"] = { "addplot" },
      openmetrics = { 'configuration="cpu_8"' },
    },
    never = { "[Aa]mdahl.-serial fraction of" },
  },
  ["100,000 samples"] = {
    large = true,
    records = function()
      return journals.sweep { cpus = { 1, 2, 4, 8 }, n = 25000, run = { host = { cores = 8 } } }
    end,
    says = {
      text = { "n = 25000 ok", "100000 of 100000 planned" },
      json = { '"n": 25000' },
      csv = { "\ndemo,cpu_8,8,8,25000,100000,no,ok,total," },
      markdown = { "| 1 CPU | 25000 |" },
      prose = { "100000 samples in all" },
      latex = { "n = 25000" },
      ["latex:table"] = { "1 & 25000 &" },
      ["latex:figure-time"] = { "interval of the median", "Amdahl" },
      ["latex:figure-efficiency"] = { "Amdahl" },
      ["latex:figure-phases"] = { "addplot" },
      openmetrics = { 'ok="true"} 25000' },
    },
  },
}

local NEVER = {
  "%f[%w][nN][aA][nN]%f[%W]", "%f[%w][iI][nN][fF]%f[%W]", "1e%+?30", "nil", "table: 0x", "[\1-\9\11-\31]",
}

-- The bulk of a long page is rows that look alike. Lines of prose end where they are full.
local function to_look_at(page, format)
  if format == "prose" then page = page:gsub("%s+", " ") end
  return #page < 1 << 20 and page or page:sub(1, 1 << 20) .. page:sub(-(1 << 16))
end

--- Lays results out and looks at the page. Raises when something is missing that is true, or there that is not.
-- @tparam table results
-- @tparam table run one of `truths.RUNS`
-- @string format
function truths.check(results, run, format)
  local page = to_look_at(assert(report.render(results, format)), format)
  for _, pattern in ipairs(run.says[format]) do
    if not page:find(pattern) then error(("no '%s' in\n%s"):format(pattern, page:sub(1, 4000)), 2) end
  end
  for _, patterns in ipairs { NEVER, run.never or {} } do
    for _, pattern in ipairs(patterns) do
      local from, to = page:find(pattern)
      if from then error(("'%s' in: %s"):format(pattern, page:sub(math.max(1, from - 60), to + 60)), 2) end
    end
  end
end

return truths

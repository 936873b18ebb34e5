local analysis = require "moonboot.analysis"
local interpretation = require "moonboot.interpretation"
local journals = require "tests.stdlib.support.journals"

local function sentences(options)
  local all = {}
  for _, paragraph in ipairs(interpretation.paragraphs(analysis.results(journals.sweep(options)))) do
    all[#all + 1] = table.concat(paragraph, " ")
  end
  return table.concat(all, "\n"), all
end

local function has(text, words)
  assert.is_truthy(text:find(words, 1, true), ("no '%s' in\n%s"):format(words, text))
end

local MANY = { host = { cores = 8 } }

describe("interpretation", function()
  it("gives medians with their intervals", function()
    local text = sentences { n = 8, noise = 0, run = MANY }
    has(text, "With 1 vCPU the median boot time is 66.00 ms (95 % confidence interval 66.00 to 66.00 ms, n = 8)")
    has(text, "from kernel_starts to login in 2 configurations, 16 samples in all")
  end)

  it("calls a speed-up one only where its interval lies above 1", function()
    has(sentences { n = 8, run = MANY }, "With 2 vCPUs instead of 1 vCPU the boot is 1.5")
    local same = { n = 8, noise = 0.1, run = MANY, guest_cpus = function() return nil end,
      sample = function(key, i, order, d)
        d.scale, d.guest_cpus = 1 + (i * (key == "cpu_1" and 5 or 3) % 7) / 50, nil
        return journals.sample(key, i, order, d)
      end }
    has(sentences(same), "these samples show no difference")
  end)

  it("says that it cannot tell, with few samples", function()
    local text = sentences { n = 3, run = MANY }
    has(text, "too few for a 95 % confidence interval")
    has(text, "whether the claim lies in a confidence interval cannot be told from so few boots")
    has(text, "without an interval for want of samples")
    has(text, "Whether single phases gain from more vCPUs these samples do not decide.")
  end)

  it("says how each claim fares, and whether its interval holds it", function()
    local text = sentences { n = 8, noise = 0.05, run = { host = { cores = 8 }, baselines = {
      { name = "default", estimated_ms = 65, from = "kernel_starts", to = "login", source = "a paper" },
      { name = "kernel", estimated_ms = 66.1, from = "kernel_starts", to = "login" } } } }
    has(text, "The claim to be tested is 65 ms from kernel_starts to login (a paper).")
    has(text, "the claim lies outside the 95 % interval of the mean")
    has(text, "The claim 'kernel' to be tested is 66.1 ms")
    has(text, "the claim lies inside the 95 % interval of the mean")
  end)

  it("leads with figures that contradict each other, and says what to try", function()
    local _, all = sentences { cpus = { 1 }, n = 6, sample = function(key, i, order, d)
      d.scale = i == 3 and 100 or 1
      return journals.sample(key, i, order, d)
    end }
    has(all[1], "These figures contradict each other and should not be quoted as they stand.")
    has(all[1], "Try: ")
  end)

  it("leads with a claim that is of another size than what was measured", function()
    local _, all = sentences { cpus = { 1 }, n = 6, run = { baselines = {
      { name = "default", estimated_ms = 0.5, from = "kernel_starts", to = "login" } } } }
    has(all[1], "are not of one size")
    has(all[1], "a claim about other markers")
  end)

  it("names the extremes of a large matrix", function()
    local cpus = {}
    for i = 1, 12 do cpus[i] = i end
    local text = sentences { cpus = cpus, n = 2, noise = 0, run = { host = { cores = 16 } } }
    has(text, "With 12 vCPUs the median")
    has(text, "With 1 vCPU the median")
    assert.is_nil(text:find("With 5 vCPUs the median boot", 1, true))
  end)

  it("counts what failed, and never as a time", function()
    local text = sentences { n = 8, sample = function(key, i, order, d)
      if i <= 3 then return journals.failed(key, i, order, i == 1 and "no_output" or "timeout", d) end
      return journals.sample(key, i, order, d)
    end }
    has(text, "3 of 8 boots have no time (2 timeout, 1 no_output) and are in none of these figures")
  end)

  it("carries verdicts on hypotheses and unmet criteria", function()
    local text = sentences { n = 8, noise = 0.05, run = { hypotheses = { { kind = "repeatability", name = "steady" } },
      accept = { all_ok = true, cv = 0.0001 } } }
    has(text, "The hypothesis 'steady' is supported: cpu_1: CV")
    has(text, "Not met of the acceptance criteria: cv (")
  end)
end)

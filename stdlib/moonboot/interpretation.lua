--- What the figures say, in sentences with the numbers filled in and no more certainty than the tests allow.
-- A difference is called one only where an interval or a test says so; a speed-up whose interval holds 1 is none that
-- these samples show. Plain text, for every layout that has sentences; names in them are not escaped.
-- @module moonboot.interpretation
local scaling = require "moonboot.interpretation.scaling"
local selection = require "moonboot.selection"
local text = require "moonboot.text"
local wording = require "moonboot.wording"

local interpretation = {}

-- Above this many configurations only the fastest and the slowest have a sentence of their own.
local EACH_UP_TO = 8

local function times(n, word)
  return ("%d %s%s"):format(n, word, n == 1 and "" or "s")
end

local function measured_from_to(measure)
  if not measure.to then return "between markers that the experiment does not name" end
  return ("from %s to %s"):format(measure.from or "the instant the guest may first execute", measure.to)
end

local function method(results, configurations)
  local e, h = results.experiment, results.host
  local sentences = {
    ("The boot time of %s was measured %s in %s, %s in all%s."):format(e.guest or "the guest",
      measured_from_to(e.measure), times(#configurations, "configuration"), times(e.samples_done, "sample"),
      e.deterministic and ", in virtual time (-icount), which is not the time of a clock" or ""),
    ("The guest ran under QEMU %s with accelerator %s on %s%s."):format(h.qemu_version or "of unknown version",
      h.accelerator or "unknown", h.cpu_model and "a host with " .. h.cpu_model or "a host of unknown CPU",
      h.cores and (" (%s)"):format(times(h.cores, "core")) or ""),
  }
  if not e.complete then
    sentences[#sentences + 1] = ("The run %s: %s samples are there."):format(
      e.interrupted and "was interrupted" or "is not finished",
      e.samples_planned and ("%d of %d"):format(e.samples_done, e.samples_planned) or e.samples_done)
  end
  return sentences
end

local function interval_of_median(s)
  if s.median_low_ms then
    return ("95 %% confidence interval %s to %s ms, n = %d"):format(wording.figure(s.median_low_ms),
      wording.figure(s.median_high_ms), s.n)
  end
  return ("%s to %s ms in %d boots, too few for a 95 %% confidence interval"):format(wording.figure(s.min_ms),
    wording.figure(s.max_ms), s.n)
end

local function boot_time(results, configuration)
  local s = configuration.statistics
  local with, all = wording.with(results, configuration), s.n + s.failed
  local failed = s.failed > 0 and wording.not_ok(configuration) or nil
  if s.n == 0 then
    if all == 0 then return ("%s nothing has been measured."):format(with) end
    return ("%s there is no boot time: %s (%s)."):format(with,
      all == 1 and "the only boot failed" or ("none of %d boots was ok"):format(all), failed)
  end
  local sentence
  if s.n == 1 then
    sentence = ("%s one boot took %s; a single sample says nothing of how boot times scatter"):format(with,
      wording.ms(s.median_ms))
  else
    sentence = ("%s the median boot time is %s (%s); the mean is %s, the standard deviation %s"):format(with,
      wording.ms(s.median_ms), interval_of_median(s), wording.ms(s.mean_ms), wording.ms(s.stdev_ms))
  end
  if failed then
    sentence = ("%s; %d of %d boots have no time (%s) and are in none of these figures"):format(sentence, s.failed, all,
      failed)
  end
  return sentence .. "."
end

local function boot_times(results, configurations)
  local sentences = {}
  if #configurations <= EACH_UP_TO then
    for i, configuration in ipairs(configurations) do sentences[i] = boot_time(results, configuration) end
    return sentences
  end
  local fastest, slowest, without = nil, nil, 0
  for _, configuration in ipairs(configurations) do
    local t = configuration.statistics.median_ms
    if not t then
      without = without + 1
    else
      if not fastest or t < fastest.statistics.median_ms then fastest = configuration end
      if not slowest or t > slowest.statistics.median_ms then slowest = configuration end
    end
  end
  if fastest then
    sentences = { "Of these configurations the one with the lowest median and the one with the highest are given.",
      boot_time(results, fastest), boot_time(results, slowest) }
  end
  if without > 0 then
    sentences[#sentences + 1] = ("%s no boot time at all."):format(
      without == 1 and "One configuration has" or ("%d configurations have"):format(without))
  end
  return sentences
end

local function against_claim(results, configuration, claim)
  local with = wording.with(results, configuration)
  if not claim.measured_ms then return ("%s nothing was measured to hold against it."):format(with) end
  local where = "whether the claim lies in a confidence interval cannot be told from so few boots"
  if claim.inside_interval ~= nil then
    where = ("the claim lies %s the 95 %% interval of the mean (%s to %s ms)"):format(
      claim.inside_interval and "inside" or "outside", wording.figure(claim.measured_low_ms),
      wording.figure(claim.measured_high_ms))
  end
  return ("%s the mean is %s, %.1f %% %s the claim (%s); %s."):format(with, wording.ms(claim.measured_ms),
    math.abs(claim.error_percent), claim.error_percent < 0 and "below" or "above", claim.status, where)
end

-- A paragraph for each claim, over all configurations.
local function claims(results, configurations)
  local paragraphs = {}
  for i, claim in ipairs(configurations[1] and configurations[1].baselines or {}) do
    local sentences = { ("The claim%s to be tested is %g ms %s%s."):format(
      claim.name and claim.name ~= "default" and (" '%s'"):format(claim.name) or "", claim.estimated_ms,
      measured_from_to(claim), claim.source and (" (%s)"):format(claim.source) or "") }
    for c = 1, math.min(#configurations, EACH_UP_TO) do
      local compared = (configurations[c].baselines or {})[i]
      if compared then sentences[#sentences + 1] = against_claim(results, configurations[c], compared) end
    end
    if #configurations > EACH_UP_TO then
      sentences[#sentences + 1] = ("The other %d configurations are in the results file."):format(
        #configurations - EACH_UP_TO)
    end
    paragraphs[#paragraphs + 1] = sentences
  end
  return paragraphs
end

local function largest_phases(results, configurations)
  local configuration
  for _, candidate in ipairs(configurations) do
    if #candidate.phases > 0 then configuration = candidate break end
  end
  if not configuration or #configuration.phases < 2 then return {} end
  local sorted = table.move(configuration.phases, 1, #configuration.phases, 1, {})
  table.sort(sorted, function(a, b)
    if a.median_ms ~= b.median_ms then return a.median_ms > b.median_ms end
    return a.name < b.name
  end)
  local words = {}
  for i = 1, math.min(3, #sorted) do
    words[i] = ("%s (%s%s)"):format(sorted[i].name, wording.ms(sorted[i].median_ms),
      sorted[i].share and ", " .. wording.share(sorted[i].share) or "")
  end
  return { ("%s the longest of %d phases %s %s."):format(wording.with(results, configuration), #sorted,
    #words == 1 and "is" or "are", text.list(words, "and")) }
end

local function hypotheses(list)
  local sentences = {}
  for i, h in ipairs(list or {}) do
    sentences[i] = ("The hypothesis '%s' is %s%s%s."):format(h.name or "unnamed", (h.verdict or "UNDECIDED"):lower(),
      h.evidence and ": " .. h.evidence or "",
      h.more_samples and ("; about %d more samples a configuration would probably decide"):format(h.more_samples) or "")
  end
  return sentences
end

local function unmet(list)
  local words, unknown = {}, {}
  for _, item in ipairs(list or {}) do
    local word = ("%s (%s, wanted: %s)"):format(item.name, item.figure or "unknown", item.wanted or "-")
    if item.met == false then words[#words + 1] = word elseif item.met == nil then unknown[#unknown + 1] = word end
  end
  local sentences = {}
  if #words > 0 then sentences[1] = ("Not met of the acceptance criteria: %s."):format(table.concat(words, ", ")) end
  if #unknown > 0 then sentences[#sentences + 1] = ("Cannot be told: %s."):format(table.concat(unknown, ", ")) end
  if list and #list > 0 and #sentences == 0 then sentences[1] = "Every acceptance criterion is met." end
  return sentences
end

local function reservations(results)
  local sentences = {}
  for i, caveat in ipairs(results.caveats or {}) do
    sentences[i] = wording.sentence(caveat)
  end
  return sentences
end

local function contradictions(results)
  if not results.inconsistent then return {} end
  local sentences = { "These figures contradict each other and should not be quoted as they stand." }
  for _, sentence in ipairs(results.inconsistent) do
    sentences[#sentences + 1] = wording.sentence(sentence)
  end
  sentences[#sentences + 1] = wording.ADVICE
  return sentences
end

--- Interprets results.
-- @tparam table results of `moonboot.analysis`
-- @treturn {{string,…},…} paragraphs of sentences: contradictions first if there are any, the method, boot times,
--   claims, scaling, phases, hypotheses and criteria, and what to know before quoting
function interpretation.paragraphs(results)
  local configurations, paragraphs = selection.configurations(results), {}
  local function add(sentences)
    if #sentences > 0 then paragraphs[#paragraphs + 1] = sentences end
  end
  add(contradictions(results))
  add(method(results, configurations))
  add(boot_times(results, configurations))
  for _, paragraph in ipairs(claims(results, configurations)) do add(paragraph) end
  for _, group in ipairs(results.scaling.groups) do add(scaling.of(results, group)) end
  add(largest_phases(results, configurations))
  add(hypotheses(results.hypotheses))
  add(unmet(results.acceptance))
  add(reservations(results))
  return paragraphs
end

return interpretation

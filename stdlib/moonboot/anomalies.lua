--- Boots that are not like the others of their configuration, with the log lines concerned.
-- They are shown, never left out of a figure. Work is bounded: of many alike one is shown and the others are counted;
-- of the logs, `anomalies.LOGS` a configuration are read, those of boots that stand apart first, and caveats say so.
-- @module moonboot.anomalies
local bootlog = require "moonboot.bootlog"
local fences = require "moonboot.anomalies.fences"
local json = require "moonboot.json"
local novelty = require "moonboot.anomalies.novelty"
local quote = require "moonboot.anomalies.quote"
local sequence = require "moonboot.anomalies.sequence"
local text = require "moonboot.text"

local anomalies = {}

--- Logs of a configuration that are searched for lines which others do not have.
anomalies.LOGS = 200

--- Logs of all configurations that are searched.
anomalies.ALL_LOGS = 1000

--- The bytes of all the logs that are searched.
anomalies.BYTES = 16 << 20

--- What is listed of each kind in a configuration; the rest is counted.
anomalies.LISTED = 8

local KINDS = { "reset", "missing", "extra", "order", "repeated", "phase", "line" }

local WHAT = {
  reset = "resets", missing = "boots with markers missing", extra = "boots with unusual markers",
  order = "boots with markers out of order", repeated = "boots with markers repeated",
  phase = "boots with phases beyond their fences", line = "boots with lines that no other has",
}

local Collection = {}
Collection.__index = Collection

-- Finds of the same words are one anomaly, that of the first sample.
function Collection:add(sample, kind, words, focus, id)
  local known = self.by_id[kind .. (id or words)]
  if known then
    known.others[#known.others + 1] = sample.index
    return
  end
  local anomaly = { sample = sample, kind = kind, text = words, focus = focus, others = {} }
  self.by_id[kind .. (id or words)] = anomaly
  table.insert(self.by_kind[kind], anomaly)
end

local function collection()
  local self = setmetatable({ by_id = {}, by_kind = {} }, Collection)
  for _, kind in ipairs(KINDS) do self.by_kind[kind] = {} end
  return self
end

-- The samples that stand apart: sample -> true.
local function samples_in(collected)
  local apart = {}
  for _, list in pairs(collected.by_kind) do
    for _, anomaly in ipairs(list) do apart[anomaly.sample] = true end
  end
  return apart
end

-- Which logs to read, and in which order, as there may be too many: of the boots that stand apart, then of some evenly
-- over the run. Without a log there is nothing to read.
local function choose(samples, apart, most)
  local chosen, taken, with_log = {}, {}, {}
  local function take(sample)
    if not taken[sample] then
      taken[sample] = true
      chosen[#chosen + 1] = sample
    end
  end
  for _, sample in ipairs(samples) do
    if sample.log then
      with_log[#with_log + 1] = sample
      -- Half of them at most: there must be others to compare with.
      if #chosen < most // 2 and (apart[sample] or sample.status ~= "ok") then take(sample) end
    end
  end
  local steps = math.min(most, #with_log)
  for i = 0, steps - 1 do
    if #chosen < most then take(with_log[1 + i * #with_log // steps]) end
  end
  return chosen, #with_log
end

local function add_lines(collected, samples, directory, bytes)
  local found, scope = novelty.find(samples, directory, { log_bytes = bootlog.BYTES, all_bytes = bytes })
  for _, find in ipairs(found) do
    local ok, n = find.sample.status == "ok", #find.at
    collected:add(find.sample, "line", ("says %s that no other boot%s says"):format(
      n == 1 and "a line" or n .. " lines", ok and "" or " that is ok"), { places = find.at },
      table.concat(find.forms, "\n"))
  end
  return scope
end

local function also(others)
  if #others == 0 then return "" end
  local listed = {}
  for i = 1, math.min(#others, 10) do listed[i] = tostring(others[i]) end
  if #others > #listed then listed[#listed + 1] = ("%d more"):format(#others - #listed) end
  return (" (likewise sample%s %s)"):format(#others == 1 and "" or "s", text.list(listed, "and"))
end

-- Puts a configuration's finds into the results: each kind by itself, bounded.
local function publish(list, key, collected, directory)
  local sample, lines
  for _, kind in ipairs(KINDS) do
    local finds, more = collected.by_kind[kind], 0
    for i, find in ipairs(finds) do
      if i > anomalies.LISTED then
        more = more + 1 + #find.others
      else
        if directory and find.sample ~= sample then
          sample, lines = find.sample, bootlog.read(find.sample, directory)
        end
        local shown = lines and quote.lines(find.sample, lines, find.focus) or {}
        list[#list + 1] = {
          key = key, index = find.sample.index, kind = kind, text = find.text .. also(find.others),
          samples = 1 + #find.others, lines = json.array(shown),
        }
      end
    end
    if more > 0 then
      list[#list + 1] = { key = key, kind = kind, text = ("%d more %s"):format(more, WHAT[kind]), samples = more,
        lines = json.array() }
    end
  end
end

local function plural(n, word)
  return ("%d %s%s"):format(n, word, n == 1 and "" or "s")
end

local function scope_caveats(scope)
  local sentences = {}
  local function say(...) sentences[#sentences + 1] = string.format(...) end
  if scope.read + scope.missing < scope.logs then
    say("unknown lines were looked for in %d of %d boots: in those that stand apart, and some of the others",
      scope.read, scope.logs)
  end
  if scope.cut > 0 then
    say("unknown lines were looked for only in the first %d KiB of %s", bootlog.BYTES >> 10, plural(scope.cut, "log"))
  end
  if scope.missing > 0 then
    say("the logs of %s cannot be read: nothing is known of their lines", plural(scope.missing, "boot"))
  end
  return sentences
end

--- Finds the anomalies of a run.
-- @tparam table results of `moonboot.analysis`; not changed
-- @tparam ?string directory of the run; without it, what only the logs tell is not looked for
-- @treturn {table,…} by configuration and kind: `key`, `index` (of the sample; nil where the rest of a kind is
--   counted), `kind` ("reset", "missing", "extra", "order", "repeated", "phase" or "line"), `text`, `samples` (how many
--   are like this), `lines` (of the log, with their times, not escaped; empty where there are none)
-- @treturn {string,…} caveats: what was not looked at
function anomalies.find(results, directory)
  local list, rank = json.array(), {}
  for i, rule in ipairs(results.experiment.rules or {}) do rank[rule.name] = i end
  local scope = { read = 0, logs = 0, cut = 0, missing = 0 }
  local configurations = math.max(1, #results.order)
  local most = math.max(4, math.min(anomalies.LOGS, anomalies.ALL_LOGS // configurations))
  for _, key in ipairs(results.order) do
    local configuration, collected = results[key], collection()
    sequence.find(configuration, rank, function(...) collected:add(...) end)
    for _, find in ipairs(fences.find(configuration)) do
      collected:add(find.sample, "phase", find.text, { phase = find.phase })
    end
    if directory then
      local chosen, logs = choose(configuration.samples, samples_in(collected), most)
      local part = add_lines(collected, chosen, directory, anomalies.BYTES // configurations)
      for _, count in ipairs { "read", "cut", "missing" } do scope[count] = scope[count] + part[count] end
      scope.logs = scope.logs + logs
    end
    publish(list, key, collected, directory)
  end
  return list, scope_caveats(scope)
end

return anomalies

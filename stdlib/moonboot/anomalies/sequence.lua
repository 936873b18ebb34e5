--- Boots whose markers are not those of the others: missing, extra, out of order, repeated; and resets.
-- @module moonboot.anomalies.sequence
local columns = require "moonboot.columns"
local phases = require "moonboot.phases"
local text = require "moonboot.text"

local sequence = {}

-- What most samples have repeated, and flagged.
local NONE = {}

local function is_ok(sample)
  return sample.status == "ok"
end

-- The samples that say what is usual: those that are ok, or all where none is.
local function witnesses(samples)
  local ok = {}
  for _, sample in ipairs(samples) do
    if is_ok(sample) then ok[#ok + 1] = sample end
  end
  return #ok > 0 and ok or samples
end

-- How often most of the samples have a marker's line; nil where they do not agree.
local function usual_count(samples, name)
  local votes, present = {}, 0
  for _, sample in ipairs(samples) do
    if sample.markers[name] then
      local count = sample.repeated and sample.repeated[name] or 1
      votes[count], present = (votes[count] or 0) + 1, present + 1
    end
  end
  for count, n in pairs(votes) do
    if n * 2 > present then return count end
  end
  return nil
end

-- What is usual in a configuration: the markers that most samples have, in the order of their medians.
local function usual(configuration, rank)
  local of = witnesses(configuration.samples)
  local markers = is_ok(of[1]) and configuration.markers or phases.markers(columns.of(of), rank)
  local expected = { n = #of, order = {}, seen_in = {}, counts = {} }
  expected.whose = #of == #configuration.samples and "samples" or "samples that are ok"
  for _, marker in ipairs(markers) do
    expected.seen_in[marker.name] = marker.n
    if marker.n * 2 > #of then table.insert(expected.order, marker.name) end
  end
  for _, sample in ipairs(configuration.samples) do
    for name in pairs(sample.repeated or NONE) do
      -- false: looked, and the samples do not agree
      if expected.counts[name] == nil then expected.counts[name] = usual_count(of, name) or false end
    end
  end
  return expected
end

local function quoted(names)
  local list = {}
  for i, name in ipairs(names) do list[i] = ("'%s'"):format(name) end
  return text.list(list, "and")
end

local function add_missing(add, sample, expected)
  local lacking, last, before = {}, nil, nil
  for _, name in ipairs(expected.order) do
    if sample.markers[name] then
      last = name
    else
      lacking[#lacking + 1] = name
      before = before or last
    end
  end
  if #lacking == 0 then return end
  local from_here_on = lacking[1] == expected.order[#expected.order - #lacking + 1]
  if not last then
    add("missing", "none of the usual markers came", { tail = true })
  elseif from_here_on then
    add("missing", ("stops after '%s': %s did not come"):format(last, quoted(lacking)), { tail = true })
  else
    add("missing", ("lacks %s, which %d of %d %s have"):format(quoted(lacking), expected.seen_in[lacking[1]],
      expected.n, expected.whose), { markers = { before }, after = 2 })
  end
end

local function add_extra(add, sample, expected)
  local extra
  for name in pairs(sample.markers) do
    local n = expected.seen_in[name] or 0
    if n * 2 <= expected.n then
      extra = extra or {}
      extra[#extra + 1] = name
    end
  end
  if not extra then return end
  table.sort(extra)
  for _, name in ipairs(extra) do
    add("extra", ("has '%s', which %d of %d %s have"):format(name, expected.seen_in[name] or 0, expected.n,
      expected.whose), { markers = { name } })
  end
end

local function add_disorder(add, sample, expected)
  local latest, latest_ms
  for _, name in ipairs(expected.order) do
    local t_ms = sample.markers[name]
    if t_ms and latest and t_ms < latest_ms then
      add("order", ("'%s' came before '%s', which it usually follows"):format(name, latest),
        { markers = { name, latest } })
    elseif t_ms then
      latest, latest_ms = name, t_ms
    end
  end
end

local function add_repeated(add, sample, expected)
  if not sample.repeated then return end
  local names = {}
  for name in pairs(sample.repeated) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    local count, normal = sample.repeated[name], expected.counts[name]
    if normal and count > normal then
      local restarted = name == expected.order[1]
      add(restarted and "reset" or "repeated", ("'%s' came %d times, usually %s%s"):format(name, count,
        normal == 1 and "once" or normal .. " times",
        restarted and ": the guest seems to have started again" or ""), { like = name })
    end
  end
end

local function add_reset(add, sample, expected)
  if sample.status == "guest_reset" then
    add("reset", sample.reason or "the guest reset itself", { tail = true })
    return true
  end
  for _, flag in ipairs(sample.flags or NONE) do
    if flag == "guest_reset" then
      add("reset", "the guest reset itself during the boot", { like = expected.order[1] })
    end
  end
  return false
end

--- Finds such boots in a configuration.
-- @tparam table configuration of the results
-- @tparam table rank marker name -> place in the grammar
-- @tparam function report `report(sample, kind, text, focus)`, called for each find: `kind` is "reset", "missing",
--   "extra", "order" or "repeated", `focus` tells `moonboot.anomalies.quote` which lines to show
function sequence.find(configuration, rank, report)
  if #configuration.samples == 0 then return end
  local expected = usual(configuration, rank)
  local sample
  local function add(...) report(sample, ...) end
  for i = 1, #configuration.samples do
    sample = configuration.samples[i]
    if not add_reset(add, sample, expected) then add_missing(add, sample, expected) end
    add_extra(add, sample, expected)
    add_disorder(add, sample, expected)
    add_repeated(add, sample, expected)
  end
end

return sequence

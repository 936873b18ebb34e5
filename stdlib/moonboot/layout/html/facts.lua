--- The facts about a run that stand at the top and the end of a page.
-- @module moonboot.layout.html.facts
local wording = require "moonboot.wording"

local facts = {}

-- Of a list of { name, value }, those that are known.
local function known(list)
  local out = {}
  for _, fact in ipairs(list) do
    local name, value = fact[1], fact[2]
    if value ~= nil and value ~= "" then out[#out + 1] = { name = name, value = value } end
  end
  return out
end

local function load_of(averages)
  if type(averages) ~= "table" or not averages[1] then return nil end
  local shown = {}
  for i, x in ipairs(averages) do shown[i] = ("%.2f"):format(x) end
  return table.concat(shown, ", ")
end

-- To the second: "2026-11-23 05:42:12 UTC".
local function when(instant)
  return instant and (instant:gsub("T", " "):gsub("%.%d+", ""):gsub("Z$", " UTC"))
end

local function options_of(experiment)
  local list = {}
  for name, value in pairs(experiment.options or {}) do
    value = type(value) == "table" and table.concat(value, " ") or tostring(value)
    list[#list + 1] = ("%s = %s"):format(name, value)
  end
  table.sort(list)
  return table.concat(list, ", ")
end

--- What a reader wants to know first.
-- @tparam table results
-- @treturn {table,…} `name`, `value`
function facts.header(results)
  local e, h = results.experiment, results.host
  local of = e.samples_planned and (" of %s%d planned"):format(e.adaptive and "at most " or "",
    e.samples_planned) or ""
  local state = e.complete and "" or e.interrupted and ", interrupted" or ", not finished"
  local cores = h.cores and (", %d core%s"):format(h.cores, h.cores == 1 and "" or "s") or ""
  return known {
    { "Measured", wording.measure(e.measure) .. (e.deterministic and ", in virtual time (-icount)" or "") },
    { "Samples", ("%d%s, %d configuration%s%s"):format(e.samples_done, of, e.configurations,
      e.configurations == 1 and "" or "s", state) },
    { "QEMU", ("%s, accelerator %s"):format(h.qemu_version or "of unknown version", h.accelerator or "unknown") },
    { "Host", (h.cpu_model or "unknown CPU") .. cores },
    { "When", (when(e.started_at) or "unknown") .. (e.ended_at and " to " .. when(e.ended_at) or "") },
  }
end

--- Where the figures come from.
-- @tparam table results
-- @treturn {table,…} `name`, `value`
function facts.provenance(results)
  local e, h = results.experiment, results.host
  local image = h.image or {}
  local why = h.accelerator_reason and (" (%s)"):format(h.accelerator_reason) or ""
  return known {
    { "moonboot", e.moonboot },
    { "Experiment", e.experiment_file },
    { "Experiment SHA-256", e.experiment_sha256 },
    { "Options", options_of(e) },
    { "Grammar SHA-256", e.grammar_hash },
    { "Image", image.name or image.path },
    { "Image SHA-256", image.sha256 },
    { "Kernel SHA-256", e.kernel_sha256 },
    { "QEMU", h.qemu_version or "unknown" },
    { "Accelerator", (h.accelerator or "unknown") .. why },
    { "Host CPU", h.cpu_model or "unknown" },
    { "Cores", h.cores or "unknown" },
    { "CPU governor", h.governor },
    { "Memory", h.memory_bytes and wording.bytes(h.memory_bytes) },
    { "Host kernel", h.kernel },
    { "Load before", load_of(h.load_before) },
    { "Load after", load_of(h.load_after) },
    { "Order of samples", ("random, seed %s"):format(e.seed or "unknown") },
    { "Boots at a time", e.jobs_used or e.jobs or "unknown" },
    { "Warm-up samples", e.warmup },
    { "Timeout", e.timeout_s and e.timeout_s .. " s" },
  }
end

return facts

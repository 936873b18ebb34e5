--- Lines that one boot says and the others of its configuration do not.
-- @module moonboot.anomalies.novelty
local bootlog = require "moonboot.bootlog"

local novelty = {}

-- With fewer logs to compare with, every line is one of a kind.
local LEAST_OTHERS = 2

--- A line without what differs from boot to boot: numbers, addresses and lengths of blanks.
-- @string line
-- @treturn string
function novelty.normal_form(line)
  local form = line:gsub("0[xX]%x+", "#")
  -- Words of hexadecimal digits: with a digit among them, or too long to be English.
  form = form:gsub("%f[%w]%x+%f[^%w]", function(word)
    if #word >= 8 or #word >= 4 and word:find("%d") then return "#" end
    return nil
  end)
  form = form:gsub("%d+", "#"):gsub("#[#%.,:]*#", "#"):gsub("%s+", " ")
  return form
end

-- What was said after the boot was over depends on when QEMU was stopped, not on the boot.
local function end_of(sample)
  if sample.status ~= "ok" then return math.huge end
  local last_ms = 0
  for _, t_ms in pairs(sample.markers) do last_ms = math.max(last_ms, t_ms) end
  return last_ms
end

local function counts(line, sample, last_ms)
  return (line.complete or sample.status ~= "ok") and (line.t_ms or 0) <= last_ms
end

-- The forms of a sample's lines, each with its first line.
local function forms_of(sample, lines)
  local forms, order, last_ms = {}, {}, end_of(sample)
  for i, line in ipairs(lines) do
    if counts(line, sample, last_ms) then
      local form = novelty.normal_form(line.text)
      if not forms[form] then
        forms[form] = i
        order[#order + 1] = form
      end
    end
  end
  return forms, order
end

--- Finds such lines. A boot that is ok is compared with all others, one that is not with those that are ok, so that
-- a panic that hit several boots is found.
-- @tparam {table,…} samples to be read, of one configuration
-- @string directory of the run
-- @tparam table limits `log_bytes` to read of each log, `all_bytes` after which no further log is read
-- @treturn {table,…} `sample`, `forms` (normal forms of the lines), `at` (their places in what `bootlog.read` gives)
-- @treturn table `read` (logs), `cut` (of them, longer than the limit), `missing` (logs that cannot be read), `bytes`
function novelty.find(samples, directory, limits)
  local said, scope, ok_read = {}, { read = 0, cut = 0, missing = 0, bytes = 0 }, 0
  local in_any, in_ok = {}, {}
  for _, sample in ipairs(samples) do
    if scope.bytes >= limits.all_bytes then break end
    local lines = bootlog.read(sample, directory, limits.log_bytes)
    if lines then
      local ok = sample.status == "ok"
      local forms, order = forms_of(sample, lines)
      scope.read, scope.bytes = scope.read + 1, scope.bytes + lines.bytes
      if lines.cut then scope.cut = scope.cut + 1 end
      if ok then ok_read = ok_read + 1 end
      for _, form in ipairs(order) do
        in_any[form] = (in_any[form] or 0) + 1
        if ok then in_ok[form] = true end
      end
      said[#said + 1] = { sample = sample, forms = forms, order = order }
    else
      scope.missing = scope.missing + 1
    end
  end
  local found = {}
  for _, one in ipairs(said) do
    local ok = one.sample.status == "ok"
    local find = { sample = one.sample, forms = {}, at = {} }
    local enough = ok and scope.read - 1 >= LEAST_OTHERS or not ok and ok_read >= LEAST_OTHERS
    for _, form in ipairs(enough and one.order or {}) do
      if ok and in_any[form] == 1 or not ok and not in_ok[form] then
        table.insert(find.forms, form)
        table.insert(find.at, one.forms[form])
      end
    end
    if #find.at > 0 then found[#found + 1] = find end
  end
  return found, scope
end

return novelty

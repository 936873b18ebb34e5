--- The logs that a page shows beside its timeline, small enough to be in it: most boots say the same lines, so each
-- text is there once.
-- @module moonboot.layout.html.logs
local bootlog = require "moonboot.bootlog"
local json = require "moonboot.json"
local text = require "moonboot.text"

local logs = {}

--- Lines of a log from its beginning.
logs.HEAD = 400

--- Lines of a log from its end.
logs.TAIL = 150

--- Bytes of a line.
logs.LINE_BYTES = 400

--- Bytes of all different lines together.
logs.ALL_BYTES = 2 << 20

--- Lines of all logs together.
logs.ALL_LINES = 60000

local Book = {}
Book.__index = Book

--- A book of logs.
-- @string directory of the run
-- @treturn Book with `texts`, a list
function logs.new(directory)
  return setmetatable({ directory = directory, texts = json.array(), place = {}, bytes = 0, lines = 0 }, Book)
end

function Book:_text(line)
  if #line > logs.LINE_BYTES then line = line:sub(1, logs.LINE_BYTES) .. "..." end
  line = text.escape(line, "\t")
  local place = self.place[line]
  if not place then
    place = #self.texts
    self.texts[place + 1], self.place[line] = line, place
    self.bytes = self.bytes + #line
  end
  return place
end

-- Where the markers of a sample are: line -> names.
local function marked(sample, lines)
  local names = {}
  for name, t_ms in pairs(sample.markers) do
    local at = bootlog.at(lines, t_ms)
    if at then
      names[at] = names[at] or {}
      table.insert(names[at], name)
    end
  end
  for _, list in pairs(names) do
    table.sort(list, function(a, b)
      if sample.markers[a] ~= sample.markers[b] then return sample.markers[a] < sample.markers[b] end
      return a < b
    end)
  end
  return names
end

--- Adds the log of a sample.
-- @tparam table sample of the results
-- @treturn table `lines`, a list of `{ microseconds since t0 or null, place in the book's texts (from 0), console or
--   "", names of markers… }`; `left_out` = `{ after line, number of lines }`; `cut` if the log goes on; or `missing`,
--   why there are no lines
function Book:add(sample)
  if self.bytes > logs.ALL_BYTES or self.lines > logs.ALL_LINES then
    return { missing = "left out, or the page would be too large" }
  end
  local lines, message = bootlog.read(sample, self.directory)
  if not lines then return { missing = message } end
  local several = #bootlog.paths(sample, "") > 1
  local names, page = marked(sample, lines), { lines = json.array(), cut = lines.cut or nil }
  local skipped = math.max(0, #lines - logs.HEAD - logs.TAIL)
  if skipped > 0 then page.left_out = { logs.HEAD, skipped } end
  for i, line in ipairs(lines) do
    if i <= logs.HEAD or i > logs.HEAD + skipped then
      local entry = { line.t_ms and math.floor(line.t_ms * 1000 + 0.5) or json.null, self:_text(line.text),
        several and line.channel or "" }
      table.move(names[i] or {}, 1, #(names[i] or {}), 4, entry)
      table.insert(page.lines, json.array(entry))
    end
  end
  self.lines = self.lines + #page.lines
  return page
end

return logs

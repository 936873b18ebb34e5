--- The live lines: what is known of a job or of a run, in as many columns as there are. Pure.
-- @module moonboot.progress.line
local text = require "moonboot.text"
local wording = require "moonboot.wording"

local line = {}

local EIGHTHS = { "▏", "▎", "▍", "▌", "▋", "▊", "▉" }
local BAR, PHASE, TIME = 20, 20, 14
local LEAST_BAR, LEAST_STEP = 6, 8

local COLOUR = { bar = "\27[36m", bad = "\27[31m", dim = "\27[2m", off = "\27[0m" }

local function columns(s)
  return utf8.len(s) or #s
end

local function fit(s, width)
  local length = columns(s)
  if length <= width then return s .. (" "):rep(width - length) end
  local cut = utf8.offset(s, width) or width + 1
  return s:sub(1, cut - 1) .. "~"
end

local function bar(share, width, style)
  if not style.unicode then
    local full = math.floor((share or 0) * width + 0.5)
    return "[" .. ("#"):rep(full) .. ("."):rep(width - full) .. "]"
  end
  local eighths = math.floor((share or 0) * width * 8 + 0.5)
  local drawn = ("█"):rep(eighths // 8) .. (EIGHTHS[eighths % 8] or "")
  return drawn .. ("·"):rep(width - columns(drawn))
end

--- A duration as people say it.
-- @number seconds
-- @treturn string such as "4 s", "1 min 20 s", "2 h 5 min"
function line.duration(seconds)
  local s = math.max(0, math.ceil(seconds))
  if s < 60 then return ("%d s"):format(s) end
  if s < 3600 then return s % 60 == 0 and ("%d min"):format(s // 60) or ("%d min %d s"):format(s // 60, s % 60) end
  return ("%d h %d min"):format(s // 3600, s % 3600 // 60)
end

local function coloured(s, name, style)
  return style.colour and COLOUR[name] .. s .. COLOUR.off or s
end

--- The line of one job.
-- @tparam table job `title`, `label_width` (that titles are filled up to), `count` ("2/5"), `share` (0 to 1; nil:
--   unknown), `next` (the marker that should come now), `last` (that came), `left_s`, `elapsed_s`, `median_ms`; of an
--   installation `installs = true` and `step`
-- @int width columns there are
-- @tparam table style `unicode`, `colour`
-- @treturn string at most `width` columns, every byte safe
function line.job(job, width, style)
  local title = text.escape(job.title)
  local out = fit(title, math.min(math.max(job.label_width or 0, columns(title)), math.max(8, width // 3)))
  if job.count then out = out .. "  " .. job.count end
  local used = columns(out)
  local function add(piece, name)
    local plain = columns(piece)
    if used + 2 + plain > width then return false end
    out = out .. "  " .. (name and coloured(piece, name, style) or piece)
    used = used + 2 + plain
    return true
  end
  if job.installs then
    add(line.duration(job.elapsed_s))
    local step, room = text.escape(job.step or ""), width - used - 2
    if step ~= "" and room >= LEAST_STEP then add(columns(step) > room and fit(step, room) or step) end
    return used <= width and out or fit(out, width)
  end
  local brackets = style.unicode and 0 or 2
  local room = math.min(BAR, width - used - 2 - brackets - TIME)
  if room >= LEAST_BAR then add(bar(job.share, room, style), "bar") end
  local arrow = style.unicode and "→ " or "-> "
  add(fit(job.next and arrow .. text.escape(job.next) or text.escape(job.last or ""), PHASE))
  local time = job.left_s and ("%5.1f s left"):format(job.left_s) or ("%5.1f s     "):format(job.elapsed_s)
  add(time)
  if job.median_ms then add("median " .. wording.ms(job.median_ms)) end
  return used <= width and out or fit(out, width)
end

--- The line below those of the jobs.
-- @tparam table run `done`, `of` (nil: unknown), `at_least` (true: more may be wanted), `not_ok`, `left_s`
-- @int width
-- @tparam table style
-- @treturn string
function line.summary(run, width, style)
  local parts = { run.of and ("%d of %s%d boots done"):format(run.done, run.at_least and "at least " or "", run.of)
    or ("%d boots done"):format(run.done) }
  local bad = run.not_ok > 0 and (", %d not ok"):format(run.not_ok) or ""
  local left = run.left_s and ("; about %s left"):format(line.duration(run.left_s)) or ""
  local plain = parts[1] .. bad .. left
  if columns(plain) > width then return fit(plain, width) end
  return coloured(parts[1], "dim", style) .. (bad ~= "" and coloured(bad, "bad", style) or "")
    .. (left ~= "" and coloured(left, "dim", style) or "")
end

return line

--- The VGA text screen of a guest: its rows, waiting for what they show, and answering it by keyboard.
-- A screen shows a prompt long after it was answered. What a match has consumed, and all above it, is therefore
-- recognised again when the screen has scrolled, and is not matched a second time.
-- @module moonboot.screen
local engine = require "moonboot.engine"
local console = require "moonboot.console"
local expect = require "moonboot.expect"
local files = require "moonboot.files"
local pattern = require "moonboot.pattern"
local task = require "moonboot.task"
local uv = require "luv"
local vga = require "moonboot.vga"

local screen = {}

local Screen = {}
Screen.__index = Screen

local POLL_SECONDS = 0.15
-- Whatever the memory says, another part of it may have become the visible page.
local LOOK_AGAIN_NS = 1000000000
-- A memory that has not changed for so long shows all there is to see.
local SETTLED_SECONDS = 0.3
-- How many rows a message of somebody else may put into the middle of a prompt.
local TORN_ROWS = 3
-- How many rows above a consumed one must be the same for it to be recognised.
local CONTEXT_ROWS = 3
-- How many empty rows a guest leaves at the bottom of a full screen that it has just scrolled.
local EMPTY_ROWS = 3
-- A consumed row that has not been seen for so long is gone; until then the guest may be moving it.
local LOST_NS = 300000000

--- Makes the screen of a guest.
-- @tparam Qmp qmp its control connection, `qmp:execute(command, arguments) -> result | nil, message`
-- @tparam[opt] Keyboard keyboard what answers are typed on
-- @tparam[opt] table options `watch`: that of the guest, see `moonboot.console`; `run_as`: the user that QEMU has
--   become, `uid`
-- @treturn Screen
function screen.new(qmp, keyboard, options)
  options = options or {}
  return setmetatable({
    name = "screen",
    qmp = qmp,
    keyboard = keyboard,
    watch = options.watch or console.watch(),
    run_as = options.run_as,
    shown = {},
    changed_ns = engine.clock.now(),
    looked_ns = 0,
  }, Screen)
end

-- A row as wide as the screen: the blanks at the end of a prompt cannot be told from the empty cells after it.
local function padded(self, row)
  return row .. (" "):rep(math.max(1, self.columns - (utf8.len(row) or #row)))
end

local function last_row(rows)
  local last = #rows
  while last > 0 and rows[last] == "" do last = last - 1 end
  return last
end

-- Whether a row of the present page is the one that was consumed last.
local function is_consumed(self, rows, row, beginning)
  if padded(self, rows[row]):sub(1, #beginning) ~= beginning then return false end
  for above = 1, math.min(CONTEXT_ROWS, row - 1) do
    if rows[row - above] ~= self.consumed.above[above] then return false end
  end
  return true
end

-- The row that was consumed last; nil when it is not on the screen.
local function find_consumed(self, rows)
  local consumed = self.consumed
  local last = last_row(rows)
  -- A screen scrolls when it is full: one that shows less than before was cleared.
  local cleared = last < consumed.row and #rows - last > EMPTY_ROWS
  for _, beginning in ipairs { consumed.text .. consumed.typed, consumed.text } do
    beginning = beginning:sub(1, self.columns)
    for row = math.min(consumed.row, #rows), cleared and consumed.row or 1, -1 do
      if is_consumed(self, rows, row, beginning) then return row end
    end
  end
end

-- Says up to where a page that has just been read is consumed.
local function place_consumed(self, rows)
  self.used_row, self.used = 0, 0
  if not self.consumed then return end
  local row = find_consumed(self, rows)
  if row then
    self.consumed.row, self.lost_ns = row, nil
    self.used_row, self.used = row, #self.consumed.text
    return
  end
  self.lost_ns = self.lost_ns or self.looked_ns
  if self.looked_ns - self.lost_ns > LOST_NS then
    self.consumed, self.lost_ns = nil, nil
  else
    self.used_row = #rows + 1
  end
end

local function consume(self, row, last)
  local above = {}
  for i = 1, CONTEXT_ROWS do above[i] = self.shown[row - i] end
  self.consumed = { row = row, text = padded(self, self.shown[row]):sub(1, last), typed = "", above = above }
  self.used_row, self.used = row, last
end

-- Reads the visible page anew.
local function look(self)
  local rows, memory, page = vga.look(self.qmp)
  if not rows then
    self.trouble = memory
    if self.qmp.failure then self.gone = self.gone or self.qmp.failure end
    return nil, memory
  end
  if memory ~= self.seen then self.seen, self.changed_ns = memory, engine.clock.now() end
  self.memory, self.looked_ns, self.trouble = memory, engine.clock.now(), nil
  self.shown, self.columns = rows, page.columns
  place_consumed(self, rows)
  return rows
end

--- What is on the screen.
-- @treturn ?{string,…} one a row, UTF-8, without blanks at their ends; or nil and a message
function Screen:rows()
  return look(self)
end

--- What is on the screen, as one text.
-- @treturn ?string rows joined by newlines, without empty ones at the end; or nil and a message
function Screen:text()
  local rows, message = look(self)
  if not rows then return nil, message end
  return (table.concat(rows, "\n"):gsub("%s+$", ""))
end

-- Whether the memory may show a match at all: a string must be somewhere in it, whatever part of it is visible.
local function possible(memory, branches)
  local whole
  for _, branch in ipairs(branches) do
    if type(branch.pattern) ~= "string" then return true end
    -- A row may begin anywhere, and the memory goes on at its beginning.
    whole = whole or vga.characters(memory .. memory:sub(1, 320))
    if whole:find(branch.pattern:match("^(.-) *$"), 1, true) then return true end
  end
  return false
end

-- Looks at the page if that can bring something new; the guest is stopped meanwhile.
local function refresh(self, branches)
  local memory, message = vga.memory(self.qmp)
  if not memory then
    self.trouble = message
    if self.qmp.failure then self.gone = self.gone or self.qmp.failure end
    return
  end
  local now_ns = engine.clock.now()
  if memory ~= self.seen then self.seen, self.changed_ns = memory, now_ns end
  local worth_it
  if memory ~= self.memory then
    worth_it = self:quiet_for() >= SETTLED_SECONDS or possible(memory, branches)
  else
    worth_it = self.lost_ns or now_ns - self.looked_ns > LOOK_AGAIN_NS
  end
  if worth_it then look(self) end
end

--- Looks for the first match below what is consumed, and consumes up to its end. This and what follows is what
-- `moonboot.expect` asks of the place where it waits.
-- @tparam {table,…} branches
-- @treturn ?table the match
-- @treturn ?{string,…} the rows before it
function Screen:search(branches)
  refresh(self, branches)
  local before = {}
  for row = math.max(self.used_row or 1, 1), last_row(self.shown) do
    local subject = padded(self, self.shown[row])
    local from = row == self.used_row and self.used + 1 or 1
    local found = pattern.leftmost(branches, subject, from)
    if found then
      table.insert(before, subject:sub(from, found.first - 1))
      found.line, found.row, found.text = self.shown[row], row, subject:sub(found.first, found.last)
      consume(self, row, found.last)
      return found, before
    end
    table.insert(before, (subject:sub(from):gsub(" +$", "")))
  end
end

--- Looks for a prompt with somebody else's message in its middle.
-- @tparam {table,…} branches
-- @treturn ?table the match
-- @treturn ?{string,…} what stood before it
function Screen:torn(branches)
  local last = last_row(self.shown)
  local tail = self.shown[last]
  for row = last - 1, math.max((self.used_row or 0) + 1, last - 1 - TORN_ROWS), -1 do
    local head = self.shown[row]
    for _, blank in ipairs { " ", "" } do
      local found = pattern.torn(branches, head, tail .. blank) or pattern.torn(branches, head .. " ", tail .. blank)
      if found then
        found.line, found.row = found.text, last
        consume(self, last, #tail)
        return found, { head:sub(1, found.first - 1) }
      end
    end
  end
end

--- The last row that is not empty.
-- @treturn string
-- @treturn boolean whether it is below what is consumed
function Screen:unfinished()
  local last = last_row(self.shown)
  return self.shown[last] or "", last > (self.used_row or 0)
end

--- How long nothing has changed.
-- @treturn number seconds
function Screen:quiet_for()
  return (engine.clock.now() - self.changed_ns) / 1e9
end

--- Waits until it is time to look again.
-- @param _ the screen
-- @number seconds the longest wait
function Screen.await(_, seconds)
  task.sleep(math.min(seconds, POLL_SECONDS))
end

--- What is on the screen now, for messages.
-- @treturn {string,…} rows; and why there are none, where that is known
function Screen:last_lines()
  -- What was looked at last may be old.
  if not self.gone then look(self) end
  local lines = table.move(self.shown, 1, last_row(self.shown), 1, {})
  if self.trouble then table.insert(lines, ("(%s)"):format(self.trouble)) end
  return lines
end

--- Types a text: see `moonboot.keyboard`. "\r" and "\n" are ENTER.
-- @string characters
-- @tparam[opt] table options `per_char`: seconds to wait after each key; `echo = true`: wait until each printable
--   character is shown before the next is typed; `timeout`: for that, in seconds (default 30)
-- @treturn ?boolean true, or nil and a message
function Screen:send(characters, options)
  if self.transcript then self.transcript:sent(self, characters) end
  local typed = characters:match("^[^\r\n]*")
  if self.consumed then self.consumed.typed = self.consumed.typed .. typed end
  return expect.send_slowly(self, characters, options or {}, function(bytes)
    return self.keyboard:type(bytes)
  end)
end

--- Types a line: the text and ENTER.
-- @string[opt=""] line
-- @tparam[opt] table options those of `send`
-- @treturn ?boolean true, or nil and a message
function Screen:sendline(line, options)
  return self:send((line or "") .. "\r", options)
end

Screen.expect = expect.expect
Screen.guard = expect.guard
Screen.run = expect.run

--- Makes pending and later waits fail, because no more can come.
-- @string reason
function Screen:end_with(reason)
  self.gone = self.gone or reason
end

local function dump(self, path)
  local done, message = self.qmp:execute("screendump", { filename = path, format = "png" })
  if done then return path end
  path = path:gsub("%.png$", "") .. ".ppm"
  done = self.qmp:execute("screendump", { filename = path })
  if not done then return nil, message end
  return path
end

-- QEMU writes the picture itself, and may not write where this process may.
local function through_a_directory_of(user, self, path)
  local dir <close>, message = files.temp_dir "moonboot-screen-"
  if not dir then return nil, message end
  local given
  given, message = uv.fs_chown(dir.path, user.uid, -1)
  if not given then return nil, message end
  local written
  written, message = dump(self, dir.path .. "/screen.png")
  if not written then return nil, message end
  path = path:gsub("%.png$", "") .. written:match("%.%w+$")
  local copied
  copied, message = uv.fs_copyfile(written, path)
  if not copied then return nil, message end
  uv.fs_chown(path, uv.getuid(), uv.getgid())
  return path
end

--- Saves a picture of the screen: PNG, or PPM where QEMU (before 7.1) knows no other.
-- @string path of the picture; with PPM its ending becomes `.ppm`
-- @treturn ?string path of the file written, or nil and a message
function Screen:screenshot(path)
  path = files.absolute(path)
  if self.run_as then return through_a_directory_of(self.run_as, self, path) end
  return dump(self, path)
end

return screen

--- The journal of a run: `journal.jsonl`, one JSON object a line, only ever appended to.
-- A record counts once its newline is on disk: `append` returns after fsync, and a last line without a newline
-- is one that a crash cut off. Readers pass over that one and say so; anything else that is not a JSON object
-- is an error, because then the file is not what moonboot wrote.
-- @module moonboot.journal
local cjson = require "cjson"
local json = require "moonboot.json"
local uv = require "luv"

local journal = {}

--- The file's name inside a run directory.
journal.NAME = "journal.jsonl"

--- The version of the format, as the first record states it.
journal.SCHEMA = "moonboot-journal/1"

-- The order in which a line names things: for people who read it with less and grep.
local encode = json.encoder {
  order = { "type", "schema", "moonboot", "name", "key", "index", "order", "warmup", "status", "reason", "t_ns" },
}

local Writer = {}
Writer.__index = Writer
Writer.__name = "moonboot.journal"

local function sync_directory(path)
  local fd = uv.fs_open(path:match("^(.*)/[^/]*$") or ".", "r", 0)
  if not fd then return end
  uv.fs_fsync(fd) -- some file systems refuse; the record itself is synced all the same
  uv.fs_close(fd)
end

local function failure(path, what, err, code)
  return nil, ("%s: cannot %s the journal: %s"):format(path, what, err or "unknown error"), code
end

local function writer(path, flags, what)
  local fd, err, code = uv.fs_open(path, flags, tonumber("600", 8))
  if not fd then return failure(path, what, err, code) end
  return setmetatable({ path = path, fd = fd, size = 0 }, Writer)
end

--- Starts a journal. The file must not exist.
-- @string path
-- @treturn Writer or nil, message, code ("EEXIST", "ENOSPC", …)
function journal.create(path)
  local self, err, code = writer(path, "ax", "create")
  if not self then return nil, err, code end
  sync_directory(path)
  return self
end

--- Opens a journal to go on with it. A torn last line is cut off.
-- @string path
-- @treturn Writer or nil, message, code
-- @treturn ?string what was cut off
function journal.open(path)
  local f, err = io.open(path, "rb")
  if not f then return nil, ("cannot open the journal: %s"):format(err) end
  local whole, torn = 0, nil
  for line in f:lines("L") do
    if line:sub(-1) == "\n" then whole = whole + #line else torn = line end
  end
  f:close()
  local self, message, code = writer(path, "a", "open")
  if not self then return nil, message, code end
  self.size = whole
  if torn then
    local ok, cut, cut_code = uv.fs_ftruncate(self.fd, whole)
    if not ok then
      self:close()
      return failure(path, "repair", cut, cut_code)
    end
    uv.fs_fsync(self.fd)
  end
  return self, torn
end

-- A record that did not fit leaves nothing behind: the next one begins where it began.
function Writer:_abandon(err, code)
  uv.fs_ftruncate(self.fd, self.size)
  return failure(self.path, "write", err, code)
end

--- Appends a record and returns when it is on disk.
-- @tparam table record
-- @treturn boolean true, or nil, message, code; then nothing of the record is in the file
function Writer:append(record)
  if not self.fd then error("the journal is closed", 2) end
  local line = encode(record) .. "\n"
  local written, err, code = uv.fs_write(self.fd, line, -1)
  if not written then return self:_abandon(err, code) end
  if written < #line then return self:_abandon("no space left on device", "ENOSPC") end
  local ok
  ok, err, code = uv.fs_fsync(self.fd)
  -- Pipes and some devices cannot be synced, and need not be.
  if not ok and code ~= "EINVAL" and code ~= "ENOTSUP" then return self:_abandon(err, code) end
  local stat = uv.fs_fstat(self.fd)
  if stat and stat.nlink == 0 then
    return failure(self.path, "go on with", "somebody has deleted it", "ENOENT")
  end
  self.size = self.size + #line
  return true
end

--- Closes the file. Closing twice is fine.
function Writer:close()
  if self.fd then uv.fs_close(self.fd) end
  self.fd = nil
end

Writer.__gc = Writer.close
Writer.__close = Writer.close

local Reader = {}
Reader.__index = Reader

--- Opens a journal for reading, record by record.
-- @string path
-- @tparam[opt] table options `quick`: leave the numbers of samples as doubles, but for `t0_realtime_ns`; reading
--   100,000 samples is then three times as fast
-- @treturn Reader or nil, message
function journal.reader(path, options)
  local f, err = io.open(path, "rb")
  if not f then return nil, ("cannot read the journal: %s"):format(err) end
  return setmetatable({ path = path, file = f, line = 0, quick = options and options.quick }, Reader)
end

local function decode(text, quick)
  local ok, record = pcall(cjson.decode, text)
  if not ok then return nil, (tostring(record):gsub("^.-:%d+: ", "")) end
  if not quick or type(record) ~= "table" or record.type ~= "sample" then return json.restore(record, text) end
  local _, at = text:find('"t0_realtime_ns":', 1, true)
  local t0 = at and text:match("^%d+", at + 1)
  record.t0_realtime_ns = t0 and math.tointeger(tonumber(t0)) or nil
  return record
end

--- The next record.
-- @treturn table the record; nil at the end; nil and a message where the file is damaged. After the end
--   `self.torn` is the text of a last line that was cut off, if there is one.
function Reader:next()
  if not self.file then return nil end
  local text, read_error = self.file:read("L")
  if not text then
    self:close()
    if read_error then return nil, ("%s: %s"):format(self.path, read_error) end
    return nil
  end
  self.line = self.line + 1
  if text:sub(-1) ~= "\n" then
    self.torn = text
    self:close()
    return nil
  end
  local record, err = decode(text, self.quick)
  if type(record) ~= "table" then
    self:close()
    return nil, ("%s:%d: not a record of a journal (%s)"):format(self.path, self.line, err or "no JSON object")
  end
  return record
end

--- Closes the file. Closing twice is fine; reading to the end closes it too.
function Reader:close()
  if self.file then self.file:close() end
  self.file = nil
end

Reader.__close = Reader.close

--- Reads a whole journal.
-- @string path
-- @treturn {table,…} the records, or nil and a message
-- @treturn ?string the last line if it was cut off (by a crash: the record was never complete)
function journal.read(path)
  local reader, err = journal.reader(path)
  if not reader then return nil, err end
  local records = {}
  while true do
    local record, damage = reader:next()
    if damage then return nil, damage end
    if not record then return records, reader.torn end
    records[#records + 1] = record
  end
end

--- Takes a run directory for this process alone; see `moonboot.lockfile.acquire`.
-- @string directory
-- @treturn Lock or nil, message, code
function journal.lock(directory)
  return require("moonboot.lockfile").acquire(directory)
end

return journal

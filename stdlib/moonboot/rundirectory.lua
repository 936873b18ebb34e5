--- A run directory: made, locked, and found again when an interrupted run goes on.
-- @module moonboot.rundirectory
local disk = require "moonboot.disk"
local files = require "moonboot.files"
local journal = require "moonboot.journal"
local json = require "moonboot.json"
local lockfile = require "moonboot.lockfile"
local timestamp = require "moonboot.timestamp"

local rundirectory = {}

local Directory = {}
Directory.__index = Directory

-- Scratch directories of samples; those of a run that was killed are removed when it goes on.
local SCRATCH = ".sample-"

local function lock(path)
  local held, message = lockfile.acquire(path)
  if not held then return nil, message end
  return setmetatable({ path = files.absolute(path), shown = path, lock = held }, Directory)
end

--- Makes a directory for a new run.
-- @string name the experiment's
-- @string[opt] path default: measurements/NAME-TIME
-- @int needs_bytes space that must be free
-- @treturn ?Directory `path` (absolute), `shown` (as given); nil and a message
function rundirectory.create(name, path, needs_bytes)
  path = path or ("measurements/%s-%s"):format(name, timestamp.iso())
  local space, message = disk.preflight { dir = path, needs_bytes = needs_bytes, what = name }
  if not space then return nil, message end
  local made
  made, message = files.make_dir(path)
  if not made then return nil, ("cannot make the run directory: %s"):format(message) end
  local self
  self, message = lock(path)
  if not self then return nil, message end
  if files.read(path .. "/" .. journal.NAME) then
    self:close()
    return nil, ("%s already holds a run; give another --output, or go on with it by --resume"):format(path)
  end
  return self
end

--- What a run directory says it is: the first record of its journal.
-- @string path
-- @treturn ?table nil and a message
function rundirectory.record(path)
  local reader, message = journal.reader(path .. "/" .. journal.NAME)
  local first
  if reader then
    local _ <close> = reader
    first, message = reader:next()
  end
  if first and first.type == "run" then return first end
  return nil, ("cannot resume %s: %s"):format(path, message or "nothing was started there")
end

--- Opens the directory of an interrupted run.
-- @string path
-- @treturn ?Directory also with `run` (the journal's first record), `images` (file by configuration key), `done` (order
--   number = true) and `samples` (the records of those samples); nil and a message
function rundirectory.reopen(path)
  local records, torn = journal.read(path .. "/" .. journal.NAME)
  if not records then return nil, ("cannot resume %s: %s"):format(path, torn) end
  local first = records[1]
  if not first or first.type ~= "run" then return nil, ("cannot resume %s: nothing was started there"):format(path) end
  local self, message = lock(path)
  if not self then return nil, message end
  self.run, self.images, self.done, self.samples = first, {}, {}, {}
  for _, record in ipairs(records) do
    if record.type == "configuration" and json.value(record.image) then
      self.images[record.key] = self.path .. "/" .. record.image
    elseif record.type == "sample" and not self.done[record.order] then
      self.done[record.order] = true
      table.insert(self.samples, record)
    end
  end
  for name in files.entries(self.path) do
    if name:sub(1, #SCRATCH) == SCRATCH then files.remove(self.path .. "/" .. name) end
  end
  return self
end

--- Opens the journal: a new one, or the old one to go on with.
-- @treturn ?Writer nil and a message
function Directory:open_journal()
  local path = self.path .. "/" .. journal.NAME
  if self.run then return journal.open(path) end
  return journal.create(path)
end

local Scratch = {}
Scratch.__index = Scratch

function Scratch:close()
  files.remove(self.path)
end

Scratch.__close = Scratch.close

--- Makes a directory for what a sample needs only while it boots.
-- @treturn ?table `path`; removed by `close()`, also a to-be-closed value; nil and a message
function Directory:scratch()
  local path, message = files.make_temp_dir(self.path .. "/" .. SCRATCH)
  if not path then return nil, message end
  return setmetatable({ path = path }, Scratch)
end

--- Gives the directory up. Idempotent.
function Directory:close()
  self.lock:release()
end

Directory.__close = Directory.close

return rundirectory

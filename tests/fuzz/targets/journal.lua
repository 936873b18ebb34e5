-- The journal reader on journals that were cut off or damaged, and going on with one that was cut off.
local files = require "moonboot.files"
local journal = require "moonboot.journal"
local json = require "moonboot.json"
local material = require "tests.fuzz.targets.material"

local function records_of(rng)
  local records = {}
  for i = 1, rng:integer(6) do
    records[i] = { type = material.one(rng, { "run", "configuration", "sample", "conclusion" }), order = i,
      t0_realtime_ns = 1795532882876596000 + rng:integer(1000000), extra = material.value(rng, 3) }
  end
  return records
end

local function same(a, b)
  return json.encode(a) == json.encode(b)
end

return function(rng)
  local dir <close> = assert(files.temp_dir "moonboot-fuzz-")
  local path = dir.path .. "/journal.jsonl"
  local records = records_of(rng)
  local writer = assert(journal.create(path))
  for _, record in ipairs(records) do assert(writer:append(record)) end
  writer:close()
  local whole = assert(files.read(path))
  if rng:integer(2) == 1 then
    assert(files.write(path, material.mutated(rng, whole)))
    local read, message = journal.read(path)
    assert(read or type(message) == "string")
    return
  end
  local cut = rng:integer(#whole + 1) - 1
  assert(files.write(path, whole:sub(1, cut)))
  local _, complete = whole:sub(1, cut):gsub("\n", "")
  local read, torn = journal.read(path)
  assert(#read == complete, "a whole record is not read, or a half one is")
  assert((torn ~= nil) == (cut > 0 and whole:sub(cut, cut) ~= "\n"))
  local again = assert(journal.open(path))
  for i = complete + 1, #records do assert(again:append(records[i])) end
  again:close()
  read, torn = journal.read(path)
  assert(not torn and #read == #records)
  for i, record in ipairs(records) do assert(same(record, read[i]), "a record has changed") end
end

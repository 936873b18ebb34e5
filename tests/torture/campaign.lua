-- One run of the campaign: started, disturbed, started again with --resume whenever a fault ended it, until it is
-- complete.
local files = require "moonboot.files"
local program = require "tests.system.support.program"
local support = require "tests.system.support.sandbox"
local task = require "moonboot.task"
local uv = require "luv"

local campaign = {}

local SAMPLES = 16 -- of each of two configurations
local DISK_MB = 80

local Place = {}
Place.__index = Place

-- A directory for one run, on a small file system where this user may mount one.
function campaign.place(rng)
  local sandbox = support.sandbox()
  local dir = sandbox.dir
  local self = setmetatable({ sandbox = sandbox, dir = dir, disk = dir .. "/disk", tmp = dir .. "/tmp" }, Place)
  assert(uv.fs_mkdir(self.disk, 448))
  assert(uv.fs_mkdir(self.tmp, 448))
  self.mounted = uv.getuid() == 0
    and os.execute(("mount -t tmpfs -o size=%dm tmpfs %s 2>/dev/null"):format(DISK_MB, self.disk)) or false
  self.run_dir = self.disk .. "/run"
  self.seed = rng:integer(1000000)
  self.shm = campaign.shared_memory()
  return self
end

function Place:keep()
  self.kept = true
  return self.dir
end

function Place:close()
  if self.kept then return end
  if self.mounted then os.execute("umount " .. self.disk) end
  self.sandbox:close()
end

Place.__close = Place.close

--- What of ours is in /dev/shm.
function campaign.shared_memory()
  local names = {}
  for name in files.entries "/dev/shm" do
    if name:find "moonboot" or name:find "qemu" then names[#names + 1] = name end
  end
  return table.concat(names, " ")
end

local function start(place)
  local argv = { "env", "TMPDIR=" .. place.tmp, "moonboot", "run" }
  local function add(...) for _, word in ipairs { ... } do argv[#argv + 1] = word end end
  if uv.fs_stat(place.run_dir .. "/journal.jsonl") then
    add("--resume", place.run_dir)
  else
    files.remove(place.run_dir) -- what a run leaves that was ended before its journal began
    add(place.sandbox:experiment("work=1",
      ("matrix = { cpus = { 1, 2 } }, samples = %d, timeout = 4,"):format(SAMPLES)))
    add("--output", place.run_dir, "--seed", tostring(place.seed))
  end
  return program.start(table.unpack(argv)).process
end

local function pause_of(rng, least_s, most_s)
  task.sleep(least_s + (most_s - least_s) * rng:number())
end

local function guest_of(place)
  return place.sandbox:guests()[1]
end

local function signal_guest(signal)
  return function(place)
    local guest = guest_of(place)
    return guest and uv.kill(guest, signal) == 0
  end
end

-- The faults: each returns true when it was injected.
local FAULTS = {
  { "QEMU killed", 3, signal_guest "sigkill" },
  { "QEMU crashed (SIGSEGV)", 2, signal_guest "sigsegv" },
  { "QEMU terminated", 1, signal_guest "sigterm" },
  { "QEMU stopped and continued", 3, function(place, rng)
    local guest = guest_of(place)
    if not guest or uv.kill(guest, "sigstop") ~= 0 then return false end
    pause_of(rng, 0.05, 1)
    uv.kill(guest, "sigcont")
    return true
  end },
  { "moonboot stopped and continued", 2, function(_, rng, process)
    if not process:signal "SIGSTOP" then return false end
    pause_of(rng, 0.05, 1)
    process:signal "SIGCONT"
    return true
  end },
  { "moonboot killed", 4, function(_, _, process) return process:signal "SIGKILL" end },
  { "moonboot interrupted", 2, function(_, _, process) return process:signal "SIGINT" end },
  { "moonboot terminated", 1, function(_, _, process) return process:signal "SIGTERM" end },
  { "moonboot hung up", 1, function(_, _, process) return process:signal "SIGHUP" end },
  { "moonboot interrupted twice", 1, function(_, _, process)
    if not process:signal "SIGINT" then return false end
    task.sleep(0.4)
    process:signal "SIGINT"
    return true
  end },
  { "disk filled", 2, function(place, rng)
    if not place.mounted then return false end
    local ballast = place.disk .. "/ballast"
    local stat = uv.fs_statfs(place.disk)
    local file = io.open(ballast, "w")
    if not stat or not file then return false end
    local block = ("\0"):rep(1024 * 1024)
    for _ = 0, stat.bavail * stat.bsize // #block do file:write(block) end
    file:close()
    pause_of(rng, 0.05, 0.6)
    files.remove(ballast)
    return true
  end },
}

local function draw(rng)
  local all = 0
  for _, fault in ipairs(FAULTS) do all = all + fault[2] end
  local at = rng:integer(all) - 1
  for _, fault in ipairs(FAULTS) do
    if at < fault[2] then return fault end
    at = at - fault[2]
  end
end

local function open_files(process)
  local n = 0
  for _ in files.entries(("/proc/%d/fd"):format(process:pid())) do n = n + 1 end
  return n
end

-- Disturbs one process until it ends -> how it ended.
local function disturb(place, rng, process, calm, context, history)
  while true do
    local ended = process:poll()
    if ended then return ended end
    if calm() then
      task.readable(process:fd(), 0.2)
    else
      pause_of(rng, 0.05, 0.5)
      local fault = draw(rng)
      if not process:poll() and fault[3](place, rng, process) then context.count(fault[1]) end
    end
    history.most_files = math.max(history.most_files, open_files(process))
  end
end

-- Ways to end that are no finding.
local function is_fine(ended)
  return ended.signal == "SIGKILL" or ended.signal == "SIGINT" or ended.signal == "SIGTERM" or ended.signal == "SIGHUP"
    or ended.code == 0 or ended.code == 1 or ended.code == 3 or ended.code == 130
end

--- Carries out one run. -> `journals` (what the journal held whenever moonboot had ended), `most_files`
function campaign.run(place, rng, context)
  local history = { journals = {}, most_files = 0, starts = 0 }
  -- So that a run comes to its end: no faults once time is up, or after many starts.
  local function calm() return uv.hrtime() > context.deadline_ns or history.starts > 60 end
  repeat
    history.starts = history.starts + 1
    local process = start(place)
    local ended = disturb(place, rng, process, calm, context, history)
    local said = process:stderr()
    process:close()
    if not is_fine(ended) then
      context.found(("moonboot ended with %s: %s"):format(ended.signal or ended.code, said:sub(-500)))
    end
    if said:find("traceback", 1, true) or said:find("Uncaught", 1, true) then context.found("it said: " .. said) end
    local began_ns = uv.hrtime()
    while #place.sandbox:guests() > 0 do
      if uv.hrtime() - began_ns > 5000000000 then
        context.found("a guest outlived moonboot")
        break
      end
      task.sleep(0.01)
    end
    history.journals[#history.journals + 1] = files.read(place.run_dir .. "/journal.jsonl") or ""
    if history.starts > 200 then context.found "the run never comes to its end" end
  until ended.code == 0 or ended.code == 1 or history.starts > 200
  return history
end

--- How many samples a run has.
campaign.SAMPLES = SAMPLES

return campaign

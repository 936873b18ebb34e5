--- Which host cores a boot may use while others are under way.
-- One boot at a time has the whole host. Several at once get disjoint cores, one for each vCPU; a configuration that
-- needs every core, or more, runs alone.
-- @module moonboot.scheduler
local task = require "moonboot.task"

local scheduler = {}

local Scheduler = {}
Scheduler.__index = Scheduler

local Lease = {}
Lease.__index = Lease

--- Makes a scheduler.
-- @param jobs how many boots at once, or "auto": as many as there are cores for
-- @tparam {int,…} cores numbers of the host's cores that may be used
-- @treturn Scheduler `jobs`: the most boots at once
function scheduler.new(jobs, cores)
  local free = table.move(cores, 1, #cores, 1, {})
  return setmetatable({
    jobs = jobs == "auto" and math.max(1, #cores) or jobs,
    strict = jobs == "auto",
    cores = #cores,
    free = free,
    running = 0,
    alone = false,
    released = task.event(),
  }, Scheduler)
end

local function grant(self, vcpus)
  if self.jobs == 1 then return self.running == 0 and {} or nil end
  if self.alone or self.running >= self.jobs then return nil end
  if vcpus >= self.cores then
    return self.running == 0 and { alone = true } or nil
  end
  if vcpus <= #self.free then
    local cores = {}
    for i = 1, vcpus do cores[i] = table.remove(self.free, 1) end
    return { cores = cores }
  end
  -- More jobs than cores were asked for by number: they share, and the sample says so.
  return not self.strict and { shared = true } or nil
end

--- Waits until a boot may start.
-- @int vcpus
-- @treturn Lease `cores` (list to pin the vCPUs to, nil: none), `shared` (true when boots compete for cores);
--   `lease:release()` when the boot is over; also a to-be-closed value
function Scheduler:acquire(vcpus)
  while true do
    local granted = grant(self, vcpus)
    if granted then
      self.running = self.running + 1
      self.alone = granted.alone or false
      granted.scheduler = self
      return setmetatable(granted, Lease)
    end
    self.released:wait()
  end
end

--- Gives the cores back. Idempotent.
function Lease:release()
  local owner = self.scheduler
  if not owner then return end
  self.scheduler = nil
  owner.running = owner.running - 1
  if self.alone then owner.alone = false end
  for _, core in ipairs(self.cores or {}) do table.insert(owner.free, core) end
  table.sort(owner.free)
  owner.released:pulse()
end

Lease.__close = Lease.release

return scheduler

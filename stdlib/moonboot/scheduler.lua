--- Which host cores a boot may use while others are under way.
-- One boot at a time has the whole host. Several at once get disjoint cores, one for each vCPU; a configuration that
-- needs every core, or more, runs alone.
--
-- The drain threads of several boots keep to the cores that no boot has, so that they take no time from any guest's
-- vCPU; where none is left, each to those of its own boot, so that a boot pays for its own output and for no other's.
-- (Kernel stamps do not need a prompt reader; a boot's drain thread needs about 2 % of the CPU time that QEMU needs.)
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
-- @treturn Scheduler `jobs`: the most boots at once; `peak`: the most there were
function scheduler.new(jobs, cores)
  local free = table.move(cores, 1, #cores, 1, {})
  return setmetatable({
    jobs = jobs == "auto" and math.max(1, #cores) or jobs,
    strict = jobs == "auto",
    cores = #cores,
    free = free,
    leases = {},
    running = 0,
    peak = 0,
    alone = false,
    released = task.event(),
  }, Scheduler)
end

local function grant(self, vcpus)
  if self.jobs == 1 then return self.running == 0 and { crowded = vcpus >= self.cores } or nil end
  if self.alone or self.running >= self.jobs then return nil end
  if vcpus >= self.cores then
    return self.running == 0 and { alone = true, crowded = true } or nil
  end
  if vcpus <= #self.free then
    local cores = {}
    for i = 1, vcpus do cores[i] = table.remove(self.free, 1) end
    return { cores = cores }
  end
  -- More jobs than cores were asked for by number: they share, and the sample says so.
  return not self.strict and { shared = true, crowded = true } or nil
end

-- Tells the leases what has changed about their surroundings.
local function look_around(self)
  for lease in pairs(self.leases) do
    if self.jobs > 1 and #self.free == 0 then lease.crowded = true end
    if self.running > 1 then lease.company = true end
    if lease.follower and lease.cores then lease.follower(#self.free > 0 and self.free or lease.cores) end
  end
end

--- Waits until a boot may start.
-- @int vcpus
-- @treturn Lease `cores` (list to pin the vCPUs to, nil: none), `shared` (true when boots compete for cores), `crowded`
--   (true once the vCPUs of all boots under way had every core), `company` (true once another boot was under way);
--   `lease:release()` when the boot is over; also a to-be-closed value
function Scheduler:acquire(vcpus)
  while true do
    local granted = grant(self, vcpus)
    if granted then
      self.running = self.running + 1
      self.peak = math.max(self.peak, self.running)
      self.alone = granted.alone or false
      granted.scheduler = self
      self.leases[granted] = true
      look_around(self)
      return setmetatable(granted, Lease)
    end
    self.released:wait()
  end
end

--- Calls a function with the cores that the boot's drain threads may use, now and whenever they change. Never, where
-- cores are not dealt out.
-- @tparam function follower
function Lease:follow(follower)
  self.follower = follower
  if self.scheduler then look_around(self.scheduler) end
end

--- Gives the cores back. Idempotent.
function Lease:release()
  local owner = self.scheduler
  if not owner then return end
  self.scheduler = nil
  owner.leases[self] = nil
  owner.running = owner.running - 1
  if self.alone then owner.alone = false end
  for _, core in ipairs(self.cores or {}) do table.insert(owner.free, core) end
  table.sort(owner.free)
  look_around(owner)
  owner.released:pulse()
end

Lease.__close = Lease.release

return scheduler

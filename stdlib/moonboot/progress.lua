--- What long work says while it goes on, on standard error: on a terminal a line for each job under way, elsewhere a
-- line for each thing that is done.
--
--     local display = progress.new { quiet = args.quiet }
--     display:plan { waiting = { cpu_1 = 5 }, done = 0 }
--     local job <close> = display:job { title = "cpu_1", key = "cpu_1", count = "1/5" }
--     job:watch(guest)
--     job:reached "kernel"
--     display:learn("cpu_1", { markers = job.markers, boot_time_ms = 65.21, wall_s = job:elapsed_s(), ok = true })
--     display:note "cpu_1 sample 1: 65.21 ms"
--     display:clear()
--
-- @module moonboot.progress
local engine = require "moonboot.engine"
local uv = require "luv"
local forecast = require "moonboot.progress.forecast"
local line = require "moonboot.progress.line"
local text = require "moonboot.text"
local window = require "moonboot.window"

local progress = {}

local Progress = {}
Progress.__index = Progress

local Job = {}
Job.__index = Job

local STDERR = 2
local REDRAW_MS = 100

local function set(name)
  local value = os.getenv(name)
  return value ~= nil and value ~= ""
end

-- What the terminal can show: its locale's characters, and colours where they are wanted (https://no-color.org).
local function style_of()
  local locale = ""
  for _, name in ipairs { "LC_ALL", "LC_CTYPE", "LANG" } do
    if set(name) then
      locale = os.getenv(name)
      break
    end
  end
  return { unicode = locale:lower():find("utf%-?8") ~= nil, colour = not set "NO_COLOR" }
end

--- Makes a progress display.
-- @tparam[opt] table options `quiet = true` says nothing but warnings
-- @treturn Progress
function progress.new(options)
  local quiet = options and options.quiet or false
  return setmetatable({
    quiet = quiet,
    terminal = not quiet and uv.guess_handle(STDERR) == "tty" and os.getenv "TERM" ~= "dumb",
    style = style_of(),
    jobs = {},
    forecast = forecast.new(),
    waiting = {},
    done = 0,
    not_ok = 0,
    drawn = 0,
  }, Progress)
end

local function now_s()
  return engine.clock.now() / 1e9
end

-- -- the live lines --

local function running(self)
  local list = {}
  for _, job in ipairs(self.jobs) do
    if job.key then table.insert(list, { key = job.key, elapsed_s = job:elapsed_s() }) end
  end
  return list
end

local function job_line(self, job, label_width, width)
  local shown = { title = job.title, label_width = label_width, count = job.count, installs = not job.key,
    step = job.label, elapsed_s = job:elapsed_s() }
  if job.key then
    shown.median_ms = self.forecast:median(job.key)
    local left_ms
    shown.share, left_ms, shown.next = self.forecast:position(job.key, job.markers, job:boot_ms())
    shown.left_s = left_ms and left_ms / 1e3
    shown.last = job.last
  end
  return line.job(shown, width, self.style)
end

local function compose(self, width)
  local lines, label_width, boots = {}, 0, false
  for _, job in ipairs(self.jobs) do label_width = math.max(label_width, utf8.len(job.title) or #job.title) end
  for _, job in ipairs(self.jobs) do
    table.insert(lines, job_line(self, job, label_width, width))
    boots = boots or job.key ~= nil
  end
  if boots then
    table.insert(lines, line.summary({
      done = self.done, of = self.of, at_least = self.at_least, not_ok = self.not_ok,
      left_s = self.forecast:left_s(self.waiting, running(self)),
    }, width, self.style))
  end
  if self.message then table.insert(lines, text.escape(self.message):sub(1, width)) end
  return lines
end

-- Back to the first of the live lines.
local function rewind(self)
  return self.drawn > 1 and ("\r\27[%dA"):format(self.drawn - 1) or "\r"
end

local function erase(self)
  if self.drawn == 0 then return end
  io.stderr:write(rewind(self), "\27[J")
  self.drawn, self.picture = 0, nil
end

local function draw(self)
  -- One column stays free: some terminals wrap a line that fills them.
  local lines = compose(self, math.max(10, self.window:columns() - 1))
  local picture = table.concat(lines, "\27[K\n") .. "\27[K"
  if picture == self.picture then return end
  -- No line may wrap: the way back up counts lines.
  io.stderr:write(self.drawn > 0 and rewind(self) or "", "\27[?7l", picture, "\27[J\27[?7h")
  io.stderr:flush()
  self.drawn, self.picture = #lines, picture
end

-- From now on the lines are kept up to date, some times a second: what is going on is never slowed down by it.
local function animate(self)
  if not self.terminal or self.timer then return end
  self.window = window.open(STDERR)
  self.timer = uv.new_timer()
  self.timer:start(0, REDRAW_MS, function() draw(self) end)
  self.timer:unref()
end

-- -- what is said --

--- Shows one more live line; nothing where there is no terminal.
-- @string message
function Progress:live(message)
  self.message = message
  animate(self)
end

--- Says a line that stays.
-- @string message
function Progress:note(message)
  if self.quiet then return end
  erase(self)
  io.stderr:write(text.escape(message, "\n"), "\n")
end

--- Says a line that stays, also when quiet.
-- @string message
function Progress:warn(message)
  erase(self)
  io.stderr:write("moonboot: ", text.escape(message, "\n"), "\n")
end

--- Takes the live lines away, until there is something to show again.
function Progress:clear()
  erase(self)
  io.stderr:flush()
  self.message = nil
  if self.timer then
    self.timer:close()
    self.window:close()
    self.timer = nil
  end
end

-- -- what is known --

--- Tells which boots are to come.
-- @tparam table plan `waiting` (key = how many boots not begun), `done` (how many of the run are over), `at_least`
--   (true: there may be more)
function Progress:plan(plan)
  self.waiting, self.done, self.at_least = {}, plan.done, plan.at_least
  self.of = plan.done
  for key, count in pairs(plan.waiting) do
    self.waiting[key], self.of = count, self.of + count
  end
end

--- Learns from a sample that is over, also one of an earlier session.
-- @string key of its configuration
-- @tparam table sample as for `moonboot.progress.forecast`
function Progress:learn(key, sample)
  self.forecast:learn(key, sample)
  if not sample.ok then self.not_ok = self.not_ok + 1 end
end

--- Begins to show a job.
-- @tparam table about `title`; of a boot also `key` (of the configuration) and `count` ("2/5")
-- @treturn Job to be closed when it is over
function Progress:job(about)
  local job = setmetatable({
    display = self, title = about.title, key = about.key, count = about.count, began_s = now_s(), markers = {},
  }, Job)
  if job.key and (self.waiting[job.key] or 0) > 0 then self.waiting[job.key] = self.waiting[job.key] - 1 end
  table.insert(self.jobs, job)
  animate(self)
  return job
end

--- Shows how a guest boots.
-- @tparam vm guest  its `t0_ns` counts as soon as it has one
function Job:watch(guest)
  self.guest = guest
end

--- How long the guest has been booting, on the host's clock.
-- @treturn number milliseconds since t0; 0 before
function Job:boot_ms()
  local t0_ns = self.guest and self.guest.t0_ns
  return t0_ns and (engine.clock.now() - t0_ns) / 1e6 or 0
end

--- A marker was seen, now: a forecast needs no better time, and none that may be virtual.
-- @string name
function Job:reached(name)
  self.last = name
  self.markers[name] = self.markers[name] or self:boot_ms()
end

--- Names what an installation does.
-- @string label
function Job:step(label)
  self.label = label
end

--- How long the job has gone on.
-- @treturn number seconds
function Job:elapsed_s()
  return now_s() - self.began_s
end

--- The job is over. Idempotent.
function Job:close()
  for i, job in ipairs(self.display.jobs) do
    if job == self then
      table.remove(self.display.jobs, i)
      if self.key then self.display.done = self.display.done + 1 end
    end
  end
end

Job.__close = Job.close

return progress

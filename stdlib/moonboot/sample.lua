--- One boot of one configuration, from QEMU's start to a record for the journal.
-- @module moonboot.sample
local engine = require "moonboot.engine"
local capture = require "moonboot.capture"
local json = require "moonboot.json"
local noise = require "moonboot.noise"
local task = require "moonboot.task"
local text = require "moonboot.text"
local vm = require "moonboot.vm"

local sample = {}

-- How often to look whether the captures can still be written.
local CAPTURE_CHECK_SECONDS = 1

-- How long a guest that has begun to say why it fails may take to end the line.
local LAST_WORDS_SECONDS = 1

local function list(names)
  return table.concat(names, ", ")
end

--- Decides what became of a boot. Pure.
-- @tparam table seen `complete`, `missing` (names), `failure` (of the matcher), `exit` and `ending` (of the guest, nil
--   while it runs), `shutdown_reason`, `bytes` (on all consoles), `silent_s` (since the last byte), `timeout_s`,
--   `resets` (how often the guest reset itself and went on), `capture_error`, `disk_error` (a write that stopped the
--   guest), `grammar_error`
-- @treturn string status, "ok", "timeout", "no_output", "missing_marker", "failed_pattern",
--   "guest_reset", "qemu_exit" or "error"
-- @treturn ?string reason, nil when the status is "ok"
function sample.status(seen)
  if seen.capture_error then return "error", "the capture is not complete: " .. seen.capture_error end
  if seen.disk_error then return "error", seen.disk_error end
  if seen.grammar_error then return "error", "the grammar: " .. seen.grammar_error end
  if seen.failure then
    return "failed_pattern", ("the guest said \"%s\""):format(text.escape(seen.failure.line))
  end
  if seen.complete then return "ok" end
  local missing = "missing " .. list(seen.missing)
  if seen.shutdown_reason == "guest-reset" then return "guest_reset", "the guest reset itself; " .. missing end
  if seen.exit then
    if seen.exit.signal or seen.exit.code ~= 0 then return "qemu_exit", seen.ending end
    if seen.bytes == 0 then return "no_output", seen.ending .. " without a word on any console" end
    return "missing_marker", seen.ending .. "; " .. missing
  end
  if seen.bytes == 0 then
    return "no_output", ("nothing on any console within %g s"):format(seen.timeout_s)
  end
  local silent_s = seen.silent_s or 0
  local silence = silent_s >= 1 and ("; no output for the last %.0f s"):format(silent_s) or ""
  local resets = seen.resets and seen.resets > 0 and ("; the guest reset itself %d time%s"):format(seen.resets,
    seen.resets == 1 and "" or "s") or ""
  return "timeout", ("%s after %g s%s%s"):format(missing, seen.timeout_s, resets, silence)
end

-- Shows what the consoles say to the grammar's matcher. Sets `over` when it has seen enough, and `told` when the line
-- that tells of a failure is complete. A grammar may run code of the script: returned is a table whose `message` says
-- what went wrong in it.
local function attach(guest, matcher, over, told)
  local trouble = {}
  local function protected(fn)
    return function(...)
      if trouble.message then return end
      local ok, message = pcall(fn, ...)
      if ok then return end
      trouble.message = tostring(message)
      over:set("broken")
    end
  end
  for _, line in ipairs(guest.consoles) do
    line:listen {
      line = protected(function(_, content, lines, number)
        matcher:line(line.name, content, lines, number)
        local failure = matcher:failure()
        if failure and failure.channel == line.name and number >= failure.line_number then told:set() end
      end),
      partial = protected(function(_, lines)
        matcher:partial(line.name, lines)
        if matcher:complete() or matcher:failure() then over:set("seen") end
      end),
    }
  end
  return trouble
end

local function since_t0(guest, t_ns)
  return t_ns and t_ns - guest.t0_ns
end

local function marker_records(markers, origin_ns)
  local records = {}
  for i, marker in ipairs(markers) do
    local record = {}
    for key, value in pairs(marker) do record[key] = value end
    record.t_ns = marker.t_ns - origin_ns
    records[i] = record
  end
  return records
end

-- The live reader may miss bytes of a flood; the files never do.
local function remark(guest, grammar)
  local paths = {}
  for _, line in ipairs(guest.consoles) do table.insert(paths, line.log) end
  return capture.mark(paths, grammar)
end

local function console_records(guest)
  local records = json.array()
  local first_ns, last_ns, bytes, overruns, clock_step_ns = nil, nil, 0, 0, 0
  for i, line in ipairs(guest.consoles) do
    local stats = line:stats()
    records[i] = {
      name = line.name,
      log = line.log and line.log:match("[^/]*$"),
      timing = line.timing and line.timing:match("[^/]*$"),
      bytes = stats.bytes,
      overruns = stats.overruns,
      clock_source = stats.clock_source,
    }
    bytes, overruns = bytes + stats.bytes, overruns + stats.overruns
    if stats.first_ns and (not first_ns or stats.first_ns < first_ns) then first_ns = stats.first_ns end
    if stats.last_ns and (not last_ns or stats.last_ns > last_ns) then last_ns = stats.last_ns end
    clock_step_ns = math.max(clock_step_ns, stats.offset_max_ns - stats.offset_min_ns)
  end
  return records, {
    first_ns = first_ns, last_ns = last_ns, bytes = bytes, overruns = overruns, clock_step_ns = clock_step_ns,
  }
end

-- What else went on on the host, and what it may have done to the times. Virtual time does not mind.
local function add_noise(record, guest, before, lease, clock_step_ns)
  if guest.machine.deterministic then return end
  local after, exit = noise.look(), guest.exit or {}
  after.guest_ns = exit.user_ns and exit.user_ns + exit.system_ns
  local change = noise.between(before, after)
  local reasons = noise.judge(change, {
    crowded = lease.crowded, alone = not lease.company, clock_step_ns = clock_step_ns,
  })
  record.disturbance = change
  if clock_step_ns > noise.CLOCK_STEP_NS then table.insert(record.flags, "clock_stepped") end
  if #reasons > 0 then
    table.insert(record.flags, "noisy")
    record.noise = reasons
  end
end

local function merged_captures(markers)
  local captures = {}
  for _, marker in ipairs(markers) do
    for key, value in pairs(marker.captures or {}) do captures[key] = value end
  end
  return captures
end

local function call_hook(hook, name, report, ...)
  if not hook then return end
  local ok, message = task.protect(hook, ...)
  if not ok then report(("hook %s: %s"):format(name, tostring(message))) end
end

-- A boot whose bytes are lost is worth no further wait.
local function watch_captures(guest, over)
  while not guest:capture_error() do task.sleep(CAPTURE_CHECK_SECONDS) end
  over:set("capture")
end

-- Boots and waits for the end of the boot.
local function watch(guest, over, request, lease)
  guest.on_event = function(name)
    if name == "SHUTDOWN" or guest.disk_error then over:set(name) end
  end
  local _ <close> = task.spawn(function()
    guest.ended:wait()
    over:set("ended")
  end)
  local t0_ns, message = guest:resume()
  if not t0_ns then return nil, message end
  local _ <close> = task.spawn(watch_captures, guest, over)
  if lease.follow then lease:follow(function(cores) guest:pin_consoles(cores) end) end
  over:wait(request.timeout)
  if lease.follow then lease:follow(nil) end
  return true
end

local function failed(request, status, reason)
  return {
    type = "sample",
    key = request.configuration.key,
    index = request.index,
    order = request.order,
    warmup = request.warmup,
    status = status,
    reason = reason,
    markers = json.array(),
    captures = {},
    consoles = json.array(),
    flags = json.array(),
  }
end

--- Boots a machine once and says what happened. Must be called inside a task or at top level.
-- @tparam table request `machine` (ready to boot, its disk included), `accel`, `lease` (of `moonboot.scheduler`: the
--   host's cores for it; nil: all), `configuration`, `index`, `order`, `warmup`, `grammar`, `timeout` (seconds), `dir`
--   and `name` for the captures, `hooks`, `run_as` (of `moonboot.account`), `report(message)` for what a hook did
--   wrong, `job` (of `moonboot.progress`)
-- @treturn table a journal record of type "sample"; always a record, whatever went wrong
-- @treturn ?string what is wrong with this host, so that it is no use to go on
function sample.boot(request)
  local hooks, lease = request.hooks or {}, request.lease or {}
  local guest, message, code = vm.start(request.machine, {
    accel = request.accel,
    cpus = lease.cores,
    dir = request.dir,
    name = request.name,
    run_as = request.run_as,
  })
  if not guest then
    -- With a code it is the system that refuses: a file, a program, a descriptor.
    local of_host = code and code ~= "QEMU" and message or nil
    return failed(request, code == "QEMU" and "qemu_exit" or "error", message), of_host
  end
  local _ <close> = guest
  local matcher = request.grammar:matcher {
    channels = guest.machine.consoles,
    on_marker = function(marker)
      if request.job then request.job:reached(marker.name) end
      if hooks.on_marker then task.spawn(call_hook, hooks.on_marker, "on_marker", request.report, guest, marker) end
    end,
  }
  local over, told = task.event(), task.event()
  if request.job then request.job:watch(guest) end
  local trouble = attach(guest, matcher, over, told)
  if lease.cores then
    local pinned, why = guest:pin(lease.cores)
    if not pinned then return failed(request, "error", "cannot pin the vCPUs: " .. why) end
  end
  call_hook(hooks.prepare, "prepare", request.report, guest, request.configuration)
  local before = noise.look(guest.process:pid())
  local started
  started, message = watch(guest, over, request, lease)
  if not started then return failed(request, guest.exit and "qemu_exit" or "error", message) end
  if matcher:failure() and not guest.exit then told:wait(LAST_WORDS_SECONDS) end
  local ended_by_itself = guest.exit
  -- A guest that resets or powers off takes QEMU with it; let it, so that its exit is its own.
  if guest.shutdown_reason and not ended_by_itself then ended_by_itself = guest.ended:wait(2) end
  local stop_ns = engine.clock.now()
  guest:stop()

  local virtual = guest.machine.deterministic
  local consoles, seen = console_records(guest)
  local markers, complete, failure, missing =
    matcher:markers(), matcher:complete(), matcher:failure(), matcher:missing()
  local origin_ns = guest.origin_ns
  if seen.overruns > 0 then
    local marked = remark(guest, request.grammar)
    if marked then
      markers, failure, missing = marked.markers, marked.failure, marked.missing
      complete, origin_ns = #missing == 0, 0
    end
  end
  local capture_error = guest:capture_error()
  local status, reason = sample.status {
    complete = complete,
    missing = missing,
    failure = failure,
    exit = ended_by_itself,
    ending = guest:ending(),
    shutdown_reason = guest.shutdown_reason,
    bytes = seen.bytes,
    -- How long ago a byte came that has virtual time is not known.
    silent_s = seen.last_ns and not virtual and (stop_ns - seen.last_ns) / 1e9,
    timeout_s = request.timeout,
    resets = guest.guest_resets,
    capture_error = capture_error,
    disk_error = guest.disk_error,
    grammar_error = trouble.message,
  }
  local record = failed(request, status, reason)
  local exit, times = guest.exit or {}, guest.host_times_ns
  record.t0_realtime_ns = guest.t0_realtime_ns
  record.markers = marker_records(markers, origin_ns)
  record.captures = merged_captures(markers)
  record.consoles = consoles
  if guest.guest_resets > 0 then table.insert(record.flags, "guest_reset") end
  if lease.shared then table.insert(record.flags, "shared_cores") end
  add_noise(record, guest, before, lease, seen.clock_step_ns)
  record.host_times_ns = {
    spawned = since_t0(guest, times.spawned),
    qmp_ready = since_t0(guest, times.qmp_ready),
    cont_sent = since_t0(guest, times.cont_sent),
    first_byte = not virtual and since_t0(guest, seen.first_ns) or nil,
    ended = since_t0(guest, times.ended),
  }
  record.qemu = {
    code = exit.code,
    signal = exit.signal,
    user_ns = exit.user_ns,
    system_ns = exit.system_ns,
    max_rss_bytes = exit.max_rss_bytes,
    sandboxed = guest.sandboxed,
    stderr = status ~= "ok" and text.escape(guest.process:stderr()) or nil,
  }
  return record, capture_error or guest.disk_error
end

return sample

--- A running guest: a QEMU process, its control connection and its consoles, on one clock.
--
--     local vm = assert(mb.vm.boot { arch = "i386", kernel = "demo.elf" })
--     assert(vm:expect "login: ")
--     vm:sendline "root"
--     vm:close()
--
-- @module moonboot.vm
local engine = require "moonboot.engine"
local uv = require "luv"
local check = require "moonboot.check"
local console = require "moonboot.console"
local installation = require "moonboot.installation"
local keyboard = require "moonboot.keyboard"
local machine = require "moonboot.machine"
local names = require "moonboot.names"
local qmp = require "moonboot.qmp"
local screen = require "moonboot.screen"
local task = require "moonboot.task"
local text = require "moonboot.text"
local transcript = require "moonboot.transcript"

local vm = {}

local methods = {}

-- Fields that a guest has only at times.
local OCCASIONAL = { "closed", "current_step", "disk_error", "exit", "exit_poll", "guest_panicked", "on_event",
  "on_step", "process", "qemu_version", "qmp", "screen", "keyboard", "shutdown_reason", "stopped", "t0_ns",
  "t0_realtime_ns", "transcript" }

-- Fields are methods, then consoles by their names (`vm.com1`).
local Vm = { __name = "moonboot.vm" }

function Vm.__keys(self)
  local keys = table.move(OCCASIONAL, 1, #OCCASIONAL, 1, {})
  for _, known in ipairs { methods, self.consoles_by_name, self } do
    for key in pairs(known) do table.insert(keys, key) end
  end
  return keys
end

function Vm.__index(self, key)
  local found = methods[key] or rawget(self, "consoles_by_name")[key]
  if found ~= nil then return found end
  local known = Vm.__keys(self)
  for _, name in ipairs(OCCASIONAL) do
    if key == name then return nil end
  end
  return (names.miss("a guest", key, known))
end

-- How long QEMU may take to answer, and to go at each step of stopping it.
local NEGOTIATE_SECONDS = 20
local QUIT_SECONDS, TERM_SECONDS, KILL_SECONDS = 3, 3, 10
-- What a QEMU says that was built without seccomp.
local NO_SANDBOX = "-sandbox support is not enabled"

local FINISH_NS = 5 * 1000000000

local function capture_paths(options, index, name)
  if not options.dir then return {} end
  local stem = options.dir .. "/" .. options.name
  if index > 1 then stem = stem .. "." .. name end
  return { log = stem .. ".log", timing = stem .. ".timing" }
end

local function open_consoles(self, console_names, options)
  for index, name in ipairs(console_names) do
    local paths = capture_paths(options, index, name)
    paths.transport, paths.watch = self.machine.deterministic and "virtual" or options.transport, self.watch
    local opened, message, code = console.open(name, paths)
    if not opened then return nil, message, code end
    table.insert(self.consoles, opened)
    self.consoles_by_name[name] = opened
  end
  return true
end

local function last_words(process)
  local said = process:stderr():gsub("%s+$", "")
  if said == "" then return nil end
  return text.escape(said:match("[^\n]*$"))
end

--- Says how QEMU ended, in words.
-- @treturn ?string nil while it runs
function methods:ending()
  local exit = self.exit
  if not exit then return nil end
  local how
  if self.stopped then
    how = "stopped by moonboot"
  elseif self.shutdown_reason then
    how = "the guest ended (" .. self.shutdown_reason .. ")"
  elseif exit.signal then
    how = "QEMU was ended by " .. exit.signal
  else
    how = ("QEMU exited with status %d"):format(exit.code)
  end
  local words = not self.stopped and (exit.signal or exit.code ~= 0) and last_words(self.process)
  return words and how .. ": " .. words or how
end

local function finish(self, exit)
  -- Why the guest ended may be among QEMU's last words, still unread.
  self.qmp:drain(FINISH_NS / 1e9)
  if self.closed then return end
  self.exit = exit
  self.host_times_ns.ended = exit.ended_ns
  -- Whoever waits at a console goes on as soon as it has ended, and may close everything.
  local how = self:ending()
  self.screen:end_with(how)
  for _, line in ipairs(self.consoles) do
    if self.closed then break end
    line:finish(FINISH_NS, how)
  end
  self.qmp:close()
  self.ended:set(exit)
end

local function watch_process(self)
  self.exit_poll = assert(uv.new_poll(self.process:fd()))
  self.exit_poll:start("r", function()
    local exit = self.process:poll()
    if not exit then return end
    self.exit_poll:close()
    self.exit_poll = nil
    task.spawn(finish, self, exit)
  end)
end

local function watch_events(self)
  self.qmp:on_event(function(name, data, realtime_ns)
    if name == "RESUME" and not self.resumed.value then
      self.resumed:set(realtime_ns or engine.clock.realtime())
    elseif name == "SHUTDOWN" and data.guest then
      self.shutdown_reason = type(data.reason) == "string" and text.escape(data.reason) or "guest-shutdown"
    elseif name == "RESET" and data.guest then
      self.guest_resets = self.guest_resets + 1
    elseif name == "GUEST_PANICKED" then
      self.guest_panicked = true
    elseif name == "BLOCK_IO_ERROR" and data.action == "stop" then
      self.disk_error = "a disk of the guest: "
        .. (data.nospace and "no space left on the host" or text.escape(tostring(data.reason)))
    end
    if self.on_event then self.on_event(name, data, realtime_ns) end
  end)
end

-- QEMU's command line with the library that tells the guest's virtual time, by the descriptor that it inherits: a path
-- may hold what LD_PRELOAD takes for a separator.
local function with_virtual_time(argv, fds)
  local path = installation.virtual_time()
  local fd, message, code
  if path then fd, message, code = uv.fs_open(path, "r", 0) end
  if not fd then
    return nil, message or "a deterministic machine needs moonboot/virtualtime.so, which is not installed", code
  end
  table.insert(fds, fd)
  local others = os.getenv "LD_PRELOAD"
  local preload = ("LD_PRELOAD=/proc/self/fd/%d%s"):format(#fds + 2, others and ":" .. others or "")
  return table.move(argv, 1, #argv, 3, { "env", preload }), fd
end

local function give_up(self, message, code)
  self:close()
  return nil, message, code
end

local function launch(normal, options, sandbox)
  local argv, unfit = machine.argv(normal, {
    sandbox = sandbox,
    accel = options.accel,
    name = options.name,
    run_as = options.run_as and options.run_as.name,
  })
  if not argv then return nil, unfit end
  local self = setmetatable({
    machine = normal,
    argv = argv,
    sandboxed = sandbox and normal.sandbox ~= false,
    consoles = {},
    consoles_by_name = {},
    host_times_ns = {},
    ended = task.event(),
    resumed = task.event(),
    guest_resets = 0,
    watch = console.watch(options.fail),
  }, Vm)
  local opened, message, code = open_consoles(self, normal.consoles, options)
  if not opened then return give_up(self, message, code) end
  if options.transcript then
    self.transcript, message = transcript.open(options.transcript)
    if not self.transcript then return give_up(self, message) end
    for _, line in ipairs(self.consoles) do line.transcript = self.transcript end
  end

  local ours, theirs
  do
    local pair
    pair, message, code = uv.socketpair("stream", nil, { nonblock = true }, {})
    if not pair then return give_up(self, "cannot make a control connection: " .. message, code) end
    ours, theirs = pair[1], pair[2]
  end
  self.qmp = qmp.open(ours)
  self.keyboard = keyboard.new(self.qmp)
  self.screen = screen.new(self.qmp, self.keyboard, { watch = self.watch, run_as = options.run_as })
  self.screen.transcript = self.transcript
  local fds = { theirs }
  for _, line in ipairs(self.consoles) do table.insert(fds, line.handle:guest_fd()) end
  local command, library = argv, nil
  if normal.deterministic then command, library, code = with_virtual_time(argv, fds) end
  if command then
    self.host_times_ns.spawned = engine.clock.now()
    self.process, message, code = engine.process.spawn {
      argv = command,
      fds = fds,
      cpus = options.cpus,
      nice = options.nice,
    }
    if library then uv.fs_close(library) end
  else
    message = library
  end
  uv.fs_close(theirs)
  for _, line in ipairs(self.consoles) do line.handle:handover() end
  if not self.process then return give_up(self, message, code) end
  watch_events(self)
  watch_process(self)

  local greeting
  greeting, message = self.qmp:negotiate(NEGOTIATE_SECONDS)
  if not greeting then
    -- QEMU that refuses its arguments closes the connection first and dies a moment later.
    self.ended:wait(1)
    return give_up(self, self:ending() or message, self.exit and "QEMU" or nil)
  end
  self.host_times_ns.qmp_ready = engine.clock.now()
  local version = greeting.version.qemu
  self.qemu_version = ("%d.%d.%d"):format(version.major, version.minor, version.micro)
  return self
end

--- Starts QEMU with the guest stopped before its first instruction.
-- @tparam table description a machine: see `moonboot.machine`
-- @tparam[opt] table options `dir` and `name`: where the captures go, `DIR/NAME.log` and `.timing` (none without
--   `dir`); `accel`: the accelerator, unless the machine names one; `fail`: patterns that end any wait; `transcript`:
--   path of the dialogue's transcript; `cpus`: host CPUs to run on; `nice`; `sandbox = false` to run QEMU without its
--   seccomp filter (as it is where QEMU has none: `vm.sandboxed`); `run_as`: a user for QEMU to become once it has
--   opened its files (see `moonboot.account`); `transport`: see `moonboot.console`
-- @treturn ?vm or nil, a message and a code; `vm:resume()` lets the guest run
function vm.start(description, options)
  options = options or {}
  options.name = options.name or "boot"
  local normal, wrong = machine.normalise(description)
  if not normal then check.fail(wrong) end
  local sandbox = options.sandbox ~= false
  local self, message, code = launch(normal, options, sandbox)
  if not self and sandbox and message:find(NO_SANDBOX, 1, true) then return launch(normal, options, false) end
  return self, message, code
end

--- Lets the guest execute. This is t0 for every time of this boot: QEMU's own stamp of the moment it resumed. (The
-- consoles of a deterministic machine count from the same moment, in virtual time: see `vm.origin_ns`.)
-- @treturn ?int t0_ns, CLOCK_MONOTONIC; or nil and a message
function methods:resume()
  local offset_ns = engine.clock.offset()
  local sent_ns = engine.clock.now()
  self.host_times_ns.cont_sent = sent_ns
  local done, message = self.qmp:execute("cont")
  if not done then return nil, self:ending() or message end
  local realtime_ns = self.resumed:wait(1)
  -- QEMU's stamp is truncated to a microsecond; the guest cannot have run before it was told to.
  self.t0_ns = realtime_ns and math.max(realtime_ns - offset_ns, sent_ns) or sent_ns
  self.t0_realtime_ns = self.t0_ns + offset_ns
  -- What the stamps of the consoles count from. QEMU's virtual clock stands at 0 until the first `cont`.
  self.origin_ns = self.machine.deterministic and 0 or self.t0_ns
  if self.transcript then self.transcript:start(self.t0_ns) end
  for _, line in ipairs(self.consoles) do line:start(self.origin_ns) end
  return self.t0_ns
end

--- Starts QEMU and lets the guest run: `vm.start` and `vm:resume`.
-- @tparam table description
-- @tparam[opt] table options
-- @treturn ?vm or nil, a message and a code
function vm.boot(description, options)
  local self, message, code = vm.start(description, options)
  if not self then return nil, message, code end
  local t0_ns
  t0_ns, message = self:resume()
  if not t0_ns then return give_up(self, message) end
  return self
end

--- Pins each vCPU's thread to a core of the host.
-- @tparam {int,…} cores
-- @treturn ?boolean true, or nil and a message
function methods:pin(cores)
  local vcpus, message = self.qmp:execute("query-cpus-fast")
  if not vcpus then return nil, message end
  for i, vcpu in ipairs(vcpus) do
    local done
    done, message = engine.process.set_affinity(math.tointeger(vcpu["thread-id"]), { cores[(i - 1) % #cores + 1] })
    if not done then return nil, message end
  end
  return true
end

--- Restricts the threads that drain the consoles to some cores of the host. For a guest that was resumed.
-- @tparam {int,…} cores
-- @treturn ?boolean true, or nil and a message
function methods:pin_consoles(cores)
  for _, line in ipairs(self.consoles) do
    local done, message = engine.process.set_affinity(line:stats().thread_id, cores)
    if not done then return nil, message end
  end
  return true
end

--- Names what the script is about to do; messages, transcripts and the live line show it.
-- @string label
function methods:step(label)
  self.current_step = label
  for _, line in ipairs(self.consoles) do line.step = label end
  self.screen.step = label
  if self.transcript then self.transcript:step(label) end
  if self.on_step then self.on_step(label) end
end

--- Waits until the guest has ended by itself.
-- @number[opt] seconds the longest wait
-- @treturn ?table `{ code, signal, user_ns, system_ns, max_rss_bytes, ended_ns }`, or nil and a message
function methods:wait(seconds)
  local exit = self.ended:wait(seconds)
  if exit then return exit end
  return nil, ("the guest is still running after %g s"):format(seconds)
end

--- Stops QEMU: QMP `quit`, then SIGTERM, then SIGKILL, each with its own deadline. The captures are complete then.
-- @treturn table how it ended, as for `vm:wait`
function methods:stop()
  if not self.process then return nil end
  if not self.exit then
    self.stopped = true
    task.spawn(function() self.qmp:execute("quit", nil, QUIT_SECONDS) end)
    if not self.ended:wait(QUIT_SECONDS) then
      self.process:signal("SIGTERM")
      if not self.ended:wait(TERM_SECONDS) then
        self.process:signal("SIGKILL")
        self.ended:wait(KILL_SECONDS)
      end
    end
  end
  return self.exit
end

--- Complaints about the captures: bytes that could not be written, by console.
-- @treturn ?string nil when every byte is in its file
function methods:capture_error()
  for _, line in ipairs(self.consoles) do
    local stats = line:stats()
    if stats.error then return stats.error end
  end
end

--- Ends the guest, at once if it still runs, and releases everything. Idempotent.
function methods:close()
  if self.closed then return end
  self.closed = true
  if self.process then self.process:close() end
  if self.exit_poll then self.exit_poll:close() end
  if self.qmp then self.qmp:close() end
  for _, line in ipairs(self.consoles) do line:close() end
  if self.transcript then self.transcript:close() end
  task.settle()
end

Vm.__close = methods.close
Vm.__gc = methods.close

function Vm.__tostring(self)
  local state = self.closed and "closed" or self:ending() or "running"
  local cpus = self.machine.cpus
  return ("vm (%s, %d vCPU%s, %s)"):format(self.machine.arch, cpus, cpus == 1 and "" or "s", state)
end

--- The last lines that a console said, with their times.
-- @tparam[opt] table options `count` (how many, default 20), `console` (its name, default the first one), `follow =
--   true` to print lines as they come until the guest ends (or Ctrl-C); a number is a count
-- @treturn ?{table,…} `{ text =, t_ms = }`, milliseconds since t0; as a string a page. Nothing after following
function methods:tail(options)
  if type(options) ~= "table" then options = { count = options } end
  local line = options.console and self.consoles_by_name[options.console] or self.consoles[1]
  local watching = require "moonboot.watching"
  local tail = watching.tail(line, self.t0_ns, options.count)
  if not options.follow then return tail end
  print(tail)
  watching.follow(line, self.t0_ns, print)
end

--- Connects the terminal with a console until Ctrl-] is typed or the guest ends. All other keys go to the guest.
-- @string[opt] name of the console, by default the first one
-- @treturn ?boolean true, or nil and a message
function methods:attach(name)
  local line = name and self.consoles_by_name[name] or self.consoles[1]
  return require("moonboot.attach")(line)
end

--- Applies a grammar to what the guest has said so far, from its captures.
-- @param grammar a grammar, a table of rules (`{ { "kernel", "Linux version" } }`), or the path or name of a grammar
--   script, which is read anew each time
-- @treturn ?table `markers` and more, as `capture.mark`, times in ns since t0; as a string a page that says, too, what
--   came nearest to rules that did not match. Or nil and a message
function methods:markers(grammar)
  local paths = {}
  for _, line in ipairs(self.consoles) do table.insert(paths, line.log) end
  if #paths == 0 then return nil, "this guest keeps no captures: boot it with a 'dir'" end
  local watching = require "moonboot.watching"
  if not self.exit then watching.settle(self.consoles) end
  return watching.markers(paths, grammar)
end

-- What a guest with one console is mostly asked goes to its first one.
for _, name in ipairs { "expect", "send", "sendline", "run", "guard", "last_lines" } do
  methods[name] = function(self, ...)
    local first = self.consoles[1]
    return first[name](first, ...)
  end
end

return vm

--- What is at hand at the prompt beside Lua itself: guests, runs and grammars in a word each.
-- Each function raises what goes wrong, so that it is said at once.
-- @module moonboot.repl.globals
local uv = require "luv"
local accelerator = require "moonboot.accelerator"
local files = require "moonboot.files"
local machine = require "moonboot.machine"
local task = require "moonboot.task"
local text = require "moonboot.text"
local vm = require "moonboot.vm"

local globals = {}

-- Captures of so many sessions are kept.
local SESSIONS_KEPT = 10

-- How often to look whether a file has changed.
local WATCH_SECONDS = 0.2

local function fail(message)
  error(text.escape(message, "\n"), 0)
end

local function captures_root()
  return files.state_dir() .. "/captures"
end

-- A directory for the captures of this session; those of the oldest sessions go.
local function capture_dir(session)
  if session.captures then return session.captures end
  local root = captures_root()
  -- Where nothing can be kept, the captures last as long as the system's temporary files.
  if not files.make_dir(root) or not uv.fs_access(root, "W") then root = uv.os_tmpdir() .. "/moonboot" end
  local made, message = files.make_dir(root)
  if not made then fail(message) end
  local names = {}
  for name in files.entries(root) do names[#names + 1] = name end
  for i = 1, #names - SESSIONS_KEPT + 1 do files.remove(root .. "/" .. names[i]) end
  local dir
  dir, message = files.make_temp_dir(("%s/%s-"):format(root, os.date "!%Y-%m-%dT%H:%M:%S"))
  if not dir then fail(message) end
  session.captures = dir
  return dir
end

-- What a table for `boot` says about the machine, and what about the boot.
local function split(description)
  local described, options = {}, {}
  for key, value in pairs(description) do
    if key == "dir" or key == "name" or key == "fail" or key == "transcript" then
      options[key] = value
    else
      described[key] = value
    end
  end
  return described, options
end

local function say_markers(session, paths, given)
  given = given or session.last_grammar
  if given == nil then fail "markers needs a grammar: a table of rules, or the name of a grammar script" end
  local outcome, message = require("moonboot.watching").markers(paths, given)
  if not outcome then fail(message) end
  session.last_grammar = given
  return outcome
end

--- Makes the functions of a session.
-- @tparam table session `guests` (a set; boot adds to it), `say(line)`
-- @treturn table by name
function globals.new(session)
  local here = {}

  --- Boots a machine and lets it run; it goes on booting while you type.
  -- @tparam table description a machine (`kernel`, `disk`, `cdrom`, `memory`, `cpus`, … as in `moonboot.machine`), with
  --   `dir` and `name` for its captures
  -- @treturn vm the guest; `vm:expect`, `vm:sendline`, `vm:tail`, `vm:attach`, `vm:markers`, `vm:close`
  function here.boot(description)
    if type(description) ~= "table" then
      fail 'boot takes a table that describes the machine, as in boot{ kernel = "vmlinuz" }'
    end
    local described, options = split(description)
    local normal, message = machine.normalise(described)
    if not normal then fail(message) end
    options.dir = options.dir or capture_dir(session)
    session.boots = session.boots + 1
    options.name = options.name or ("boot-%d"):format(session.boots)
    if not normal.accel then
      options.accel, message = accelerator.choose(normal.arch, { program = normal.qemu })
      if not options.accel then fail(message) end
    end
    local guest
    guest, message = vm.boot(described, options)
    if not guest then fail(message) end
    session.guests[guest] = true
    session.last_logs = {}
    for i, line in ipairs(guest.consoles) do session.last_logs[i] = line.log end
    return guest
  end

  --- Applies a grammar to the last capture: that of the guest booted last, or of the last `capture`.
  -- Left out, it is the grammar used last; a script is read anew each time, so that its rules can be edited meanwhile.
  -- @param[opt] grammar a grammar, a table of rules, or the path or name of a grammar script
  -- @treturn table the markers; shown as a page that says, too, what came nearest to rules that did not match
  function here.markers(grammar)
    if not session.last_logs then
      fail 'there is no capture yet: boot a guest, or name logs with capture "boot.log"'
    end
    for guest in pairs(session.guests) do
      if not guest.exit and not guest.closed then require("moonboot.watching").settle(guest.consoles) end
    end
    return say_markers(session, session.last_logs, grammar)
  end

  --- Makes the logs of an earlier boot the last capture, for `markers`.
  -- @string ... paths of the logs, one for each console
  function here.capture(...)
    local paths = { ... }
    local opened, message = require("moonboot.capture").open_all(paths)
    if not opened then fail(message) end
    if #paths == 0 then fail 'capture takes the path of a log, as in capture "boot.log"' end
    local _ <close> = opened
    session.last_logs = paths
  end

  --- Applies a grammar script to the last capture now and whenever the script is saved, until Ctrl-C.
  -- @string path of the grammar script
  function here.watch(path)
    if type(path) ~= "string" then fail 'watch takes the path of a grammar script, as in watch "rules.lua"' end
    local found, message = require("moonboot.loader").find("grammars", path)
    if not found then fail(message) end
    local function version()
      local stat = uv.fs_stat(found)
      return stat and ("%d.%09d %d %d"):format(stat.mtime.sec, stat.mtime.nsec, stat.size, stat.ino)
    end
    local seen
    while true do
      local now = version()
      if now and now ~= seen then
        seen = now
        local _, page = pcall(here.markers, found)
        session.say(tostring(page))
      end
      task.sleep(WATCH_SECONDS)
    end
  end

  --- Runs an experiment and gives its results, live progress meanwhile. Ctrl-C ends it; what is done is kept.
  -- @string experiment path of a script, or the name of a ready-made one
  -- @tparam[opt] table options `samples`, `warmup`, `jobs`, `timeout`, `seed`, … as on the command line, `output`
  --   (run directory), `set` (axes to replace: `{ cpus = { 1, 2 } }`), and the experiment's own options
  -- @treturn table results, for `plot` and the layouts
  function here.run(experiment, options)
    local outcome, message = require("moonboot.repl.run")(experiment, options or {})
    if not outcome then fail(message) end
    for _, path in ipairs(outcome.files) do session.say("  " .. path) end
    if outcome.interrupted then
      session.say(("interrupted; go on with: moonboot run --resume %s"):format(outcome.dir))
    end
    return outcome.results
  end

  --- Reads a run directory, or a results file, and analyses it.
  -- @string directory
  -- @treturn table results
  function here.load_run(directory)
    if type(directory) ~= "string" then fail 'load_run takes the path of a run directory, as in load_run "DIR"' end
    local results, message = require("moonboot.report").load(directory)
    if not results then fail(message) end
    return results
  end

  --- Draws results: a bar for each configuration, its samples in the order of the run, and its phases.
  -- @tparam table results of `run` or `load_run`
  function here.plot(results)
    if type(results) ~= "table" or type(results.order) ~= "table" then
      fail 'plot takes results, as in plot(load_run "DIR")'
    end
    session.say((require("moonboot.plot")(results, { width = session.width() }):gsub("\n$", "")))
  end

  --- Prints values; control characters come out escaped, since a guest may have sent them.
  -- @param ... values
  function here.print(...)
    local words = table.pack(...)
    for i = 1, words.n do words[i] = tostring(words[i]) end
    session.say(table.concat(words, "\t"))
  end

  here.mb = require "moonboot"
  here.sleep = task.sleep
  return here
end

return globals

--- Installing a system into a disk image: boots its medium and lets an installer script answer.
-- An image is good only if the installer came to its end and the guest then powered itself off.
-- @module moonboot.install
local lpeg = require "lpeg"
local digest = require "moonboot.digest"
local disk = require "moonboot.disk"
local experiment = require "moonboot.experiment"
local files = require "moonboot.files"
local grammar = require "moonboot.grammar"
local images = require "moonboot.images"
local iso = require "moonboot.iso"
local machine = require "moonboot.machine"
local task = require "moonboot.task"
local vm = require "moonboot.vm"

local install = {}

-- After the last answer the guest still syncs its disks.
local POWER_OFF_SECONDS = 60

local function copy(from, changes)
  local to = {}
  for key, value in pairs(from) do to[key] = value end
  for key, value in pairs(changes) do to[key] = value end
  return to
end

--- The machine that an installation boots: the experiment's, with the medium and the new disk.
-- @tparam table description
-- @string medium path of the ISO image
-- @string image path of the new disk, qcow2
-- @tparam[opt] table kernel  what is booted in place of the medium's loader: `kernel`, `initrd`, `append`
-- @treturn table
function install.machine(description, medium, image, kernel)
  kernel = kernel or {}
  return machine.with(description, {
    cdrom = medium,
    disk = { file = image, format = "qcow2", interface = "ide" },
    boot = "d",
    kernel = kernel.kernel or machine.NONE,
    initrd = kernel.initrd or machine.NONE,
    append = kernel.append or machine.NONE,
  })
end

--- Checks the medium that an experiment installs from.
-- @tparam Experiment subject resolved
-- @tparam[opt] table options those of `iso.verify`
-- @treturn ?table as `iso.verify`; or nil and a message
function install.medium(subject, options)
  -- A kernel that the installer takes out of the medium needs no loader there.
  return iso.verify(subject.option_values.iso, copy(options or {}, { bootable = subject.install_boot == nil }))
end

-- Takes the kernel that the installer wants booted out of the medium, into a folder that lives as long as the caller's
-- variable. -> what `install.machine` wants (nothing: the medium boots itself), the folder | nil, nil, message
local function take_kernel(request)
  local wanted = request.boot
  if type(wanted) == "function" then wanted = wanted(request.machine, request.options) end
  if not wanted then return {} end
  local folder, message = files.temp_dir "moonboot-medium-"
  if not folder then return nil, nil, message end
  local names = { wanted.kernel }
  local modules = type(wanted.initrd) == "string" and { wanted.initrd } or wanted.initrd or {}
  table.move(modules, 1, #modules, 2, names)
  local paths
  paths, message = iso.extract(request.medium, names, folder.path)
  if not paths then
    files.remove(folder.path)
    return nil, nil, message
  end
  local initrd = table.move(paths, 2, #paths, 1, {})
  return { kernel = paths[1], initrd = #initrd > 0 and initrd or nil, append = wanted.append }, folder
end

-- What an installer script is told besides its own options, when no experiment says it.
local ALONE_OPTIONS = {
  iso = { "installation medium", type = "file", required = true },
  arch = { "architecture of the machine", choices = { "x86_64", "i386" }, default = "x86_64" },
  memory = { "memory of the machine", type = "size", default = "512M" },
  serial_firmware = { "let firmware and boot loader speak on the first serial line", type = "boolean" },
}

--- An installer script alone, as an experiment that boots nothing.
-- @tparam function|table script what the script returns: a function of a guest and option values, or
--   `{ options =, run = }`
-- @string name the script's
-- @treturn ?Experiment nil and a message when something is wrong with the installer
function install.alone(script, name)
  local ok, made = pcall(experiment.new, {
    name = name:gsub("[^%w_-]", "_"),
    install = script,
    options = ALONE_OPTIONS,
    machine = function(options)
      local graphics = nil
      if options.serial_firmware then graphics = false end
      return { arch = options.arch, memory = options.memory, graphics = graphics }
    end,
    -- Nothing is booted that it could be applied to.
    grammar = grammar.new { { "first_line", lpeg.P(1) }, { "login_prompt", "login: ", partial = true } },
  })
  if not ok then return nil, (tostring(made):gsub("^[^\n]-:%d+: ", "")) end
  return made
end

-- A screenshot says more than a console that the guest does not use.
local function keep_screenshot(guest, path, report)
  if guest.exit or not path then return end
  if guest.screen:screenshot(path) then report("screen at the failure: " .. path) end
end

local function drive(guest, request)
  local ok, result, message = task.protect(request.installer, guest, request.options)
  if not ok then return nil, result end
  if result == nil and message ~= nil then return nil, message end
  local exit
  exit, message = guest:wait(POWER_OFF_SECONDS)
  if not exit then
    return nil, "the installer script came to its end, but " .. message .. "; let its last step power the guest off"
  end
  if exit.signal or exit.code ~= 0 or guest.shutdown_reason == "guest-reset" then
    return nil, "the installer script came to its end, but " .. guest:ending()
  end
  request.report("installed")
  return true
end

--- Runs an installer on a new disk.
-- @tparam table request `machine`, `accel`, `medium` (ISO path), `image` (path of the new qcow2), `disk_size`,
--   `installer` (a function of the guest and its options), `options`, `dir` and `name` for the captures and the
--   transcript, `timeout` (seconds), `report(message)`, `on_step(label)`; and if wanted `boot` (see
--   `moonboot.experiment`, `install`), `transcript` (its path), `fail` (patterns that end every wait of the installer),
--   `run_as` (of `moonboot.account`)
-- @treturn ?boolean true, or nil and a message
function install.run(request)
  local made, message = disk.create(request.image, request.disk_size)
  if not made then return nil, message end
  local stem = request.dir .. "/" .. request.name
  local transcript = request.transcript or stem .. ".transcript"
  local kernel, _ <close>, wrong = take_kernel(request)
  if not kernel then return nil, wrong end
  local guest
  guest, message = vm.start(install.machine(request.machine, request.medium, request.image, kernel), {
    accel = request.accel,
    dir = request.dir,
    name = request.name,
    transcript = transcript,
    run_as = request.run_as,
    fail = request.fail,
  })
  if not guest then return nil, message end
  local _ <close> = guest
  guest.on_step = request.on_step
  local resumed
  resumed, message = guest:resume()
  if not resumed then return nil, message end
  local within, done, why = task.deadline(request.timeout, drive, guest, request)
  if not within then
    done, why = nil, ("not done within %g s (step '%s')"):format(request.timeout, guest.current_step or "none")
  end
  if not done then
    keep_screenshot(guest, stem .. ".png", request.report)
    return nil, ("%s\n  transcript: %s"):format(why, transcript)
  end
  guest:stop()
  local incomplete = guest:capture_error()
  if incomplete then return nil, incomplete end
  return true
end

-- One image serves every configuration, so none of them decides what it is installed with.
local function base_machine(subject, configuration)
  if subject.per == "configuration" then return configuration.machine end
  return copy(subject.machine, { cpus = 1 })
end

local function recipe(subject, described, medium)
  return {
    guest = subject.guest,
    medium_sha256 = medium.sha256,
    installer_sha256 = subject.installer_source and digest.file(subject.installer_source),
    options = copy(subject.option_values, { iso = false }),
    disk_size = subject.disk_size,
    machine = described,
  }
end

--- The installed image for a configuration: from the cache, else installed now.
-- @tparam Experiment subject resolved
-- @tparam table configuration
-- @tparam table context `accel`, `dir` (a path, or a function that gives one when something is to be installed) and
--   `name` for the captures and the transcript, `report(message)`, `on_step(label)`, `run_as`, `transcript` (its path)
-- @treturn ?string path of the golden image, which nothing may write to
-- @treturn table what made it, or a message
function install.image(subject, configuration, context)
  local medium, message = install.medium(subject)
  if not medium then return nil, message end
  local described = base_machine(subject, configuration)
  return images.obtain(recipe(subject, described, medium), function(path)
    local dir, refusal = context.dir, nil
    if type(dir) == "function" then dir, refusal = dir() end
    if not dir then return nil, refusal end
    context.report(("installing %s from %s"):format(subject.guest, medium.path))
    return install.run {
      machine = described,
      accel = context.accel,
      medium = medium.path,
      image = path,
      disk_size = subject.disk_size,
      installer = subject.install,
      boot = subject.install_boot,
      options = subject.option_values,
      dir = dir,
      name = context.name,
      transcript = context.transcript,
      fail = subject.grammar:fail_patterns(),
      timeout = subject.install_timeout,
      report = context.report,
      on_step = context.on_step,
      run_as = context.run_as,
    }
  end, { report = context.report })
end

return install

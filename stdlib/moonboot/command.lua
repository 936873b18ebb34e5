--- Runs the tools that moonboot leans on (qemu-img, xorriso, sha256sum), without a shell.
-- @module moonboot.command
local engine = require "moonboot.engine"
local task = require "moonboot.task"
local text = require "moonboot.text"

local command = {}

-- The Debian package that holds a tool, for the advice in "not found".
local PACKAGES = {
  ["qemu-img"] = "qemu-utils",
  ["qemu-system-i386"] = "qemu-system-x86",
  ["qemu-system-x86_64"] = "qemu-system-x86",
  ["qemu-system-arm"] = "qemu-system-arm",
  ["qemu-system-aarch64"] = "qemu-system-arm",
  ["qemu-system-riscv32"] = "qemu-system-misc",
  ["qemu-system-riscv64"] = "qemu-system-misc",
  xorriso = "xorriso",
  sha256sum = "coreutils",
  flock = "util-linux",
  gzip = "gzip",
}

-- xorriso tells a story before it says what went wrong; these words mark the line that matters.
local GRAVE = { "FAILURE", "FATAL", "ABORT", "SORRY" }

--- The package that holds a tool.
-- @string name e.g. "qemu-img"
-- @treturn ?string e.g. "qemu-utils"; nil when it is not known
function command.package(name)
  return PACKAGES[name]
end

-- The one line of a tool's stderr that says why it failed.
local function reason(name, stderr)
  local first, named
  for line in stderr:gmatch("[^\r\n]+") do
    for _, word in ipairs(GRAVE) do
      if line:find(word, 1, true) then return text.escape(line) end
    end
    if line:find("%S") then
      first = first or line
      if not named and line:sub(1, #name + 1) == name .. ":" then named = line end
    end
  end
  local line = named or first
  return line and text.escape(line)
end

local function not_started(name, message, code)
  if code ~= "ENOENT" then return nil, ("%s: cannot be started: %s"):format(name, message), code end
  local package = command.package(name)
  local advice = package and ("; install " .. package) or ""
  return nil, ("%s: not found%s"):format(name, advice), code
end

--- Runs a tool and waits for its end.
-- @tparam {string,…} argv the tool and its arguments, passed as they are
-- @tparam[opt] table options `timeout_s` (the longest wait, seconds; default 600), `cwd`, `fds` (descriptors that
--   become 3, 4, … in the tool)
-- @treturn ?string what it wrote to standard output (the last 64 KiB), or nil and
-- @treturn ?string why, one line, in the tool's own words
-- @treturn ?string|int the errno name when it could not be started, "timeout", else its exit status
function command.run(argv, options)
  options = options or {}
  local name = argv[1]:match("[^/]+$")
  local started, message, code = engine.process.spawn { argv = argv, cwd = options.cwd, fds = options.fds }
  if not started then return not_started(name, message, code) end
  local process <close> = started
  local timeout_s = options.timeout_s or 600
  local deadline_ns = engine.clock.now() + math.ceil(timeout_s * 1e9)
  local ended = process:poll()
  while not ended do
    local left_s = (deadline_ns - engine.clock.now()) / 1e9
    if left_s <= 0 or not task.readable(process:fd(), left_s) then
      return nil, ("%s: did not end within %g s"):format(name, timeout_s), "timeout"
    end
    ended = process:poll()
  end
  if ended.code == 0 then return process:stdout() end
  local what = ended.code and ("exit status %d"):format(ended.code) or ("killed by " .. tostring(ended.signal))
  local why = reason(name, process:stderr())
  if not why then
    why = ("%s: failed without a word (%s)"):format(name, what)
  elseif why:sub(1, #name) ~= name then
    why = name .. ": " .. why
  end
  return nil, why, ended.code or ended.signal
end

return command

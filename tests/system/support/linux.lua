--- A real Linux kernel, from Debian's packages, for tests that can do without one where there is none to be had.
local program = require "tests.system.support.program"

local linux = {}

local SUPPORT = "tests/system/support/"
local NO_PACKAGE_MANAGER = 77

local function execute(...)
  local code, out, err = program.execute("sh", ...)
  return code, out:match("([^\n]*)\n?$"), err
end

--- The path of a kernel, fetched once and kept.
-- @treturn ?string nil, and the test is skipped, where there is no package manager to fetch it with
function linux.kernel()
  local code, path, err = execute(SUPPORT .. "fetch-linux")
  if code == NO_PACKAGE_MANAGER then
    pending "skipped: there is no apt to fetch a kernel with"
    return nil
  end
  assert(code == 0, err)
  return path
end

--- Makes an initial RAM disk whose init starts a busybox shell on the serial line.
-- @string dir  where
-- @treturn string its path
function linux.initramfs(dir)
  local path = dir .. "/initramfs.gz"
  local code, _, err = execute(SUPPORT .. "make-initramfs", path)
  assert(code == 0, err)
  return path
end

--- The machine that boots them.
function linux.machine(kernel, initrd, args)
  return { memory = "512M", kernel = kernel, initrd = initrd, append = "console=ttyS0 panic=-1", args = args }
end

return linux

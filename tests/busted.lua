-- Runs busted inside moonboot itself, so that a sanitizer build tests the library too.
local uv = require "luv" -- before busted, which unloads what a test file loads: the program must find it to close it
local exit = os.exit

-- busted ends the program when a test has failed, and luv does not survive that with a handle open.
os.exit = function(status) -- luacheck: ignore 122
  uv.walk(function(handle)
    if not handle:is_closing() then handle:close() end
  end)
  exit(status, false)
end

require "busted.runner" { standalone = false }

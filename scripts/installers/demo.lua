--- Installs the demo guest from its CD, over the serial line or on its screen.
local lpeg = require "lpeg"

local P, R = lpeg.P, lpeg.R
local number = R "09" ^ 1

local function install(vm, options)
  local place = options.screen and vm.screen or vm
  -- Each prompt of the installer and what to answer; the defaults do, but for the confirmation.
  local function answer(label, prompt, reply)
    return { prompt, function()
      vm:step(label)
      return place:sendline(reply)
    end, label = label }
  end
  vm:step "choose from the boot menu"
  assert(vm:expect("Option 1 will be chosen", { timeout = 60 }))
  assert(vm:send(options.screen and "v" or "1"))
  assert(place:expect {
    answer("read the notes", "hit ENTER to continue.", ""),
    answer("choose the keyboard", "Keyboard type? [us-std] ", options.keyboard),
    answer("choose the disk", "Enter the disk number to use: [0] ", ""),
    answer("confirm", "Please enter 'yes' or 'no': ", "yes"),
    answer("choose the size of /home", P "in MB (0-" * number * ") ? [" * number * "] ",
      options.home_mb and tostring(options.home_mb) or ""),
    { "Copying files", function() vm:step "copy the files" end, optional = true },
    answer("shut down", "Shut down now? [Y] ", ""),
    fail = { "installation has failed", "is too small", "No disk found", "! invalid keyboard", "! try again",
      "! out of range" },
    timeout = 120,
    quiet = 30,
  })
end

return {
  options = {
    screen = { "install on the VGA screen, by keyboard", type = "boolean" },
    keyboard = { "keyboard layout to choose", type = "string", default = "us-std" },
    home_mb = { "size of /home in MB (the installer's own proposal if not given)", type = "integer" },
  },
  run = install,
}

--- Installs the demo guest from its CD, over the serial line or on its screen.
local lpeg = require "lpeg"

-- Each prompt of the installer and what to answer; the defaults do, but for the confirmation.
local function answers(options)
  local home = options.home_mb and tostring(options.home_mb) or ""
  return {
    { "answer the notes page", "hit ENTER to continue.", "" },
    { "choose the keyboard", "Keyboard type? [us-std] ", options.keyboard },
    { "choose the disk", "Enter the disk number to use: [0] ", "" },
    { "confirm", "Please enter 'yes' or 'no': ", "yes" },
    { "choose the size of /home", lpeg.P "How big do you want your /home to be" * (1 - lpeg.P "] ") ^ 1 * "] ", home },
    { "copy the files and shut down", "Shut down now? [Y] ", "" },
  }
end

local function install(vm, options)
  vm:step "choose from the boot menu"
  assert(vm:expect("Option 1 will be chosen", { timeout = 30 }))
  assert(vm:send(options.screen and "v" or "1"))
  for _, answer in ipairs(answers(options)) do
    local label, prompt, text = table.unpack(answer)
    vm:step(label)
    if options.screen then
      assert(vm.screen:expect(prompt, { timeout = 60 }))
      assert(vm.keyboard:type(text .. "\n"))
    else
      assert(vm:expect(prompt, { timeout = 60, fail = "installation has failed" }))
      assert(vm:sendline(text))
    end
  end
end

return {
  options = {
    screen = { "install on the VGA screen, by keyboard", type = "boolean" },
    keyboard = { "keyboard layout to choose", type = "string", default = "us-std" },
    home_mb = { "size of /home in MB (the installer's own proposal if not given)", type = "integer" },
  },
  run = install,
}

--- Installs MINIX 3 from its CD: through the loader's menu, `setup` and a first edit of boot.cfg to a clean shutdown.
--
-- The CD speaks on the VGA screen. Three ways lead through it:
--
-- - by default its menu is answered by keyboard, and `console=tty00` on the kernel's line moves MINIX itself to COM1;
-- - a machine with `graphics = false` has the menu on COM1 too;
-- - with `--screen` everything stays on the screen and the keyboard.
--
-- The disk must be an IDE disk, beside an IDE CD drive. The installed system boots on COM1 without waiting for a key,
-- unless `--vga-console` asks for it as MINIX installs it.
local lpeg = require "lpeg"

local B, C, P, R = lpeg.B, lpeg.C, lpeg.P, lpeg.R

local digits = R "09" ^ 1

-- A colon alone on its line: "hit ENTER to continue".
local colon = -B(1) * P ":" * P " " ^ 0 * -1

-- The prompt of root's shell; some builds name the host.
local shell = -B(1) * (P "minix# " + "# ")

-- From one text to the end of a prompt.
local function between(first, last)
  return P(first) * (1 - P(last)) ^ 0 * last
end

-- What shows that there is no going on. An answer that is not taken is another matter: the question comes again.
local DEAD_ENDS = {
  "is too small.", "Found no drives", "No regions found", "Autopart error", "Autopart internal error", "Funny device ",
}

-- How often a question is answered; a line of the kernel's may have spoilt an answer.
local ATTEMPTS = 3

local MENU_SECONDS, BOOT_SECONDS, ANSWER_SECONDS, COPY_SECONDS = 60, 300, 120, 1200

-- A question that nobody answers is noticed after so long.
local UNANSWERED_SECONDS = 30

-- Answers the loader's menu where it is (COM1 or the screen): a console for MINIX itself, or nothing but the default.
local function boot_from_menu(vm, place, console)
  vm:step "stop the countdown of the CD's menu"
  assert(place:expect("will be chosen in", { timeout = MENU_SECONDS }))
  assert(place:send " ")
  assert(place:expect("Option: [1]:", { timeout = ANSWER_SECONDS }))
  if not console then
    vm:step "boot the CD"
    return assert(place:sendline "1")
  end
  vm:step "edit the kernel's command line"
  assert(place:sendline "3")
  assert(place:expect("Option (edit): [1]:", { timeout = ANSWER_SECONDS }))
  assert(place:sendline "")
  assert(place:expect(between("> multiboot ", "cdproberoot=1"), { timeout = ANSWER_SECONDS }))
  assert(place:sendline(" console=" .. console, { echo = true }))
end

local function log_in(vm, place)
  vm:step "boot the CD"
  assert(place:expect("login: ", { timeout = BOOT_SECONDS, label = "the login prompt of the CD",
    fail = { "No CD found" } }))
  vm:step "log in"
  assert(place:sendline "root")
  assert(place:expect(shell, { timeout = ANSWER_SECONDS, label = "root's shell prompt" }))
end

-- Goes through `setup`. -> the partition that MINIX is on, as in "c0d0p0"
local function set_up(vm, place, options)
  local partition
  local function answer(label, prompt, reply)
    return {
      prompt,
      function(_, match)
        vm:step(label)
        return place:sendline(type(reply) == "function" and reply(match) or reply)
      end,
      label = label,
      optional = true,
      repeats = ATTEMPTS,
    }
  end
  -- A default is taken where there is one; without one (several disks, several regions) a number is due.
  local function number_of(value)
    return function(match)
      return match.text:find("[0]", 1, true) and value == 0 and "" or tostring(value)
    end
  end
  vm:step "start setup"
  assert(place:sendline "setup")
  local done, message = place:expect {
    answer("read the notes", colon, ""),
    answer("choose the keyboard", "Keyboard type? [us-std] ", options.keyboard == "us-std" and "" or options.keyboard),
    answer("choose automatic mode", "Press ENTER for automatic mode, or type 'expert': ", ""),
    answer("choose the disk", P "Enter the disk number to use: " * P "[0] " ^ -1, number_of(options.disk_number)),
    answer("choose the region", P "Enter the region number to use or type 'delete': " * P " [0] " ^ -1,
      number_of(options.region)),
    answer("confirm", P "Are you sure you want to continue?" * P " " ^ 1 * "Please enter 'yes' or 'no': ", "yes"),
    answer("choose a full installation", between("(F)ull", "[R] "), options.reinstall and "R" or "F"),
    answer("choose the size of /home", between("How big do you want your /home to be in MB", "] "),
      options.home_mb and tostring(options.home_mb) or ""),
    answer("agree to the size of /home", digits * P " MB Ok? [Y] ", ""),
    answer("choose the block size", "Block size in kilobytes? [4] ", options.block_kb and tostring(options.block_kb)
      or ""),
    answer("agree to a new boot record", between("Do you want to install new MBR into ", "[Y] "), ""),
    { "Creating /dev/", function() vm:step "make file systems" end, optional = true },
    { "Extracting " * C((1 - P "...") ^ 1) * "...", function(_, match)
      vm:step("copy the files of " .. match.captures[1])
    end, optional = true, repeats = true, label = "the copying of files" },
    { "Creating device nodes...", function() vm:step "make device nodes" end, optional = true },
    answer("choose the network card", P "Interface choice? [" * digits * "] ", ""),
    answer("choose how to configure the network", P "Configuration choice? [" * digits * "] ", ""),
    answer("finish with the network", P "Menu choice? [" * digits * "] ", ""),
    { "Unmounted " * C(R("az", "09") ^ 1), function(_, match)
      partition = match.captures[1]:match("^(.*)s%d$")
    end, optional = true, repeats = true, label = "the name of the partition" },
    { "This ends the MINIX 3 setup script.", label = "the end of setup" },
    fail = DEAD_ENDS,
    label = "the next question of setup, or its end",
    timeout = COPY_SECONDS,
    quiet = UNANSWERED_SECONDS,
  }
  assert(done, message)
  if not partition then error("setup came to its end without naming the partition that it has unmounted", 0) end
  assert(place:expect(shell, { timeout = ANSWER_SECONDS, label = "root's shell prompt after setup" }))
  return partition
end

local function run(place, command)
  local output, status = place:run(command, { timeout = ANSWER_SECONDS })
  if not output then error(status, 0) end
  if status ~= 0 then error(("'%s' failed with status %d: %s"):format(command, status, output), 0) end
end

-- Gives the installed system a serial console and takes its countdown away: in /boot.cfg, which the boot monitor reads,
-- and in /etc/boot.cfg.default, from which MINIX makes it anew.
local function set_console(vm, place, partition)
  vm:step "set the installed system's console"
  run(place, ("mount /dev/%ss0 /mnt"):format(partition))
  for _, file in ipairs { "/mnt/boot.cfg", "/mnt/etc/boot.cfg.default" } do
    run(place, "sed -e 's/^timeout=.*/timeout=0/' -e 's/rootdevname=[^ ]*/& console=tty00/' " .. file .. " > /tmp/cfg")
    run(place, "echo consdev=com0 >> /tmp/cfg")
    run(place, "cp /tmp/cfg " .. file)
    run(place, "grep console=tty00 " .. file)
  end
  run(place, "umount /mnt")
end

local function install(vm, options)
  local menu = vm.machine.graphics == false and not options.screen and vm or vm.screen
  local place = options.screen and vm.screen or vm
  boot_from_menu(vm, menu, not options.screen and "tty00" or nil)
  log_in(vm, place)
  local partition = set_up(vm, place, options)
  if not options.vga_console then set_console(vm, place, partition) end
  vm:step "shut down"
  assert(place:sendline "sync; shutdown -p now")
end

return {
  options = {
    screen = { "stay on the VGA screen and the keyboard throughout", type = "boolean" },
    vga_console = { "leave the installed system's boot.cfg as MINIX makes it", type = "boolean" },
    keyboard = { "keyboard layout", default = "us-std" },
    disk_number = { "number of the disk, as setup counts them", type = "integer", default = 0 },
    region = { "number of the region of the disk, as setup counts them", type = "integer", default = 0 },
    reinstall = { "keep an old /home, where there is one", type = "boolean" },
    home_mb = { "size of /home in MB (setup's own proposal if not given)", type = "integer" },
    block_kb = { "block size of the file systems in kB (setup's own default if not given)", type = "integer" },
  },
  run = install,
}

--- Answers Debian's installer in its text mode on a serial line, question by question.
--
-- Its kernel is taken out of the CD, past the loader's menu on the screen, and told to speak on the serial line. With
-- `priority=low` on its command line it asks everything, and shows its main menu between the steps. Every question is
-- recognised by its text, in whatever order it comes, and choices are made by their names, never by their numbers. One
-- that is not known here ends the installation, and is in the message. From the choice of a mirror on it needs a
-- network, and the components that the mirror has for it.
local lpeg = require "lpeg"

local P = lpeg.P

local BOOT_SECONDS, STEP_SECONDS = 300, 900

-- What ends a question: the place for an answer, or for ENTER after a note.
local prompt = P "Prompt: '?' for help" * (1 - P "> ") ^ 0 * "> "
local note = P "[Press enter to continue]"

local MENU = "Choose the next step in the install process:"

-- The choices of a question, in one or more columns: "  1: Australia,    3: Canada [*],". -> { number =, name = }, …
local function choices_in(lines)
  local choices = {}
  for _, line in ipairs(lines) do
    local at, number = 1, line:match("^ *(%d+): ")
    while number do
      local _, after = line:find("^ *%d+: ", at)
      local next_at, _, next_number = line:find("  +(%d+): ", after)
      local name = line:sub(after + 1, next_at and next_at - 1 or nil):gsub("%s+$", ""):gsub(",$", "")
      local plain = name:gsub(" %[%*%]$", "")
      choices[#choices + 1] = { number = number, name = plain, default = plain ~= name }
      at, number = next_at, next_number
    end
  end
  return choices
end

-- What stands before a prompt. -> the question (the last line that is a known one, else the last that is no choice: the
-- installer's log writes over its questions), the choices
local function read_question(before, known)
  local lines, question, last = {}, nil, ""
  for line in before:gmatch("[^\n]+") do
    local plain = line:gsub("^%s+", ""):gsub("%s+$", "")
    lines[#lines + 1] = line
    if known[plain] then question = plain end
    if plain ~= "" and not plain:find("^%d+: ") then last = plain end
  end
  return question or last, choices_in(lines)
end

-- Makes an answer that is the number of a choice. Longer names may follow the one wanted: "Canada  -  en_CA.UTF-8".
local function choose(wanted)
  return function(choices)
    for _, exact in ipairs { true, false } do
      for _, choice in ipairs(choices) do
        if choice.name == wanted or not exact and choice.name:sub(1, #wanted) == wanted then return choice.number end
      end
    end
    return nil, ("no choice '%s'"):format(wanted)
  end
end

local DEFAULT = ""

-- The questions, by their text. An answer is a text, or a function of the choices.
local function answers(options)
  return {
    ["Language:"] = choose(options.language),
    ["Country, territory or area:"] = choose(options.country),
    ["Country to base default locale settings on:"] = DEFAULT,
    ["Additional locales:"] = DEFAULT,
    ["System locale:"] = DEFAULT,
    ["Keymap to use:"] = choose(options.keymap),
    ["Auto-configure networking?"] = choose "Yes",
    ["Auto-configure network with DHCP?"] = choose "Yes",
    ["Primary network interface:"] = DEFAULT,
    ["Waiting time (in seconds) for link detection:"] = DEFAULT,
    ["Name server addresses:"] = DEFAULT,
    ["Hostname:"] = options.hostname,
    ["Domain name:"] = options.domain,
    ["Protocol for file downloads:"] = choose "http",
    ["Debian archive mirror country:"] = options.mirror and choose "enter information manually" or DEFAULT,
    ["Debian archive mirror:"] = DEFAULT,
    ["Debian archive mirror hostname:"] = options.mirror,
    ["Debian archive mirror directory:"] = DEFAULT,
    ["HTTP proxy information (blank for none):"] = options.proxy,
    ["Debian version to install:"] = DEFAULT,
    ["Installer components to load:"] = DEFAULT,
    ["Enable shadow passwords?"] = DEFAULT,
    ["Allow login as root?"] = choose "Yes",
    ["Root password:"] = options.password,
    ["Re-enter password to verify:"] = options.password,
    ["Create a normal user account now?"] = choose "No",
    ["Set the clock using NTP?"] = choose "No",
    ["Select a city in your time zone:"] = DEFAULT,
    ["Select your time zone:"] = DEFAULT,
    ["Partitioning method:"] = choose "Guided - use entire disk",
    ["Select disk to partition:"] = DEFAULT,
    ["Partitioning scheme:"] = choose "All files in one partition",
    ["device to initialize its partition table."] = choose "Finish partitioning and write changes to disk",
    ["Write the changes to disks?"] = choose "Yes",
    [MENU] = DEFAULT,
  }
end

-- The main menu proposes a step. When it proposes the same one again, that step has failed.
local function next_step(vm, choices, options, done)
  local step
  for _, choice in ipairs(choices) do
    if choice.default then step = choice.name end
  end
  if not step then return nil, "the main menu proposes no step" end
  if options.stop_at == step then return nil, nil, true end
  if done[step] then return nil, ("the step '%s' did not succeed: the main menu proposes it again"):format(step) end
  done[step] = true
  vm:step(step)
  return DEFAULT
end

local function install(vm, options)
  local known, done, timeout = answers(options), {}, BOOT_SECONDS
  vm:step "boot the installer"
  while true do
    local match = assert(vm:expect(prompt + note, { timeout = timeout, label = "the installer's next question",
      fail = "Kernel panic" }))
    timeout = STEP_SECONDS
    local question, choices = read_question(match.before, known)
    local answer, problem, stop
    if question == MENU then
      answer, problem, stop = next_step(vm, choices, options, done)
    elseif match.text == "[Press enter to continue]" then
      problem = "the installer reports: " .. question
    elseif question == options.stop_at then
      stop = true
    else
      answer = known[question]
      if type(answer) == "function" then answer, problem = answer(choices) end
      if not answer then problem = ("the installer asks \"%s\": %s"):format(question, problem or "not known here") end
    end
    if stop then return end
    if not answer then error(("%s\n%s"):format(problem, match.before), 0) end
    assert(vm:sendline(answer))
  end
end

-- Where a CD has the installer for each architecture.
local FOLDERS = { i386 = "/install.386", x86_64 = "/install.amd" }

return {
  boot = function(machine)
    local folder = FOLDERS[machine.arch]
    return {
      kernel = folder .. "/vmlinuz",
      initrd = folder .. "/initrd.gz",
      append = "console=ttyS0 DEBIAN_FRONTEND=text TERM=dumb priority=low",
    }
  end,
  options = {
    language = { "language to install in", type = "string", default = "English" },
    country = { "country, territory or area", type = "string", default = "United States" },
    keymap = { "keymap", type = "string", default = "American English" },
    hostname = { "name of the installed system", type = "string", default = "debian" },
    domain = { "domain name", type = "string", default = "" },
    mirror = { "host name of the archive mirror (default: the first one offered)", type = "string" },
    proxy = { "HTTP proxy", type = "string", default = "" },
    password = { "password of root", type = "string", default = "moonboot" },
    stop_at = { "step of the main menu, or question, at which to stop", type = "string" },
  },
  run = install,
}

--- Answers Debian's installer in its text mode on a serial line, question by question.
--
-- Its kernel is taken out of the CD, past the loader's menu on the screen, and told to speak on the serial line. With
-- `priority=low` on its command line it asks everything, and shows its main menu between the steps. Every question is
-- recognised by its text, in whatever order it comes, and choices are made by their names, never by their numbers. One
-- that is not known here ends the installation, and is in the message. From the choice of a mirror on it needs a
-- network, and the components that the mirror has for it.
local lpeg = require "lpeg"
local text = require "moonboot.text"

local B, C, P = lpeg.B, lpeg.C, lpeg.P

local BOOT_SECONDS, STEP_SECONDS = 300, 900
local CONTEXT_LINES = 20

-- What ends a question: the place for an answer, the question itself where a password is due, what follows a note.
local prompt = P "Prompt: '?' for help" * (1 - P "> ") ^ 0 * "> "
local password = -B(1) * C(P "Root password:" + "Re-enter password to verify:") * P " " ^ 0 * -1
local NOTE = "[Press enter to continue]"

local MENU = "Choose the next step in the install process:"
local STEP_FAILED = "Installation step failed"
local PARTITIONS = "This is an overview of your currently configured partitions and mount points. "
  .. "Select a partition to modify its settings (file system, mount point, etc.), "
  .. "a free space to create partitions, or a device to initialize its partition table."

-- A question is wrapped into this many lines at most.
local QUESTION_LINES = 4

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

-- The known question that the last of these lines end with, however it is wrapped; nil when there is none.
local function wrapped(lines, known)
  local question = ""
  for at = #lines, math.max(1, #lines - QUESTION_LINES + 1), -1 do
    question = question == "" and lines[at] or lines[at] .. " " .. question
    if known[question] then return question end
  end
end

-- What stands before a prompt. -> the question (the last that is a known one, else the last line that is no choice: the
-- installer's log writes over its questions), the choices
local function read_question(before, known)
  local lines, plain, question, last = {}, {}, nil, ""
  for line in before:gmatch("[^\n]+") do
    table.insert(lines, line)
    table.insert(plain, (line:gsub("^%s+", ""):gsub("%s+$", "")))
    question = wrapped(plain, known) or question
    if plain[#plain] ~= "" and not plain[#plain]:find("^%d+: ") then last = plain[#plain] end
  end
  return question or last, choices_in(lines)
end

-- Makes an answer that is the number of a choice. More may follow the name: "Canada  -  en_CA.UTF-8",
-- "All files in one partition (recommended for new users)".
local function choose(wanted)
  return function(choices)
    local names = {}
    for _, choice in ipairs(choices) do
      if choice.name == wanted then return choice.number end
      table.insert(names, choice.name)
    end
    for _, choice in ipairs(choices) do
      local more = choice.name:sub(1, #wanted) == wanted and choice.name:sub(#wanted + 1)
      if more and more:find "^ +[-(]" then return choice.number end
    end
    return nil, ("no choice '%s'%s"):format(text.escape(wanted), text.suggest(wanted, names))
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
    ["Partition table type:"] = DEFAULT,
    ["Partitioning scheme:"] = choose "All files in one partition",
    [PARTITIONS] = choose "Finish partitioning and write changes to disk",
    ["Write the changes to disks?"] = choose "Yes",
    [MENU] = DEFAULT,
  }
end

-- The main menu proposes a step. When it proposes the same one again, that step has failed.
-- -> the step | nil, a message
local function next_step(choices, done)
  for _, choice in ipairs(choices) do
    if choice.default then
      if done[choice.name] then
        return nil, ("the step '%s' did not succeed: the main menu proposes it again"):format(choice.name)
      end
      done[choice.name] = true
      return choice.name
    end
  end
  return nil, "the main menu proposes no step"
end

-- Gives up: a line that says why, and what the installer's user would see.
local function give_up(step, problem, before)
  local seen = {}
  for line in before:gmatch "[^\n]+" do table.insert(seen, "\n  | " .. text.escape(line)) end
  local context = table.concat(seen, "", math.max(1, #seen - CONTEXT_LINES + 1))
  error(("step '%s': %s%s"):format(step, problem, context), 0)
end

-- The answer to a question, by the names of its choices if it has any. -> the answer | nil, a message
local function answer_to(question, choices, known)
  local answer, problem = known[question], "not known here"
  if type(answer) == "function" then answer, problem = answer(choices) end
  if answer then return answer end
  return nil, ("the installer asks \"%s\": %s"):format(text.escape(question), problem)
end

local function install(vm, options)
  local known, done, tried_again, timeout = answers(options), {}, {}, BOOT_SECONDS
  local stage, step = "installer", "boot the installer"
  vm:step(step)
  while true do
    local match = assert(vm:expect(prompt + password + NOTE, {
      timeout = timeout,
      label = "the installer's next question",
      fail = "Kernel panic",
    }))
    timeout = STEP_SECONDS
    local question, choices = read_question(match.before, known)
    question = match.captures[1] or question
    local report = match.text == NOTE and (match.before:match "!! ERROR: ([^\n]+)" or question)
    if report and (report ~= STEP_FAILED or tried_again[stage]) then
      give_up(step, "the installer reports: " .. report, match.before)
    end
    local answer, problem
    if report then
      -- The main menu proposes the step again, and a user would try: once.
      tried_again[stage], done[stage] = true, nil
      step, answer = stage .. ": again, because it failed", DEFAULT
    elseif question == MENU then
      stage, problem = next_step(choices, done)
      step, answer = stage or step, stage and DEFAULT
    else
      step = ("%s: %s"):format(stage, text.escape(question:match "^[^.:?]*"))
      answer, problem = answer_to(question, choices, known)
    end
    if question == options.stop_at or step == options.stop_at then return end
    vm:step(step)
    if not answer then give_up(step, problem, match.before) end
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

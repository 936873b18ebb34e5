-- What the real installer asks from its users to its partitioner, as its text mode asks it.
local installer = require "installers.debian"
local pair = require "tests.stdlib.support.pair"
local task = require "moonboot.task"

local function values(changes)
  local options = {}
  for name, declared in pairs(installer.options) do options[name] = declared.default end
  for name, value in pairs(changes) do options[name] = value end
  return options
end

-- The main menu, where it proposes the last of the steps that are listed.
local function menu(...)
  local lines = { "Debian installer main menu", "--------------------------", "",
    "Choose the next step in the install process:" }
  local steps = { ... }
  for number, step in ipairs(steps) do
    table.insert(lines, ("%3d: %s%s"):format(number, step, number < #steps and ",    " or " [*],"))
  end
  table.insert(lines, ("Prompt: '?' for help, default=%d> "):format(#steps))
  return table.concat(lines, "\r\n")
end

-- Says each text, and notes what is typed to it. -> what pcall of the installer gave, the answers, the steps
local function hold(texts, options)
  local line, guest = pair.open()
  local answers, steps = {}, {}
  local player = task.spawn(pcall, function()
    for number, text in ipairs(texts) do
      guest:says("\r\n" .. text)
      local typed = ""
      repeat typed = typed .. guest:hears(1) until typed:find "\r"
      answers[number] = typed:gsub("\r", "")
      guest:says(answers[number] .. "\r\n")
    end
  end)
  local vm = setmetatable({ step = function(_, label) table.insert(steps, label) end }, { __index = function(_, key)
    return function(_, ...) return line[key](line, ...) end
  end })
  local ok, message = pcall(installer.run, vm, values(options or {}))
  player:cancel()
  guest:close()
  return ok, message, answers, steps
end

local PASSWORDS = {
  menu("Download installer components", "Set up users and passwords"),
  "Allow login as root?\r\n  1: Yes [*]  2: No\r\nPrompt: '?' for help, default=1> ",
  "Note that you will not be able to see the password as you type it.\r\nRoot password: ",
  "Please enter it again.\r\nRe-enter password to verify: ",
  "Create a normal user account now?\r\n  1: Yes [*]  2: No\r\nPrompt: '?' for help, default=1> ",
}

local OVERVIEW = [[
This is an overview of your currently configured partitions and mount points.
Select a partition to modify its settings (file system, mount point, etc.), a
free space to create partitions, or a device to initialize its partition table.
  1: Guided partitioning,
  2: ,
  3: SCSI1 (0,0,0) (sda) - 4.3 GB ATA QEMU HARDDISK,
  4: >           1.0 MB       FREE SPACE          ,
  5: >     #2    3.3 GB    f  ext4          /     ,
  6: ,
  7: Undo changes to partitions,
  8: Finish partitioning and write changes to disk [*],
Prompt: '?' for help, default=8> ]]

local PARTITIONER = {
  menu("Detect disks", "Partition disks"),
  -- Nothing is proposed, and the wanted choice is the beginning of the next one.
  "Partitioning method:\r\n  1: Manual,    \r\n  2: Guided - use entire disk and set up LVM,    \r\n"
    .. "  3: Guided - use entire disk,    \r\nPrompt: '?' for help> ",
  "Select disk to partition:\r\n  1: SCSI1 (0,0,0) (sda) - 4.3 GB ATA QEMU HARDDISK [*],\r\n"
    .. "Prompt: '?' for help, default=1> ",
  "Partitioning scheme:\r\n  1: Separate /home partition,    \r\n"
    .. "  2: All files in one partition (recommended for new users) [*],\r\nPrompt: '?' for help, default=2> ",
  "Guided partitioning  ... 20%... 80%\r\n" .. OVERVIEW:gsub("\n", "\r\n"),
  "   partition #2 of SCSI1 (0,0,0) (sda) as ext4\r\nWrite the changes to disks?\r\n  1: Yes      2: No [*]\r\n"
    .. "Prompt: '?' for help, default=2> ",
  menu("Partition disks", "Install the base system"),
}

describe("Debian's installer, asked what it really asks,", function()
  it("gives root a password, whose prompt is the question itself", function()
    local texts = table.move(PASSWORDS, 1, #PASSWORDS, 1, {})
    table.insert(texts, menu("Set up users and passwords", "Configure the clock"))
    local ok, message, answers, steps = hold(texts, { password = "secret", stop_at = "Configure the clock" })
    assert(ok, message)
    assert.same({ "", "1", "secret", "secret", "2" }, answers)
    assert.same({ "boot the installer", "Set up users and passwords",
      "Set up users and passwords: Allow login as root", "Set up users and passwords: Root password",
      "Set up users and passwords: Re-enter password to verify",
      "Set up users and passwords: Create a normal user account now" }, steps)
  end)

  it("partitions the whole disk and writes that, however the overview is wrapped", function()
    local ok, message, answers, steps = hold(PARTITIONER, { stop_at = "Install the base system" })
    assert(ok, message)
    assert.same({ "", "3", "", "2", "8", "1" }, answers)
    assert.equal("Partition disks: Write the changes to disks", steps[#steps])
    assert.equal("Partition disks: This is an overview of your currently configured partitions and mount points",
      steps[#steps - 1])
  end)

  it("stops at a question, by its text or its step", function()
    for _, place in ipairs { "Partitioning scheme:", "Partition disks: Partitioning scheme" } do
      local ok, message, answers = hold(PARTITIONER, { stop_at = place })
      assert(ok, message)
      assert.same({ "", "3", "" }, answers)
    end
  end)

  it("names the step and the title of what the installer reports", function()
    local ok, message = hold {
      PARTITIONER[1], PARTITIONER[2], PARTITIONER[3], PARTITIONER[4],
      "!! ERROR: Failed to partition the selected disk\r\n\r\nThis probably happened because there are too many\r\n"
        .. "(primary) partitions in the partition table.\r\n[Press enter to continue] ",
    }
    assert.is_false(ok)
    assert.matches("^step 'Partition disks: Partitioning scheme': the installer reports: "
      .. "Failed to partition the selected disk\n  | ", message)
  end)

  it("says what it is asked and cannot answer", function()
    local country = "Country, territory or area:\r\n  1: Canada,    2: United States [*],\r\nPrompt: '?' for help> "
    local ok, message = hold({ menu("Choose language"), country }, { country = "Atlantis" })
    assert.is_false(ok)
    assert.matches("^step 'Choose language: Country, territory or area': "
      .. "the installer asks \"Country, territory or area:\": no choice 'Atlantis'\n", message)
    -- A part of a name is not that name.
    ok, message = hold({ menu("Choose language"), country }, { country = "United" })
    assert.is_false(ok)
    assert.matches("no choice 'United' %(did you mean 'United States'%?%)\n", message)
    ok, message = hold { menu("Choose language"), "What is the airspeed velocity?\r\nPrompt: '?' for help> " }
    assert.is_false(ok)
    assert.matches("the installer asks \"What is the airspeed velocity%?\": not known here\n", message)
  end)

  it("tries a step that failed once more, and no more than that", function()
    local failed = "!! ERROR: Installation step failed\r\n\r\nAn installation step failed. You can try to run the\r\n"
      .. "failing item again from the menu, or skip it and choose something else.\r\n[Press enter to continue] "
    local step, next_one = menu("Detect disks", "Partition disks"), menu("Partition disks", "Install the base system")
    local ok, message, answers, steps = hold({ step, failed, step, next_one }, { stop_at = "Install the base system" })
    assert(ok, message)
    assert.same({ "", "", "" }, answers)
    assert.same({ "boot the installer", "Partition disks", "Partition disks: again, because it failed",
      "Partition disks" }, steps)
    ok, message = hold { step, failed, step, failed }
    assert.is_false(ok)
    assert.matches("^step 'Partition disks': the installer reports: Installation step failed\n", message)
  end)

  it("says which step the main menu proposes again", function()
    local again = menu("Detect disks", "Partition disks")
    local ok, message = hold { again, again }
    assert.is_false(ok)
    assert.matches("^step 'Partition disks': .* did not succeed: the main menu proposes it again\n", message)
  end)
end)

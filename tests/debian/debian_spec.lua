local mb = require "moonboot"
local command = require "moonboot.command"
local files = require "moonboot.files"
local installer = require "installers.debian"

local QEMU = { amd64 = "x86_64", i386 = "i386" }

local function defaults(changes)
  local options = {}
  for name, declared in pairs(installer.options) do options[name] = declared.default end
  for name, value in pairs(changes) do options[name] = value end
  return options
end

describe("Debian's installer", function()
  local place

  before_each(function() place = assert(files.make_temp_dir "/tmp/moonboot-debian-") end)
  after_each(function() files.remove(place) end)

  -- Boots it with a network that leads nowhere but to QEMU's own DHCP server. -> what pcall of the installer gave, the
  -- transcript
  local function install(arch, options)
    local cache, why, status = command.run { "tests/debian/fetch-installer", arch }
    if status == 77 then pending "skipped: no apt-get to bring the installer" return end
    local folder = assert(cache, why):gsub("%s+$", "")
    assert(mb.disk.create(place .. "/disk.qcow2", "2G"))
    local vm <close> = assert(mb.vm.boot({
      arch = QEMU[arch], cpus = 2, memory = "1G",
      kernel = folder .. "/linux", initrd = folder .. "/initrd.gz",
      append = "console=ttyS0 quiet priority=low DEBIAN_FRONTEND=text TERM=dumb",
      disk = { file = place .. "/disk.qcow2", format = "qcow2" },
      network = "user,restrict=on",
    }, { transcript = place .. "/transcript" }))
    local outcome = table.pack(pcall(installer.run, vm, defaults(options)))
    return outcome[1], outcome[2], assert(files.read(place .. "/transcript"))
  end

  it("is driven from its first menu to where a network is needed (amd64)", function()
    local ok, message, transcript = install("amd64", {
      language = "English", country = "United Kingdom", keymap = "British English", hostname = "ferret",
    })
    assert.is_false(ok)
    assert.matches("^the installer reports: .*mirror", message)
    for _, step in ipairs { "Choose language", "Configure the keyboard", "Detect network hardware",
      "Configure the network", "Choose a mirror of the Debian archive" } do
      assert.truthy(transcript:find(step, 1, true), step)
    end
    assert.truthy(transcript:find("ferret", 1, true))
    assert.truthy(transcript:find("Bad archive mirror", 1, true) or message:find("mirror", 1, true))
  end)

  it("stops where it is told to (i386)", function()
    local ok, message, transcript = install("i386", { stop_at = "Configure the keyboard" })
    assert.is_true(ok, message)
    assert.truthy(transcript:find("Choose language", 1, true))
  end)

  it("says what it is asked and cannot answer", function()
    -- A dialogue of one question; what is sent is of no interest.
    local question = "Country, territory or area:\n  1: Canada,    2: United States [*],\n"
    local vm = {
      step = function() end,
      expect = function() return { before = question, text = "Prompt: '?' for help, default=2> " } end,
      sendline = function() return true end,
    }
    local ok, message = pcall(installer.run, vm, defaults { country = "Atlantis" })
    assert.is_false(ok)
    assert.matches("^the installer asks \"Country, territory or area:\": no choice 'Atlantis'\n", message)
    question = "What is the airspeed velocity?\n"
    ok, message = pcall(installer.run, vm, defaults {})
    assert.is_false(ok)
    assert.matches("^the installer asks \"What is the airspeed velocity%?\": not known here\n", message)
  end)
end)

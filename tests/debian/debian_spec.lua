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

  -- The last thing that needs no network is the address of a mirror.
  for arch in pairs(QEMU) do
    it(("is driven from its first menu to where a network is needed (%s)"):format(arch), function()
      local ok, message, transcript = install(arch, {
        country = "United Kingdom", keymap = "British English", hostname = "ferret", domain = "example.org",
      })
      assert.is_false(ok)
      assert.matches("^step 'Choose a mirror of the Debian archive: .*': the installer reports: Bad archive mirror\n",
        message)
      local at = 1
      for _, event in ipairs {
        "step     boot the installer", "step     Choose language", "step     Choose language: Language",
        "step     Choose language: Country, territory or area", "step     Configure the keyboard",
        "step     Configure the keyboard: Keymap to use", "step     Detect network hardware",
        "step     Configure the network", "step     Configure the network: Hostname", "com1     < ferret\\r",
        "step     Configure the network: Domain name", "com1     < example.org\\r",
        "step     Choose a mirror of the Debian archive", "step     Choose a mirror of the Debian archive: HTTP proxy",
      } do
        local _, last = transcript:find(event, at, true)
        at = assert(last, ("'%s' is not there, or not in its place, in\n%s"):format(event, transcript))
      end
    end)
  end
end)

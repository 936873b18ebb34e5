-- What can go wrong with an installation: a clear error, no half-installed image, and the next one works.
local files = require "moonboot.files"
local json = require "moonboot.json"
local program = require "tests.system.support.program"
local support = require "tests.system.support.sandbox"
local uv = require "luv"

-- An installer that waits for what never comes.
local PATIENT = [[
return function(vm)
  vm:step "wait for nothing"
  assert(vm:expect("what never comes", { timeout = 1000 }))
end
]]

describe("moonboot install", function()
  local sandbox, dir

  before_each(function()
    sandbox = support.sandbox()
    dir = sandbox.dir
  end)
  after_each(function() sandbox:close() end)

  local function images()
    local code, out = program.run("images", "--json")
    assert.equal(0, code)
    return json.decode(out).images
  end

  -- Starts an installation that does not end, and waits until its guest runs. -> moonboot's process, QEMU's pid
  local function endless()
    local script = sandbox:write("patient.lua", PATIENT)
    local process = program.start("moonboot", "install", script, "--iso", support.guest .. "/demo.iso",
      "--disk-size", "16M", "--output", dir .. "/out", "--transcript", dir .. "/transcript")
    program.await(function()
      return (files.read(dir .. "/transcript") or ""):find("wait for nothing", 1, true)
    end, "the beginning of the installation")
    return process, assert(sandbox:guests()[1], "there is no QEMU")
  end

  local function installs_again()
    local code, out, err = program.run("install", "demo", "--output", dir .. "/again", "--quiet")
    assert.equal(0, code, err)
    assert.is_table(uv.fs_stat(out:match "[^\n]+"))
    assert.same({ "good" }, { images()[1].state })
    assert.equal(1, #images())
  end

  it("says when there is nothing to do", function()
    local first, image = program.run("install", "demo", "--output", dir .. "/one", "--quiet")
    assert.equal(0, first)
    local code, out, err = program.run("install", "demo", "--output", dir .. "/two", "--transcript", dir .. "/said")
    assert.same({ 0, image }, { code, out })
    assert.equal("demo is installed already: nothing was done, there is no transcript; "
      .. "`moonboot images --prune --all` removes it\n", err)
  end)

  it("gives an installer that hangs up after its time, and keeps a picture of the screen", function()
    local script = sandbox:write("patient.lua", PATIENT)
    local code, out, err = program.run("install", script, "--iso", support.guest .. "/demo.iso", "--disk-size",
      "16M", "--output", dir .. "/out", "--timeout", "3")
    assert.same({ 1, "" }, { code, out })
    assert.matches("cannot install patient: not done within 3 s %(step 'wait for nothing'%)\n  transcript: ", err)
    local picture
    for name in files.entries(dir .. "/out") do picture = picture or name:match "%.png$" or name:match "%.ppm$" end
    assert.is_string(picture)
    assert.same({}, images())
  end)

  it("boots a kernel that it takes out of the medium, past any loader", function()
    local tree = dir .. "/tree"
    assert(files.make_dir(tree .. "/boot"))
    assert(files.write(tree .. "/boot/system", files.read(support.guest .. "/demo.elf")))
    local _, _, code = os.execute(("xorriso -report_about WARNING -as mkisofs -quiet -V KERNEL -o '%s/kernel.iso' '%s'")
      :format(dir, tree))
    assert.equal(0, code)
    local script = sandbox:write("direct.lua", [[
      return {
        boot = { kernel = "/boot/system", append = "install" },
        run = function(vm)
          assert(vm:expect {
            { "hit ENTER to continue.", "\r" },
            { "Keyboard type? [us-std] ", "\r" },
            { "Enter the disk number to use: [0] ", "\r" },
            { "Please enter 'yes' or 'no': ", "yes\r" },
            { "/home to be in MB", "\r" },
            { "Shut down now? [Y] ", "\r", done = true },
          })
        end,
      }
    ]])
    local out, err
    code, out, err = program.run("install", script, "--iso", dir .. "/kernel.iso", "--arch", "i386",
      "--disk-size", "16M", "--output", dir .. "/out")
    assert.equal(0, code, err)
    assert.is_table(uv.fs_stat(out:match "[^\n]+"))
    script = sandbox:write("early.lua", 'return { boot = { kernel = "/boot/system", append = "reset=memory" }, '
      .. "run = function() end }")
    code, _, err = program.run("install", script, "--iso", dir .. "/kernel.iso", "--arch", "i386", "--disk-size", "16M",
      "--output", dir .. "/early")
    assert.equal(1, code)
    assert.matches("early: the installer script came to its end, but the guest ended %(guest%-reset%)", err)
    script = sandbox:write("astray.lua", 'return { boot = { kernel = "/boot/none" }, run = function() end }')
    code, _, err = program.run("install", script, "--iso", dir .. "/kernel.iso", "--output", dir .. "/astray")
    assert.equal(1, code)
    assert.matches("cannot install astray: [^\n]*/boot/none", err)
    script = sandbox:write("wrong.lua", 'return { boot = { kernal = "/x" }, run = function() end }')
    code, _, err = program.run("install", script, "--iso", dir .. "/kernel.iso", "--output", dir .. "/wrong")
    assert.equal(2, code)
    assert.matches("unknown key 'kernal' in boot %(did you mean 'kernel'%?%)", err)
  end)

  it("shows what an installer said that refuses the disk", function()
    local code, _, err = program.run("install", "demo", "--disk-size", "4M", "--output", dir .. "/out")
    assert.equal(1, code)
    assert.matches('the guest said "is too small"', err)
    assert.matches("| Disk /dev/c0d0 is too small: it has 4 MB, the demo system needs 8 MB", err)
    assert.same({}, images())
  end)

  it("says that QEMU was killed in the middle", function()
    local process <close>, pid = endless()
    uv.kill(pid, "sigkill")
    local code, _, err = process:wait()
    assert.equal(1, code)
    assert.matches("QEMU was ended by SIGKILL before it came", err)
    assert.same({}, images())
    installs_again()
  end)

  it("ends by Ctrl-C and begins anew the next time", function()
    local process <close>, pid = endless()
    uv.kill(process:pid(), "sigint")
    local code, out, err = process:wait()
    assert.same({ 130, "" }, { code, out })
    assert.matches("moonboot: interrupted; nothing half installed is kept", err)
    assert.is_nil(uv.fs_stat("/proc/" .. pid))
    assert.same({}, images())
    installs_again()
  end)

  it("is not confused by what a moonboot that was killed has left", function()
    local process <close> = endless()
    uv.kill(process:pid(), "sigkill")
    process:wait()
    assert.same({ "unfinished" }, { images()[1].state })
    assert.equal(0, (program.run("images", "--prune")))
    installs_again()
  end)

  it("installs once when two want the same image at the same time", function()
    local one <close> = program.start("moonboot", "install", "demo", "--output", dir .. "/one")
    local two <close> = program.start("moonboot", "install", "demo", "--output", dir .. "/two")
    local first_code, first_path, first_said = one:wait()
    local second_code, second_path, second_said = two:wait()
    assert.same({ 0, 0 }, { first_code, second_code })
    assert.equal(first_path, second_path)
    local _, installations = (first_said .. second_said):gsub("installing demo from", "")
    assert.equal(1, installations)
    assert.equal(1, #images())
  end)

  it("refuses what it cannot install", function()
    local function refusal(status, ...)
      local code, _, err = program.run("install", ...)
      assert.equal(status, code, err)
      return err
    end
    assert.matches("medium", refusal(2, sandbox:write("patient.lua", PATIENT)))
    assert.matches("returns nothing: what is to be installed is", refusal(2, sandbox:write("empty.lua", "")))
    assert.matches("text%.iso", refusal(3, "demo", "--iso", sandbox:write("text.iso", ("words "):rep(20000))))
  end)
end)

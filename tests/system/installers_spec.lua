-- The ready-made installers, on guests that ask as the real ones do: by serial line, by screen and keyboard.
local installers = require "tests.system.support.installers"
local program = require "tests.system.support.program"
local support = require "tests.system.support.sandbox"

local MINIX = {
  menu = "",
  shell = ",sh",
  regions = ",regions",
  ["old home"] = ",home",
  ["old boot record"] = ",mbr",
  ["no network card"] = ",nonet",
  ["everything optional"] = ",sh,regions,home,mbr,nonet",
}

describe("the installer", function()
  local sandbox

  before_each(function() sandbox = support.sandbox() end)
  after_each(function() sandbox:close() end)

  -- Plays MINIX's installation CD, with switches of the demo guest's; its menu on COM1 too, or on the screen only.
  local function minix(append, options, screen_menu)
    local machine = { kernel = support.guest .. "/demo.elf", append = "dialogue=minix,menu" .. append }
    if not screen_menu then machine.graphics = false end
    return installers.run(sandbox.dir, "minix", machine, options)
  end

  for name, append in pairs(MINIX) do
    it("of MINIX completes its variant: " .. name, function()
      local done, message, dialogue = minix(append, { home_mb = 100 })
      assert(done, message)
      assert.matches("step +shut down\n", dialogue)
    end)
  end

  it("of MINIX completes with log lines after and inside its prompts", function()
    for _, noise in ipairs { " noisy", " noisy=inside" } do
      local done, message, dialogue = minix(noise)
      assert(done, message)
      assert.matches("com1 +< yes\\r", dialogue)
    end
  end)

  it("of MINIX moves from the screen to the serial line, or stays on the screen", function()
    local done, message, dialogue = minix("", {}, true)
    assert(done, message)
    assert.matches("screen +< 3\\r", dialogue)
    assert.matches("com1 +< setup\\r", dialogue)
    done, message, dialogue = minix(",home", { screen = true }, true)
    assert(done, message)
    assert.matches("screen +< setup\\r", dialogue)
    assert.is_nil(dialogue:find "com1 +<")
  end)

  it("of MINIX stops at a question that nobody has heard of, and names it", function()
    local done, message = minix(",odd")
    assert.is_nil(done)
    assert.matches('the guest waits at something that is not expected: "In which time zone do you live%? "', message)
    assert.matches("com1: step 'agree to the size of /home'", message)
  end)

  it("of MINIX stops when an answer is not taken, and says so", function()
    local done, message = minix("", { keyboard = "klingon" })
    assert.is_nil(done)
    assert.matches("choose the keyboard: the guest asks again, though it was answered 3 times", message)
    assert.matches("! invalid keyboard", message)
  end)

  for way, options in pairs { ["by serial line"] = {}, ["by screen and keyboard"] = { "--screen" } } do
    it("of the demo guest installs it " .. way, function()
      for round = 1, 3 do
        sandbox:setenv("MOONBOOT_CACHE", ("%s/cache-%d"):format(sandbox.dir, round))
        local code, out, err = program.run("install", "demo", "--output", ("%s/%d"):format(sandbox.dir, round),
          table.unpack(options))
        assert.equal(0, code, err)
        assert.matches("/cache%-" .. round .. "/images/demo%-%x+/image.qcow2\n$", out)
      end
    end)
  end

  it("of MINIX answers everything that a real MINIX has asked", function()
    local texts = installers.recording()
    if not texts then
      pending "skipped: MOONBOOT_CAPTURES is not set, or there is no minix-installer beside it"
      return
    end
    local answered, done, message = installers.replay(texts)
    assert(done, message)
    -- All but the four commands that were typed at the shell when setup had ended, and what was said after them.
    assert.is_true(answered >= #texts - 5, answered .. " answers")
  end)
end)

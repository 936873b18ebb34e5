--- The keyboard of a guest, through QMP.
-- Keys go down and up by `input-send-event`, which QEMU acknowledges when the emulated keyboard has them. On a PC a
-- key waits until the guest has fetched the last one (the keyboard controller's status says so), so that
-- typing is paced by the guest and not by a clock: a busy guest loses nothing, an idle one is not kept waiting.
-- @module moonboot.keyboard
local engine = require "moonboot.engine"
local task = require "moonboot.task"
local text = require "moonboot.text"

local keyboard = {}

local Keyboard = {}
Keyboard.__index = Keyboard

-- How long a guest may leave a key unfetched (it may be busy booting), and how often to look.
local FETCH_SECONDS, LOOK_SECONDS = 10, 0.005

-- US layout: what each key gives, alone and with shift, and QEMU's name for it (qapi/ui.json, QKeyCode).
local PAIRS = {
  { "`", "~", "grave_accent" }, { "-", "_", "minus" }, { "=", "+", "equal" }, { "[", "{", "bracket_left" },
  { "]", "}", "bracket_right" }, { "\\", "|", "backslash" }, { ";", ":", "semicolon" }, { "'", '"', "apostrophe" },
  { ",", "<", "comma" }, { ".", ">", "dot" }, { "/", "?", "slash" },
}
local DIGITS_SHIFTED = ")!@#$%^&*("
local PLAIN = { [" "] = "spc", ["\n"] = "ret", ["\r"] = "ret", ["\t"] = "tab", ["\b"] = "backspace", ["\27"] = "esc",
  ["\127"] = "delete" }

-- Names people use for keys, besides QEMU's own.
local ALIASES = {
  enter = "ret", ["return"] = "ret", space = "spc", escape = "esc", del = "delete", ins = "insert", win = "meta_l",
  pageup = "pgup", pagedown = "pgdn", control = "ctrl",
}
local NAMED = {
  "ret", "spc", "tab", "backspace", "esc", "delete", "insert", "home", "end", "pgup", "pgdn", "up", "down", "left",
  "right", "ctrl", "ctrl_r", "shift", "shift_r", "alt", "alt_r", "meta_l", "meta_r", "menu", "caps_lock", "num_lock",
  "scroll_lock", "print", "sysrq", "pause", "kp_enter", "kp_add", "kp_subtract", "kp_multiply", "kp_divide",
  "kp_decimal",
}

local function build_maps()
  local characters, names = {}, {}
  local function add(character, code, shifted)
    characters[character] = { code, shifted = shifted }
  end
  for letter in ("abcdefghijklmnopqrstuvwxyz"):gmatch "." do
    add(letter, letter, false)
    add(letter:upper(), letter, true)
    names[letter] = letter
  end
  for digit = 0, 9 do
    local code = tostring(digit)
    add(code, code, false)
    add(DIGITS_SHIFTED:sub(digit + 1, digit + 1), code, true)
    names[code], names["kp_" .. code] = code, "kp_" .. code
  end
  for _, pair in ipairs(PAIRS) do
    add(pair[1], pair[3], false)
    add(pair[2], pair[3], true)
    names[pair[3]] = pair[3]
    names[pair[1]] = pair[3]
  end
  for character, code in pairs(PLAIN) do add(character, code, false) end
  for n = 1, 12 do names["f" .. n] = "f" .. n end
  for _, name in ipairs(NAMED) do names[name] = name end
  for alias, name in pairs(ALIASES) do names[alias] = name end
  return characters, names
end

local characters, names = build_maps()

--- The keys to press for a character on a US keyboard.
-- @string character one byte
-- @treturn ?{string,…} QEMU key codes, modifiers first; or nil and a message
function keyboard.keys(character)
  local key = characters[character]
  if not key then return nil, ('a US keyboard has no key for "%s"'):format(text.escape(character)) end
  return key.shifted and { "shift", key[1] } or { key[1] }
end

--- The keys of a chord.
-- @string chord key names joined by `-`: "ctrl-alt-f2", "esc", "a", "ctrl--" for control and minus
-- @treturn ?{string,…} QEMU key codes in the order they go down; or nil and a message
function keyboard.chord(chord)
  local codes = {}
  -- A "-" that stands where a name is due is the key itself.
  for name in (chord:gsub("%-%-$", "-minus"):gsub("^%-$", "minus")):gmatch("[^-]+") do
    local code = names[name:lower()]
    if not code then
      local known = {}
      for candidate in pairs(names) do table.insert(known, candidate) end
      return nil, ("unknown key '%s' in '%s'%s"):format(text.escape(name), text.escape(chord),
        text.suggest(name:lower(), known))
    end
    table.insert(codes, code)
  end
  if #codes == 0 then return nil, "no key is named" end
  return codes
end

--- Makes the keyboard of a guest.
-- @tparam Qmp qmp its control connection, `qmp:execute(command, arguments) -> result | nil, message`
-- @treturn Keyboard
function keyboard.new(qmp)
  return setmetatable({ qmp = qmp }, Keyboard)
end

local function event(code, down)
  return { type = "key", data = { down = down, key = { type = "qcode", data = code } } }
end

-- Whether the guest has fetched what the keyboard controller holds: bit 0 of its status at port 0x64, which reading
-- does not change. nil where there is no such controller.
local function fetched(self)
  if self.unpaced then return nil end
  local answer = self.qmp:execute("human-monitor-command", { ["command-line"] = "i /b 0x64" })
  local value = type(answer) == "string" and answer:match("= 0x(%x+)")
  local status = value and tonumber(value, 16)
  -- A port that nothing answers reads as ones.
  if not status or status == 0xff then
    self.unpaced = true
    return nil
  end
  return status & 1 == 0
end

local function wait_fetched(self)
  local deadline_ns = engine.clock.now() + FETCH_SECONDS * 1000000000
  while fetched(self) == false do
    if engine.clock.now() > deadline_ns then
      return nil, ("the guest has not fetched a key from its keyboard for %g s"):format(FETCH_SECONDS)
    end
    task.sleep(LOOK_SECONDS)
  end
  return true
end

-- Presses keys in order and lets them go in the reverse order.
local function press(self, codes, options)
  local down, up = {}, {}
  for i, code in ipairs(codes) do
    down[i] = event(code, true)
    up[#codes - i + 1] = event(code, false)
  end
  -- Before, not after: the last key may have started something that does not read the keyboard.
  local done, message = wait_fetched(self)
  if not done then return nil, message end
  done, message = self.qmp:execute("input-send-event", { events = down })
  if not done then return nil, message end
  if options.hold then task.sleep(options.hold) end
  done, message = self.qmp:execute("input-send-event", { events = up })
  -- The key may have powered the guest off: QEMU is gone, or about to go and takes no more keys.
  if self.qmp.failure then return true end
  if not done and message:find("VM not running", 1, true) then return true end
  if not done then return nil, message end
  if options.per_key then task.sleep(options.per_key) end
  return true
end

--- Types a text on a US keyboard.
-- @string characters_to_type "\n" is ENTER, "\b" backspace, "\t" tab, "\27" escape
-- @tparam[opt] table options `per_key`: seconds to wait after each key, for a guest that fetches keys faster than it
--   uses them (default 0); `hold`: seconds that each key stays down (default 0)
-- @treturn ?boolean true, or nil and a message; a text with a character that has no key is refused whole
function Keyboard:type(characters_to_type, options)
  local presses = {}
  for i = 1, #characters_to_type do
    local codes, message = keyboard.keys(characters_to_type:sub(i, i))
    if not codes then return nil, ("%s (byte %d of the text)"):format(message, i) end
    presses[i] = codes
  end
  for _, codes in ipairs(presses) do
    local done, message = press(self, codes, options or {})
    if not done then return nil, message end
  end
  return true
end

--- Presses a key or a chord.
-- @string chord see `keyboard.chord`
-- @tparam[opt] table options as for `type`
-- @treturn ?boolean true, or nil and a message
function Keyboard:key(chord, options)
  local codes, message = keyboard.chord(chord)
  if not codes then return nil, message end
  return press(self, codes, options or {})
end

return keyboard

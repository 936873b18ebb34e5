--- Marker grammars: what a boot says, and what it means.
--
--     local mb = require "moonboot"
--     local P = require "lpeg".P
--
--     return mb.grammar {
--       { "kernel_starts", "MINIX 3.", channel = "com1" },
--       { "cpus", P"CPUs: " * lpeg.Cg(lpeg.R"09"^1, "cpus"), hint = "CPUs: " },
--       { "shell_prompt", "login: ", partial = true },   -- no newline follows
--       fail = { "panic:", "kernel panic" },
--     }
--
-- A rule is a name, a pattern and options. The pattern is a string, found literally anywhere in a line, or an LPeg
-- pattern, tried from left to right; what it names with `lpeg.Cg(pattern, "name")` lands in the marker's `captures`
-- (strings, numbers and booleans do). The first match of a rule makes its marker. Options:
--
-- - `optional`: a boot is complete without it
-- - `last`: the last match makes the marker, not the first
-- - `partial`: look at the unfinished line, too, for prompts that no newline follows
-- - `channel`: only on this console ("com1")
-- - `hint`: for an LPeg pattern, a literal that is in every line it matches, or a list of literals of which one is.
--   The engine then passes over all other lines at some hundred MB/s, which it cannot do while one rule lacks a hint
--
-- `fail`: a pattern that ends a boot as failed, or a list of such patterns, of which one that needs a hint is written
-- `{ pattern, hint = "…" }`. They are looked for in the unfinished line as well: one that must not be followed by some
-- text has to ask for another text that does follow (as in `grammars/linux.lua`).
--
-- Lines are at most 8 KiB long (longer ones come in pieces) and hold no control character but tab. A pattern that takes
-- more than a second or two on one of them is given up, with an error (see `moonboot.bounded`).
-- @module moonboot.grammar
local lpeg = require "lpeg"
local bounded = require "moonboot.bounded"
local check = require "moonboot.check"
local matcher = require "moonboot.matcher"
local text = require "moonboot.text"

local grammar = {}

local LIBRARY = debug.getinfo(1, "S").source:match("^(@.*)grammar%.lua$") or "@?"

local Grammar = {}
Grammar.__index = Grammar

local OPTIONS = {
  optional = { type = "boolean", default = false },
  last = { type = "boolean", default = false },
  partial = { type = "boolean", default = false },
  channel = { type = "string" },
  hint = { type = { "string", "table" } },
}

-- A list position is part of a rule, and `fail` of a grammar, without being an option.
local function split(value, positions)
  local options = {}
  for key, item in pairs(value) do
    if not (math.type(key) == "integer" and key >= 1 and key <= positions) then options[key] = item end
  end
  return options
end

-- A literal that no line can hold would wait for ever.
local function check_literal(literal, where)
  if literal == "" then return nil, where .. " is empty and would match any line" end
  local control = literal:match("[\0-\8\10-\31\127]")
  if control then
    return nil, ("%s has '%s' in it, which no line holds"):format(where, text.escape(control))
  end
  return true
end

-- LPeg's stack limits are meant for the author of the pattern, so say whose it is.
local function attempt(where, search, subject)
  local matched, first, captures, after = bounded.match(search, subject)
  if matched then return first, captures, after end
  error(where .. " " .. bounded.untried(subject, first), 0)
end

-- A function of a line that returns the first and last position of the leftmost match, and the captures.
local function compile(pattern, where)
  if type(pattern) == "string" then
    local good, message = check_literal(pattern, where)
    if not good then return nil, message end
    return function(subject) return subject:find(pattern, 1, true) end
  end
  if lpeg.type(pattern) ~= "pattern" then
    return nil, ("%s must be a string or an LPeg pattern, not a %s"):format(where, type(pattern))
  end
  local made, search = pcall(function()
    return lpeg.P { lpeg.Cp() * lpeg.Ct(pattern) * lpeg.Cp() + 1 * lpeg.V(1) }
  end)
  if not made then return nil, ("%s is no pattern by itself: %s"):format(where, tostring(search)) end
  local tried, empty = pcall(bounded.compile, search)
  if not tried then return nil, ("%s fails: %s"):format(where, tostring(empty)) end
  if empty then return nil, where .. " matches the empty string and would match any line" end
  return function(subject)
    local first, captures, after = attempt(where, search, subject)
    if first then return first, after - 1, captures end
    return nil
  end
end

-- The literals of which every line that matches holds one; nil when that is not known.
local function clues_of(pattern, hint, where)
  if type(pattern) == "string" then
    if hint ~= nil then return nil, where .. " has a 'hint', but its pattern is a literal already" end
    return { pattern }
  end
  if hint == nil then return nil end
  local clues = type(hint) == "string" and { hint } or hint
  if #clues == 0 then return nil, where .. ": 'hint' is empty" end
  for _, clue in ipairs(clues) do
    if type(clue) ~= "string" then return nil, where .. ": 'hint' must be a string or a list of strings" end
    local good, message = check_literal(clue, where .. ": 'hint'")
    if not good then return nil, message end
  end
  return clues
end

-- A search that looks at the whole line only when it holds one of the literals: a line that concerns one rule, or two,
-- costs no LPeg match for each of the others.
local function only_with(clues, find)
  if not clues then return find end
  return function(subject)
    for _, clue in ipairs(clues) do
      if subject:find(clue, 1, true) then return find(subject) end
    end
    return nil
  end
end

local function new_rule(index, value, known)
  if type(value) ~= "table" then return nil, ("rule %d must be a table { name, pattern, … }"):format(index) end
  local name = value[1]
  if type(name) ~= "string" or not name:find("^[%a_][%w_-]*$") or #name > 64 then
    return nil, ("the name of rule %d must be a word of letters, digits, '_' and '-' (up to 64), not %s"):format(index,
      type(name) == "string" and ("'%s'"):format(text.escape(name)) or "a " .. type(name))
  end
  local where = ("rule '%s'"):format(name)
  if known[name] then return nil, ("%s is there twice (rules %d and %d)"):format(where, known[name], index) end
  local options, message, key = check.table(split(value, 2), OPTIONS, where)
  if not options then return nil, message, key end
  if options.channel and not options.channel:find("^%w+$") then
    return nil, ("'channel' in %s must be the name of a console, such as com1"):format(where), "channel"
  end
  local find, clues
  find, message = compile(value[2], "the pattern of " .. where)
  if not find then return nil, message end
  clues, message = clues_of(value[2], options.hint, where)
  if message then return nil, message, "hint" end
  local literal = type(value[2]) == "string" and value[2] or nil
  options.hint = nil
  options.name = name
  return { rule = options, find = literal and find or only_with(clues, find), clues = clues, literal = literal }
end

local function new_failures(fail)
  local list = type(fail) == "table" and fail or { fail }
  local failures = {}
  for key in pairs(list) do
    if math.type(key) ~= "integer" or key < 1 or key > #list then
      return nil, "'fail' must be a pattern or a list of patterns", "fail"
    end
  end
  for i, item in ipairs(list) do
    local where = ("pattern %d of 'fail'"):format(i)
    local pattern, given = item, {}
    if type(item) == "table" then pattern, given = item[1], split(item, 1) end
    local options, unfit = check.table(given, { hint = OPTIONS.hint }, where)
    if not options then return nil, unfit, "fail" end
    local find, wrong = compile(pattern, where)
    if not find then return nil, wrong, "fail" end
    local clues, useless = clues_of(pattern, options.hint, where)
    if useless then return nil, useless, "fail" end
    failures[i] = {
      pattern = pattern,
      label = type(pattern) == "string" and pattern or ("fail[%d]"):format(i),
      find = type(pattern) == "string" and find or only_with(clues, find),
      clues = clues,
    }
  end
  return failures
end

-- The script that calls grammar.new, unless `return mb.grammar { … }` has taken it off the stack.
local function calling_script()
  local info = debug.getinfo(3, "S")
  if not info or info.what == "C" or info.source:sub(1, #LIBRARY) == LIBRARY then return nil end
  return info.source:match("^@(.*)")
end

--- Compiles a grammar. Raises when something is wrong with it, and blames the line of the script.
-- @tparam table spec  a list of rules, and `fail`; see above
-- @treturn Grammar `rules` (a list of `{ name =, optional =, last =, partial =, channel = }`)
function grammar.new(spec)
  if type(spec) ~= "table" then check.fail("a grammar must be a table of rules, not a " .. type(spec)) end
  local compiled, rules, known = {}, {}, {}
  for i, value in ipairs(spec) do
    local entry, message, key = new_rule(i, value, known)
    if not entry then check.fail(message, key) end
    compiled[i], rules[i], known[entry.rule.name] = entry, entry.rule, i
  end
  if #rules == 0 then check.fail("a grammar needs at least one rule") end
  local options, message, key = check.table(split(spec, #rules), { fail = {} }, "grammar")
  if not options then check.fail(message, key) end
  local failures
  failures, message, key = new_failures(options.fail)
  if not failures then check.fail(message, key) end
  return setmetatable({ rules = rules, compiled = compiled, failures = failures, path = calling_script() }, Grammar)
end

--- The patterns that end a boot as failed, for whoever waits for something else meanwhile (an installer).
-- @treturn table a list of strings and LPeg patterns
function Grammar:fail_patterns()
  local patterns = {}
  for i, failure in ipairs(self.failures) do patterns[i] = failure.pattern end
  return patterns
end

--- Whether a value is a grammar.
-- @param value
-- @treturn boolean
function grammar.is(value)
  return getmetatable(value) == Grammar
end

-- A message that names the script alone, with the line that names the rule.
local function locate(message, path)
  local rest = message:sub(1, #path + 2) == path .. ": " and message:sub(#path + 3)
  local name = rest and rest:match("rule '([%w_-]+)'")
  if not name then return message end
  local number, found = 0, nil
  for line in io.lines(path) do
    number = number + 1
    -- The last one, because of a name that is there twice.
    if line:find("[\"']" .. name:gsub("%-", "%%-") .. "[\"']") then found = number end
  end
  return found and ("%s:%d: %s"):format(path, found, rest) or message
end

--- Loads a grammar from a script that returns it.
-- @string name  the path of the script, or the name of a ready-made grammar ("minix")
-- @treturn ?Grammar nil when there is none or it is wrong
-- @treturn ?string message, with the script's line
function grammar.load(name)
  local loader = require "moonboot.loader"
  local found, path = loader.grammar(name)
  if found then
    found.path = path
    return found
  end
  local message = path
  path = loader.find("grammars", name)
  return nil, path and locate(message, path) or message
end

--- The names of the rules, in the order of the grammar.
-- @treturn {string,…}
function Grammar:names()
  local names = {}
  for i, rule in ipairs(self.rules) do names[i] = rule.name end
  return names
end

--- The path of the script that the grammar is from; a required one is known by its module.
-- @treturn ?string nil when it is not known
function Grammar:source()
  if self.path then return self.path end
  for name, value in pairs(package.loaded) do
    if value == self then return package.searchpath(name, package.path) end
  end
  return nil
end

--- The SHA-256 of the script that the grammar is from.
-- @treturn ?string 64 hex digits; nil when the script is not known or cannot be read
function Grammar:hash()
  if not self.digest then
    local path = self:source()
    self.digest = path and require("moonboot.digest").file(path) or nil
  end
  return self.digest
end

local function entry_of(self, method, name)
  for _, entry in ipairs(self.compiled) do
    if entry.rule.name == name then return entry end
  end
  error(("%s: the grammar has no rule '%s'%s"):format(method, tostring(name),
    text.suggest(tostring(name), self:names())), 3)
end

--- The pattern of a rule, when it is a literal.
-- @string name
-- @treturn ?string
function Grammar:literal(name)
  local entry = entry_of(self, "literal", name)
  return entry.literal
end

--- The literals that lines which match a rule hold.
-- @string name
-- @treturn ?{string,…} at least one of them is in each such line; nil when the rule does not say
function Grammar:clues(name)
  local entry = entry_of(self, "clues", name)
  return entry.clues
end

--- The same grammar with some of its optional rules required: for an experiment that boots further than others.
-- @tparam {string,…} names  of rules
-- @treturn Grammar
function Grammar:requiring(names)
  local wanted = {}
  for _, name in ipairs(names) do wanted[entry_of(self, "requiring", name).rule.name] = true end
  local compiled, rules = {}, {}
  for i, entry in ipairs(self.compiled) do
    local copy = {}
    for key, value in pairs(entry) do copy[key] = value end
    local rule = {}
    for key, value in pairs(entry.rule) do rule[key] = value end
    if wanted[rule.name] then rule.optional = false end
    copy.rule = rule
    compiled[i], rules[i] = copy, rule
  end
  return setmetatable({ rules = rules, compiled = compiled, failures = self.failures, path = self:source() },
    Grammar)
end

--- The same grammar for a boot that is over at one of its rules: that one is required, those below it are optional.
-- @string name  of a rule
-- @treturn Grammar
function Grammar:up_to(name)
  local last = entry_of(self, "up_to", name)
  local copy, below = self:requiring { name }, false
  for i, entry in ipairs(self.compiled) do
    if below then copy.rules[i].optional = true end
    below = below or entry == last
  end
  return copy
end

--- A fresh matcher, for one boot.
-- @tparam[opt] table options  `channels` (the names of the boot's consoles; any if left out), `on_marker` (called with
--   each new marker, and again when it moves because of `last`)
-- @treturn moonboot.matcher.Matcher
function Grammar:matcher(options)
  return matcher.new(self.compiled, self.failures, options or {})
end

return grammar

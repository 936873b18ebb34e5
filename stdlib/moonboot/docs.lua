--- Docstrings: what the comments of a source file say about its functions, read from the file when somebody asks.
-- They are LDoc's: `---` begins one, tags name parameters and results. One source serves the reference and the prompt.
-- @module moonboot.docs
local text = require "moonboot.text"

local docs = {}

-- Tags that are a type.
local TYPED = { string = "string", number = "number", int = "integer", bool = "boolean", func = "function",
  tab = "table" }

-- Of a page.
local WIDTH = 100

-- path = what the file says: `header`, and docstrings by the line of their code.
local files = {}

local function function_of(code)
  local name, arguments = code:match("^%s*function%s+([%w_.:]+)%s*(%b())")
  if not name then name, arguments = code:match("^%s*([%w_.]+)%s*=%s*function%s*(%b())") end
  if not name then name, arguments = code:match("^%s*local%s+function%s+([%w_]+)%s*(%b())") end
  return name or code:match("^%s*([%w_.]+)%s*="), arguments
end

local function add_tag(doc, tag, modifiers, rest)
  local optional = modifiers:find("opt", 1, true) ~= nil
  local kind, name, about
  if tag == "tparam" then
    kind, name, about = rest:match("^(%S+)%s+(%S+)%s*(.*)$")
  elseif tag == "param" then
    name, about = rest:match("^(%S+)%s*(.*)$")
  elseif TYPED[tag] then
    kind, name, about = TYPED[tag], rest:match("^(%S+)%s*(.*)$")
  elseif tag == "treturn" then
    kind, about = rest:match("^(%S+)%s*(.*)$")
    return table.insert(doc.returns, { type = kind, about })
  elseif tag == "return" then
    return table.insert(doc.returns, { rest })
  end
  local entry = { about or "", name = name, type = kind, optional = optional or (kind or ""):sub(1, 1) == "?" }
  if name then table.insert(doc.params, entry) end
  return entry
end

-- A block of comment lines, without their dashes.
local function parse_block(lines)
  local doc = { text = {}, params = {}, returns = {} }
  local entry
  for _, line in ipairs(lines) do
    local tag, modifiers, rest = line:match("^%s*@(%a+)(%b[])%s*(.*)$")
    if not tag then
      tag, rest = line:match("^%s*@(%a+)%s*(.*)$")
      modifiers = ""
    end
    if tag == "module" then
      doc.module = rest
    elseif tag then
      add_tag(doc, tag, modifiers, rest)
      local list = (tag == "treturn" or tag == "return") and doc.returns or doc.params
      entry = list[#list]
    elseif entry and line:find("%S") then
      entry[1] = entry[1] .. " " .. line:match("^%s*(.-)%s*$")
    else
      table.insert(doc.text, (line:gsub("^ ", "", 1)))
    end
  end
  while doc.text[#doc.text] and not doc.text[#doc.text]:find("%S") do table.remove(doc.text) end
  return doc
end

--- Reads the docstrings of a file.
-- @string path
-- @treturn table `header` (of the module; may be nil) and `blocks`, docstrings in the order of the file: `name` (as
--   defined, "Console:expect"), `line` (of the code), `text` (list of lines), `params` (each `{ about, name =, type =,
--   optional = }`), `returns` (each `{ about, type = }`); empty when the file cannot be read
function docs.file(path)
  if files[path] then return files[path] end
  local found = { blocks = {}, by_line = {} }
  files[path] = found
  local file = io.open(path, "r")
  if not file then return found end
  local number, block = 0, nil
  for line in file:lines() do
    number = number + 1
    local comment = line:match("^%s*%-%-%-%s?(.*)$")
    local more = line:match("^%s*%-%-(.*)$")
    if comment and not block then
      block = { comment }
    elseif block and more then
      table.insert(block, more)
    elseif block then
      local doc = parse_block(block)
      doc.line = number
      doc.name, doc.arguments = function_of(line)
      block = nil
      if doc.module then
        found.header = doc
      elseif doc.name then
        table.insert(found.blocks, doc)
        found.by_line[number] = doc
      end
    end
  end
  file:close()
  return found
end

local function last_word(name)
  return name:match("[^.:]+$")
end

-- The documented function of that name in a loaded module: for functions that only pass on to another.
local function namesake(word)
  local modules = {}
  for name in pairs(package.loaded) do
    if type(name) == "string" and name:find("^moonboot%.") then table.insert(modules, name) end
  end
  table.sort(modules)
  for _, name in ipairs(modules) do
    local path = package.searchpath(name, package.path)
    for _, doc in ipairs(path and docs.file(path).blocks or {}) do
      if last_word(doc.name) == word then return doc end
    end
  end
  return nil
end

--- The docstring of a function.
-- @tparam function fn
-- @string[opt] name  what it is called, to find the docstring of what it passes on to
-- @treturn ?table see `docs.file`; nil when it has none
function docs.of(fn, name)
  local info = debug.getinfo(fn, "S")
  if info.what == "C" then return nil end
  local path = info.source:match("^@(.*)")
  local doc = path and docs.file(path).by_line[info.linedefined]
  if doc or not name or not path or not path:find("moonboot/", 1, true) then return doc end
  return namesake(last_word(name))
end

local function arguments_of(fn, doc)
  local list = {}
  local info = debug.getinfo(fn, "u")
  local declared = doc and doc.arguments or nil
  if info.nparams == 0 and info.isvararg and declared then
    for word in declared:gmatch("[%w_.]+") do table.insert(list, word == "..." and "..." or word) end
    return list
  end
  for i = 1, info.nparams do list[i] = debug.getlocal(fn, i) end
  if info.isvararg then table.insert(list, "...") end
  return list
end

--- How a function is called: "expect(pattern, [options])".
-- @tparam function fn
-- @string name
-- @treturn string
function docs.signature(fn, name)
  local word = last_word(name)
  if debug.getinfo(fn, "S").what == "C" then return word .. "(…)" end
  local doc = docs.of(fn, name)
  local list = arguments_of(fn, doc)
  if #list == 2 and list[1] == "self" and list[2] == "..." and doc then list = arguments_of(fn, doc) end
  if doc and #doc.params > 0 and (list[1] == "self" or list[#list] == "...") then
    list = {}
    for i, param in ipairs(doc.params) do list[i] = param.name == "..." and "..." or param.name end
  end
  if list[1] == "self" or list[1] == "_" and name:find(":", 1, true) then table.remove(list, 1) end
  local optional = {}
  for _, param in ipairs(doc and doc.params or {}) do optional[param.name] = param.optional end
  for i, argument in ipairs(list) do
    if optional[argument] then list[i] = "[" .. argument .. "]" end
  end
  return ("%s(%s)"):format(word, table.concat(list, ", "))
end

--- The first sentence of a docstring.
-- @tparam table doc
-- @treturn string
function docs.summary(doc)
  local whole = table.concat(doc.text, " ")
  return (whole:match("^(.-%.)%s") or whole:match("^(.-)%s%s") or whole)
end

-- Words on lines of their own after the first one, which begins with `first`.
local function wrap(page, first, words)
  local line, indent = first, #first
  for word in words:gmatch("%S+") do
    if #line > indent and #line + 1 + #word > WIDTH then
      table.insert(page, line)
      line = (" "):rep(indent)
    end
    line = line .. (#line > indent and " " or "") .. word
  end
  table.insert(page, (line:gsub("%s+$", "")))
end

local function entries(page, title, list)
  local width = #title
  for _, entry in ipairs(list) do width = math.max(width, #(entry.name or "")) end
  for i, entry in ipairs(list) do
    local name = entry.name or (i == 1 and title or "")
    local kind = entry.type and entry.type:gsub("^%?", "") .. (entry.optional and ", optional" or "")
    wrap(page, "  " .. name .. (" "):rep(width - #name + 2), (kind and "(" .. kind .. ") " or "") .. entry[1])
  end
end

--- The documentation of a function, as a page.
-- @tparam function fn
-- @string name  as the user calls it
-- @treturn ?string nil when it has none
function docs.page(fn, name)
  local doc = docs.of(fn, name)
  if not doc then return nil end
  local owner = name:match("^(.*[.:])[^.:]+$") or ""
  local page = { owner .. docs.signature(fn, name) }
  for _, line in ipairs(doc.text) do table.insert(page, line == "" and "" or "  " .. line) end
  if #doc.params + #doc.returns > 0 then table.insert(page, "") end
  entries(page, "", doc.params)
  entries(page, "returns", doc.returns)
  return text.escape(table.concat(page, "\n"), "\n")
end

--- The documentation of a module: its header and a line for each public function.
-- @string name  e.g. "moonboot.stats"
-- @treturn ?string nil when it has none
function docs.module_page(name)
  local path = package.searchpath(name, package.path)
  local file = path and docs.file(path)
  if not file or not file.header then return nil end
  local page = { name }
  for _, line in ipairs(file.header.text) do table.insert(page, line == "" and "" or "  " .. line) end
  table.insert(page, "")
  for _, doc in ipairs(file.blocks) do
    if doc.arguments or #doc.params > 0 then
      table.insert(page, ("  %-28s %s"):format(doc.name .. (doc.arguments or ""), docs.summary(doc)))
    end
  end
  return text.escape(table.concat(page, "\n"), "\n")
end

return docs

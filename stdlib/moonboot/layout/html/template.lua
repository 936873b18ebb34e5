--- Pages with Lua in them: `<%= x %>` puts a value, safe for HTML; `<%- x %>` puts it as it is; `<% … %>` is code.
-- A line that holds nothing but code leaves no line behind.
-- @module moonboot.layout.html.template
local files = require "moonboot.files"
local text = require "moonboot.text"

local template = {}

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

--- Makes any value safe inside HTML's text and quoted attributes. Control characters become visible escapes.
-- @param value nil gives ""
-- @treturn string
function template.escape(value)
  if value == nil then return "" end
  return (text.escape(tostring(value)):gsub("[&<>\"']", ENTITIES))
end

-- The page as a program of as many lines, so that an error names the line of the page.
local function program(page)
  local out, from = {}, 1
  local function put(literal)
    if literal ~= "" then out[#out + 1] = ("put(%q) "):format(literal) end
  end
  -- The end of the line before a line of code goes into the code, where it prints nothing.
  page = page:gsub("\n[ \t]*<%%([^=%-][^\n]*)%%>%f[\n]", function(code)
    return not code:find("%>", 1, true) and "<%\n" .. code .. "%>" or nil
  end)
  while true do
    local first, last, kind, code = page:find("<%%([=-]?)(.-)%%>", from)
    if not first then break end
    put(page:sub(from, first - 1))
    if kind == "" then
      out[#out + 1] = code .. " "
    else
      out[#out + 1] = (kind == "=" and "put(escape(%s)) " or "put(%s) "):format(code)
    end
    from = last + 1
  end
  put(page:sub(from))
  return table.concat(out)
end

--- Reads a page.
-- @string path
-- @treturn ?function `render(view)` -> string; the fields of `view` are the page's variables, beside those of Lua. nil
--   when it cannot be read
-- @treturn ?string why
function template.load(path)
  local page, message = files.read(path)
  if not page then return nil, message end
  local source = program(page)
  return function(view)
    local out = {}
    local scope = setmetatable({
      escape = template.escape,
      put = function(piece) out[#out + 1] = tostring(piece) end,
    }, { __index = function(_, name)
      local value = view[name]
      if value == nil then value = _G[name] end
      return value
    end })
    assert(load(source, "@" .. path, "t", scope))()
    return table.concat(out)
  end
end

return template

-- A headless Chromium that looks at a page.
local command = require "moonboot.command"
local files = require "moonboot.files"
local json = require "moonboot.json"

local browser = {}

local HERE = debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$")

-- Real time; a page has the virtual time of the budget, which passes as fast as its work allows.
local LONGEST_S, BUDGET_MS = 300, 20000

-- Before anything else in the page.
local WATCH = [[<script>
window.errors = [];
for (const name of ["error", "warn"]) console[name] = (...words) => window.errors.push(name + ": " + words.join(" "));
addEventListener("error", (event) => window.errors.push("error: " + event.message), true);
addEventListener("unhandledrejection", (event) => window.errors.push("rejection: " + event.reason));
document.addEventListener("securitypolicyviolation", (event) => window.errors.push("blocked: " + event.blockedURI));
</script>]]

local function run(dir, page, width, height, ...)
  local path = dir .. "/page.html"
  assert(files.write(path, page))
  return assert(command.run({
    "chromium-headless-shell", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
    "--no-first-run", "--user-data-dir=" .. dir .. "/profile", ("--window-size=%d,%d"):format(width, height),
    "--virtual-time-budget=" .. BUDGET_MS, ...,
  }, { timeout_s = LONGEST_S }))
end

--- Opens a page and tells what became of it: see probe.js.
function browser.look(dir, page, width)
  local probe = "<script>\n" .. assert(files.read(HERE .. "/probe.js")) .. "</script>\n</body>"
  local head, tail = page:match("^(.*)</body>(.*)$")
  page = (head .. probe .. tail):gsub("<head>", function() return "<head>\n" .. WATCH end, 1)
  local dom = run(dir, page, width or 1280, 900, "--dump-dom", "file://" .. dir .. "/page.html")
  local report = assert(dom:match("&lt;([^&]*)&gt;"), "the page's scripts did not come to their end")
  return assert(json.decode((report:gsub("%%(%x%x)", function(byte) return string.char(tonumber(byte, 16)) end))))
end

--- Takes a picture of a page.
-- @treturn integer the number of different colours in it
function browser.picture(dir, page, width, height, path)
  run(dir, page, width, height, "--screenshot=" .. path, "file://" .. dir .. "/page.html")
  local count = assert(command.run { "sh", "-c", 'pngtopnm "$1" | ppmhist -noheader | wc -l', "sh", path })
  return tonumber(count)
end

return browser

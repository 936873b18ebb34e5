--- Chart.js, which draws the plots of a page, from where its Debian package puts it. The page carries it, so that it
-- needs no network.
-- @module moonboot.layout.html.chartjs
local files = require "moonboot.files"

local chartjs = {}

--- The package that brings it.
chartjs.PACKAGE = "libjs-chart.js"

--- Where it may be; the first that is there is taken.
chartjs.PATHS = {
  "/usr/share/javascript/chart.js/chart.min.js",
  "/usr/share/javascript/chart.js/Chart.min.js",
  "/usr/share/nodejs/chart.js/dist/chart.min.js",
}

--- Its text, fit for a script element.
-- @treturn ?string nil where it is not installed
function chartjs.source()
  for _, path in ipairs(chartjs.PATHS) do
    local source = files.read(path)
    if source then
      -- A map would be looked for beside the page.
      return (source:gsub("//# sourceMappingURL=[^\n]*", ""):gsub("</(script)", "<\\/%1"))
    end
  end
  return nil
end

return chartjs

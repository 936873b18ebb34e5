--- SHA-256, by coreutils' sha256sum.
-- @module moonboot.digest
local command = require "moonboot.command"
local files = require "moonboot.files"

local digest = {}

-- A medium on a slow disk may take its time.
local TIMEOUT_S = 3600

--- The SHA-256 of a file.
-- @string path
-- @treturn ?string 64 lower-case hex digits, or nil and a message
function digest.file(path)
  local output, message = command.run({ "sha256sum", "--", files.absolute(path) }, { timeout_s = TIMEOUT_S })
  if not output then return nil, message end
  -- A leading backslash says that the name after the sum is escaped.
  local sum = output:match("^\\?(%x+) ")
  if not sum or #sum ~= 64 then return nil, "sha256sum gave no checksum of " .. path end
  return sum
end

--- The SHA-256 of a text.
-- @string text
-- @treturn ?string 64 lower-case hex digits, or nil and a message
function digest.text(text)
  local dir <close>, message = files.temp_dir "moonboot-digest-"
  if not dir then return nil, message end
  local path = dir.path .. "/text"
  local written, why = files.write(path, text)
  if not written then return nil, why end
  return digest.file(path)
end

return digest

--- `moonboot images`: the cache of installed images.
-- @module moonboot.commands.images
local cli = require "moonboot.cli"

local command = {
  name = "images",
  summary = "List the cache of installed images, or prune it.",
}

local DAY_S, LONG_UNUSED_DAYS = 86400, 30

--- Adds the command's options.
-- @tparam table cmd an argparse command
function command.configure(cmd)
  cmd:flag("--prune", "Remove images that have not been used for long, and what interrupted installs left.")
  cmd:option("--older-than", "With --prune: not used for so many days (default: 30).")
    :argname "DAYS":convert(function(word)
      local days = tonumber(word)
      if days and days >= 0 then return days end
      return nil, ("'%s' is not a number of days"):format(word)
    end)
  cmd:flag("--all", "With --prune: whatever their age. Images in use stay.")
  cmd:flag("--json", "Print one JSON document.")
end

local function age(seconds)
  for _, unit in ipairs { { DAY_S, "day" }, { 3600, "hour" }, { 60, "minute" } } do
    local count = seconds // unit[1]
    if count >= 1 then return ("%d %s%s ago"):format(count, unit[2], count == 1 and "" or "s") end
  end
  return "just now"
end

-- What made an image, in a few words.
local function made_of(entry)
  local text = require "moonboot.text"
  if entry.state ~= "good" then return entry.state end
  local recipe = entry.recipe or {}
  local parts = { ("installed in %d s on %s"):format(entry.build_s, entry.created_at:sub(1, 10)) }
  if type(recipe.disk_size) == "string" then table.insert(parts, "disk " .. recipe.disk_size) end
  if type(recipe.medium_sha256) == "string" then
    table.insert(parts, ("medium %s…"):format(recipe.medium_sha256:sub(1, 12)))
  end
  return text.escape(table.concat(parts, ", "))
end

local function list(images, json_wanted)
  local disk, json = require "moonboot.disk", require "moonboot.json"
  local entries, total = images.list(), 0
  for _, entry in ipairs(entries) do total = total + entry.disk_bytes end
  if json_wanted then
    io.stdout:write(json.encode({ dir = images.dir(), disk_bytes = total, images = entries }, { width = 100 }), "\n")
    return
  end
  if #entries == 0 then
    io.stdout:write("No images in ", images.dir(), ".\n")
    return
  end
  for _, entry in ipairs(entries) do
    io.stdout:write(("%-40s %9s  used %s; %s\n"):format(entry.key, disk.human(entry.disk_bytes),
      entry.age_s and age(entry.age_s) or "never", made_of(entry)))
  end
  io.stdout:write(("%s in %s\n"):format(disk.human(total), images.dir()))
end

local function prune(images, args)
  local disk, json = require "moonboot.disk", require "moonboot.json"
  local outcome = images.prune { older_than_s = (args.older_than or LONG_UNUSED_DAYS) * DAY_S, all = args.all }
  if args.json then
    io.stdout:write(json.encode(outcome, { width = 100 }), "\n")
  else
    for _, entry in ipairs(outcome.removed) do io.stdout:write("removed ", entry.key, "\n") end
    for _, entry in ipairs(outcome.in_use) do io.stdout:write("in use, kept: ", entry.key, "\n") end
    io.stdout:write(("%s freed\n"):format(disk.human(outcome.freed_bytes)))
  end
  for _, message in ipairs(outcome.failed) do cli.fail(message) end
  return #outcome.failed == 0 and 0 or 1
end

--- Runs the command.
-- @tparam table args from argparse
-- @treturn int exit status
function command.run(args)
  local images = require "moonboot.images"
  if args.prune then return prune(images, args) end
  if args.all or args.older_than then
    return cli.fail(("%s goes with --prune"):format(args.all and "--all" or "--older-than"))
  end
  list(images, args.json)
  return 0
end

return command

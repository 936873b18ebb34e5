#!/usr/bin/env moonboot
--- luv beside moonboot: serves HTTP and fetches from it, on the same event loop, while a guest boots.
local mb = require "moonboot"
local uv = require "luv"

local server = uv.new_tcp()
server:bind("127.0.0.1", 0)
server:listen(8, function()
  local client = uv.new_tcp()
  server:accept(client)
  client:read_start(function(_, request)
    if not request then return client:close() end
    client:write("HTTP/1.0 200 OK\r\n\r\npong\n", function() client:shutdown(function() client:close() end) end)
  end)
end)

local vm <close> = assert(mb.vm.boot { arch = "i386", kernel = mb.installation.guest .. "/demo.elf" })
local pings, booted = 0, false
local pinger = mb.task.spawn(function()
  repeat
    local socket, answer = uv.new_tcp(), mb.task.event()
    socket:connect("127.0.0.1", server:getsockname().port, function()
      socket:write "GET / HTTP/1.0\r\n\r\n"
      socket:read_start(function(_, data) answer:set(data or "") end)
    end)
    if answer:wait(1):find "pong" then pings = pings + 1 end
    socket:close()
    mb.task.sleep(0.01)
  until booted
end)

assert(vm:expect "login: ")
booted = true
pinger:join()
server:close()
print(pings .. " pings were answered while the guest booted")

/* engine.console: see engine/console.h. */
#include "binding.h"

#include <string.h>

struct mb_console *mb_lua_checkconsole (lua_State *L, int arg) {
  return mb_lua_checkopen(L, arg, MB_CONSOLE_TYPE);
}

static enum mb_console_transport check_transport (lua_State *L, int arg) {
  const char *name = mb_lua_stringoption(L, arg, "transport", "kernel");
  if (strcmp(name, "read") == 0) return MB_CONSOLE_READ;
  if (strcmp(name, "virtual") == 0) return MB_CONSOLE_VIRTUAL;
  if (strcmp(name, "kernel") != 0)
    luaL_error(L, "option 'transport' must be 'kernel', 'read' or 'virtual', not '%s'", name);
  return MB_CONSOLE_KERNEL;
}

static int console_open (lua_State *L) {
  static const char *const names[] = {"log", "timing", "ring_bytes", "transport", NULL};
  mb_lua_checkoptions(L, 1, names, 1);
  lua_Integer ring_bytes = mb_lua_integeroption(L, 1, "ring_bytes", 0);
  luaL_argcheck(L, ring_bytes >= 0, 1, "option 'ring_bytes' must not be negative");
  struct mb_console_options options = {
      .log = mb_lua_stringoption(L, 1, "log", NULL),
      .timing = mb_lua_stringoption(L, 1, "timing", NULL),
      .ring_bytes = (size_t)ring_bytes,
      .transport = check_transport(L, 1),
  };
  struct mb_error err = {0};
  void **place = mb_lua_newhandle(L, MB_CONSOLE_TYPE);
  *place = mb_console_open(&options, &err);
  return *place != NULL ? 1 : mb_lua_pushfailure(L, &err);
}

static int console_guest_fd (lua_State *L) {
  lua_pushinteger(L, mb_console_guest_fd(mb_lua_checkconsole(L, 1)));
  return 1;
}

static int console_handover (lua_State *L) {
  mb_console_handover(mb_lua_checkconsole(L, 1));
  return mb_lua_pushresult(L, 0, NULL);
}

static int console_start (lua_State *L) {
  struct mb_console *c = mb_lua_checkconsole(L, 1);
  lua_Integer t0_ns = luaL_checkinteger(L, 2);
  struct mb_error err = {0};
  return mb_lua_pushresult(L, mb_console_start(c, t0_ns, &err), &err);
}

static int console_fd (lua_State *L) {
  lua_pushinteger(L, mb_console_fd(mb_lua_checkconsole(L, 1)));
  return 1;
}

static int console_drain_event (lua_State *L) {
  mb_console_drain_event(mb_lua_checkconsole(L, 1));
  return mb_lua_pushresult(L, 0, NULL);
}

static int console_read (lua_State *L) {
  struct mb_console *c = mb_lua_checkconsole(L, 1);
  struct mb_chunk chunk;
  if (!mb_console_next(c, &chunk)) {
    luaL_pushfail(L);
    return 1;
  }
  lua_pushlstring(L, chunk.data, chunk.n);
  lua_pushinteger(L, chunk.t_ns);
  mb_console_release(c);
  return 2;
}

static int console_write (lua_State *L) {
  struct mb_console *c = mb_lua_checkconsole(L, 1);
  size_t n;
  const char *data = luaL_checklstring(L, 2, &n);
  struct mb_error err = {0};
  ssize_t sent = mb_console_write(c, data, n, &err);
  if (sent < 0) return mb_lua_pushfailure(L, &err);
  lua_pushinteger(L, sent);
  return 1;
}

static int console_finish (lua_State *L) {
  struct mb_console *c = mb_lua_checkconsole(L, 1);
  lua_Integer timeout_ns = luaL_optinteger(L, 2, 0);
  struct mb_error err = {0};
  return mb_lua_pushresult(L, mb_console_finish(c, timeout_ns, &err), &err);
}

static void set_integer (lua_State *L, const char *name, lua_Integer value) {
  lua_pushinteger(L, value);
  lua_setfield(L, -2, name);
}

static void set_string (lua_State *L, const char *name, const char *value) {
  lua_pushstring(L, value); /* NULL: nil, and the field is absent */
  lua_setfield(L, -2, name);
}

static int console_stats (lua_State *L) {
  struct mb_console_stats stats;
  mb_console_stats(mb_lua_checkconsole(L, 1), &stats);
  lua_createtable(L, 0, 16);
  set_integer(L, "bytes", (lua_Integer)stats.bytes);
  set_integer(L, "chunks", (lua_Integer)stats.chunks);
  set_integer(L, "overruns", (lua_Integer)stats.overruns);
  set_string(L, "clock_source", stats.clock_source);
  set_string(L, "scheduling", stats.scheduling);
  if (stats.thread_id != 0) set_integer(L, "thread_id", stats.thread_id);
  if (stats.bytes > 0) {
    set_integer(L, "first_ns", stats.first_ns);
    set_integer(L, "last_ns", stats.last_ns);
  }
  set_integer(L, "offset_min_ns", stats.offset_min_ns);
  set_integer(L, "offset_max_ns", stats.offset_max_ns);
  set_integer(L, "sndbuf_bytes", (lua_Integer)stats.sndbuf_bytes);
  lua_pushboolean(L, stats.ended);
  lua_setfield(L, -2, "ended");
  if (stats.error.code != 0) set_string(L, "error", stats.error.text);
  return 1;
}

static int console_tostring (lua_State *L) {
  return mb_lua_tostring(L, MB_CONSOLE_TYPE);
}

static int console_close (lua_State *L) {
  void **place = mb_lua_checkhandle(L, 1, MB_CONSOLE_TYPE);
  struct mb_console *c = *place;
  *place = NULL;
  mb_console_close(c);
  return 0;
}

static const luaL_Reg methods[] = {{"guest_fd", console_guest_fd},
                                   {"handover", console_handover},
                                   {"start", console_start},
                                   {"fd", console_fd},
                                   {"drain_event", console_drain_event},
                                   {"read", console_read},
                                   {"write", console_write},
                                   {"finish", console_finish},
                                   {"stats", console_stats},
                                   {"__tostring", console_tostring},
                                   {NULL, NULL}};

static const luaL_Reg functions[] = {{"open", console_open}, {NULL, NULL}};

int luaopen_moonboot_console (lua_State *L) {
  mb_lua_newtype(L, MB_CONSOLE_TYPE, methods, console_close);
  luaL_newlib(L, functions);
  return 1;
}

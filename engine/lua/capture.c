/* engine.capture: readers of X.log and X.timing. */

#include "binding.h"
#include "capture.h"
#include "lines.h"
#include "reader.h"

static int capture_open (lua_State *L) {
  const char *log_path = luaL_checkstring(L, 1);
  const char *timing_path = luaL_optstring(L, 2, NULL);
  void **handle = mb_lua_newhandle(L, MB_READER_TYPE);
  struct mb_error err;
  *handle = mb_capture_open(log_path, timing_path, &err);
  return *handle != NULL ? 1 : mb_lua_pushfailure(L, &err);
}

static int capture_close (lua_State *L) {
  void **handle = mb_lua_checkhandle(L, 1, MB_READER_TYPE);
  mb_capture_close(*handle);
  *handle = NULL;
  return 0;
}

static int capture_tostring (lua_State *L) {
  return mb_lua_tostring(L, MB_READER_TYPE);
}

/* The next bytes and when they came, or nothing at the end. */
static int capture_read (lua_State *L) {
  struct mb_capture *capture = mb_lua_checkopen(L, 1, MB_READER_TYPE);
  const char *data;
  size_t size;
  int64_t t_ns;
  struct mb_error err;
  int status = mb_capture_read(capture, &data, &size, &t_ns, &err);
  if (status < 0) return mb_lua_pushfailure(L, &err);
  if (status == 0) return 0;
  lua_pushlstring(L, data, size);
  if (t_ns == MB_TIME_UNKNOWN) return 1;
  lua_pushinteger(L, t_ns);
  return 2;
}

static int capture_timed (lua_State *L) {
  lua_pushboolean(L, mb_capture_timed(mb_lua_checkopen(L, 1, MB_READER_TYPE)));
  return 1;
}

static void setinteger (lua_State *L, const char *name, int64_t value) {
  lua_pushinteger(L, value);
  lua_setfield(L, -2, name);
}

static int capture_stats (lua_State *L) {
  struct mb_capture_stats stats;
  mb_capture_stats(mb_lua_checkopen(L, 1, MB_READER_TYPE), &stats);
  lua_createtable(L, 0, 6);
  setinteger(L, "bytes", (int64_t)stats.bytes);
  setinteger(L, "chunks", (int64_t)stats.chunks);
  setinteger(L, "untimed_bytes", (int64_t)stats.untimed_bytes);
  if (stats.first_ns != MB_TIME_UNKNOWN) {
    setinteger(L, "first_ns", stats.first_ns);
    setinteger(L, "last_ns", stats.last_ns);
  }
  lua_pushstring(L, stats.mismatch);
  lua_setfield(L, -2, "mismatch");
  return 1;
}

int luaopen_moonboot_capture (lua_State *L) {
  static const luaL_Reg methods[] = {{"close", capture_close},         {"read", capture_read},
                                     {"timed", capture_timed},         {"stats", capture_stats},
                                     {"__tostring", capture_tostring}, {NULL, NULL}};
  static const luaL_Reg functions[] = {{"open", capture_open}, {NULL, NULL}};
  mb_lua_newtype(L, MB_READER_TYPE, methods, capture_close);
  luaL_newlib(L, functions);
  return 1;
}

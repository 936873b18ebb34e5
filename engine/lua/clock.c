/* engine.clock: see engine/clock.h. */
#include "binding.h"
#include "clock.h"

enum { OFFSET_ATTEMPTS = 16 };

static int clock_now (lua_State *L) {
  lua_pushinteger(L, mb_clock_now());
  return 1;
}

static int clock_realtime (lua_State *L) {
  lua_pushinteger(L, mb_clock_realtime());
  return 1;
}

static int clock_offset (lua_State *L) {
  struct mb_clock_offset offset = mb_clock_measure(&mb_clock_system, OFFSET_ATTEMPTS);
  lua_pushinteger(L, offset.offset_ns);
  lua_pushinteger(L, offset.width_ns);
  return 2;
}

static const luaL_Reg functions[] = {
    {"now", clock_now}, {"realtime", clock_realtime}, {"offset", clock_offset}, {NULL, NULL}};

int luaopen_moonboot_clock (lua_State *L) {
  luaL_newlib(L, functions);
  return 1;
}

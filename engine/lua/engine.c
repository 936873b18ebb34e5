/* require "moonboot.engine": the table of the engine's modules, and the commit it was built from. */
#include "binding.h"
#include "commit.h"

static const luaL_Reg modules[] = {
    {"clock", luaopen_moonboot_clock},     {"process", luaopen_moonboot_process},
    {"console", luaopen_moonboot_console}, {"capture", luaopen_moonboot_capture},
    {"lines", luaopen_moonboot_lines},     {"resample", luaopen_moonboot_resample},
    {"json", luaopen_moonboot_json},       {"interrupt", luaopen_moonboot_interrupt},
    {"bounded", luaopen_moonboot_bounded}, {NULL, NULL}};

int luaopen_moonboot_engine (lua_State *L) {
  lua_newtable(L);
  for (const luaL_Reg *module = modules; module->name != NULL; module++) {
    lua_pushcfunction(L, module->func);
    lua_call(L, 0, 1);
    lua_setfield(L, -2, module->name);
  }
  lua_pushstring(L, MB_COMMIT);
  lua_setfield(L, -2, "commit");
  return 1;
}

#include "binding.h"

#include <errno.h>
#include <string.h>

#include <lualib.h>

void mb_lua_newtype (lua_State *L, const char *type, const luaL_Reg *methods, lua_CFunction close) {
  luaL_newmetatable(L, type);
  luaL_setfuncs(L, methods, 0);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, close);
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, "close");
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, "__gc");
  lua_setfield(L, -2, "__close");
  lua_pop(L, 1);
}

void **mb_lua_newhandle (lua_State *L, const char *type) {
  void **place = lua_newuserdatauv(L, sizeof *place, 0);
  *place = NULL;
  luaL_setmetatable(L, type);
  return place;
}

static const char *shortname (const char *type) {
  const char *dot = strchr(type, '.');
  return dot != NULL ? dot + 1 : type;
}

void **mb_lua_checkhandle (lua_State *L, int arg, const char *type) {
  return luaL_checkudata(L, arg, type);
}

void *mb_lua_checkopen (lua_State *L, int arg, const char *type) {
  void **place = luaL_checkudata(L, arg, type);
  if (*place == NULL) luaL_error(L, "attempt to use a closed %s", shortname(type));
  return *place;
}

int mb_lua_tostring (lua_State *L, const char *type) {
  void **place = luaL_checkudata(L, 1, type);
  if (*place == NULL)
    lua_pushfstring(L, "%s (closed)", shortname(type));
  else
    lua_pushfstring(L, "%s: %p", shortname(type), *place);
  return 1;
}

int mb_lua_pushfailure (lua_State *L, const struct mb_error *err) {
  const char *name = strerrorname_np(err->code);
  luaL_pushfail(L);
  lua_pushstring(L, err->text);
  lua_pushstring(L, name != NULL ? name : "UNKNOWN");
  return 3;
}

int mb_lua_pushresult (lua_State *L, int status, const struct mb_error *err) {
  if (status != 0) return mb_lua_pushfailure(L, err);
  lua_pushboolean(L, 1);
  return 1;
}

void mb_lua_checkoptions (lua_State *L, int arg, const char *const *names, int optional) {
  if (optional && lua_isnoneornil(L, arg)) {
    lua_settop(L, arg - 1);
    lua_newtable(L);
    return;
  }
  luaL_checktype(L, arg, LUA_TTABLE);
  lua_pushnil(L);
  while (lua_next(L, arg) != 0) {
    lua_pop(L, 1);
    const char *key = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
    const char *const *name = names;
    while (*name != NULL && (key == NULL || strcmp(key, *name) != 0)) name++;
    if (*name == NULL) luaL_error(L, "unknown option '%s'", luaL_tolstring(L, -1, NULL));
  }
}

const char *mb_lua_stringoption (lua_State *L, int arg, const char *name, const char *absent) {
  int type = lua_getfield(L, arg, name);
  const char *value = absent;
  if (type == LUA_TSTRING)
    value = lua_tostring(L, -1);
  else if (type != LUA_TNIL)
    luaL_error(L, "option '%s' must be a string, not a %s", name, lua_typename(L, type));
  lua_pop(L, 1);
  return value;
}

lua_Integer mb_lua_integeroption (lua_State *L, int arg, const char *name, lua_Integer absent) {
  int type = lua_getfield(L, arg, name);
  lua_Integer value = absent;
  if (type != LUA_TNIL) {
    int exact = 0;
    value = type == LUA_TNUMBER ? lua_tointegerx(L, -1, &exact) : 0;
    if (!exact)
      luaL_error(L, "option '%s' must be an integer, not %s", name, luaL_tolstring(L, -1, NULL));
  }
  lua_pop(L, 1);
  return value;
}

/* engine.json: values of Lua to JSON on one line. Which key comes first is the library's business: it is asked once for
** objects that look alike. */

#include <limits.h>
#include <string.h>

#include "binding.h"
#include "json.h"

#define DEPTH_MAX 100

/* User values of an encoder. */
enum { TEXT = 1, KEYS, ORDERS, ARRAY, USER_VALUES = ARRAY };

/* One step on the way from the value to what is being written: a key or, without one, an index. */
struct step {
  const char *key;
  lua_Integer index;
};

struct encoder {
  char *text; /* what is written so far, in a userdata of its own: the user value TEXT */
  size_t size, room;
  int decimals;
  const char *colon, *comma, *pad;
  int depth;
  struct step steps[DEPTH_MAX + 1];
};

/* The encoder stands at the bottom of the stack. */
enum { ENCODER = 1 };

/* Makes room for so many bytes, and returns where they go. */
static char *reserve (lua_State *L, struct encoder *e, size_t bytes) {
  if (e->room - e->size < bytes) {
    size_t room = e->room * 2 > e->size + bytes ? e->room * 2 : e->size + bytes;
    char *text = lua_newuserdatauv(L, room, 0);
    if (e->size > 0) memcpy(text, e->text, e->size);
    lua_setiuservalue(L, ENCODER, TEXT);
    e->text = text;
    e->room = room;
  }
  return e->text + e->size;
}

static void add (lua_State *L, struct encoder *e, const char *bytes) {
  size_t size = strlen(bytes);
  memcpy(reserve(L, e, size), bytes, size);
  e->size += size;
}

static void add_string (lua_State *L, struct encoder *e, int index) {
  size_t size;
  const char *s = lua_tolstring(L, index, &size);
  e->size += mb_json_string(s, size, reserve(L, e, size * MB_JSON_BYTE_MAX + MB_JSON_QUOTES));
}

/* Raises: "value.samples[3] is nan, which JSON cannot hold". */
static int misfit (lua_State *L, const struct encoder *e, const char *what) {
  luaL_Buffer place;
  luaL_where(L, 1);
  luaL_buffinit(L, &place);
  luaL_addstring(&place, "value");
  for (int i = 0; i < e->depth; i++) {
    if (e->steps[i].key != NULL)
      lua_pushfstring(L, ".%s", e->steps[i].key);
    else
      lua_pushfstring(L, "[%I]", (LUAI_UACINT)e->steps[i].index);
    luaL_addvalue(&place);
  }
  luaL_pushresult(&place);
  lua_pushstring(L, what);
  lua_concat(L, 3);
  return lua_error(L);
}

static void add_number (lua_State *L, struct encoder *e) {
  char *out = reserve(L, e, MB_JSON_NUMBER_MAX);
  if (lua_isinteger(L, -1)) {
    e->size += (size_t)lua_integer2str(out, MB_JSON_NUMBER_MAX, lua_tointeger(L, -1));
    return;
  }
  lua_Number x = lua_tonumber(L, -1);
  if (x - x != 0)
    misfit(L, e, lua_pushfstring(L, " is %s, which JSON cannot hold", luaL_tolstring(L, -1, NULL)));
  e->size += mb_json_number(x, e->decimals, out);
}

static void add_value (lua_State *L, struct encoder *e);

/* A table is an array if its metatable says so, or if it has a first value. */
static int is_array (lua_State *L) {
  int array = 0;
  if (lua_getmetatable(L, -1)) {
    lua_getiuservalue(L, ENCODER, ARRAY);
    array = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
  }
  if (array) return 1;
  array = lua_geti(L, -1, 1) != LUA_TNIL;
  lua_pop(L, 1);
  return array;
}

static void add_array (lua_State *L, struct encoder *e) {
  lua_Integer count = luaL_len(L, -1);
  add(L, e, "[");
  for (lua_Integer i = 1; i <= count; i++) {
    add(L, e, i > 1 ? e->comma : e->pad);
    e->steps[e->depth++] = (struct step){NULL, i};
    lua_geti(L, -1, i);
    add_value(L, e);
    lua_pop(L, 1);
    e->depth--;
  }
  add(L, e, count > 0 ? e->pad : "");
  add(L, e, "]");
}

static lua_Integer count_keys (lua_State *L, struct encoder *e) {
  lua_Integer count = 0;
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    lua_pop(L, 1);
    if (lua_type(L, -1) != LUA_TSTRING)
      misfit(L, e, lua_pushfstring(L, " has a key of type %s", luaL_typename(L, -1)));
    count++;
  }
  return count;
}

/* Whether the list on top is of the keys of the object below it, which has as many. */
static int fits (lua_State *L, lua_Integer count) {
  int there = lua_istable(L, -1);
  for (lua_Integer i = 1; there && i <= count; i++) {
    lua_rawgeti(L, -1, i);
    there = lua_rawget(L, -3) != LUA_TNIL;
    lua_pop(L, 1);
  }
  return there;
}

/* Pushes the orders known for what stands under the nearest key, by the number of keys. */
static void push_orders (lua_State *L, const struct encoder *e) {
  const char *around = NULL;
  for (int i = e->depth; i > 0 && around == NULL; i--) around = e->steps[i - 1].key;
  lua_getiuservalue(L, ENCODER, ORDERS);
  luaL_getsubtable(L, -1, around != NULL ? around : "");
  lua_remove(L, -2);
}

/* Pushes the keys of the object on top in the order to write them. What stands under one key mostly looks alike: the last
** order of as many keys is tried before the library is asked for one. */
static void push_keys (lua_State *L, const struct encoder *e, lua_Integer count) {
  int object = lua_gettop(L);
  push_orders(L, e);
  lua_pushvalue(L, object);
  lua_rawgeti(L, -2, count);
  if (!fits(L, count)) {
    lua_settop(L, object + 1);
    lua_getiuservalue(L, ENCODER, KEYS);
    lua_pushvalue(L, object);
    lua_call(L, 1, 1);
    if (!lua_istable(L, -1)) luaL_error(L, "keys must give a list, not %s", luaL_typename(L, -1));
    lua_pushvalue(L, -1);
    lua_rawseti(L, object + 1, count);
  }
  lua_replace(L, object + 1);
  lua_settop(L, object + 1);
}

static void add_object (lua_State *L, struct encoder *e) {
  lua_Integer count = count_keys(L, e);
  push_keys(L, e, count);
  add(L, e, "{");
  for (lua_Integer i = 1; i <= count; i++) {
    add(L, e, i > 1 ? e->comma : e->pad);
    lua_rawgeti(L, -1, i);
    add_string(L, e, -1);
    add(L, e, e->colon);
    e->steps[e->depth++] = (struct step){lua_tostring(L, -1), 0};
    lua_rawget(L, -3);
    add_value(L, e);
    lua_pop(L, 1);
    e->depth--;
  }
  lua_pop(L, 1);
  add(L, e, count > 0 ? e->pad : "");
  add(L, e, "}");
}

/* Writes the value on top of the stack, and leaves it there. */
static void add_value (lua_State *L, struct encoder *e) {
  int type = lua_type(L, -1);
  switch (type) {
  case LUA_TSTRING:
    add_string(L, e, -1);
    return;
  case LUA_TNUMBER:
    add_number(L, e);
    return;
  case LUA_TBOOLEAN:
    add(L, e, lua_toboolean(L, -1) ? "true" : "false");
    return;
  case LUA_TTABLE:
    break;
  case LUA_TLIGHTUSERDATA:
    if (lua_touserdata(L, -1) == NULL) { /* cjson.null */
      add(L, e, "null");
      return;
    }
  /* FALLTHROUGH */
  default:
    misfit(L, e, lua_pushfstring(L, " is a %s, which JSON cannot hold", lua_typename(L, type)));
  }
  if (e->depth > DEPTH_MAX) misfit(L, e, " is nested too deeply");
  luaL_checkstack(L, LUA_MINSTACK, "JSON");
  if (is_array(L))
    add_array(L, e);
  else
    add_object(L, e);
}

static int encode (lua_State *L) {
  lua_settop(L, 1);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, ENCODER);
  struct encoder *e = lua_touserdata(L, ENCODER);
  e->size = 0;
  e->depth = 0;
  add_value(L, e);
  lua_pushlstring(L, e->text, e->size);
  return 1;
}

/* encoder { keys =, array =, decimals =, spaced = } -> function(value) -> string */
static int encoder_new (lua_State *L) {
  static const char *const names[] = {"keys", "array", "decimals", "spaced", NULL};
  mb_lua_checkoptions(L, 1, names, 0);
  lua_Integer decimals = mb_lua_integeroption(L, 1, "decimals", MB_JSON_EXACT);
  luaL_argcheck(L, decimals >= MB_JSON_EXACT && decimals <= 17, 1, "decimals must be 0 to 17");
  struct encoder *e = lua_newuserdatauv(L, sizeof *e, USER_VALUES);
  *e = (struct encoder){.decimals = (int)decimals};
  lua_getfield(L, 1, "spaced");
  int spaced = lua_toboolean(L, -1);
  lua_pop(L, 1);
  e->colon = spaced ? ": " : ":";
  e->comma = spaced ? ", " : ",";
  e->pad = spaced ? " " : "";
  lua_getfield(L, 1, "keys");
  luaL_argcheck(L, lua_isfunction(L, -1), 1, "keys must be a function");
  lua_setiuservalue(L, -2, KEYS);
  lua_getfield(L, 1, "array");
  luaL_argcheck(L, lua_istable(L, -1), 1, "array must be a metatable");
  lua_setiuservalue(L, -2, ARRAY);
  lua_newtable(L);
  lua_setiuservalue(L, -2, ORDERS);
  lua_pushcclosure(L, encode, 1);
  return 1;
}

/* join(list of strings): they one after another. table.concat would need memory for a third copy of a document. */
static int join (lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_Integer count = luaL_len(L, 1);
  luaL_argcheck(L, count >= 0 && count <= INT_MAX, 1, "too many strings");
  luaL_checkstack(L, (int)count, "JSON");
  for (lua_Integer i = 1; i <= count; i++) {
    lua_geti(L, 1, i);
    luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, 1, "must hold strings only");
  }
  lua_concat(L, (int)count);
  return 1;
}

static const luaL_Reg functions[] = {{"encoder", encoder_new}, {"join", join}, {NULL, NULL}};

int luaopen_moonboot_json (lua_State *L) {
  luaL_newlib(L, functions);
  return 1;
}

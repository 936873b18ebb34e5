/* engine.lines: console bytes to stamped lines, and the sets of literals that choose among them. */

#include <errno.h>
#include <string.h>

#include "binding.h"
#include "capture.h"
#include "lines.h"
#include "literals.h"
#include "reader.h"

#define LINES_TYPE "moonboot.lines"
#define LITERALS_TYPE "moonboot.literals"

/* What one pull may move, so that the lines it makes fit the cache and other tasks get their turn. */
#define PULL_BYTES 65536

/* A capture is pulled in steps of the time that it took, about as long as a console's drain thread sleeps: whoever
** looks at unfinished lines in between (prompts) sees in a capture what was to be seen live. */
#define PULL_NS 5000000

static struct mb_lines *checklines (lua_State *L) {
  return mb_lua_checkopen(L, 1, LINES_TYPE);
}

static int nomemory (lua_State *L) {
  struct mb_error err;
  mb_error_set(&err, ENOMEM, "lines: ");
  return mb_lua_pushfailure(L, &err);
}

static int lines_new (lua_State *L) {
  static const char *const names[] = {"limit_bytes", NULL};
  mb_lua_checkoptions(L, 1, names, 1);
  lua_Integer limit = mb_lua_integeroption(L, 1, "limit_bytes", MB_LINES_LIMIT_DEFAULT);
  luaL_argcheck(L, limit >= 1 && limit <= MB_LINES_LIMIT_MAX, 1,
                "limit_bytes must be 1 to 1048576");
  void **handle = mb_lua_newhandle(L, LINES_TYPE);
  *handle = mb_lines_new((size_t)limit);
  return *handle != NULL ? 1 : nomemory(L);
}

static int lines_close (lua_State *L) {
  void **handle = mb_lua_checkhandle(L, 1, LINES_TYPE);
  mb_lines_free(*handle);
  *handle = NULL;
  return 0;
}

static int lines_tostring (lua_State *L) {
  return mb_lua_tostring(L, LINES_TYPE);
}

static int lines_push (lua_State *L) {
  struct mb_lines *l = checklines(L);
  size_t size;
  const char *data = luaL_checklstring(L, 2, &size);
  int64_t t_ns = lua_isnoneornil(L, 3) ? MB_TIME_UNKNOWN : luaL_checkinteger(L, 3);
  if (mb_lines_push(l, data, size, t_ns) != 0) return nomemory(L);
  lua_pushboolean(L, 1);
  return 1;
}

static int pull_capture (lua_State *L, struct mb_lines *l, struct mb_capture *capture) {
  struct mb_error err;
  size_t moved = 0;
  int64_t first_ns = MB_TIME_UNKNOWN;
  int status = 1;
  while (moved < PULL_BYTES) {
    const char *data;
    size_t size;
    int64_t t_ns;
    status = mb_capture_peek(capture, &t_ns, &err);
    if (status <= 0) break;
    if (moved == 0) first_ns = t_ns;
    if (t_ns != first_ns &&
        (first_ns == MB_TIME_UNKNOWN || t_ns == MB_TIME_UNKNOWN || t_ns - first_ns >= PULL_NS))
      break;
    status = mb_capture_read(capture, &data, &size, &t_ns, &err);
    if (status <= 0) break;
    if (mb_lines_push(l, data, size, t_ns) != 0) return nomemory(L);
    moved += size;
  }
  /* What came before a failure is worth having; the failure comes again. */
  if (status < 0 && moved == 0) return mb_lua_pushfailure(L, &err);
  lua_pushinteger(L, (lua_Integer)moved);
  return 1;
}

static int pull_console (lua_State *L, struct mb_lines *l, struct mb_console *console) {
  struct mb_chunk chunk;
  size_t moved = 0;
  mb_console_drain_event(console);
  while (mb_console_next(console, &chunk)) {
    int failed = mb_lines_push(l, chunk.data, chunk.n, chunk.t_ns);
    moved += chunk.n;
    if (failed) {
      mb_console_release(console);
      return nomemory(L);
    }
  }
  mb_console_release(console);
  lua_pushinteger(L, (lua_Integer)moved);
  return 1;
}

static int lines_pull (lua_State *L) {
  struct mb_lines *l = checklines(L);
  if (luaL_testudata(L, 2, MB_READER_TYPE) != NULL) {
    return pull_capture(L, l, mb_lua_checkopen(L, 2, MB_READER_TYPE));
  }
  return pull_console(L, l, mb_lua_checkconsole(L, 2));
}

static int pushtext (lua_State *L, const struct mb_text *text) {
  lua_pushlstring(L, text->data, text->size);
  lua_pushinteger(L, (lua_Integer)text->number);
  return 2;
}

static int lines_next (lua_State *L) {
  struct mb_lines *l = checklines(L);
  struct mb_literals **only = lua_isnoneornil(L, 2) ? NULL : luaL_checkudata(L, 2, LITERALS_TYPE);
  struct mb_text text;
  while (mb_lines_next(l, &text)) {
    if (only == NULL || mb_literals_occur(*only, text.data, text.size)) return pushtext(L, &text);
  }
  return 0;
}

static int lines_partial (lua_State *L) {
  struct mb_text text;
  mb_lines_partial(checklines(L), &text);
  return pushtext(L, &text);
}

static int lines_stamp (lua_State *L) {
  const struct mb_lines *l = checklines(L);
  lua_Integer i = luaL_checkinteger(L, 2);
  int64_t t_ns;
  uint64_t offset;
  if (i < 1 || !mb_lines_stamp(l, (size_t)i - 1, &t_ns, &offset)) {
    return luaL_argerror(L, 2, "no such byte in the current line (a push or pull ends it)");
  }
  if (t_ns == MB_TIME_UNKNOWN) {
    lua_pushnil(L);
  } else {
    lua_pushinteger(L, t_ns);
  }
  lua_pushinteger(L, (lua_Integer)offset);
  return 2;
}

/* The times of all bytes of the current text, packed ("=i8" each), for those who keep lines. */
static int lines_stamps (lua_State *L) {
  const struct mb_lines *l = checklines(L);
  size_t size = mb_lines_stamps(l, NULL, 0);
  luaL_Buffer packed;
  int64_t *times_ns = (int64_t *)(void *)luaL_buffinitsize(L, &packed, size * sizeof *times_ns);
  mb_lines_stamps(l, times_ns, size);
  luaL_pushresultsize(&packed, size * sizeof *times_ns);
  return 1;
}

/* A set of literals holds nothing that needs closing before the collector gets to it. */
static int literals_new (lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  size_t count = lua_rawlen(L, 1);
  const char **literals = lua_newuserdatauv(L, (count + 1) * sizeof(const char *), 0);
  size_t *sizes = lua_newuserdatauv(L, (count + 1) * sizeof *sizes, 0);
  for (size_t i = 0; i < count; i++) {
    if (lua_rawgeti(L, 1, (lua_Integer)i + 1) != LUA_TSTRING) {
      return luaL_argerror(L, 1, lua_pushfstring(L, "literal %d is not a string", (int)i + 1));
    }
    literals[i] = lua_tolstring(L, -1, &sizes[i]); /* the table keeps it */
    lua_pop(L, 1);
  }
  struct mb_literals **set = lua_newuserdatauv(L, sizeof(struct mb_literals *), 0);
  *set = NULL;
  luaL_setmetatable(L, LITERALS_TYPE);
  *set = mb_literals_new(literals, sizes, count);
  if (*set != NULL) return 1;
  struct mb_error err;
  if (errno == ENOMEM) {
    mb_error_set(&err, ENOMEM, "literals: ");
  } else {
    mb_error_set(&err, EINVAL, "literals: one is empty, or all have more than %d bytes together",
                 MB_LITERALS_BYTES_MAX);
  }
  return mb_lua_pushfailure(L, &err);
}

/* Whether one of the literals is in a text. */
static int literals_occur (lua_State *L) {
  struct mb_literals **set = luaL_checkudata(L, 1, LITERALS_TYPE);
  size_t size;
  const char *text = luaL_checklstring(L, 2, &size);
  lua_pushboolean(L, mb_literals_occur(*set, text, size));
  return 1;
}

static int literals_gc (lua_State *L) {
  struct mb_literals **set = luaL_checkudata(L, 1, LITERALS_TYPE);
  mb_literals_free(*set);
  *set = NULL;
  return 0;
}

int luaopen_moonboot_lines (lua_State *L) {
  static const luaL_Reg methods[] = {
      {"close", lines_close},   {"push", lines_push},           {"pull", lines_pull},
      {"next", lines_next},     {"partial", lines_partial},     {"stamp", lines_stamp},
      {"stamps", lines_stamps}, {"__tostring", lines_tostring}, {NULL, NULL}};
  static const luaL_Reg functions[] = {
      {"new", lines_new}, {"literals", literals_new}, {NULL, NULL}};
  mb_lua_newtype(L, LINES_TYPE, methods, lines_close);
  luaL_newmetatable(L, LITERALS_TYPE);
  lua_pushcfunction(L, literals_gc);
  lua_setfield(L, -2, "__gc");
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, literals_occur);
  lua_setfield(L, -2, "occur");
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  luaL_newlib(L, functions);
  return 1;
}

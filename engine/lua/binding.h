/* What the bindings share. A handle is a userdata that holds one pointer; NULL means closed. It is
** made closed, before the thing it will hold, so that an error in between leaves nothing behind. */
#ifndef MB_BINDING_H
#define MB_BINDING_H

#include <lauxlib.h>
#include <lua.h>

#include "console.h"
#include "error.h"

#define MB_CONSOLE_TYPE "moonboot.console"
#define MB_PROCESS_TYPE "moonboot.process"

/* Makes the metatable of a handle type: its methods, __index, __name, and `close`, which also
** becomes __gc and __close. `close` must be idempotent. Pushes nothing. */
void mb_lua_newtype (lua_State *L, const char *type, const luaL_Reg *methods, lua_CFunction close);

/* Pushes a closed handle; the caller stores its pointer in the returned place. */
void **mb_lua_newhandle (lua_State *L, const char *type);

/* The pointer of the handle at `arg`; raises when it is another type, or closed. */
void *mb_lua_checkopen (lua_State *L, int arg, const char *type);

/* The place of the handle at `arg`, closed or not: for close and __tostring. */
void **mb_lua_checkhandle (lua_State *L, int arg, const char *type);

/* __tostring: "console: 0x…" or "console (closed)", from the type "moonboot.console". */
int mb_lua_tostring (lua_State *L, const char *type);

/* Pushes nil, message, errno name: returns 3. */
int mb_lua_pushfailure (lua_State *L, const struct mb_error *err);

/* Pushes true, or a failure when `status` is not 0. */
int mb_lua_pushresult (lua_State *L, int status, const struct mb_error *err);

/* Raises unless the value at `arg` is a table whose keys are all in `names` (ends with NULL). With
** `optional`, none or nil is fine too and becomes an empty table. */
void mb_lua_checkoptions (lua_State *L, int arg, const char *const *names, int optional);

/* Field `name` of the options at `arg`: a default when nil, raises when of the wrong type. The
** string stays valid as long as the table holds it. */
const char *mb_lua_stringoption (lua_State *L, int arg, const char *name, const char *absent);
lua_Integer mb_lua_integeroption (lua_State *L, int arg, const char *name, lua_Integer absent);

/* The open console at `arg` (for the bindings that read its ring). */
struct mb_console *mb_lua_checkconsole (lua_State *L, int arg);

int luaopen_moonboot_clock (lua_State *L);
int luaopen_moonboot_process (lua_State *L);
int luaopen_moonboot_console (lua_State *L);
int luaopen_moonboot_capture (lua_State *L);
int luaopen_moonboot_lines (lua_State *L);
int luaopen_moonboot_resample (lua_State *L);
int luaopen_moonboot_json (lua_State *L);
int luaopen_moonboot_interrupt (lua_State *L);
int luaopen_moonboot_bounded (lua_State *L);
int luaopen_moonboot_engine (lua_State *L);

#endif

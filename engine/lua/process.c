/* engine.process: see engine/process.h. */
#include "binding.h"
#include "process.h"

#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct mb_process *checkprocess (lua_State *L, int arg) {
  return mb_lua_checkopen(L, arg, MB_PROCESS_TYPE);
}

/* The integers of the list at the top of the stack, in memory that belongs to the Lua state: it is
** left on the stack above the list. NULL for nil. */
static int *check_integers (lua_State *L, const char *name, size_t *count) {
  *count = 0;
  if (lua_isnil(L, -1)) {
    lua_pushnil(L);
    return NULL;
  }
  if (!lua_istable(L, -1)) luaL_error(L, "option '%s' must be a list of integers", name);
  size_t n = (size_t)luaL_len(L, -1);
  int *numbers = lua_newuserdatauv(L, (n + 1) * sizeof *numbers, 0);
  for (size_t i = 0; i < n; i++) {
    int exact;
    lua_geti(L, -2, (lua_Integer)i + 1);
    lua_Integer value = lua_tointegerx(L, -1, &exact);
    if (!exact || value < 0 || value > INT_MAX)
      luaL_error(L, "option '%s' must be a list of integers, not of %s", name,
                 luaL_tolstring(L, -1, NULL));
    numbers[i] = (int)value;
    lua_pop(L, 1);
  }
  *count = n;
  return numbers;
}

/* As above, for the list of strings in field `argv`. */
static char **check_argv (lua_State *L, int arg) {
  if (lua_getfield(L, arg, "argv") != LUA_TTABLE || luaL_len(L, -1) < 1)
    luaL_error(L, "option 'argv' must be a list: the program and its arguments");
  size_t n = (size_t)luaL_len(L, -1);
  char **argv = lua_newuserdatauv(L, (n + 1) * sizeof *argv, 0);
  for (size_t i = 0; i < n; i++) {
    size_t length = 0;
    const char *word = NULL;
    if (lua_geti(L, -2, (lua_Integer)i + 1) == LUA_TSTRING) word = lua_tolstring(L, -1, &length);
    if (word == NULL || strlen(word) != length)
      luaL_error(L, "option 'argv' must hold strings without zeros, not %s (argument %d)",
                 luaL_typename(L, -1), (int)i);
    argv[i] = (char *)word; /* exec only reads; the list keeps it alive */
    lua_pop(L, 1);
  }
  argv[n] = NULL;
  return argv;
}

static int checkinteger_in (lua_State *L, int arg, const char *name, lua_Integer absent,
                            lua_Integer lowest, lua_Integer highest) {
  lua_Integer value = mb_lua_integeroption(L, arg, name, absent);
  if (value < lowest || value > highest)
    luaL_error(L, "option '%s' is out of range: %I", name, (LUAI_UACINT)value);
  return (int)value;
}

static int process_spawn (lua_State *L) {
  static const char *const names[] = {"argv", "fds", "cwd", "nice", "cpus", "uid", "gid", NULL};
  mb_lua_checkoptions(L, 1, names, 0);
  struct mb_process_options options = {.cwd = mb_lua_stringoption(L, 1, "cwd", NULL)};
  options.argv = check_argv(L, 1);
  lua_getfield(L, 1, "fds");
  options.fds = check_integers(L, "fds", &options.fd_count);
  lua_getfield(L, 1, "cpus");
  options.cpus = check_integers(L, "cpus", &options.cpu_count);
  options.nice = checkinteger_in(L, 1, "nice", 0, -40, 40);
  int uid = checkinteger_in(L, 1, "uid", -1, -1, INT_MAX);
  int gid = checkinteger_in(L, 1, "gid", uid, -1, INT_MAX);
  luaL_argcheck(L, (uid < 0) == (gid < 0), 1, "option 'gid' needs 'uid'");
  options.change_user = uid >= 0;
  options.uid = (uid_t)uid;
  options.gid = (gid_t)gid;
  struct mb_error err = {0};
  void **place = mb_lua_newhandle(L, MB_PROCESS_TYPE);
  *place = mb_process_spawn(&options, &err);
  return *place != NULL ? 1 : mb_lua_pushfailure(L, &err);
}

static int process_pid (lua_State *L) {
  lua_pushinteger(L, mb_process_pid(checkprocess(L, 1)));
  return 1;
}

static int process_fd (lua_State *L) {
  lua_pushinteger(L, mb_process_fd(checkprocess(L, 1)));
  return 1;
}

static void set_integer (lua_State *L, const char *name, lua_Integer value) {
  lua_pushinteger(L, value);
  lua_setfield(L, -2, name);
}

static void push_signal_name (lua_State *L, int number) {
  const char *name = sigabbrev_np(number);
  if (name != NULL)
    lua_pushfstring(L, "SIG%s", name);
  else
    lua_pushfstring(L, "signal %d", number);
}

static int process_poll (lua_State *L) {
  struct mb_process_result result;
  if (!mb_process_poll(checkprocess(L, 1), &result)) {
    lua_pushnil(L);
    return 1;
  }
  lua_createtable(L, 0, 6);
  if (result.code >= 0) set_integer(L, "code", result.code);
  if (result.signal != 0) {
    push_signal_name(L, result.signal);
    lua_setfield(L, -2, "signal");
  }
  set_integer(L, "user_ns", result.user_ns);
  set_integer(L, "system_ns", result.system_ns);
  set_integer(L, "max_rss_bytes", result.max_rss_bytes);
  set_integer(L, "ended_ns", result.ended_ns);
  return 1;
}

static int push_tail (lua_State *L, int fd) {
  struct mb_process *p = checkprocess(L, 1);
  luaL_Buffer buffer;
  char *text = luaL_buffinitsize(L, &buffer, MB_PROCESS_TAIL_BYTES);
  luaL_pushresultsize(&buffer, mb_process_tail(p, fd, text));
  return 1;
}

static int process_stdout (lua_State *L) {
  return push_tail(L, STDOUT_FILENO);
}

static int process_stderr (lua_State *L) {
  return push_tail(L, STDERR_FILENO);
}

/* "SIGTERM" or "TERM". */
static int check_signal (lua_State *L, int arg) {
  const char *name = luaL_checkstring(L, arg);
  const char *abbreviation = strncmp(name, "SIG", 3) == 0 ? name + 3 : name;
  for (int i = 1; i < NSIG; i++) {
    const char *known = sigabbrev_np(i);
    if (known != NULL && strcmp(known, abbreviation) == 0) return i;
  }
  return luaL_argerror(L, arg, lua_pushfstring(L, "unknown signal '%s'", name));
}

static int process_signal (lua_State *L) {
  struct mb_process *p = checkprocess(L, 1);
  int signal = check_signal(L, 2);
  struct mb_error err = {0};
  return mb_lua_pushresult(L, mb_process_signal(p, signal, &err), &err);
}

static int process_set_affinity (lua_State *L) {
  lua_Integer thread = luaL_checkinteger(L, 1);
  luaL_argcheck(L, thread >= 0 && thread <= INT_MAX, 1, "not a thread id");
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  size_t count;
  const int *cpus = check_integers(L, "cpus", &count);
  struct mb_error err = {0};
  return mb_lua_pushresult(L, mb_process_set_affinity((pid_t)thread, cpus, count, &err), &err);
}

static int process_tostring (lua_State *L) {
  return mb_lua_tostring(L, MB_PROCESS_TYPE);
}

static int process_close (lua_State *L) {
  void **place = mb_lua_checkhandle(L, 1, MB_PROCESS_TYPE);
  struct mb_process *p = *place;
  *place = NULL;
  mb_process_close(p);
  return 0;
}

static const luaL_Reg methods[] = {{"pid", process_pid},
                                   {"fd", process_fd},
                                   {"poll", process_poll},
                                   {"stdout", process_stdout},
                                   {"stderr", process_stderr},
                                   {"signal", process_signal},
                                   {"__tostring", process_tostring},
                                   {NULL, NULL}};

static const luaL_Reg functions[] = {
    {"spawn", process_spawn}, {"set_affinity", process_set_affinity}, {NULL, NULL}};

int luaopen_moonboot_process (lua_State *L) {
  mb_lua_newtype(L, MB_PROCESS_TYPE, methods, process_close);
  luaL_newlib(L, functions);
  return 1;
}

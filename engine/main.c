/* The program: Lua 5.4 with the engine and the library at hand. Everything a user can say to it is
** the library's business (stdlib/moonboot/cli.lua). */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "lua/binding.h"

enum {
  STATUS_BAD_SCRIPT = 2,
  STATUS_BAD_HOST = 3,
  FILES_NEEDED = 40 /* of one boot; libuv aborts when it cannot even open its own */
};

#ifndef MB_LIBDIR /* below the prefix */
#define MB_LIBDIR "lib/lua/5.4"
#endif

/* Where the library and the ready-made scripts are, below a root. */
struct layout {
  const char *library, *scripts;
};

static const struct layout checkout = {"stdlib", "scripts"};
static const struct layout installed = {"share/lua/5.4", "share/lua/5.4/moonboot/scripts"};

static bool holds_library (const char *root, const struct layout *layout) {
  char path[PATH_MAX];
  int n = snprintf(path, sizeof path, "%s/%s/moonboot/init.lua", root, layout->library);
  return n > 0 && (size_t)n < sizeof path && access(path, R_OK) == 0;
}

/* The root is the directory of the program, `bin`, or one above it. */
static const struct layout *find_library (char root[PATH_MAX], char bin[PATH_MAX]) {
  ssize_t n = readlink("/proc/self/exe", root, PATH_MAX - 1);
  if (n <= 0) return NULL;
  root[n] = '\0';
  bin[0] = '\0';
  for (char *slash; (slash = strrchr(root, '/')) != NULL;) {
    *slash = '\0';
    if (bin[0] == '\0') memcpy(bin, root, strlen(root) + 1);
    if (holds_library(root, &checkout)) return &checkout;
    if (holds_library(root, &installed)) return &installed;
  }
  return NULL;
}

/* Turns an error into one line; all of it and a traceback are for those who ask. */
static int describe_error (lua_State *L) {
  size_t n;
  const char *message = luaL_tolstring(L, 1, &n);
  if (getenv("MOONBOOT_TRACE") != NULL) {
    luaL_traceback(L, L, message, 1);
    return 1;
  }
  n = strcspn(message, "\n"); /* such as the list of places where a module is not */
  while (n > 0 && message[n - 1] == ':') n--;
  lua_pushlstring(L, message, n);
  return 1;
}

/* The modules in C that the program is not linked with (moonboot.readline) are in lib beside a built program, and where
** Lua's are below a prefix. */
static void set_search_path (lua_State *L, const char *root, const char *bin,
                             const struct layout *layout) {
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "path");
  lua_pushfstring(L, "%s/%s/?.lua;%s/%s/?/init.lua;%s/%s/?.lua;%s", root, layout->library, root,
                  layout->library, root, layout->scripts, lua_tostring(L, -1));
  lua_setfield(L, -3, "path");
  lua_pop(L, 1);
  lua_getfield(L, -1, "cpath");
  lua_pushfstring(L, "%s/lib/?.so;%s/" MB_LIBDIR "/?.so;%s", bin, root, lua_tostring(L, -1));
  lua_setfield(L, -3, "cpath");
  lua_pop(L, 2);
}

static void set_arguments (lua_State *L, int argc, char **argv) {
  lua_createtable(L, argc, 1);
  for (int i = 0; i < argc; i++) {
    lua_pushstring(L, argv[i]);
    lua_rawseti(L, -2, i);
  }
  lua_pushvalue(L, -1);
  lua_setglobal(L, "arg");
}

/* Runs in protected mode: (argc, argv, root, bin, layout) -> exit status. */
static int run (lua_State *L) {
  int argc = (int)lua_tointeger(L, 1);
  char **argv = lua_touserdata(L, 2);
  luaL_openlibs(L);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, luaopen_moonboot_engine);
  lua_setfield(L, -2, "moonboot.engine");
  set_search_path(L, lua_tostring(L, 3), lua_tostring(L, 4), lua_touserdata(L, 5));
  lua_getglobal(L, "require");
  lua_pushstring(L, "moonboot.cli");
  lua_call(L, 1, 1);
  lua_getfield(L, -1, "main");
  set_arguments(L, argc, argv);
  lua_call(L, 1, 1);
  lua_pushinteger(L, luaL_optinteger(L, -1, 0));
  return 1;
}

/* A descriptor 0, 1 or 2 that is closed would become something else, which is then taken for a terminal. */
static void open_standard_files (void) {
  int fd;
  do fd = open("/dev/null", O_RDWR);
  while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd > STDERR_FILENO) close(fd);
}

int main (int argc, char **argv) {
  char root[PATH_MAX], bin[PATH_MAX];
  open_standard_files();
  signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error of write(), not a death */
  signal(SIGCHLD, SIG_DFL); /* whoever started us may have ignored it, and so lost exit statuses */
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < FILES_NEEDED) {
    fprintf(
        stderr,
        "moonboot: this process may open only %lu files, a boot needs %d: raise the limit (ulimit -n)\n",
        (unsigned long)files.rlim_cur, FILES_NEEDED);
    return STATUS_BAD_HOST;
  }
  const struct layout *layout = find_library(root, bin);
  if (layout == NULL) {
    fprintf(stderr, "moonboot: its library is not beside this program (share/lua/5.4/moonboot): "
                    "run it from its checkout, or reinstall\n");
    return STATUS_BAD_SCRIPT;
  }
  lua_State *L = luaL_newstate();
  if (L == NULL) {
    fprintf(stderr, "moonboot: out of memory\n");
    return STATUS_BAD_SCRIPT;
  }
  lua_pushcfunction(L, describe_error);
  lua_pushcfunction(L, run);
  lua_pushinteger(L, argc);
  lua_pushlightuserdata(L, argv);
  lua_pushstring(L, root);
  lua_pushstring(L, bin);
  lua_pushlightuserdata(L, (void *)layout);
  int status = STATUS_BAD_SCRIPT;
  if (lua_pcall(L, 5, 1, 1) == LUA_OK)
    status = (int)lua_tointeger(L, -1);
  else
    fprintf(stderr, "moonboot: %s\n", lua_tostring(L, -1));
  lua_close(L); /* closes every handle: no child and no thread is left */
  return status;
}

/* Line coverage of Lua programs, for LD_PRELOAD: the program's luaL_openlibs() also sets a hook that notes each line that
** runs. When the process ends, it writes what it saw of each source file into $COVERAGE_DIR, a line "file:line" for each
** line that ran. A process that is killed writes nothing. */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

enum { FILES_MAX = 1024, LINES_MAX = 4096 };

static struct file {
  const char *source; /* as the chunk has it, which makes it one pointer for one chunk */
  char *name;
  bool ran[LINES_MAX];
} * files[FILES_MAX];

static struct file *file_of (const char *source) {
  size_t start = ((size_t)source >> 4) % FILES_MAX;
  for (size_t i = 0; i < FILES_MAX; i++) {
    struct file **place = &files[(start + i) % FILES_MAX];
    if (*place == NULL) {
      *place = calloc(1, sizeof **place);
      if (*place == NULL) return NULL;
      (*place)->source = source;
      (*place)->name = strdup(source);
    }
    if ((*place)->source == source && strcmp((*place)->name, source) == 0) return *place;
  }
  return NULL;
}

static void on_line (lua_State *L, lua_Debug *ar) {
  if (!lua_getinfo(L, "S", ar) || ar->source[0] != '@') return;
  struct file *file = file_of(ar->source);
  if (file != NULL && ar->currentline > 0 && ar->currentline < LINES_MAX)
    file->ran[ar->currentline] = true;
}

void luaL_openlibs (lua_State *L) {
  void (*standard)(lua_State *);
  *(void **)&standard = dlsym(RTLD_NEXT, "luaL_openlibs");
  standard(L);
  lua_sethook(L, on_line, LUA_MASKLINE, 0);
}

__attribute__((destructor)) static void write_down (void) {
  const char *directory = getenv("COVERAGE_DIR");
  if (directory == NULL) return;
  char path[4096];
  snprintf(path, sizeof path, "%s/%d.lines", directory, (int)getpid());
  FILE *out = NULL;
  for (size_t i = 0; i < FILES_MAX; i++) {
    for (int line = 1; files[i] != NULL && line < LINES_MAX; line++) {
      if (!files[i]->ran[line]) continue;
      if (out == NULL) out = fopen(path, "a");
      if (out == NULL) return;
      fprintf(out, "%s:%d\n", files[i]->name + 1, line);
    }
  }
  if (out != NULL) fclose(out);
}

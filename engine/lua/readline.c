/* require "moonboot.readline": GNU readline for an event loop. A module of its own, so that nothing loads the library
** but an interactive session.
**
**   readline.open(fd, complete, display)   the terminal to read, from now on readline's, and two functions for the TAB key
**   readline.prompt(text)                  shows the prompt and takes the terminal
**   readline.feed() -> done, line          call when fd is readable; `line` is nil at the end of input
**   readline.cancel()                      drops the line being typed and gives the terminal back
**   readline.say(text)                     prints above the prompt
**   readline.resize()                      the window has another size
**   readline.close()                       gives everything back
**   readline.remember(line), read_history(path, most), append_history(path)
**
** complete(line, first, last) gets the line up to the cursor and the place of the word to complete, and returns a list
** of candidates, or nil for file names, and a hint to print. display(candidates) returns the text that lists them.
**
** readline keeps its state in globals; so must what its callbacks need. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include <readline/history.h>
#include <readline/readline.h>

static struct {
  lua_State *L; /* the thread that feeds, while it does */
  FILE *in;
  bool prompting; /* the terminal is readline's */
  bool done;
  char *line;
} session;

static const char complete_key, display_key;

static void give_terminal_back (void) {
  if (session.prompting) rl_callback_handler_remove();
  session.prompting = false;
}

static void on_line (char *line) {
  session.line = line;
  session.done = true;
  give_terminal_back(); /* now, or readline shows its prompt again */
}

/* The list of strings at the top of the stack, as readline wants it: what they have in common, then all of them. */
static char **matches_of (lua_State *L) {
  size_t n = (size_t)luaL_len(L, -1);
  if (n == 0) return NULL;
  char **matches = malloc((n + 2) * sizeof *matches);
  if (matches == NULL) return NULL;
  size_t kept = 0, common = 0;
  for (size_t i = 1; i <= n; i++) {
    lua_rawgeti(L, -1, (lua_Integer)i);
    const char *text = lua_tostring(L, -1);
    char *copy = text != NULL ? strdup(text) : NULL;
    lua_pop(L, 1);
    if (copy == NULL) continue;
    if (kept == 0) {
      common = strlen(copy);
    } else {
      size_t same = 0;
      while (same < common && copy[same] == matches[1][same]) same++;
      common = same;
    }
    matches[++kept] = copy;
  }
  matches[kept + 1] = NULL;
  matches[0] = kept > 0 ? strndup(matches[1], common) : NULL;
  if (matches[0] != NULL) {
    if (kept == 1) {
      free(matches[1]);
      matches[1] = NULL;
    }
    return matches;
  }
  for (size_t i = 1; i <= kept; i++) free(matches[i]);
  free(matches);
  return NULL;
}

static void print_below (const char *text) {
  rl_crlf();
  fputs(text, rl_outstream);
  rl_crlf();
  rl_on_new_line();
}

static char **on_complete (const char *word, int start, int end) {
  (void)word;
  lua_State *L = session.L;
  int top = lua_gettop(L);
  rl_completion_suppress_append = 1;
  rl_attempted_completion_over = 1;
  char **matches = NULL;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &complete_key);
  lua_pushlstring(L, rl_line_buffer, (size_t)rl_point);
  lua_pushinteger(L, start + 1);
  lua_pushinteger(L, end);
  if (lua_pcall(L, 3, 2, 0) == LUA_OK) {
    if (lua_type(L, -1) == LUA_TSTRING) print_below(lua_tostring(L, -1));
    lua_pop(L, 1);
    if (lua_istable(L, -1))
      matches = matches_of(L);
    else
      rl_attempted_completion_over = 0;
  }
  lua_settop(L, top);
  return matches;
}

static void on_display (char **matches, int n, int longest) {
  lua_State *L = session.L;
  int top = lua_gettop(L);
  if (!rl_filename_completion_desired) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &display_key);
    lua_createtable(L, n, 0);
    for (int i = 1; i <= n; i++) {
      lua_pushstring(L, matches[i]);
      lua_rawseti(L, -2, i);
    }
    if (lua_pcall(L, 1, 1, 0) == LUA_OK && lua_type(L, -1) == LUA_TSTRING) {
      print_below(lua_tostring(L, -1));
      rl_forced_update_display();
      lua_settop(L, top);
      return;
    }
  }
  rl_display_match_list(matches, n, longest);
  rl_forced_update_display();
  lua_settop(L, top);
}

static int readline_open (lua_State *L) {
  int fd = (int)luaL_checkinteger(L, 1);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  luaL_checktype(L, 3, LUA_TFUNCTION);
  luaL_argcheck(L, session.in == NULL, 1, "readline is open already");
  session.in = fdopen(fd, "r");
  if (session.in == NULL) return luaL_fileresult(L, 0, NULL);
  lua_settop(L, 3);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &display_key);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &complete_key);
  rl_instream = session.in;
  rl_readline_name = "moonboot";
  rl_catch_signals = 0; /* the loop's business, and so is a window that changes its size */
  rl_catch_sigwinch = 0;
  rl_basic_word_break_characters = " \t\n\"'`><=;:+-*/%^~#&|{}()[].,@$!?\\";
  rl_completer_quote_characters = "\"'";
  rl_attempted_completion_function = on_complete;
  rl_completion_display_matches_hook = on_display;
  rl_variable_bind("show-all-if-ambiguous", "on");
  rl_variable_bind("bell-style", "none");
  history_write_timestamps = 1; /* without, an entry of several lines comes back as several */
  history_comment_char = '#';   /* before each time */
  using_history();
  lua_pushboolean(L, 1);
  return 1;
}

static int readline_prompt (lua_State *L) {
  const char *text = luaL_checkstring(L, 1);
  luaL_argcheck(L, session.in != NULL, 1, "readline is not open");
  give_terminal_back();
  session.done = false;
  session.prompting = true;
  rl_callback_handler_install(text, on_line);
  return 0;
}

static int readline_feed (lua_State *L) {
  if (!session.prompting) return luaL_error(L, "no prompt is shown");
  session.L = L;
  rl_callback_read_char();
  lua_pushboolean(L, session.done);
  if (!session.done) return 1;
  lua_pushstring(L, session.line); /* NULL: nil */
  free(session.line);
  session.line = NULL;
  return 2;
}

static int readline_cancel (lua_State *L) {
  (void)L;
  if (!session.prompting) return 0;
  rl_free_line_state();
  rl_callback_sigcleanup();
  rl_replace_line("", 0);
  give_terminal_back();
  return 0;
}

static int readline_close (lua_State *L) {
  readline_cancel(L);
  if (session.in == NULL) return 0;
  rl_instream = stdin;
  fclose(session.in);
  session.in = NULL;
  return 0;
}

static int readline_say (lua_State *L) {
  const char *text = luaL_checkstring(L, 1);
  if (!session.prompting) {
    fputs(text, stdout);
    fflush(stdout);
    return 0;
  }
  rl_clear_visible_line();
  fputs(text, rl_outstream);
  rl_on_new_line();
  rl_forced_update_display();
  return 0;
}

static int readline_resize (lua_State *L) {
  (void)L;
  if (session.prompting) rl_resize_terminal();
  return 0;
}

static int readline_remember (lua_State *L) {
  const char *line = luaL_checkstring(L, 1);
  const HIST_ENTRY *last =
      history_length > 0 ? history_get(history_base + history_length - 1) : NULL;
  bool fresh = last == NULL || strcmp(last->line, line) != 0;
  if (fresh) add_history(line);
  lua_pushboolean(L, fresh);
  return 1;
}

/* readline's history functions return 0 or an errno. */
static int push_errno (lua_State *L, int code, const char *path) {
  if (code == 0) {
    lua_pushboolean(L, 1);
    return 1;
  }
  luaL_pushfail(L);
  lua_pushfstring(L, "%s: %s", path, strerror(code));
  return 2;
}

static int readline_read_history (lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  int most = (int)luaL_checkinteger(L, 2);
  history_truncate_file(path, most);
  return push_errno(L, read_history(path), path);
}

static int readline_append_history (lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  return push_errno(L, append_history(1, path), path);
}

static const luaL_Reg functions[] = {{"open", readline_open},
                                     {"prompt", readline_prompt},
                                     {"feed", readline_feed},
                                     {"cancel", readline_cancel},
                                     {"close", readline_close},
                                     {"say", readline_say},
                                     {"resize", readline_resize},
                                     {"remember", readline_remember},
                                     {"read_history", readline_read_history},
                                     {"append_history", readline_append_history},
                                     {NULL, NULL}};

int luaopen_moonboot_readline (lua_State *L) {
  atexit(
      give_terminal_back); /* however the program ends; runs, too, when Lua unloads this module */
  luaL_newlib(L, functions);
  return 1;
}

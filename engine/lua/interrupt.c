/* engine.interrupt: the signals that ask the program to end (SIGINT, SIGTERM, SIGHUP), for a program that runs scripts
** of others. The first one is for the event loop, which finds it by a file descriptor. A script that keeps the
** loop from running is stopped after a while (at once, where a person waits), by an error in the middle of it; the
** library never is, so that its records stay whole. The second signal ends the program at once, whatever it is doing.
**
** Signal dispositions belong to the process, and so does all state here. */
#include "binding.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"

enum {
  PATIENCE_SECONDS = 2,   /* how long the loop may leave a signal untaken */
  IMPATIENCE_US = 100000, /* and how long from then on */
  HOOK_INSTRUCTIONS = 100,
  STATUS_INTERRUPTED = 130
};

/* A closing terminal or timeout(1) may send a signal twice and mean it once. */
#define ONE_REQUEST_NS (300 * MB_NS_PER_MS)

static const int watched[] = {SIGINT, SIGTERM, SIGHUP, SIGALRM};
enum { WATCHED_COUNT = sizeof watched / sizeof watched[0] };

static struct {
  bool watching;
  bool impatient; /* the loop has no time to take a signal first */
  int event;
  pthread_t owner;
  volatile sig_atomic_t signal; /* the first one; 0: none yet */
  volatile sig_atomic_t taken;
  int64_t signal_ns;
  lua_State *volatile running; /* the coroutine that a signal would find at work */
  char library[256];           /* how the names of the library's sources begin */
  struct sigaction former[WATCHED_COUNT];
} state = {.event = -1};

/* -- what runs between any two instructions: only async-signal-safe calls -- */

static void stop_script (lua_State *L, lua_Debug *ar) {
  if (!state.watching || state.signal == 0 || state.taken) {
    lua_sethook(L, NULL, 0, 0);
    return;
  }
  lua_getinfo(L, "Sl", ar);
  if (ar->currentline < 0 || strncmp(ar->source, state.library, strlen(state.library)) == 0) return;
  lua_sethook(L, NULL, 0, 0);
  ualarm(IMPATIENCE_US, 0); /* it may catch the error and go on, or another be next */
  lua_pushfstring(L, "%s:%d: interrupted", ar->short_src, ar->currentline);
  if (!state.impatient) {
    lua_pushfstring(L, ": it ran for %d s without a wait", PATIENCE_SECONDS);
    lua_concat(L, 2);
  }
  lua_error(L);
}

static void on_signal (int signal) {
  int saved = errno;
  if (!pthread_equal(pthread_self(), state.owner)) {
    pthread_kill(state.owner, signal);
  } else if (signal == SIGALRM) {
    if (!state.taken) lua_sethook(state.running, stop_script, LUA_MASKCOUNT, HOOK_INSTRUCTIONS);
  } else if (state.signal == 0) {
    state.signal = signal;
    state.signal_ns = mb_clock_now();
    eventfd_write(state.event, 1);
    alarm(PATIENCE_SECONDS);
    if (state.impatient) lua_sethook(state.running, stop_script, LUA_MASKCOUNT, HOOK_INSTRUCTIONS);
  } else if (mb_clock_now() - state.signal_ns > ONE_REQUEST_NS) {
    _exit(STATUS_INTERRUPTED); /* every child goes with its parent */
  }
  errno = saved;
}

/* -- for Lua -- */

/* watch(library [, impatient]): library begins the source names of the code to spare. Returns a descriptor that becomes
** readable with the first signal. */
static int interrupt_watch (lua_State *L) {
  const char *library = luaL_checkstring(L, 1);
  if (state.watching) return luaL_error(L, "the signals are watched already");
  state.event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (state.event < 0) {
    struct mb_error err = {0};
    mb_error_set(&err, errno, "cannot watch for signals: ");
    return mb_lua_pushfailure(L, &err);
  }
  snprintf(state.library, sizeof state.library, "%s", library);
  state.owner = pthread_self();
  state.signal = state.taken = 0;
  state.impatient = lua_toboolean(L, 2);
  state.running = L;
  state.watching = true;
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  sigfillset(&action.sa_mask);
  for (int i = 0; i < WATCHED_COUNT; i++) sigaction(watched[i], &action, &state.former[i]);
  lua_pushinteger(L, state.event);
  return 1;
}

static int push_name (lua_State *L, int signal) {
  if (signal == 0)
    luaL_pushfail(L);
  else
    lua_pushfstring(L, "SIG%s", sigabbrev_np(signal));
  return 1;
}

static void calm_down (void) {
  eventfd_t count;
  eventfd_read(state.event, &count);
  alarm(0);
}

/* take(): the name of the signal that came, once; nil before. */
static int interrupt_take (lua_State *L) {
  if (state.signal == 0 || state.taken) return push_name(L, 0);
  state.taken = 1;
  calm_down();
  return push_name(L, state.signal);
}

/* renew(): the next signal is a first one again. The name of the one that came, taken or not; nil if none did. */
static int interrupt_renew (lua_State *L) {
  sigset_t all, former;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &former);
  int signal = state.signal;
  state.signal = state.taken = 0;
  calm_down();
  pthread_sigmask(SIG_SETMASK, &former, NULL);
  return push_name(L, signal);
}

/* running(thread): from now on this one is at work. */
static int interrupt_running (lua_State *L) {
  lua_State *thread = lua_tothread(L, 1);
  luaL_argexpected(L, thread != NULL, 1, "coroutine");
  state.running = thread;
  return 0;
}

/* unwatch(): the signals get their former meaning again. Doing it twice is fine. */
static int interrupt_unwatch (lua_State *L) {
  (void)L;
  if (!state.watching) return 0;
  for (int i = 0; i < WATCHED_COUNT; i++) sigaction(watched[i], &state.former[i], NULL);
  alarm(0);
  state.watching = false;
  close(state.event);
  state.event = -1;
  return 0;
}

static const luaL_Reg functions[] = {{"watch", interrupt_watch},     {"take", interrupt_take},
                                     {"renew", interrupt_renew},     {"running", interrupt_running},
                                     {"unwatch", interrupt_unwatch}, {NULL, NULL}};

int luaopen_moonboot_interrupt (lua_State *L) {
  luaL_newlib(L, functions);
  return 1;
}

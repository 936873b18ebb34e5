/* engine.bounded: matches of LPeg patterns that end. A pattern can need time exponential in the length of a line, and
** LPeg's matching is a loop in C that no hook of Lua's gets into. So a timer of this thread's CPU time looks at it: a
** match that has lasted from one tick to the next is ended by an error from within the signal handler.
**
** That is safe at one place only, and nowhere else is it done: while the interrupted instruction is one of LPeg's own
** (so that neither Lua nor the C library is at work) and the innermost call is that of `lpeg.match` (so that no script
** and no finalizer is). There LPeg has nothing but local variables and what lies on the Lua stack, and raises errors
** itself. Its first match of a pattern compiles it and must not be cut off: the caller matches something short first.
**
** Signal dispositions belong to the process, and so does all state here; one thread has bounded matches, others match
** without a bound. So does everybody where the processor is unknown here, where a program uses SIGVTALRM itself, and
** under ThreadSanitizer, which delivers signals late. */
#include "binding.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum {
  LIMIT_SECONDS = 1,         /* of CPU time: a match is ended between one and two of them */
  AGAIN_NS = 2 * 1000 * 1000 /* when the place was not the right one */
};

/* A match under way, on the stack of who called it. */
struct match {
  lua_State *L;
  int ticks;           /* that it has seen */
  struct match *outer; /* a function that a pattern calls may match, too */
};

static struct {
  bool ticking;
  pthread_t owner;
  lua_CFunction match;    /* LPeg's */
  uintptr_t first, after; /* LPeg's instructions */
  timer_t timer;
  struct match *volatile now;
  struct match *overdue; /* the one that the error is for */
} state;

/* -- while a match is interrupted: only async-signal-safe calls, until it is known to be at the right place -- */

static uintptr_t interrupted_at (const ucontext_t *context) {
#if defined(__SANITIZE_THREAD__)
  (void)context;
  return 0;
#elif defined(__x86_64__)
  return (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
  return (uintptr_t)context->uc_mcontext.pc;
#else
  (void)context;
  return 0;
#endif
}

static bool is_lpegs (uintptr_t address) {
  return address >= state.first && address < state.after;
}

static bool matches_innermost (lua_State *L) {
  lua_Debug ar;
  if (!lua_checkstack(L, 2) || !lua_getstack(L, 0, &ar)) return false;
  lua_getinfo(L, "f", &ar);
  bool is_match = lua_tocfunction(L, -1) == state.match;
  lua_pop(L, 1);
  return is_match;
}

static void on_tick (int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)info;
  struct match *now = state.now, *overdue = NULL;
  for (struct match *m = now; m != NULL; m = m->outer) {
    if (++m->ticks > 1) overdue = m;
  }
  if (overdue == NULL) return;
  state.overdue = overdue;
  int saved = errno;
  timer_settime(state.timer, 0, &(struct itimerspec){{LIMIT_SECONDS, 0}, {0, AGAIN_NS}}, NULL);
  errno = saved;
  const ucontext_t *interrupted = context;
  if (!is_lpegs(interrupted_at(interrupted)) || !matches_innermost(now->L)) return;
  pthread_sigmask(SIG_SETMASK, &interrupted->uc_sigmask, NULL);
  lua_pushlightuserdata(now->L, &state);
  lua_error(now->L);
}

/* -- for Lua -- */

/* Calls `lpeg.match` (the upvalue) with its arguments. Returns true and what it returned; false and the error that it
** raised; or nil and in words why it was ended. */
static int bounded_match (lua_State *L) {
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  bool bounded = state.ticking && pthread_equal(pthread_self(), state.owner);
  struct match mine = {.L = L, .outer = bounded ? state.now : NULL};
  if (bounded) state.now = &mine;
  int status = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
  if (bounded) state.now = mine.outer;
  if (status == LUA_OK) {
    lua_pushboolean(L, 1);
  } else if (lua_touserdata(L, -1) == &state) {
    if (state.overdue != &mine) return lua_error(L);
    lua_pushfstring(L, "it takes more than %d s", LIMIT_SECONDS);
    lua_replace(L, -2);
    luaL_pushfail(L);
  } else {
    lua_pushboolean(L, 0);
  }
  lua_insert(L, 1);
  return lua_gettop(L);
}

struct segment {
  uintptr_t address;
  uintptr_t first, after;
};

static int find_segment (struct dl_phdr_info *info, size_t size, void *wanted) {
  (void)size;
  struct segment *s = wanted;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &info->dlpi_phdr[i];
    uintptr_t first = info->dlpi_addr + part->p_vaddr;
    if (part->p_type != PT_LOAD || s->address < first || s->address >= first + part->p_memsz)
      continue;
    s->first = first;
    s->after = first + part->p_memsz;
    return 1;
  }
  return 0;
}

/* Finds LPeg's instructions; there are none to interrupt where they cannot be told from Lua's or from these here. */
static void find_lpeg (lua_CFunction match) {
  struct segment s = {.address = (uintptr_t)match};
  dl_iterate_phdr(find_segment, &s);
  state.match = match;
  state.first = s.first;
  state.after = s.after;
  if (is_lpegs((uintptr_t)lua_newuserdatauv) || is_lpegs((uintptr_t)bounded_match))
    state.after = s.first;
}

static bool start_ticking (void) {
  struct sigaction former;
  if (sigaction(SIGVTALRM, NULL, &former) != 0 || former.sa_handler != SIG_DFL) return false;
  struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGVTALRM};
  event._sigev_un._tid = gettid();
  if (timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &state.timer) != 0) return false;
  struct sigaction action = {.sa_sigaction = on_tick, .sa_flags = SA_SIGINFO | SA_RESTART};
  sigfillset(&action.sa_mask);
  sigaction(SIGVTALRM, &action, NULL);
  struct itimerspec every = {{LIMIT_SECONDS, 0}, {LIMIT_SECONDS, 0}};
  timer_settime(state.timer, 0, &every, NULL);
  return true;
}

/* With the Lua state that started it: this code may be unloaded next. */
static int stop_ticking (lua_State *L) {
  (void)L;
  timer_delete(state.timer);
  signal(SIGVTALRM, SIG_DFL);
  state.ticking = false;
  return 0;
}

static void stop_at_close (lua_State *L) {
  lua_newuserdatauv(L, 0, 0);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, stop_ticking);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &state);
}

/* new(lpeg.match): a function that matches as it does, and ends. */
static int bounded_new (lua_State *L) {
  lua_CFunction match = lua_tocfunction(L, 1);
  luaL_argexpected(L, match != NULL, 1, "C function");
  if (!state.ticking && start_ticking()) {
    state.ticking = true;
    state.owner = pthread_self();
    stop_at_close(L);
  }
  if (state.ticking && pthread_equal(pthread_self(), state.owner)) find_lpeg(match);
  lua_settop(L, 1);
  lua_pushcclosure(L, bounded_match, 1);
  return 1;
}

static const luaL_Reg functions[] = {{"new", bounded_new}, {NULL, NULL}};

int luaopen_moonboot_bounded (lua_State *L) {
  luaL_newlib(L, functions);
  return 1;
}

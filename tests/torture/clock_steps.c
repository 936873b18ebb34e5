/* Sets the engine's test clock forward and back at random while consoles are drained: clock_steps SEED STEPS. Prints
** what it finds wrong, a line each; the exit status is 1 then. */
#include "console.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STEPS_PER_CONSOLE = 10, BURST_MAX = 64 };

static int findings;

static void found (const char *what) {
  printf("clock steps: %s\n", what);
  findings++;
}

static int64_t plain_monotonic (void *state) {
  (void)state;
  return mb_clock_now();
}

static int64_t stepped_realtime (void *state) {
  atomic_llong *step_ns = state;
  return mb_clock_realtime() + atomic_load(step_ns);
}

static int64_t random_step (void) {
  int64_t size_ns = MB_NS_PER_MS * (1 + random() % 3600000);
  return random() % 2 == 0 ? size_ns : -size_ns;
}

/* Sends the bytes 0, 1, 2, … in bursts, with a step of the clock somewhere in each. -> how many */
static unsigned disturb (int fd, atomic_llong *step_ns) {
  unsigned sent = 0;
  for (int step = 0; step < STEPS_PER_CONSOLE; step++) {
    long burst = 1 + random() % BURST_MAX;
    long at = random() % burst;
    for (long i = 0; i < burst; i++, sent++) {
      unsigned char byte = (unsigned char)sent;
      if (send(fd, &byte, 1, 0) != 1) found("a byte could not be sent");
      if (i != at) continue;
      atomic_store(step_ns, random_step());
      usleep((useconds_t)(random() % 8000));
    }
    usleep((useconds_t)(random() % 8000));
  }
  return sent;
}

static void check (struct mb_console *console, unsigned sent, int64_t t0_ns) {
  struct mb_chunk chunk;
  unsigned received = 0;
  int64_t end_ns = mb_clock_now();
  int64_t last_ns = t0_ns;
  while (mb_console_next(console, &chunk)) {
    for (size_t i = 0; i < chunk.n; i++, received++)
      if ((unsigned char)chunk.data[i] != (unsigned char)received)
        found("a byte is lost or changed");
    if (chunk.t_ns < last_ns) found("a stamp lies before the one before it, or before t0");
    if (chunk.t_ns > end_ns) found("a stamp lies in the future");
    last_ns = chunk.t_ns;
    mb_console_release(console);
  }
  if (received != sent) found("not all bytes came");
}

static void one_console (void) {
  atomic_llong step_ns = 0;
  struct mb_clock clock = {plain_monotonic, stepped_realtime, &step_ns};
  struct mb_console_options options = {.clock = &clock};
  struct mb_error err = {0};
  struct mb_console_stats stats;
  int64_t t0_ns = mb_clock_now();
  struct mb_console *console = mb_console_open(&options, &err);
  int fd = console != NULL ? dup(mb_console_guest_fd(console)) : -1;
  if (fd < 0 || mb_console_start(console, t0_ns, &err) < 0) {
    found(err.text);
    return;
  }
  mb_console_handover(console);
  unsigned sent = disturb(fd, &step_ns);
  close(fd);
  if (mb_console_finish(console, 10 * MB_NS_PER_S, &err) < 0) found(err.text);
  check(console, sent, t0_ns);
  mb_console_stats(console, &stats);
  /* Each burst is drained before the next one, so every step was in force at some measurement. */
  if (stats.offset_max_ns - stats.offset_min_ns < MB_NS_PER_MS)
    found("no step of the clock was noticed");
  mb_console_close(console);
}

int main (int argc, char **argv) {
  srandom(argc > 1 ? (unsigned)atoi(argv[1]) : 1);
  int steps = argc > 2 ? atoi(argv[2]) : STEPS_PER_CONSOLE;
  for (int i = 0; i < steps; i += STEPS_PER_CONSOLE) one_console();
  return findings == 0 ? 0 : 1;
}

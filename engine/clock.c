#include "clock.h"

#include <time.h>

static int64_t read_clock (clockid_t id) {
  struct timespec t;
  clock_gettime(id, &t); /* cannot fail for these two clocks */
  return (int64_t)t.tv_sec * MB_NS_PER_S + t.tv_nsec;
}

static int64_t system_monotonic (void *state) {
  (void)state;
  return read_clock(CLOCK_MONOTONIC);
}

static int64_t system_realtime (void *state) {
  (void)state;
  return read_clock(CLOCK_REALTIME);
}

const struct mb_clock mb_clock_system = {system_monotonic, system_realtime, NULL};

int64_t mb_clock_now (void) {
  return read_clock(CLOCK_MONOTONIC);
}

int64_t mb_clock_realtime (void) {
  return read_clock(CLOCK_REALTIME);
}

struct mb_clock_offset mb_clock_measure (const struct mb_clock *clock, int attempts) {
  struct mb_clock_offset best = {0, INT64_MAX};
  for (int i = 0; i < attempts || i == 0; i++) {
    int64_t before = clock->monotonic_ns(clock->state);
    int64_t real = clock->realtime_ns(clock->state);
    int64_t after = clock->monotonic_ns(clock->state);
    if (after - before < best.width_ns)
      best = (struct mb_clock_offset){real - (before + (after - before) / 2), after - before};
  }
  return best;
}

/* Time in the engine is CLOCK_MONOTONIC in nanoseconds, an int64_t. The kernel stamps bytes on
** CLOCK_REALTIME; an offset (realtime - monotonic), measured between two readings of the monotonic
** clock, turns one into the other. Tests hand in a clock of their own. Any thread may call. */
#ifndef MB_CLOCK_H
#define MB_CLOCK_H

#include <stdint.h>

#define MB_NS_PER_US INT64_C(1000)
#define MB_NS_PER_MS INT64_C(1000000)
#define MB_NS_PER_S INT64_C(1000000000)

struct mb_clock {
  int64_t (*monotonic_ns)(void *state);
  int64_t (*realtime_ns)(void *state);
  void *state; /* handed to both; the system's clock needs none */
};

struct mb_clock_offset {
  int64_t offset_ns; /* realtime - monotonic */
  int64_t
      width_ns; /* between the monotonic readings around it: the offset is true to half of this */
};

extern const struct mb_clock mb_clock_system;

int64_t mb_clock_now (void);      /* CLOCK_MONOTONIC */
int64_t mb_clock_realtime (void); /* CLOCK_REALTIME */

/* The narrowest of `attempts` (at least 1) measurements. */
struct mb_clock_offset mb_clock_measure (const struct mb_clock *clock, int attempts);

#endif

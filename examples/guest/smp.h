/* The other CPUs: starting them, and sharing work with them. */

#ifndef SMP_H
#define SMP_H

#include <stdint.h>

/* A piece of work in `total` parts. Whoever is free takes the next part; idle CPUs are halted.
** A job is used once: a CPU that wakes late finds it finished and leaves it alone. */
struct job {
  void (*part)(uint32_t index);
  uint32_t total;
  uint32_t next, done; /* atomic */
};

/* Starts all CPUs the firmware lists, waits a second at most. */
void smp_start (void);
unsigned smp_present (void);
unsigned smp_up (void);

/* Returns when all parts are done. `job` must stay valid for ever. For the first CPU only. */
void smp_run (struct job *job);

#endif

/* The boot: fixed work in phases, a message after each. */

#ifndef PHASES_H
#define PHASES_H

#include <stdbool.h>

#define VERSION "1.0"

/* The first two messages. `announced`: the boot sector has said the first one already. */
void phases_begin (bool announced);

/* The rest, up to just before the login prompt. */
void phases_run (void);

#endif

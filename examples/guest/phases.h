/* The boot: fixed work in phases, a message after each. */

#ifndef PHASES_H
#define PHASES_H

#include <stdbool.h>

#define VERSION "1.0"

/* From the firmware's hand-over to just before the login prompt. `announced`: the boot sector has
** said the first message already. */
void phases_run (bool announced);

#endif

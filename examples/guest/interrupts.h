/* Interrupt table, interrupt controllers, and the clock tick that the first CPU gets. */

#ifndef INTERRUPTS_H
#define INTERRUPTS_H

#include <stdint.h>

#define TICK_HZ 100
#define VECTOR_WAKE 0x40 /* sent between CPUs; says nothing but "look again" */
#define VECTOR_SPURIOUS 0x41

/* Makes delay_us() exact; the firmware has left the timer chip in another mode. */
void timer_init (void);

void interrupts_init (void);

/* Milliseconds since interrupts_init(), in steps of a tick. */
unsigned time_ms (void);

/* Returns after at least that many microseconds, by the timer chip, busy. */
void delay_us (unsigned us);

/* Halts between ticks. */
void sleep_ms (unsigned ms);

/* Ends the machine by a fault that cannot be handled. */
_Noreturn void triple_fault (void);

#endif

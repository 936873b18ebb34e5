/* The local interrupt controller of the CPU that calls. */

#ifndef LAPIC_H
#define LAPIC_H

#include <stdbool.h>
#include <stdint.h>

/* The first CPU also takes the timer's and the UARTs' interrupts. */
void lapic_init (bool first_cpu);

uint8_t lapic_id (void);
void lapic_end_of_interrupt (void);

void lapic_send_init (uint8_t id);
void lapic_send_startup (uint8_t id, uint8_t page);
void lapic_wake (uint8_t id);
void lapic_wake_others (void);

#endif

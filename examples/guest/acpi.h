/* The one thing we ask ACPI: which CPUs there are. */

#ifndef ACPI_H
#define ACPI_H

#include <stdint.h>

/* Local APIC ids of the usable CPUs, at most `limit`; returns how many. 0 without ACPI. */
unsigned acpi_cpus (uint8_t *ids, unsigned limit);

#endif

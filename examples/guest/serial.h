/* 16550 UARTs, polled. Their receive interrupt only wakes a halted CPU. */

#ifndef SERIAL_H
#define SERIAL_H

#include <stdint.h>

#define SERIAL_COM1 0x3f8
#define SERIAL_COM2 0x2f8

void serial_init (uint16_t port);
void serial_put (uint16_t port, char c);
int serial_get (uint16_t port); /* a byte, or -1 when none has come */

#endif

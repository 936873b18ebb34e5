/* Ports, interrupt flag, and the little of a C library that the compiler and we need. */

#ifndef IO_H
#define IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline void outb (uint16_t port, uint8_t value) {
  __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void outw (uint16_t port, uint16_t value) {
  __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t inb (uint16_t port) {
  uint8_t value;
  __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

static inline void insw (uint16_t port, void *to, size_t words) {
  __asm__ volatile("rep insw" : "+D"(to), "+c"(words) : "d"(port) : "memory");
}

static inline void outsw (uint16_t port, const void *from, size_t words) {
  __asm__ volatile("rep outsw" : "+S"(from), "+c"(words) : "d"(port) : "memory");
}

static inline void interrupts_off (void) {
  __asm__ volatile("cli" : : : "memory");
}

static inline void interrupts_on (void) {
  __asm__ volatile("sti" : : : "memory");
}

/* Waits for the next interrupt. One that came since interrupts_off() ends the wait at once. */
static inline void interrupts_wait (void) {
  __asm__ volatile("sti; hlt" : : : "memory");
}

static inline void cpu_pause (void) {
  __asm__ volatile("pause" : : : "memory");
}

void *memcpy (void *to, const void *from, size_t n);
void *memmove (void *to, const void *from, size_t n);
void *memset (void *to, int byte, size_t n);
int memcmp (const void *a, const void *b, size_t n);
size_t strlen (const char *s);
bool string_equal (const char *a, const char *b);

/* Reads a decimal number that fills all of s. False if s is anything else or above a million. */
bool string_number (const char *s, unsigned *value);

/* CRC-32 as in ISO 3309, continuing from `crc` (0 at first). */
uint32_t crc32 (uint32_t crc, const void *data, size_t n);
void crc32_init (void);

#endif

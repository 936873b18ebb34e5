#include "io.h"

#define CRC_POLYNOMIAL 0xedb88320u /* ISO 3309, reflected */

static uint32_t crc_table[256];

void *memcpy (void *to, const void *from, size_t n) {
  void *result = to;
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
  return result;
}

void *memmove (void *to, const void *from, size_t n) {
  unsigned char *d = to;
  const unsigned char *s = from;
  if (d <= s) return memcpy(to, from, n);
  while (n-- > 0) d[n] = s[n];
  return to;
}

void *memset (void *to, int byte, size_t n) {
  void *result = to;
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(byte) : "memory");
  return result;
}

int memcmp (const void *a, const void *b, size_t n) {
  const unsigned char *x = a, *y = b;
  for (; n > 0; n--, x++, y++)
    if (*x != *y) return *x < *y ? -1 : 1;
  return 0;
}

size_t strlen (const char *s) {
  size_t n = 0;
  while (s[n] != '\0') n++;
  return n;
}

bool string_equal (const char *a, const char *b) {
  size_t n = strlen(a);
  return n == strlen(b) && memcmp(a, b, n) == 0;
}

bool string_number (const char *s, unsigned *value) {
  unsigned n = 0;
  if (*s == '\0') return false;
  for (; *s != '\0'; s++) {
    if (*s < '0' || *s > '9' || n > 100000) return false;
    n = n * 10 + (unsigned)(*s - '0');
  }
  *value = n;
  return true;
}

void crc32_init (void) {
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t c = i;
    for (int bit = 0; bit < 8; bit++) c = (c & 1) ? (c >> 1) ^ CRC_POLYNOMIAL : c >> 1;
    crc_table[i] = c;
  }
}

uint32_t crc32 (uint32_t crc, const void *data, size_t n) {
  const unsigned char *p = data;
  crc = ~crc;
  for (; n > 0; n--) crc = crc_table[(crc ^ *p++) & 0xff] ^ (crc >> 8);
  return ~crc;
}

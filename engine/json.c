#include "json.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char REPLACEMENT[] = "\xef\xbf\xbd"; /* U+FFFD */

static bool continues (unsigned char byte) {
  return (byte & 0xc0) == 0x80;
}

/* The length of the UTF-8 sequence that begins here, 0 if none does (RFC 3629: no surrogates, nothing beyond U+10FFFF,
** no longer than need be). */
static size_t sequence (const unsigned char *s, size_t size) {
  unsigned char lead = s[0];
  size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (length == 1) return 1;
  if (lead < 0xc2 || lead > 0xf4 || length > size) return 0;
  for (size_t i = 1; i < length; i++)
    if (!continues(s[i])) return 0;
  if (lead == 0xe0 && s[1] < 0xa0) return 0;
  if (lead == 0xed && s[1] > 0x9f) return 0;
  if (lead == 0xf0 && s[1] < 0x90) return 0;
  if (lead == 0xf4 && s[1] > 0x8f) return 0;
  return length;
}

static char *append (char *out, const void *bytes, size_t size) {
  memcpy(out, bytes, size);
  return out + size;
}

static char *escape (unsigned char byte, char *out) {
  static const char names[] = "b\bf\fn\nr\rt\t\"\"\\\\", digits[] = "0123456789abcdef";
  for (const char *name = names; *name != '\0'; name += 2) {
    if ((unsigned char)name[1] != byte) continue;
    *out++ = '\\';
    *out++ = name[0];
    return out;
  }
  out = append(out, "\\u00", 4);
  *out++ = digits[byte >> 4];
  *out++ = digits[byte & 15];
  return out;
}

/* What stands for itself, seen by itself. */
static bool plain (unsigned char byte) {
  return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

size_t mb_json_string (const char *s, size_t size, char *out) {
  const unsigned char *from = (const unsigned char *)s, *end = from + size;
  char *begin = out;
  *out++ = '"';
  while (from < end) {
    const unsigned char *run = from;
    while (from < end && plain(*from)) from++;
    out = append(out, run, (size_t)(from - run));
    if (from == end) break;
    size_t length = sequence(from, (size_t)(end - from));
    if (length == 0)
      out = append(out, REPLACEMENT, sizeof REPLACEMENT - 1);
    else if (length == 1)
      out = escape(*from, out);
    else
      out = append(out, from, length);
    from += length > 0 ? length : 1;
  }
  *out++ = '"';
  return (size_t)(out - begin);
}

/* "66.500000" is 66.5, "66.000000" is 66. */
static size_t without_zeros (const char *digits, size_t size) {
  while (digits[size - 1] == '0') size--;
  return digits[size - 1] == '.' ? size - 1 : size;
}

size_t mb_json_number (double x, int decimals, char *out) {
  static const double whole_max = 9007199254740992.0; /* 2^53 */
  if (x > -whole_max && x < whole_max && x == (double)(int64_t)x)
    return (size_t)snprintf(out, MB_JSON_NUMBER_MAX, "%lld", (long long)x);
  if (decimals == MB_JSON_EXACT) {
    int size = snprintf(out, MB_JSON_NUMBER_MAX, "%.14g", x);
    if (strtod(out, NULL) != x) size = snprintf(out, MB_JSON_NUMBER_MAX, "%.17g", x);
    return (size_t)size;
  }
  size_t size = (size_t)snprintf(out, MB_JSON_NUMBER_MAX, "%.*f", decimals, x);
  if (decimals > 0) size = without_zeros(out, size);
  bool zero = out[size - 1] == '0' && (size == 1 || (size == 2 && out[0] == '-'));
  return zero ? (size_t)snprintf(out, MB_JSON_NUMBER_MAX, "%.6g", x) : size;
}

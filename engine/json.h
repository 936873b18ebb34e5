/* How JSON writes a string and a number. Output goes to the caller's memory, without a '\0' at its end that would
** count; all functions return its length in bytes. Any thread may call. */
#ifndef MB_JSON_H
#define MB_JSON_H

#include <stddef.h>

/* As many bytes as one byte of a string may take, and as the two quotes take. */
#define MB_JSON_BYTE_MAX 6
#define MB_JSON_QUOTES 2

/* As long as any number is, with its '\0', which has room too. */
#define MB_JSON_NUMBER_MAX 400

/* All digits that matter, in place of a number of decimals. */
#define MB_JSON_EXACT (-1)

/* Writes a string with its quotes. A guest may print any bytes, readers accept only UTF-8: every byte that is not part
** of valid UTF-8 becomes U+FFFD. */
size_t mb_json_string (const char *s, size_t size, char *out);

/* Writes a finite number with at most so many decimals (up to 17), or MB_JSON_EXACT. Whole numbers below 2^53 have no
** point. A number that the decimals would make 0 keeps its six leading digits: it may have no unit (a p-value). */
size_t mb_json_number (double x, int decimals, char *out);

#endif

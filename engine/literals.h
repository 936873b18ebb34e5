/* A set of literals, searched for all at once (Aho and Corasick, 1975): one table look-up a byte, whatever the
** literals and the text. Immutable once made, so any number of threads may search. */

#ifndef MB_LITERALS_H
#define MB_LITERALS_H

#include <stdbool.h>
#include <stddef.h>

/* The literals of a set may have so many bytes together. */
#define MB_LITERALS_BYTES_MAX 16384

struct mb_literals;

/* NULL and errno: ENOMEM, or EINVAL if a literal is empty or all are too long together. No literals: a set that
** occurs nowhere. */
struct mb_literals *mb_literals_new (const char *const *literals, const size_t *sizes,
                                     size_t count);

void mb_literals_free (struct mb_literals *set);

/* Does any literal of the set occur in the text? */
bool mb_literals_occur (const struct mb_literals *set, const char *text, size_t size);

#endif

#include "literals.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Bytes that no literal holds share class 0, which keeps the table small enough for the cache. A state is the
** index of its row; the first row is the start, row `classes` means "found" and is never left. */
struct mb_literals {
  uint8_t class_of[256];
  uint32_t classes;
  uint32_t *next;
};

enum { START = 0 };

static uint32_t classify (uint8_t *class_of, const char *const *literals, const size_t *sizes,
                          size_t count) {
  uint32_t classes = 1;
  for (size_t i = 0; i < count; i++) {
    for (size_t j = 0; j < sizes[i]; j++) {
      uint8_t *class = &class_of[(unsigned char)literals[i][j]];
      /* All 256 values in use: the last shares class 0 with nobody. */
      if (*class == 0 && classes < 256) *class = (uint8_t)classes++;
    }
  }
  return classes;
}

/* The trie of the literals; returns how many rows it has. A literal that has another as its beginning adds nothing. */
static uint32_t build_trie (struct mb_literals *set, const char *const *literals,
                            const size_t *sizes, size_t count) {
  const uint32_t classes = set->classes;
  const uint32_t found = classes;
  uint32_t rows = 2;
  for (size_t i = 0; i < count; i++) {
    uint32_t state = START;
    for (size_t j = 0; j < sizes[i] && state != found; j++) {
      uint32_t *to = &set->next[state + set->class_of[(unsigned char)literals[i][j]]];
      if (j + 1 == sizes[i]) {
        *to = found;
      } else if (*to == START) {
        *to = rows++ * classes;
      }
      state = *to;
    }
  }
  return rows;
}

/* Turns the trie into an automaton: each state learns where to go on when its own literal breaks off. */
static int build_automaton (struct mb_literals *set, uint32_t rows) {
  const uint32_t classes = set->classes;
  const uint32_t found = classes;
  uint32_t *queue = calloc(rows, sizeof *queue);
  uint32_t *fallback = calloc(rows, sizeof *fallback);
  size_t head = 0;
  size_t tail = 0;
  if (queue != NULL && fallback != NULL) {
    queue[tail++] = START;
    while (head < tail) {
      uint32_t state = queue[head++];
      uint32_t back = fallback[state / classes];
      for (uint32_t c = 0; c < classes; c++) {
        uint32_t *to = &set->next[state + c];
        uint32_t otherwise = state == START ? START : set->next[back + c];
        if (otherwise == found) *to = found;
        if (*to == START) {
          *to = otherwise;
        } else if (*to != found) {
          fallback[*to / classes] = otherwise;
          queue[tail++] = *to;
        }
      }
    }
    for (uint32_t c = 0; c < classes; c++) set->next[found + c] = found;
  }
  int result = queue != NULL && fallback != NULL ? 0 : -1;
  free(queue);
  free(fallback);
  return result;
}

struct mb_literals *mb_literals_new (const char *const *literals, const size_t *sizes,
                                     size_t count) {
  size_t bytes = 0;
  for (size_t i = 0; i < count; i++) {
    bytes += sizes[i];
    if (sizes[i] == 0 || sizes[i] > MB_LITERALS_BYTES_MAX || bytes > MB_LITERALS_BYTES_MAX) {
      errno = EINVAL;
      return NULL;
    }
  }
  struct mb_literals *set = calloc(1, sizeof *set);
  if (set == NULL) return NULL;
  set->classes = classify(set->class_of, literals, sizes, count);
  set->next = calloc((bytes + 2) * set->classes, sizeof *set->next);
  if (set->next == NULL || build_automaton(set, build_trie(set, literals, sizes, count)) != 0) {
    mb_literals_free(set);
    errno = ENOMEM;
    return NULL;
  }
  return set;
}

void mb_literals_free (struct mb_literals *set) {
  if (set == NULL) return;
  free(set->next);
  free(set);
}

bool mb_literals_occur (const struct mb_literals *set, const char *text, size_t size) {
  const uint8_t *class_of = set->class_of;
  const uint32_t *next = set->next;
  const uint32_t found = set->classes;
  uint32_t state = START;
  /* "Found" is never left, so it need not be looked for at every byte. */
  size_t i = 0;
  for (; size - i >= 8; i += 8) {
    for (size_t j = 0; j < 8; j++) state = next[state + class_of[(unsigned char)text[i + j]]];
    if (state == found) return true;
  }
  for (; i < size; i++) state = next[state + class_of[(unsigned char)text[i]]];
  return state == found;
}

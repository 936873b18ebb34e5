/* The search for a set of literals, against memmem(). Input: literals, each a byte for its length and its bytes, up to
** a length of 0; then the text. */
#include <errno.h>
#include <string.h>

#include "literals.h"
#include "memory_file.h"

enum { LITERALS_MAX = 32 };

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  const char *literals[LITERALS_MAX];
  size_t sizes[LITERALS_MAX];
  size_t count = 0;
  while (size > 0 && count < LITERALS_MAX) {
    size_t length = *data++;
    size--;
    if (length == 0) break;
    if (length > size) length = size;
    literals[count] = (const char *)data;
    sizes[count++] = length;
    data += length;
    size -= length;
  }
  struct mb_literals *set = mb_literals_new(literals, sizes, count);
  if (set == NULL) {
    MUST(errno == EINVAL);
    return 0;
  }
  bool occurs = false;
  for (size_t i = 0; i < count; i++)
    occurs = occurs || memmem(data, size, literals[i], sizes[i]) != NULL;
  MUST(mb_literals_occur(set, (const char *)data, size) == occurs);
  mb_literals_free(set);
  return 0;
}

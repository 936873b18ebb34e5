/* Console bytes to lines: backspaces, carriage returns, escape sequences. Input: a byte for the longest line, a byte for
** the size of chunks, then what the console says. Lines keep to their limit and hold nothing that moves a terminal's
** cursor; each byte has the stamp of a byte that was pushed; how the stream is cut into chunks makes no difference. */
#include <string.h>

#include "lines.h"
#include "memory_file.h"

struct digest { /* of all lines: order and content */
  uint64_t hash;
  size_t lines;
};

static void add (struct digest *digest, const void *data, size_t size) {
  const uint8_t *bytes = data;
  for (size_t i = 0; i < size; i++) digest->hash = (digest->hash ^ bytes[i]) * 1099511628211U;
}

static void check (struct mb_lines *l, const struct mb_text *text, size_t limit, uint64_t pushed) {
  int64_t t_ns;
  uint64_t offset;
  MUST(text->size <= limit);
  for (size_t i = 0; i < text->size; i++) {
    unsigned char byte = (unsigned char)text->data[i];
    MUST(byte == '\t' || (byte >= 0x20 && byte != 0x7f));
    MUST(mb_lines_stamp(l, i, &t_ns, &offset));
    MUST(offset < pushed && t_ns == (int64_t)offset);
  }
  MUST(!mb_lines_stamp(l, text->size, &t_ns, &offset));
}

static struct digest digest_of (const uint8_t *data, size_t size, size_t limit, size_t step) {
  struct digest digest = {.hash = 14695981039346656037U};
  struct mb_text text;
  struct mb_lines *l = mb_lines_new(limit);
  MUST(l != NULL);
  for (size_t at = 0; at < size;) {
    /* Each byte has a time of its own, its position. */
    for (size_t end = size - at < step ? size : at + step; at < end; at++)
      MUST(mb_lines_push(l, data + at, 1, (int64_t)at) == 0);
    while (mb_lines_next(l, &text)) {
      check(l, &text, limit, at);
      add(&digest, text.data, text.size);
      add(&digest, "\n", 1);
      MUST(text.number == ++digest.lines);
    }
  }
  mb_lines_partial(l, &text);
  check(l, &text, limit, size);
  add(&digest, text.data, text.size);
  mb_lines_free(l);
  return digest;
}

/* As one push, which is how most of it comes in use. */
static struct digest digest_at_once (const uint8_t *data, size_t size, size_t limit) {
  struct digest digest = {.hash = 14695981039346656037U};
  struct mb_text text;
  struct mb_lines *l = mb_lines_new(limit);
  MUST(l != NULL && mb_lines_push(l, data, size, 0) == 0);
  while (mb_lines_next(l, &text)) {
    add(&digest, text.data, text.size);
    add(&digest, "\n", 1);
    digest.lines++;
  }
  mb_lines_partial(l, &text);
  add(&digest, text.data, text.size);
  mb_lines_free(l);
  return digest;
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  if (size < 2) return 0;
  size_t limit = 1 + data[0];
  size_t step = 1 + data[1];
  struct digest bytewise = digest_of(data + 2, size - 2, limit, 1);
  struct digest chunked = digest_of(data + 2, size - 2, limit, step);
  struct digest whole = digest_at_once(data + 2, size - 2, limit);
  MUST(bytewise.hash == chunked.hash && bytewise.lines == chunked.lines);
  MUST(bytewise.hash == whole.hash && bytewise.lines == whole.lines);
  return 0;
}

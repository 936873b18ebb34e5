#include "lines.h"

#include <stdlib.h>
#include <string.h>

/* An escape sequence that has not ended after so many bytes never was one. */
#define CSI_BYTES_MAX 64
#define STRING_BYTES_MAX 4096

/* A terminal's cursor stops at its right margin. Without one, a few bytes could ask for kilobytes of blanks. */
#define COLUMN_MAX 256

/* Bytes of a line, from `column` to the next span, that came in one piece: cell i came at t_ns and stands at
** offset + step * (i - column) in the raw stream. step is 0 for blanks that one byte made. */
struct span {
  uint32_t column;
  uint32_t step;
  int64_t t_ns;
  uint64_t offset;
};

#define NOWHERE UINT64_MAX

struct line {
  size_t text, size; /* in the text arena */
  size_t span, span_count;
  uint64_t number;
};

enum state { GROUND, ESCAPE, ESCAPE_INTERMEDIATE, CSI, CSI_IGNORE, STRING, STRING_ESCAPE };

struct mb_lines {
  size_t limit;
  /* One arena for the texts and one for the spans of all lines not yet taken. The open line is at their end. */
  char *text;
  size_t text_size, text_capacity;
  struct span *spans;
  size_t span_size, span_capacity;
  struct line *queue;
  size_t queue_head, queue_size, queue_capacity;
  struct line open;
  size_t column;
  bool dense; /* the open line has a span for each byte, so that any of them can be overwritten */
  int64_t tail_t_ns; /* bytes that came then and stand there go on with the open line's last span */
  uint64_t tail_offset;
  struct line current;
  uint64_t offset; /* raw bytes taken so far */
  int64_t t_ns;    /* of the chunk being taken */
  enum state state;
  unsigned escape_bytes;
  unsigned parameter; /* the first one of a CSI sequence */
  bool in_parameter;  /* still reading it */
};

struct mb_lines *mb_lines_new (size_t limit_bytes) {
  struct mb_lines *l = calloc(1, sizeof *l);
  if (l == NULL) return NULL;
  l->limit = limit_bytes;
  l->open.number = 1;
  return l;
}

void mb_lines_free (struct mb_lines *l) {
  if (l == NULL) return;
  free(l->text);
  free(l->spans);
  free(l->queue);
  free(l);
}

/* `array` with room for `more` elements after `size`, or NULL without memory. */
static void *reserve (void *array, size_t *capacity, size_t size, size_t more, size_t element) {
  size_t want = *capacity * 2;
  if (want < size + more) want = size + more;
  if (want < 64) want = 64;
  void *grown = realloc(array, want * element);
  if (grown != NULL) *capacity = want;
  return grown;
}

static int reserve_text (struct mb_lines *l, size_t more) {
  if (l->text != NULL && more <= l->text_capacity - l->text_size) return 0;
  char *grown = reserve(l->text, &l->text_capacity, l->text_size, more, 1);
  if (grown == NULL) return -1;
  l->text = grown;
  return 0;
}

static int reserve_spans (struct mb_lines *l, size_t more) {
  if (l->spans != NULL && more <= l->span_capacity - l->span_size) return 0;
  struct span *grown = reserve(l->spans, &l->span_capacity, l->span_size, more, sizeof *grown);
  if (grown == NULL) return -1;
  l->spans = grown;
  return 0;
}

static int reserve_queue (struct mb_lines *l) {
  if (l->queue_size < l->queue_capacity) return 0;
  struct line *grown = reserve(l->queue, &l->queue_capacity, l->queue_size, 1, sizeof *grown);
  if (grown == NULL) return -1;
  l->queue = grown;
  return 0;
}

/* The span of cell i. */
static const struct span *find_span (const struct mb_lines *l, const struct line *line, size_t i) {
  const struct span *spans = l->spans + line->span;
  size_t low = 0;
  size_t high = line->span_count;
  while (high - low > 1) {
    size_t middle = low + (high - low) / 2;
    if (spans[middle].column <= i) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return &spans[low];
}

static uint64_t cell_offset (const struct span *s, size_t i) {
  return s->offset + s->step * (uint64_t)(i - s->column);
}

/* Gives each cell of the open line a span of its own. */
static int make_dense (struct mb_lines *l) {
  struct line *open = &l->open;
  if (l->dense) return 0;
  if (reserve_spans(l, open->size - open->span_count) != 0) return -1;
  struct span *spans = l->spans + open->span;
  /* From the end, so that a span is read before its place is written. */
  size_t from = open->span_count;
  for (size_t i = open->size; i-- > 0;) {
    while (spans[from - 1].column > i) from--;
    const struct span s = spans[from - 1];
    spans[i] = (struct span){(uint32_t)i, s.step, s.t_ns, cell_offset(&s, i)};
  }
  open->span_count = open->size;
  l->span_size = open->span + open->span_count;
  l->dense = true;
  return 0;
}

/* n bytes of data, or n blanks. */
static void write_cells (char *to, const char *data, size_t n) {
  if (data != NULL) {
    memcpy(to, data, n);
  } else {
    memset(to, ' ', n);
  }
}

/* Adds n bytes (blanks if NULL) to the end of the open line. */
static int append (struct mb_lines *l, const char *data, size_t n, uint64_t offset, unsigned step) {
  struct line *open = &l->open;
  if (reserve_text(l, n) != 0 || reserve_spans(l, l->dense ? n : 1) != 0) return -1;
  write_cells(l->text + l->text_size, data, n);
  struct span *spans = l->spans + open->span;
  if (l->dense) {
    for (size_t i = 0; i < n; i++) {
      uint32_t column = (uint32_t)(open->size + i);
      spans[open->span_count++] = (struct span){column, step, l->t_ns, offset + step * i};
    }
  } else {
    bool goes_on =
        open->span_count > 0 && step == 1 && l->tail_offset == offset && l->tail_t_ns == l->t_ns;
    if (!goes_on) {
      spans[open->span_count++] = (struct span){(uint32_t)open->size, step, l->t_ns, offset};
    }
  }
  l->tail_t_ns = l->t_ns;
  l->tail_offset = step == 1 ? offset + n : NOWHERE;
  open->size += n;
  l->text_size += n;
  l->span_size = open->span + open->span_count;
  return 0;
}

static int overwrite (struct mb_lines *l, const char *data, size_t n, uint64_t offset,
                      unsigned step) {
  if (make_dense(l) != 0) return -1;
  char *text = l->text + l->open.text + l->column;
  struct span *spans = l->spans + l->open.span + l->column;
  write_cells(text, data, n);
  for (size_t i = 0; i < n; i++) {
    spans[i].step = step;
    spans[i].t_ns = l->t_ns;
    spans[i].offset = offset + step * i;
  }
  return 0;
}

static void open_line (struct mb_lines *l, uint64_t number) {
  l->open = (struct line){l->text_size, 0, l->span_size, 0, number};
  l->column = 0;
  l->dense = false;
}

static int end_line (struct mb_lines *l) {
  if (reserve_queue(l) != 0) return -1;
  l->queue[l->queue_size++] = l->open;
  open_line(l, l->open.number + 1);
  return 0;
}

/* Writes n printable bytes, whose first stands at `offset`, where the cursor is. */
static int put (struct mb_lines *l, const char *data, size_t n, uint64_t offset) {
  while (n > 0) {
    if (l->column >= l->limit && end_line(l) != 0) return -1;
    size_t size = l->open.size;
    if (l->column > size && append(l, NULL, l->column - size, offset, 0) != 0) return -1;
    size = l->open.size;
    size_t room = l->column < size ? size - l->column : l->limit - l->column;
    size_t part = n < room ? n : room;
    if (l->column < size) {
      if (overwrite(l, data, part, offset, 1) != 0) return -1;
    } else if (append(l, data, part, offset, 1) != 0) {
      return -1;
    }
    l->column += part;
    data += part;
    offset += part;
    n -= part;
  }
  return 0;
}

/* Cuts the open line after `size` cells. */
static void truncate_line (struct mb_lines *l, size_t size) {
  struct line *open = &l->open;
  if (size >= open->size) return;
  const struct span *spans = l->spans + open->span;
  open->size = size;
  while (open->span_count > 0 && spans[open->span_count - 1].column >= size) open->span_count--;
  l->text_size = open->text + size;
  l->span_size = open->span + open->span_count;
  l->tail_offset = NOWHERE;
  if (size == 0) l->dense = false;
}

static int erase_in_line (struct mb_lines *l, unsigned what, uint64_t offset) {
  if (what == 0) truncate_line(l, l->column);
  if (what == 2) truncate_line(l, 0);
  if (what != 1 || l->open.size == 0) return 0;
  size_t keep = l->column;
  size_t n = keep < l->open.size ? keep + 1 : l->open.size;
  l->column = 0;
  int result = overwrite(l, NULL, n, offset, 0);
  l->column = keep;
  return result;
}

static void move_to (struct mb_lines *l, size_t column) {
  size_t most = l->limit < COLUMN_MAX ? l->limit : COLUMN_MAX;
  if (column > l->column && column > most) column = most > l->column ? most : l->column;
  l->column = column;
}

static int end_line_with_text (struct mb_lines *l) {
  if (l->open.size > 0) return end_line(l);
  l->column = 0;
  return 0;
}

static int do_csi (struct mb_lines *l, unsigned char final, uint64_t offset) {
  size_t count = l->parameter > 0 ? l->parameter : 1;
  if (strchr("ABEFHJdf", final) != NULL) return end_line_with_text(l);
  if (final == 'K') return erase_in_line(l, l->parameter, offset);
  if (final == 'C') move_to(l, l->column + count);
  if (final == 'D') move_to(l, count < l->column ? l->column - count : 0);
  if (final == 'G') move_to(l, count - 1);
  return 0;
}

static int do_control (struct mb_lines *l, unsigned char c) {
  if (c == '\n') return end_line(l);
  if (c == '\r') l->column = 0;
  if (c == '\b' && l->column > 0) l->column--;
  if (c == 0x1b) {
    l->state = ESCAPE;
    l->escape_bytes = 0;
  }
  return 0;
}

/* The byte after ESC. */
static int do_escape (struct mb_lines *l, unsigned char c) {
  l->state = GROUND;
  if (c == '[') {
    l->state = CSI;
    l->parameter = 0;
    l->in_parameter = true;
  } else if (strchr("]PX^_", c) != NULL) {
    l->state = STRING;
  } else if (strchr("cDEM", c) != NULL) {
    return end_line_with_text(l);
  } else if (c < 0x30) {
    l->state = ESCAPE_INTERMEDIATE;
  }
  return 0;
}

static int do_csi_byte (struct mb_lines *l, unsigned char c, uint64_t offset) {
  if (c >= 0x40) {
    bool known = l->state == CSI;
    l->state = GROUND;
    return known ? do_csi(l, c, offset) : 0;
  }
  if (c < 0x30 || c >= 0x3c) {
    l->state = CSI_IGNORE; /* a private or intermediate byte: no sequence that counts here */
  } else if (c >= 0x3a) {
    l->in_parameter = false;
  } else if (l->in_parameter && l->parameter < MB_LINES_LIMIT_MAX) {
    l->parameter = l->parameter * 10 + (c - '0');
  }
  return 0;
}

/* A byte of a control string (OSC, DCS, …). */
static void do_string_byte (struct mb_lines *l, unsigned char c) {
  if (c == 0x07 || (l->state == STRING_ESCAPE && c == '\\')) {
    l->state = GROUND;
  } else {
    l->state = c == 0x1b ? STRING_ESCAPE : STRING;
  }
}

/* A byte inside an escape sequence. */
static int do_sequence_byte (struct mb_lines *l, unsigned char c, uint64_t offset) {
  /* ESC and anything but a terminator end a string and begin another sequence. */
  if (l->state == STRING_ESCAPE && c != '\\' && c != 0x1b) {
    l->state = ESCAPE;
    l->escape_bytes = 0;
  }
  bool in_string = l->state == STRING || l->state == STRING_ESCAPE;
  /* A newline ends what nobody closed: better a stray sequence than a lost line. CAN and SUB end any sequence. */
  if (c == '\n' || c == 0x18 || c == 0x1a ||
      ++l->escape_bytes > (in_string ? STRING_BYTES_MAX : CSI_BYTES_MAX)) {
    l->state = GROUND;
    return c < 0x20 ? do_control(l, c) : 0;
  }
  if (in_string) {
    do_string_byte(l, c);
    return 0;
  }
  if (c < 0x20) return do_control(l, c); /* others act inside a sequence, too */
  if (c == 0x7f) return 0;
  if (c > 0x7f) { /* text: no sequence holds such a byte */
    l->state = GROUND;
    return put(l, (const char *)&c, 1, offset);
  }
  if (l->state == ESCAPE) return do_escape(l, c);
  if (l->state != ESCAPE_INTERMEDIATE) return do_csi_byte(l, c, offset);
  if (c >= 0x30) l->state = GROUND;
  return 0;
}

/* How many of the first bytes are plain text. */
static size_t plain_run (const unsigned char *s, size_t n) {
  const uint64_t ones = UINT64_C(0x0101010101010101);
  const uint64_t highs = ones * 0x80;
  size_t i = 0;
  for (;;) {
    /* Eight at a time while none is below 0x20 or is DEL. */
    for (; n - i >= 8; i += 8) {
      uint64_t x;
      memcpy(&x, s + i, 8);
      uint64_t del = x ^ ones * 0x7f;
      if ((((x - ones * 0x20) & ~x) | ((del - ones) & ~del)) & highs) break;
    }
    size_t stop = n - i < 8 ? n : i + 8;
    while (i < stop && ((s[i] >= 0x20 && s[i] != 0x7f) || s[i] == '\t')) i++;
    if (i < stop || i == n) return i;
  }
}

/* Drops the lines that were taken, once they are at least half of all: each move pays for itself. */
static void reclaim (struct mb_lines *l) {
  size_t head = l->queue_head;
  if (head == 0 || head < l->queue_size - head) return;
  const struct line *first = head < l->queue_size ? &l->queue[head] : &l->open;
  size_t text = first->text;
  size_t span = first->span;
  l->text_size -= text;
  l->span_size -= span;
  l->queue_size -= head;
  l->queue_head = 0;
  if (l->text_size > 0) {
    memmove(l->text, l->text + text, l->text_size);
    memmove(l->spans, l->spans + span, l->span_size * sizeof *l->spans);
  }
  if (l->queue_size > 0) memmove(l->queue, l->queue + head, l->queue_size * sizeof *l->queue);
  for (size_t i = 0; i < l->queue_size; i++) {
    l->queue[i].text -= text;
    l->queue[i].span -= span;
  }
  l->open.text -= text;
  l->open.span -= span;
}

int mb_lines_push (struct mb_lines *l, const void *data, size_t size, int64_t t_ns) {
  const unsigned char *s = data;
  uint64_t base = l->offset;
  reclaim(l);
  l->current.span_count = 0;
  l->t_ns = t_ns;
  l->offset += size;
  size_t i = 0;
  while (i < size) {
    int failed;
    if (l->state != GROUND) {
      failed = do_sequence_byte(l, s[i], base + i);
      i++;
    } else {
      size_t run = plain_run(s + i, size - i);
      failed = run > 0 && put(l, (const char *)s + i, run, base + i);
      i += run;
      if (!failed && i < size) failed = do_control(l, s[i++]);
    }
    if (failed) return -1;
  }
  return 0;
}

static void show (struct mb_lines *l, const struct line *line, struct mb_text *text) {
  l->current = *line;
  text->data = line->size > 0 ? l->text + line->text : "";
  text->size = line->size;
  text->number = line->number;
}

bool mb_lines_next (struct mb_lines *l, struct mb_text *text) {
  if (l->queue_head == l->queue_size) return false;
  show(l, &l->queue[l->queue_head++], text);
  return true;
}

void mb_lines_partial (struct mb_lines *l, struct mb_text *text) {
  show(l, &l->open, text);
}

bool mb_lines_stamp (const struct mb_lines *l, size_t i, int64_t *t_ns, uint64_t *offset) {
  if (l->current.span_count == 0 || i >= l->current.size) return false;
  const struct span *s = find_span(l, &l->current, i);
  *t_ns = s->t_ns;
  *offset = cell_offset(s, i);
  return true;
}

size_t mb_lines_stamps (const struct mb_lines *l, int64_t *times_ns, size_t room) {
  const struct line *line = &l->current;
  if (line->span_count == 0) return 0;
  const struct span *spans = l->spans + line->span;
  size_t n = room < line->size ? room : line->size;
  for (size_t i = 0, s = 0; i < n; i++) {
    while (s + 1 < line->span_count && spans[s + 1].column <= i) s++;
    times_ns[i] = spans[s].t_ns;
  }
  return line->size;
}

/* Console bytes to stamped lines.
**
** Raw bytes go in chunk by chunk, however a console delivered them; lines of text come out, with what a
** terminal does inside one line already done: \b moves left (and stops at column 0), \r moves to column 0,
** what is written there overwrites. Of the escape sequences, erasing in the line (CSI K) and moving in it
** (CSI C, D, G) are obeyed; those that leave the line (CSI A B E F H J d f, ESC c D E M) end it if it has
** text; all others are dropped, as are NUL, DEL and the other control characters but tab. A sequence may
** be cut anywhere by the end of a chunk. Bytes that are not valid UTF-8 stay as they are.
**
** Each byte of a line remembers when it came and where it stood in the raw stream.
**
** Memory is bounded by what is pushed before the lines are taken: a line is at most limit_bytes long (a longer
** one comes in pieces), an escape sequence that does not end is given up, the cursor moves at most to column 256.
** One thread at a time. Failure (only: no memory) is -1 and errno. */

#ifndef MB_LINES_H
#define MB_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The time of bytes that came without one. */
#define MB_TIME_UNKNOWN INT64_MIN

#define MB_LINES_LIMIT_DEFAULT 8192u
#define MB_LINES_LIMIT_MAX (1u << 20)

struct mb_lines;

/* A line of text. It belongs to the mb_lines and holds until the next push. */
struct mb_text {
  const char *data; /* not terminated; may hold any byte but control characters other than tab */
  size_t size;
  uint64_t number; /* 1 for the first line of the stream */
};

/* limit_bytes: 1 to MB_LINES_LIMIT_MAX. NULL: no memory. */
struct mb_lines *mb_lines_new (size_t limit_bytes);

void mb_lines_free (struct mb_lines *l);

/* Takes a chunk that came at t_ns (or MB_TIME_UNKNOWN). 0, or -1 without memory: the rest of the chunk is lost. */
int mb_lines_push (struct mb_lines *l, const void *data, size_t size, int64_t t_ns);

/* The oldest complete line not taken yet. False: there is none. */
bool mb_lines_next (struct mb_lines *l, struct mb_text *text);

/* The line that has not ended yet; may be empty. */
void mb_lines_partial (struct mb_lines *l, struct mb_text *text);

/* When byte i (from 0) of the text last returned by next or partial came, and its position in the raw
** stream (from 0). False: no such byte, or a push came in between. */
bool mb_lines_stamp (const struct mb_lines *l, size_t i, int64_t *t_ns, uint64_t *offset);

/* When the first `room` bytes of that text came, into times_ns. How many bytes it has. */
size_t mb_lines_stamps (const struct mb_lines *l, int64_t *times_ns, size_t room);

#endif

/* Reads a capture back: X.log, the exact bytes of a console, with X.timing, a line "SECONDS BYTES" for each chunk
** of them (the classic format of script(1) and scriptreplay(1)): the chunk came SECONDS after the one before, the
** first one after t0. Any number of decimals will do; those after the ninth do not count.
**
** Log and timing may disagree, as when a recording was cut short: the bytes that the timing does not tell of come
** last, with MB_TIME_UNKNOWN, and the stats say so. Without a timing file that is true of all bytes.
**
** Streams: memory does not grow with the files. One thread at a time. */

#ifndef MB_CAPTURE_H
#define MB_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct mb_capture;

struct mb_capture_stats {
  uint64_t bytes;         /* read so far */
  uint64_t chunks;        /* read so far; one that was delivered in pieces counts once */
  uint64_t untimed_bytes; /* of these bytes, those with no time */
  int64_t first_ns;       /* MB_TIME_UNKNOWN before the first byte that has a time */
  int64_t last_ns;
  const char *mismatch; /* how log and timing disagree, if they were seen to; the capture owns it */
};

/* timing_path: NULL for none. NULL and *err on failure. */
struct mb_capture *mb_capture_open (const char *log_path, const char *timing_path,
                                    struct mb_error *err);

void mb_capture_close (struct mb_capture *c);

/* The next bytes that came at one time, relative to t0. They hold until the next call. 1, 0 at the end, or -1 and
** *err (EINVAL for a bad timing file, with its line), from then on. */
int mb_capture_read (struct mb_capture *c, const char **data, size_t *size, int64_t *t_ns,
                     struct mb_error *err);

/* When the bytes that the next read gives came. As mb_capture_read(), but moves nothing. */
int mb_capture_peek (struct mb_capture *c, int64_t *t_ns, struct mb_error *err);

bool mb_capture_timed (const struct mb_capture *c);

void mb_capture_stats (const struct mb_capture *c, struct mb_capture_stats *stats);

#endif

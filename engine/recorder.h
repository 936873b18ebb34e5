/* A recorder writes the two files of a capture: X.log, the exact bytes, and X.timing, util-linux's
** classic format, a line "SECONDS BYTES" per instant at which bytes came: seconds since the line
** before (the first: since t0) with six decimals. Each delta is taken between absolute times that
** were rounded to the microsecond, so that their sum does not drift; bytes of the same microsecond
** share a line.
**
** Bytes gather in memory until a flush. After a failed write nothing more is written, and the first
** failure is kept. One thread at a time. Times are CLOCK_MONOTONIC nanoseconds. */
#ifndef MB_RECORDER_H
#define MB_RECORDER_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct mb_recorder;

/* Creates or truncates; either path may be NULL. NULL and *err on failure. */
struct mb_recorder *mb_recorder_open (const char *log, const char *timing, struct mb_error *err);
/* Flushes and closes. */
void mb_recorder_close (struct mb_recorder *recorder);

void mb_recorder_start (struct mb_recorder *recorder, int64_t t0_ns);
void mb_recorder_add (struct mb_recorder *recorder, int64_t t_ns, const char *data, size_t n);
void mb_recorder_flush (struct mb_recorder *recorder);

/* Notes a failure found elsewhere (text, then strerror(code)), unless there is one already; writing
** goes on. */
void mb_recorder_fail (struct mb_recorder *recorder, int code, const char *text);

/* The first failure; code 0: none. */
const struct mb_error *mb_recorder_error (const struct mb_recorder *recorder);

#endif

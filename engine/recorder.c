#include "recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

enum {
  BUFFER_BYTES = 64 * 1024,
  TIMING_LINE_MAX = 48 /* two 64-bit numbers, a point, a space, a newline */
};

struct out {
  int fd;           /* -1: not asked for */
  const char *path; /* a copy, for messages */
  size_t used;
  char buffer[BUFFER_BYTES];
};

struct mb_recorder {
  struct out log, timing;
  int64_t t0_ns;
  int64_t written_us;   /* the time of the last line, since t0, as a reader adds it up */
  int64_t pending_us;   /* of the bytes that have no line yet */
  size_t pending_bytes; /* 0: there are none */
  bool broken;          /* a write failed */
  struct mb_error error;
};

/* Both files stop at a failure of one: neither shall tell of bytes that the other lacks. */
static void out_flush (struct mb_recorder *recorder, struct out *out) {
  size_t done = 0;
  while (done < out->used && !recorder->broken) {
    ssize_t n = write(out->fd, out->buffer + done, out->used - done);
    if (n >= 0) {
      done += (size_t)n;
    } else if (errno != EINTR) {
      recorder->broken = true;
      mb_error_set(&recorder->error, errno, "%s: cannot be written: ", out->path);
    }
  }
  out->used = 0;
}

static void out_add (struct mb_recorder *recorder, struct out *out, const char *data, size_t n) {
  if (out->fd < 0) return;
  while (n > 0) {
    if (out->used == BUFFER_BYTES) out_flush(recorder, out);
    size_t part = BUFFER_BYTES - out->used < n ? BUFFER_BYTES - out->used : n;
    memcpy(out->buffer + out->used, data, part);
    out->used += part;
    data += part;
    n -= part;
  }
}

static int out_open (struct out *out, const char *path, struct mb_error *err) {
  out->fd = -1;
  out->used = 0;
  out->path = NULL;
  if (path == NULL) return 0;
  out->path = strdup(path);
  if (out->path == NULL) return mb_error_set(err, ENOMEM, "%s: ", path);
  out->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0600);
  if (out->fd < 0) return mb_error_set(err, errno, "%s: cannot be created: ", path);
  return 0;
}

static void out_close (struct mb_recorder *recorder, struct out *out) {
  out_flush(recorder, out);
  if (out->fd >= 0) close(out->fd);
  free((char *)out->path);
}

struct mb_recorder *mb_recorder_open (const char *log, const char *timing, struct mb_error *err) {
  struct mb_recorder *recorder = malloc(sizeof *recorder);
  if (recorder == NULL) {
    mb_error_set(err, ENOMEM, "capture: ");
    return NULL;
  }
  recorder->t0_ns = recorder->written_us = recorder->pending_us = 0;
  recorder->pending_bytes = 0;
  recorder->broken = false;
  recorder->error.code = 0;
  recorder->timing.fd = -1;
  recorder->timing.path = NULL;
  recorder->timing.used = 0;
  if (out_open(&recorder->log, log, err) == 0 && out_open(&recorder->timing, timing, err) == 0)
    return recorder;
  mb_recorder_close(recorder);
  return NULL;
}

/* Digits from the right, into the end of a buffer: printf would cost more than all the rest. */
static char *prepend (char *end, uint64_t value, int digits) {
  for (int i = 0; i < digits || value > 0; i++, value /= 10) *--end = (char)('0' + value % 10);
  return end;
}

static void write_line (struct mb_recorder *recorder) {
  if (recorder->pending_bytes == 0) return;
  uint64_t delta_us = (uint64_t)(recorder->pending_us - recorder->written_us);
  char line[TIMING_LINE_MAX];
  char *end = line + sizeof line;
  char *at = end;
  *--at = '\n';
  at = prepend(at, recorder->pending_bytes, 1);
  *--at = ' ';
  at = prepend(at, delta_us % 1000000, 6);
  *--at = '.';
  at = prepend(at, delta_us / 1000000, 1);
  out_add(recorder, &recorder->timing, at, (size_t)(end - at));
  recorder->written_us = recorder->pending_us;
  recorder->pending_bytes = 0;
}

void mb_recorder_start (struct mb_recorder *recorder, int64_t t0_ns) {
  recorder->t0_ns = t0_ns;
}

void mb_recorder_add (struct mb_recorder *recorder, int64_t t_ns, const char *data, size_t n) {
  out_add(recorder, &recorder->log, data, n);
  int64_t since_ns = t_ns - recorder->t0_ns;
  int64_t us = since_ns > 0 ? (since_ns + MB_NS_PER_US / 2) / MB_NS_PER_US : 0;
  if (us > recorder->pending_us) { /* an earlier stamp than the last counts as the same instant */
    write_line(recorder);
    recorder->pending_us = us;
  }
  recorder->pending_bytes += n;
}

void mb_recorder_flush (struct mb_recorder *recorder) {
  write_line(recorder);
  out_flush(recorder, &recorder->log);
  out_flush(recorder, &recorder->timing);
}

void mb_recorder_close (struct mb_recorder *recorder) {
  if (recorder == NULL) return;
  mb_recorder_flush(recorder);
  out_close(recorder, &recorder->log);
  out_close(recorder, &recorder->timing);
  free(recorder);
}

void mb_recorder_fail (struct mb_recorder *recorder, int code, const char *text) {
  if (recorder->error.code == 0) mb_error_set(&recorder->error, code, "%s: ", text);
}

const struct mb_error *mb_recorder_error (const struct mb_recorder *recorder) {
  return &recorder->error;
}

#include "capture.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lines.h"

#define LOG_BUFFER_BYTES 65536

/* A line of a timing file is far shorter. */
#define TIMING_LINE_BYTES 128

struct mb_capture {
  FILE *log;
  FILE *timing; /* NULL: none, or at its end */
  char *log_path;
  char *timing_path; /* NULL: none */
  uint64_t timing_line;
  uint64_t due; /* bytes of the present chunk not delivered yet */
  int64_t t_ns; /* when the present chunk came */
  bool log_ended;
  struct mb_error failure; /* once it is set every read fails */
  struct mb_capture_stats stats;
  char mismatch[256];
  char buffer[LOG_BUFFER_BYTES];
  size_t buffer_head, buffer_size;
};

static FILE *open_file (const char *path, struct mb_error *err) {
  FILE *f = fopen(path, "rbe");
  if (f == NULL) mb_error_set(err, errno, "%s: ", path);
  return f;
}

struct mb_capture *mb_capture_open (const char *log_path, const char *timing_path,
                                    struct mb_error *err) {
  struct mb_capture *c = calloc(1, sizeof *c);
  if (c == NULL) {
    mb_error_set(err, ENOMEM, "%s: ", log_path);
    return NULL;
  }
  c->stats.first_ns = c->stats.last_ns = MB_TIME_UNKNOWN;
  c->log_path = strdup(log_path);
  c->timing_path = timing_path != NULL ? strdup(timing_path) : NULL;
  if (c->log_path == NULL || (timing_path != NULL && c->timing_path == NULL)) {
    mb_error_set(err, ENOMEM, "%s: ", log_path);
  } else {
    c->log = open_file(log_path, err);
    if (c->log != NULL && timing_path != NULL) c->timing = open_file(timing_path, err);
  }
  if (c->log == NULL || (timing_path != NULL && c->timing == NULL)) {
    mb_capture_close(c);
    return NULL;
  }
  setvbuf(c->log, NULL, _IONBF, 0); /* it has a buffer here */
  return c;
}

void mb_capture_close (struct mb_capture *c) {
  if (c == NULL) return;
  if (c->log != NULL) fclose(c->log);
  if (c->timing != NULL) fclose(c->timing);
  free(c->log_path);
  free(c->timing_path);
  free(c);
}

/* Digits as a number; false if there is none or it is above `most`. */
static bool read_digits (const char **s, uint64_t most, uint64_t *value) {
  const char *p = *s;
  *value = 0;
  for (; *p >= '0' && *p <= '9'; p++) {
    unsigned digit = (unsigned)(*p - '0');
    if (*value > (most - digit) / 10) return false;
    *value = *value * 10 + digit;
  }
  bool some = p > *s;
  *s = p;
  return some;
}

/* "SECONDS BYTES", with or without decimals, up to the end of the line (which the last one may lack). */
static bool parse_timing (const char *s, bool last, int64_t *delta_ns, uint64_t *bytes) {
  uint64_t seconds;
  uint64_t fraction_ns = 0;
  if (!read_digits(&s, INT64_MAX / 1000000000 - 1, &seconds)) return false;
  if (*s == '.') {
    s++;
    if (*s < '0' || *s > '9') return false;
    for (uint64_t unit_ns = 100000000; *s >= '0' && *s <= '9'; s++, unit_ns /= 10) {
      fraction_ns += unit_ns * (uint64_t)(*s - '0');
    }
  }
  if (*s != ' ' && *s != '\t') return false;
  while (*s == ' ' || *s == '\t') s++;
  if (!read_digits(&s, INT64_MAX, bytes)) return false;
  while (*s == ' ' || *s == '\t' || *s == '\r') s++;
  *delta_ns = (int64_t)(seconds * 1000000000 + fraction_ns);
  return *s == '\n' || (last && *s == '\0');
}

static void note_mismatch (struct mb_capture *c, const char *what) {
  if (c->stats.mismatch != NULL) return;
  snprintf(c->mismatch, sizeof c->mismatch, "%s: %s", c->timing_path, what);
  c->stats.mismatch = c->mismatch;
}

static void end_timing (struct mb_capture *c) {
  fclose(c->timing);
  c->timing = NULL;
}

/* Reads the timing on to the next chunk that has bytes. 0 also at its end: then c->timing is NULL. */
static int next_chunk (struct mb_capture *c, struct mb_error *err) {
  while (c->due == 0 && c->timing != NULL) {
    char line[TIMING_LINE_BYTES];
    if (fgets(line, sizeof line, c->timing) == NULL) {
      if (ferror(c->timing)) return mb_error_set(err, errno, "%s: ", c->timing_path);
      end_timing(c);
      return 0;
    }
    c->timing_line++;
    bool last = feof(c->timing) != 0; /* only an unfinished line meets the end of the file */
    int64_t delta_ns;
    if (!parse_timing(line, last, &delta_ns, &c->due) || delta_ns > INT64_MAX - c->t_ns) {
      c->due = 0;
      if (last) {
        note_mismatch(c, "its last line is cut short");
        end_timing(c);
        return 0;
      }
      return mb_error_set(err, EINVAL, "%s:%" PRIu64 ": expected \"SECONDS BYTES\"", c->timing_path,
                          c->timing_line);
    }
    c->t_ns += delta_ns;
    if (c->due > 0) c->stats.chunks++;
  }
  return 0;
}

static int fill_buffer (struct mb_capture *c, struct mb_error *err) {
  if (c->buffer_head < c->buffer_size || c->log_ended) return 0;
  c->buffer_head = 0;
  c->buffer_size = fread(c->buffer, 1, sizeof c->buffer, c->log);
  if (c->buffer_size > 0) return 0;
  if (ferror(c->log)) return mb_error_set(err, errno, "%s: ", c->log_path);
  c->log_ended = true;
  return 0;
}

int mb_capture_peek (struct mb_capture *c, int64_t *t_ns, struct mb_error *err) {
  if (c->failure.code != 0 || next_chunk(c, &c->failure) != 0 || fill_buffer(c, &c->failure) != 0) {
    *err = c->failure;
    return -1;
  }
  if (c->buffer_head == c->buffer_size) {
    if (c->due > 0) note_mismatch(c, "tells of more bytes than the log has");
    return 0;
  }
  *t_ns = c->due > 0 ? c->t_ns : MB_TIME_UNKNOWN;
  return 1;
}

int mb_capture_read (struct mb_capture *c, const char **data, size_t *size, int64_t *t_ns,
                     struct mb_error *err) {
  int status = mb_capture_peek(c, t_ns, err);
  if (status <= 0) return status;
  size_t there = c->buffer_size - c->buffer_head;
  bool timed = *t_ns != MB_TIME_UNKNOWN;
  if (!timed && c->timing_path != NULL) {
    note_mismatch(c, "tells of fewer bytes than the log has; the rest have no times");
  }
  *data = c->buffer + c->buffer_head;
  *size = timed && c->due < there ? (size_t)c->due : there;
  c->buffer_head += *size;
  c->stats.bytes += *size;
  if (timed) {
    c->due -= *size;
    c->stats.last_ns = c->t_ns;
    if (c->stats.first_ns == MB_TIME_UNKNOWN) c->stats.first_ns = c->t_ns;
  } else {
    c->stats.untimed_bytes += *size;
    c->stats.chunks++;
  }
  return 1;
}

bool mb_capture_timed (const struct mb_capture *c) {
  return c->timing_path != NULL;
}

void mb_capture_stats (const struct mb_capture *c, struct mb_capture_stats *stats) {
  *stats = c->stats;
}

/* A console with a guest's end to speak into, for tests. */
#ifndef MB_TESTS_LINE_H
#define MB_TESTS_LINE_H

#include "support.h"

#include <sys/socket.h>

#include "console.h"

#define AMPLE_NS (60 * MB_NS_PER_S)

struct line {
  char *directory, *log, *timing;
  struct mb_console *console;
  int far; /* the guest's end, a copy: close it to end the line */
};

static inline void open_line (struct line *line, struct mb_console_options options) {
  options.log = line->log;
  options.timing = line->timing;
  mb_console_close(line->console);
  if (line->far >= 0) close(line->far);
  struct mb_error err = {0};
  line->console = mb_console_open(&options, &err);
  assert_string_equal(err.text, "");
  assert_non_null(line->console);
  line->far = dup(mb_console_guest_fd(line->console));
  assert_true(line->far >= 0);
  mb_console_handover(line->console);
  assert_int_equal(mb_console_guest_fd(line->console), -1);
}

static inline int set_up (void **state) {
  struct line *line = calloc(1, sizeof *line);
  line->directory = make_directory();
  line->log = path_in(line->directory, "x.log");
  line->timing = path_in(line->directory, "x.timing");
  line->far = -1;
  open_line(line, (struct mb_console_options){0});
  *state = line;
  return 0;
}

static inline void hang_up (struct line *line) {
  close(line->far);
  line->far = -1;
}

static inline int tear_down (void **state) {
  struct line *line = *state;
  if (line->far >= 0) close(line->far);
  mb_console_close(line->console);
  remove_directory(line->directory);
  free(line->log);
  free(line->timing);
  free(line);
  return 0;
}

static inline void say (int fd, const char *text) {
  for (; *text != '\0'; text++) assert_int_equal(send(fd, text, 1, MSG_NOSIGNAL), 1);
}

static inline void start (struct line *line, int64_t t0_ns) {
  struct mb_error err = {0};
  assert_int_equal(mb_console_start(line->console, t0_ns, &err), 0);
}

static inline void finish (struct line *line) {
  struct mb_error err = {0};
  assert_int_equal(mb_console_finish(line->console, AMPLE_NS, &err), 0);
}

static inline struct mb_console_stats stats_of (struct line *line) {
  struct mb_console_stats stats;
  mb_console_stats(line->console, &stats);
  return stats;
}

/* Waits until the line has delivered `bytes` in all. */
static inline void await_bytes (struct line *line, uint64_t bytes) {
  while (stats_of(line).bytes < bytes) {
    await_readable(mb_console_fd(line->console));
    mb_console_drain_event(line->console);
    usleep(1000);
  }
}

/* All that the ring holds, and whether its stamps are in order. */
static inline size_t read_ring (struct line *line, char *buffer, size_t size) {
  struct mb_chunk chunk;
  size_t n = 0;
  int64_t last_ns = 0;
  mb_console_drain_event(line->console);
  while (mb_console_next(line->console, &chunk)) {
    assert_true(chunk.t_ns >= last_ns);
    assert_true(n + chunk.n <= size);
    memcpy(buffer + n, chunk.data, chunk.n);
    n += chunk.n;
    last_ns = chunk.t_ns;
  }
  mb_console_release(line->console);
  return n;
}

/* The times that a timing file adds up to, and how many bytes it tells of. */
static inline int64_t sum_of_timing_us (const char *path, uint64_t *bytes) {
  size_t size;
  char *text = read_file(path, &size);
  int64_t sum_us = 0;
  *bytes = 0;
  for (char *at = text; *at != '\0'; at++) {
    sum_us += strtoll(at, &at, 10) * 1000000;
    sum_us += strtoll(at + 1, &at, 10);
    *bytes += strtoull(at, &at, 10);
  }
  free(text);
  return sum_us;
}

static inline void assert_log (struct line *line, const char *expected, size_t n) {
  size_t size;
  char *text = read_file(line->log, &size);
  assert_int_equal(size, n);
  assert_memory_equal(text, expected, n);
  free(text);
}

#endif

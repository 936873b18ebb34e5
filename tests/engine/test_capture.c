#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture.h"
#include "lines.h"

static char folder[] = "/tmp/moonboot-test-XXXXXX";
static char log_path[64], timing_path[64];

static int make_folder (void **state) {
  (void)state;
  if (mkdtemp(folder) == NULL) return -1;
  snprintf(log_path, sizeof log_path, "%s/x.log", folder);
  snprintf(timing_path, sizeof timing_path, "%s/x.timing", folder);
  return 0;
}

static int remove_folder (void **state) {
  (void)state;
  unlink(log_path);
  unlink(timing_path);
  return rmdir(folder);
}

static void write_file (const char *path, const void *data, size_t size) {
  FILE *f = fopen(path, "wb");
  assert_non_null(f);
  assert_int_equal(fwrite(data, 1, size, f), size);
  assert_int_equal(fclose(f), 0);
}

static struct mb_capture *open_capture (const char *log, const char *timing) {
  struct mb_error err;
  write_file(log_path, log, strlen(log));
  if (timing != NULL) write_file(timing_path, timing, strlen(timing));
  struct mb_capture *c = mb_capture_open(log_path, timing != NULL ? timing_path : NULL, &err);
  assert_non_null(c);
  return c;
}

static void expect_chunk (struct mb_capture *c, const char *want, int64_t want_t) {
  const char *data;
  size_t size;
  int64_t t_ns;
  struct mb_error err;
  assert_int_equal(mb_capture_read(c, &data, &size, &t_ns, &err), 1);
  assert_int_equal(size, strlen(want));
  assert_memory_equal(data, want, size);
  assert_int_equal(t_ns, want_t);
}

static void expect_end (struct mb_capture *c, const char *mismatch) {
  const char *data;
  size_t size;
  int64_t t_ns;
  struct mb_error err;
  struct mb_capture_stats stats;
  assert_int_equal(mb_capture_read(c, &data, &size, &t_ns, &err), 0);
  assert_int_equal(mb_capture_read(c, &data, &size, &t_ns, &err), 0);
  mb_capture_stats(c, &stats);
  if (mismatch == NULL) {
    assert_null(stats.mismatch);
  } else {
    char want[512];
    snprintf(want, sizeof want, "%s: %s", timing_path, mismatch);
    assert_string_equal(stats.mismatch, want);
  }
}

static void test_deltas_add_up (void **state) {
  (void)state;
  struct mb_capture *c = open_capture("abcdef", "0.490404 1\n0.000120 3\n12.5 1\n0.000000 1\n");
  expect_chunk(c, "a", 490404000);
  expect_chunk(c, "bcd", 490524000);
  expect_chunk(c, "e", 12990524000);
  expect_chunk(c, "f", 12990524000);
  expect_end(c, NULL);
  struct mb_capture_stats stats;
  mb_capture_stats(c, &stats);
  assert_int_equal(stats.bytes, 6);
  assert_int_equal(stats.chunks, 4);
  assert_int_equal(stats.untimed_bytes, 0);
  assert_int_equal(stats.first_ns, 490404000);
  assert_int_equal(stats.last_ns, 12990524000);
  assert_true(mb_capture_timed(c));
  mb_capture_close(c);
}

static void test_other_decimals (void **state) {
  (void)state;
  struct mb_capture *c = open_capture("abcde", "1 1\r\n0.5\t1\n0.123456789 1\n  ");
  mb_capture_close(c);
  c = open_capture("abcde", "1 1\r\n0.5\t1\n0.123456789 1\n0.0000000019999 1  \n0.1 1");
  expect_chunk(c, "a", 1000000000);
  expect_chunk(c, "b", 1500000000);
  expect_chunk(c, "c", 1623456789);
  expect_chunk(c, "d", 1623456790);
  expect_chunk(c, "e", 1723456790); /* a last line without a newline */
  expect_end(c, NULL);
  mb_capture_close(c);
}

static void test_empty_chunks_take_time (void **state) {
  (void)state;
  struct mb_capture *c = open_capture("ab", "0.1 0\n0.1 1\n0.1 0\n0.1 1\n0.1 0\n");
  expect_chunk(c, "a", 200000000);
  expect_chunk(c, "b", 400000000);
  expect_end(c, NULL);
  mb_capture_close(c);
}

static void test_without_timing (void **state) {
  (void)state;
  struct mb_capture *c = open_capture("abc", NULL);
  assert_false(mb_capture_timed(c));
  expect_chunk(c, "abc", MB_TIME_UNKNOWN);
  expect_end(c, NULL);
  struct mb_capture_stats stats;
  mb_capture_stats(c, &stats);
  assert_int_equal(stats.untimed_bytes, 3);
  assert_int_equal(stats.first_ns, MB_TIME_UNKNOWN);
  mb_capture_close(c);
}

static void test_timing_shorter_than_log (void **state) {
  (void)state;
  struct mb_capture *c = open_capture("abcd", "0.1 2\n");
  expect_chunk(c, "ab", 100000000);
  expect_chunk(c, "cd", MB_TIME_UNKNOWN);
  expect_end(c, "tells of fewer bytes than the log has; the rest have no times");
  mb_capture_close(c);
  c = open_capture("ab", "");
  expect_chunk(c, "ab", MB_TIME_UNKNOWN);
  expect_end(c, "tells of fewer bytes than the log has; the rest have no times");
  mb_capture_close(c);
}

static void test_timing_longer_than_log (void **state) {
  (void)state;
  struct mb_capture *c = open_capture("abc", "0.1 2\n0.1 5\n0.1 9\n");
  expect_chunk(c, "ab", 100000000);
  expect_chunk(c, "c", 200000000);
  expect_end(c, "tells of more bytes than the log has");
  mb_capture_close(c);
  c = open_capture("", "0.1 99999999999\n");
  expect_end(c, "tells of more bytes than the log has");
  mb_capture_close(c);
}

static void test_timing_cut_short (void **state) {
  (void)state;
  struct mb_capture *c = open_capture("abc", "0.1 2\n0.10");
  expect_chunk(c, "ab", 100000000);
  expect_chunk(c, "c", MB_TIME_UNKNOWN);
  expect_end(c, "its last line is cut short");
  mb_capture_close(c);
}

static void test_garbage_is_named (void **state) {
  (void)state;
  static const char *const garbage[] = {
      "x\n",
      "\n",
      "0.1\n",
      "0.1 \n",
      "0.1 1x\n",
      "0.1 1 1\n",
      "0,1 1\n",
      "-0.1 1\n",
      "+0.1 1\n",
      "1e3 1\n",
      "0x1 1\n",
      ".5 1\n",
      "1. 1\n",
      "nan 1\n",
      "0.1 -1\n",
      "0.1 1.5\n",
      "O 0.1 1\n",
      "9223372036 1\n",
      "99999999999999999999 1\n",
      "0.1 99999999999999999999\n",
      "9223372035.0 1\n", /* with the line before it more than 292 years */
  };
  for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
    char timing[128];
    snprintf(timing, sizeof timing, "9223372000.0 1\n%s0.1 1\n", garbage[i]);
    struct mb_capture *c = open_capture("abc", timing);
    expect_chunk(c, "a", INT64_C(9223372000000000000));
    for (int again = 0; again < 2; again++) {
      const char *data;
      size_t size;
      int64_t t_ns;
      struct mb_error err;
      char want[256];
      assert_int_equal(mb_capture_read(c, &data, &size, &t_ns, &err), -1);
      assert_int_equal(err.code, EINVAL);
      snprintf(want, sizeof want, "%s:2: expected \"SECONDS BYTES\"", timing_path);
      assert_string_equal(err.text, want);
    }
    mb_capture_close(c);
  }
}

static void test_nul_in_timing (void **state) {
  (void)state;
  struct mb_error err;
  const char *data;
  size_t size;
  int64_t t_ns;
  write_file(log_path, "ab", 2);
  write_file(timing_path, "0.1 1\0 2\n", 9);
  struct mb_capture *c = mb_capture_open(log_path, timing_path, &err);
  assert_int_equal(mb_capture_read(c, &data, &size, &t_ns, &err), -1);
  mb_capture_close(c);
}

static void test_missing_files (void **state) {
  (void)state;
  struct mb_error err;
  write_file(log_path, "a", 1);
  assert_null(mb_capture_open("/nowhere/x.log", timing_path, &err));
  assert_int_equal(err.code, ENOENT);
  assert_string_equal(err.text, "/nowhere/x.log: No such file or directory");
  assert_null(mb_capture_open(log_path, "/nowhere/x.timing", &err));
  assert_string_equal(err.text, "/nowhere/x.timing: No such file or directory");
}

static void test_a_folder_is_no_capture (void **state) {
  (void)state;
  struct mb_error err;
  const char *data;
  size_t size;
  int64_t t_ns;
  struct mb_capture *c = mb_capture_open(folder, NULL, &err);
  assert_non_null(c);
  assert_int_equal(mb_capture_read(c, &data, &size, &t_ns, &err), -1);
  assert_int_equal(err.code, EISDIR);
  mb_capture_close(c);
}

/* Chunks over the ends of the buffer come in pieces, with the same time. */
static void test_large_chunks (void **state) {
  (void)state;
  enum { SIZE = 300000 };
  char *log = malloc(SIZE);
  assert_non_null(log);
  for (int i = 0; i < SIZE; i++) log[i] = (char)(i * 7 % 251);
  write_file(log_path, log, SIZE);
  write_file(timing_path, "0.1 100000\n0.1 1\n0.1 199999\n", 28);
  struct mb_error err;
  struct mb_capture *c = mb_capture_open(log_path, timing_path, &err);
  size_t at = 0;
  for (;;) {
    const char *data;
    size_t size;
    int64_t t_ns;
    int status = mb_capture_read(c, &data, &size, &t_ns, &err);
    if (status == 0) break;
    assert_int_equal(status, 1);
    assert_true(at + size <= SIZE);
    assert_memory_equal(data, log + at, size);
    int64_t want = at < 100000 ? 100000000 : at < 100001 ? 200000000 : 300000000;
    assert_int_equal(t_ns, want);
    at += size;
  }
  assert_int_equal(at, SIZE);
  struct mb_capture_stats stats;
  mb_capture_stats(c, &stats);
  assert_int_equal(stats.chunks, 3);
  assert_null(stats.mismatch);
  mb_capture_close(c);
  free(log);
}

/* Whatever is in the timing file, reading ends and delivers the log in order. */
static void test_any_timing_at_all (void **state) {
  (void)state;
  static const char alphabet[] = "0123456789 .\n\n \t\r-x\0";
  static const char log[] = "the quick brown fox jumps over the lazy dog";
  srand(7);
  write_file(log_path, log, sizeof log - 1);
  for (int round = 0; round < 300; round++) {
    char timing[300];
    size_t size = (size_t)rand() % sizeof timing;
    for (size_t i = 0; i < size; i++) {
      timing[i] = round % 3 == 0 ? (char)rand() : alphabet[(size_t)rand() % sizeof alphabet];
    }
    write_file(timing_path, timing, size);
    struct mb_error err;
    struct mb_capture *c = mb_capture_open(log_path, timing_path, &err);
    assert_non_null(c);
    size_t at = 0;
    const char *data;
    size_t n;
    int64_t t_ns;
    int64_t before = 0;
    int status;
    while ((status = mb_capture_read(c, &data, &n, &t_ns, &err)) == 1) {
      assert_true(n > 0 && at + n < sizeof log);
      assert_memory_equal(data, log + at, n);
      at += n;
      if (t_ns == MB_TIME_UNKNOWN) continue;
      assert_true(t_ns >= before);
      before = t_ns;
    }
    if (status == 0) assert_int_equal(at, sizeof log - 1);
    mb_capture_close(c);
  }
}

int main (void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_deltas_add_up),           cmocka_unit_test(test_other_decimals),
      cmocka_unit_test(test_empty_chunks_take_time),  cmocka_unit_test(test_without_timing),
      cmocka_unit_test(test_timing_shorter_than_log), cmocka_unit_test(test_timing_longer_than_log),
      cmocka_unit_test(test_timing_cut_short),        cmocka_unit_test(test_garbage_is_named),
      cmocka_unit_test(test_nul_in_timing),           cmocka_unit_test(test_missing_files),
      cmocka_unit_test(test_a_folder_is_no_capture),  cmocka_unit_test(test_large_chunks),
      cmocka_unit_test(test_any_timing_at_all),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

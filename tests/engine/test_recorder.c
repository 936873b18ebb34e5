#include "support.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#include "clock.h"
#include "recorder.h"

struct capture {
  char *directory, *log, *timing;
  struct mb_recorder *recorder;
};

static int set_up (void **state) {
  struct capture *c = calloc(1, sizeof *c);
  c->directory = make_directory();
  c->log = path_in(c->directory, "x.log");
  c->timing = path_in(c->directory, "x.timing");
  c->recorder = mb_recorder_open(c->log, c->timing, NULL);
  *state = c;
  return c->recorder == NULL;
}

static int tear_down (void **state) {
  struct capture *c = *state;
  mb_recorder_close(c->recorder);
  remove_directory(c->directory);
  free(c->log);
  free(c->timing);
  free(c);
  return 0;
}

static void assert_file (const char *path, const char *expected) {
  size_t size;
  char *text = read_file(path, &size);
  assert_string_equal(text, expected);
  free(text);
}

static void the_formats (void **state) {
  struct capture *c = *state;
  mb_recorder_start(c->recorder, 1000 * MB_NS_PER_S);
  mb_recorder_add(c->recorder, 1000 * MB_NS_PER_S + 1500 * MB_NS_PER_US, "ab", 2);
  mb_recorder_add(c->recorder, 1075 * MB_NS_PER_S + 2 * MB_NS_PER_MS, "\0", 1);
  mb_recorder_flush(c->recorder);
  assert_file(c->timing, "0.001500 2\n75.000500 1\n");
  size_t size;
  char *bytes = read_file(c->log, &size);
  assert_int_equal(size, 3);
  assert_memory_equal(bytes, "ab\0", 3);
  free(bytes);
}

static void bytes_of_a_microsecond_share_a_line (void **state) {
  struct capture *c = *state;
  mb_recorder_start(c->recorder, 0);
  mb_recorder_add(c->recorder, 10400, "a", 1);
  mb_recorder_add(c->recorder, 9600, "b", 1);
  mb_recorder_add(c->recorder, 10499, "c", 1);
  mb_recorder_add(c->recorder, 10500, "d", 1);
  mb_recorder_flush(c->recorder);
  assert_file(c->timing, "0.000010 3\n0.000001 1\n");
}

static void time_never_goes_back (void **state) {
  struct capture *c = *state;
  mb_recorder_start(c->recorder, MB_NS_PER_S);
  mb_recorder_add(c->recorder, 0, "before t0", 9);
  mb_recorder_add(c->recorder, 2 * MB_NS_PER_S, "a", 1);
  mb_recorder_flush(c->recorder);
  mb_recorder_add(c->recorder, 2 * MB_NS_PER_S - 5 * MB_NS_PER_MS, "b", 1);
  mb_recorder_flush(c->recorder);
  mb_recorder_add(c->recorder, 2 * MB_NS_PER_S + 1 * MB_NS_PER_MS, "c", 1);
  mb_recorder_flush(c->recorder);
  assert_file(c->timing, "0.000000 9\n1.000000 1\n0.000000 1\n0.001000 1\n");
}

/* Deltas that were rounded one by one would be 0.4 us short each: 40 ms after 100,000. */
static void sums_do_not_drift (void **state) {
  struct capture *c = *state;
  const int64_t t0_ns = 123456789;
  int64_t t_ns = t0_ns;
  mb_recorder_start(c->recorder, t0_ns);
  for (int i = 0; i < 100000; i++) {
    t_ns += 10400 + i % 3;
    mb_recorder_add(c->recorder, t_ns, "x", 1);
  }
  mb_recorder_flush(c->recorder);
  size_t size;
  char *text = read_file(c->timing, &size);
  int64_t sum_us = 0;
  long bytes = 0;
  long lines = 0;
  for (char *line = text; *line != '\0'; lines++) {
    char *end;
    sum_us += strtoll(line, &end, 10) * 1000000;
    assert_true(*end == '.');
    assert_int_equal(strspn(end + 1, "0123456789"), 6);
    sum_us += strtoll(end + 1, &end, 10);
    bytes += strtol(end, &end, 10);
    assert_true(*end == '\n');
    line = end + 1;
  }
  assert_int_equal(lines, 100000);
  assert_int_equal(bytes, 100000);
  assert_int_equal(sum_us, (t_ns - t0_ns + 500) / 1000);
  free(text);
}

static void much_at_once_is_written_whole (void **state) {
  struct capture *c = *state;
  size_t n = 1000003;
  char *data = malloc(n);
  for (size_t i = 0; i < n; i++) data[i] = (char)(i * 31);
  mb_recorder_add(c->recorder, 5, data, n);
  mb_recorder_close(c->recorder); /* flushes */
  c->recorder = NULL;
  size_t size;
  char *written = read_file(c->log, &size);
  assert_int_equal(size, n);
  assert_memory_equal(written, data, n);
  assert_file(c->timing, "0.000000 1000003\n");
  free(written);
  free(data);
}

static void a_failure_names_the_file_and_stops_both (void **state) {
  struct capture *c = *state;
  mb_recorder_close(c->recorder);
  c->recorder = mb_recorder_open("/dev/full", c->timing, NULL);
  assert_non_null(c->recorder);
  mb_recorder_add(c->recorder, 5, "x", 1);
  mb_recorder_flush(c->recorder);
  const struct mb_error *error = mb_recorder_error(c->recorder);
  assert_int_equal(error->code, ENOSPC);
  assert_string_equal(error->text, "/dev/full: cannot be written: No space left on device");
  mb_recorder_add(c->recorder, 6, "y", 1);
  mb_recorder_fail(c->recorder, EIO, "a later failure");
  mb_recorder_flush(c->recorder);
  assert_int_equal(error->code, ENOSPC);
  assert_file(c->timing, "");
}

static void a_file_that_may_not_grow_keeps_what_fits (void **state) {
  struct capture *c = *state;
  struct rlimit before;
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
  struct rlimit small = {.rlim_cur = 1000, .rlim_max = before.rlim_max};
  signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
  char data[4096] = {0};
  mb_recorder_add(c->recorder, 5, data, sizeof data);
  mb_recorder_flush(c->recorder);
  setrlimit(RLIMIT_FSIZE, &before);
  signal(SIGXFSZ, SIG_DFL);
  assert_int_equal(mb_recorder_error(c->recorder)->code, EFBIG);
  struct stat info;
  assert_int_equal(stat(c->log, &info), 0);
  assert_int_equal(info.st_size, 1000);
}

static void files_that_cannot_be_made (void **state) {
  struct capture *c = *state;
  struct mb_error err = {0};
  int fds = count_fds();
  assert_null(mb_recorder_open("/no/such/place/x.log", NULL, &err));
  assert_int_equal(err.code, ENOENT);
  assert_string_equal(err.text,
                      "/no/such/place/x.log: cannot be created: No such file or directory");
  assert_null(mb_recorder_open(c->log, c->directory, &err));
  assert_int_equal(err.code, EISDIR);
  assert_int_equal(count_fds(), fds);
}

static void neither_file_is_needed (void **state) {
  (void)state;
  struct mb_recorder *recorder = mb_recorder_open(NULL, NULL, NULL);
  mb_recorder_add(recorder, 5, "x", 1);
  mb_recorder_flush(recorder);
  assert_int_equal(mb_recorder_error(recorder)->code, 0);
  mb_recorder_close(recorder);
  mb_recorder_close(NULL);
}

int main (void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(the_formats),
      TEST(bytes_of_a_microsecond_share_a_line),
      TEST(time_never_goes_back),
      TEST(sums_do_not_drift),
      TEST(much_at_once_is_written_whole),
      TEST(a_failure_names_the_file_and_stops_both),
      TEST(a_file_that_may_not_grow_keeps_what_fits),
      TEST(files_that_cannot_be_made),
      cmocka_unit_test(neither_file_is_needed),
  };
  return cmocka_run_group_tests_name("recorder", tests, NULL, NULL);
}

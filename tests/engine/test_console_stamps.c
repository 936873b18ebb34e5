#include <errno.h>
#include <stdatomic.h>

#include "line.h"

static void nothing_is_read_before_start_yet_all_is_stamped_when_sent (void **state) {
  struct line *line = *state;
  struct mb_chunk chunk;
  int64_t t0_ns = mb_clock_now();
  say(line->far, "a");
  int64_t sent_ns = mb_clock_now();
  usleep(20000);
  assert_int_equal(stats_of(line).bytes, 0);
  assert_null(stats_of(line).scheduling);
  start(line, t0_ns);
  hang_up(line);
  finish(line);
  assert_true(mb_console_next(line->console, &chunk));
  assert_in_range(chunk.t_ns, t0_ns - 1000, sent_ns + 1000);
  assert_int_equal(stats_of(line).first_ns, chunk.t_ns);
  assert_int_equal(stats_of(line).last_ns, chunk.t_ns);
}

static void each_stamp_lies_between_before_and_after_its_sending (void **state) {
  struct line *line = *state;
  int64_t before_ns[200];
  int64_t after_ns[200];
  start(line, mb_clock_now());
  for (int i = 0; i < 200; i++) {
    before_ns[i] = mb_clock_now();
    say(line->far, "x");
    after_ns[i] = mb_clock_now();
    if (i % 20 == 0) usleep(7000);
  }
  hang_up(line);
  finish(line);
  struct mb_chunk chunk;
  for (int i = 0; i < 200; i++) {
    assert_true(mb_console_next(line->console, &chunk));
    /* The offset of the two clocks is known to about a microsecond. */
    assert_in_range(chunk.t_ns, before_ns[i] - 2000, after_ns[i] + 2000);
  }
}

static void the_timing_file_adds_up (void **state) {
  struct line *line = *state;
  int64_t t0_ns = mb_clock_now();
  start(line, t0_ns);
  for (int i = 0; i < 5000; i++) say(line->far, "x");
  await_bytes(line, 5000);
  usleep(3000);
  say(line->far, "end");
  hang_up(line);
  finish(line);
  uint64_t bytes;
  int64_t sum_us = sum_of_timing_us(line->timing, &bytes);
  struct mb_console_stats stats = stats_of(line);
  assert_int_equal(bytes, 5003);
  assert_int_equal(sum_us, (stats.last_ns - t0_ns + 500) / 1000);
}

static void several_consoles_share_one_clock (void **state) {
  struct line *first = *state;
  void *other;
  set_up(&other);
  struct line *second = other;
  struct mb_chunk chunk;
  int64_t last_ns = 0;
  int64_t t0_ns = mb_clock_now();
  start(first, t0_ns);
  start(second, t0_ns);
  for (int i = 0; i < 20; i++) {
    say(first->far, "1");
    usleep(100);
    say(second->far, "2");
    usleep(100);
  }
  hang_up(first);
  hang_up(second);
  finish(first);
  finish(second);
  for (int i = 0; i < 40; i++) {
    assert_true(mb_console_next(i % 2 == 0 ? first->console : second->console, &chunk));
    assert_int_equal(chunk.data[0], i % 2 == 0 ? '1' : '2');
    assert_true(chunk.t_ns > last_ns);
    last_ns = chunk.t_ns;
  }
  tear_down(&other);
}

/* A clock for tests: the system's, but for a realtime that someone sets. */
static int64_t plain_monotonic (void *state) {
  (void)state;
  return mb_clock_now();
}

static int64_t stepped_realtime (void *state) {
  atomic_llong *step_ns = state;
  return mb_clock_realtime() + atomic_load(step_ns);
}

static void clock_step (struct line *line, int64_t step_ns) {
  atomic_llong step = 0;
  struct mb_clock clock = {plain_monotonic, stepped_realtime, &step};
  open_line(line, (struct mb_console_options){.clock = &clock});
  struct mb_chunk chunk;
  int64_t t0_ns = mb_clock_now();
  start(line, t0_ns);
  say(line->far, "before");
  await_bytes(line, 6);
  struct mb_console_stats stats = stats_of(line);
  assert_in_range(stats.offset_max_ns - stats.offset_min_ns, 0, 100 * MB_NS_PER_US);
  atomic_store(&step, step_ns);
  say(line->far, "after");
  hang_up(line);
  finish(line);
  int64_t end_ns = mb_clock_now();
  stats = stats_of(line);
  assert_true(stats.offset_max_ns - stats.offset_min_ns >= llabs(step_ns) - 100 * MB_NS_PER_US);
  /* No stamp follows the step: all lie in the time that the test took. */
  int64_t last_ns = t0_ns;
  for (int i = 0; i < 11; i++) {
    assert_true(mb_console_next(line->console, &chunk));
    assert_in_range(chunk.t_ns, last_ns - 2000, end_ns);
    last_ns = chunk.t_ns;
  }
  mb_console_close(line->console); /* while its clock still exists */
  line->console = NULL;
}

static void a_clock_set_forward_is_noticed (void **state) {
  clock_step(*state, 3600 * MB_NS_PER_S);
}

static void a_clock_set_back_is_noticed (void **state) {
  clock_step(*state, -3600 * MB_NS_PER_S);
}

static void the_read_transport_stamps_after_reading (void **state) {
  struct line *line = *state;
  open_line(line, (struct mb_console_options){.transport = MB_CONSOLE_READ});
  struct mb_chunk chunk;
  start(line, mb_clock_now());
  int64_t before_ns = mb_clock_now();
  say(line->far, "x");
  await_bytes(line, 1);
  int64_t after_ns = mb_clock_now();
  assert_true(mb_console_next(line->console, &chunk));
  assert_in_range(chunk.t_ns, before_ns, after_ns);
  assert_string_equal(stats_of(line).clock_source, "read");
  struct mb_error err = {0};
  assert_int_equal(mb_console_write(line->console, "hi", 2, &err), 2);
  char *data = calloc(1, 100000);
  size_t sent = 0;
  while (sent < 100000) {
    ssize_t n = send(line->far, data + sent, 100000 - sent, 0);
    assert_true(n > 0);
    sent += (size_t)n;
  }
  free(data);
  hang_up(line);
  mb_console_finish(line->console, AMPLE_NS, &err);
  assert_int_equal(stats_of(line).bytes, 100001);
}

/* As QEMU with engine/qemu/virtualtime.c in it. */
static void say_at (int fd, const char *data, size_t n, int64_t t_ns) {
  struct iovec parts[] = {{(void *)data, n}, {&t_ns, sizeof t_ns}};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
  assert_int_equal(sendmsg(fd, &message, MSG_NOSIGNAL), n + sizeof t_ns);
}

static void the_virtual_transport_takes_the_time_from_the_message (void **state) {
  struct line *line = *state;
  open_line(line, (struct mb_console_options){.transport = MB_CONSOLE_VIRTUAL});
  start(line, 0);
  static const size_t sizes[] = {1,  56, 57,  63,
                                 64, 65, 5000}; /* about and beyond a small message */
  static char data[5000];
  memset(data, 'x', sizeof data);
  size_t total = 0;
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    say_at(line->far, data, sizes[i], 1234567 + (int64_t)i * 1000000000000);
    total += sizes[i];
  }
  hang_up(line);
  finish(line);
  struct mb_console_stats stats = stats_of(line);
  assert_string_equal(stats.clock_source, "virtual");
  assert_int_equal(stats.bytes, total);
  assert_int_equal(stats.first_ns, 1234567);
  assert_int_equal(stats.last_ns, 1234567 + 6000000000000);
  struct mb_chunk chunk;
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    for (size_t got = 0; got < sizes[i]; got += chunk.n, mb_console_release(line->console)) {
      assert_true(mb_console_next(line->console, &chunk));
      assert_int_equal(chunk.t_ns, 1234567 + (int64_t)i * 1000000000000);
      assert_memory_equal(chunk.data, data, chunk.n);
    }
  }
  size_t size;
  char *log = read_file(line->log, &size);
  assert_int_equal(size, total);
  free(log);
  char *timing = read_file(line->timing, &size);
  assert_string_equal(strtok(timing, "\n"), "0.001235 1");
  assert_string_equal(strtok(NULL, "\n"), "1000.000000 56");
  free(timing);
}

static void bytes_without_their_virtual_time_are_reported (void **state) {
  struct line *line = *state;
  open_line(line, (struct mb_console_options){.transport = MB_CONSOLE_VIRTUAL});
  start(line, 0);
  say_at(line->far, "a", 1, 7000);
  say(line->far, "b");
  hang_up(line);
  struct mb_error err = {0};
  assert_int_equal(mb_console_finish(line->console, AMPLE_NS, &err), -1);
  assert_int_equal(err.code, EBADMSG);
  assert_int_equal(stats_of(line).bytes, 2);
}

int main (void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(nothing_is_read_before_start_yet_all_is_stamped_when_sent),
      TEST(each_stamp_lies_between_before_and_after_its_sending),
      TEST(the_timing_file_adds_up),
      TEST(several_consoles_share_one_clock),
      TEST(a_clock_set_forward_is_noticed),
      TEST(a_clock_set_back_is_noticed),
      TEST(the_read_transport_stamps_after_reading),
      TEST(the_virtual_transport_takes_the_time_from_the_message),
      TEST(bytes_without_their_virtual_time_are_reported),
  };
  return cmocka_run_group_tests_name("console stamps", tests, NULL, NULL);
}

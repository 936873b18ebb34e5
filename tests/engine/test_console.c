#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include "line.h"

static void bytes_reach_the_files_and_the_ring (void **state) {
  struct line *line = *state;
  char buffer[64];
  start(line, mb_clock_now());
  say(line->far, "MINIX 3.4.0");
  hang_up(line);
  finish(line);
  assert_log(line, "MINIX 3.4.0", 11);
  assert_int_equal(read_ring(line, buffer, sizeof buffer), 11);
  assert_memory_equal(buffer, "MINIX 3.4.0", 11);
  struct mb_console_stats stats = stats_of(line);
  assert_int_equal(stats.bytes, 11);
  assert_int_equal(stats.chunks, 11);
  assert_int_equal(stats.overruns, 0);
  assert_true(stats.ended);
  assert_int_equal(stats.error.code, 0);
  assert_string_equal(stats.clock_source, "kernel");
  assert_true(stats.sndbuf_bytes > 0);
}

static void longer_messages_stay_whole (void **state) {
  struct line *line = *state;
  static const size_t sizes[] = {1, 63, 64, 65, 4096, 4097, 65536, 65600};
  char *data = malloc(65600 + 1);
  for (int i = 0; i < 65601; i++) data[i] = (char)(i * 7);
  size_t total = 0;
  start(line, mb_clock_now());
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    assert_int_equal(send(line->far, data, sizes[i], 0), sizes[i]);
    total += sizes[i];
  }
  assert_int_equal(send(line->far, data, 0, 0), 0); /* empty, and not the end */
  assert_int_equal(send(line->far, "z", 1, 0), 1);
  hang_up(line);
  finish(line);
  size_t size;
  char *log = read_file(line->log, &size);
  assert_int_equal(size, total + 1);
  size_t at = 0;
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; at += sizes[i++])
    assert_memory_equal(log + at, data, sizes[i]);
  assert_int_equal(log[at], 'z');
  char *ring = malloc(size);
  assert_int_equal(read_ring(line, ring, size), size);
  assert_memory_equal(ring, log, size);
  free(ring);
  free(log);
  free(data);
}

static void a_message_too_long_is_reported (void **state) {
  struct line *line = *state;
  char *data = calloc(1, 70000);
  start(line, mb_clock_now());
  assert_int_equal(send(line->far, data, 70000, 0), 70000);
  say(line->far, "more");
  hang_up(line);
  struct mb_error err = {0};
  assert_int_equal(mb_console_finish(line->console, AMPLE_NS, &err), -1);
  assert_int_equal(err.code, EMSGSIZE);
  assert_int_equal(stats_of(line).bytes, 65600 + 4);
  free(data);
}

struct burst {
  int fd;
  int count;
};

static void *send_burst (void *argument) {
  const struct burst *burst = argument;
  for (int i = 0; i < burst->count; i++) {
    char byte = (char)(i % 251);
    if (send(burst->fd, &byte, 1, MSG_NOSIGNAL) != 1) break;
  }
  close(burst->fd);
  return NULL;
}

static void nothing_is_lost_when_the_guest_is_faster (void **state) {
  struct line *line = *state;
  enum { COUNT = 1500 };
  int tiny = 1;
  assert_int_equal(setsockopt(line->far, SOL_SOCKET, SO_SNDBUF, &tiny, sizeof tiny), 0);
  struct burst burst = {line->far, COUNT};
  line->far = -1;
  pthread_t writer;
  start(line, mb_clock_now());
  assert_int_equal(pthread_create(&writer, NULL, send_burst, &burst), 0);
  pthread_join(writer, NULL);
  finish(line);
  size_t size;
  char *log = read_file(line->log, &size);
  assert_int_equal(size, COUNT);
  for (int i = 0; i < COUNT; i++) assert_true(log[i] == (char)(i % 251));
  free(log);
}

static void a_full_ring_costs_the_files_nothing (void **state) {
  struct line *line = *state;
  enum { COUNT = 20000 };
  open_line(line, (struct mb_console_options){.ring_bytes = 1});
  start(line, mb_clock_now());
  for (int i = 0; i < COUNT; i++) say(line->far, "x");
  hang_up(line);
  finish(line);
  char buffer[COUNT];
  struct mb_console_stats stats = stats_of(line);
  size_t in_ring = read_ring(line, buffer, sizeof buffer);
  assert_int_equal(stats.bytes, COUNT);
  assert_true(stats.overruns > 0);
  assert_int_equal(stats.overruns + in_ring, COUNT);
  uint64_t bytes;
  sum_of_timing_us(line->timing, &bytes);
  assert_int_equal(bytes, COUNT);
}

static long resident_kb (void) {
  long pages = 0;
  FILE *statm = fopen("/proc/self/statm", "re");
  assert_non_null(statm);
  assert_int_equal(fscanf(statm, "%*d %ld", &pages), 1);
  fclose(statm);
  return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void a_flood_does_not_grow_memory (void **state) {
  struct line *line = *state;
  free(line->log);
  free(line->timing);
  line->log = strdup("/dev/null");
  line->timing = strdup("/dev/null");
  open_line(line, (struct mb_console_options){0});
  start(line, mb_clock_now());
  char data[4096] = {0};
  int on_line = 0;
  for (; on_line < 2000; on_line++) assert_int_equal(send(line->far, data, 4096, 0), 4096);
  await_bytes(line, 2000 * 4096);
  long before_kb = resident_kb();
  for (; on_line < 20000; on_line++) assert_int_equal(send(line->far, data, 4096, 0), 4096);
  hang_up(line);
  finish(line);
  assert_true(resident_kb() - before_kb < 4096);
  assert_int_equal(stats_of(line).bytes, 20000ULL * 4096);
}

static void the_event_tells_of_bytes_and_of_the_end (void **state) {
  struct line *line = *state;
  struct pollfd event = {.fd = mb_console_fd(line->console), .events = POLLIN};
  char buffer[8];
  start(line, mb_clock_now());
  assert_int_equal(poll(&event, 1, 0), 0);
  say(line->far, "a");
  await_readable(event.fd);
  await_bytes(line, 1);
  assert_int_equal(read_ring(line, buffer, sizeof buffer), 1);
  assert_int_equal(poll(&event, 1, 0), 0);
  hang_up(line);
  await_readable(event.fd);
  finish(line);
  mb_console_drain_event(line->console);
  assert_int_equal(poll(&event, 1, 0), 1); /* an ended line stays so */
}

static void finish_does_not_wait_for_ever (void **state) {
  struct line *line = *state;
  start(line, mb_clock_now());
  say(line->far, "the far end stays open");
  struct mb_error err = {0};
  assert_int_equal(mb_console_finish(line->console, 10 * MB_NS_PER_MS, &err), 0);
  assert_log(line, "the far end stays open", 22);
  assert_true(stats_of(line).ended);
  assert_int_equal(send(line->far, "x", 1, MSG_NOSIGNAL), -1);
  assert_int_equal(mb_console_finish(line->console, AMPLE_NS, &err), 0);
}

static void finish_and_close_without_start (void **state) {
  struct line *line = *state;
  say(line->far, "unheard");
  finish(line);
  assert_int_equal(stats_of(line).bytes, 0);
  assert_log(line, "", 0);
  mb_console_close(NULL);
}

static void it_starts_once (void **state) {
  struct line *line = *state;
  struct mb_error err = {0};
  start(line, mb_clock_now());
  assert_int_equal(mb_console_start(line->console, 0, &err), -1);
  assert_int_equal(err.code, EALREADY);
}

static void the_guest_gets_one_byte_per_message (void **state) {
  struct line *line = *state;
  struct mb_error err = {0};
  char buffer[16];
  assert_int_equal(mb_console_write(line->console, "root\r", 5, &err), 5);
  for (const char *expected = "root\r"; *expected != '\0'; expected++) {
    assert_int_equal(recv(line->far, buffer, sizeof buffer, MSG_DONTWAIT), 1);
    assert_int_equal(buffer[0], *expected);
  }
  assert_int_equal(recv(line->far, buffer, sizeof buffer, MSG_DONTWAIT), -1);
}

static void writing_never_waits (void **state) {
  struct line *line = *state;
  struct mb_error err = {0};
  size_t n = 1 << 20;
  char *data = calloc(1, n);
  ssize_t sent = mb_console_write(line->console, data, n, &err);
  assert_true(sent > 0 && sent < (ssize_t)n);
  assert_int_equal(mb_console_write(line->console, data, 1, &err), 0);
  free(data);
}

static void writing_to_a_closed_line_fails (void **state) {
  struct line *line = *state;
  struct mb_error err = {0};
  hang_up(line);
  assert_int_equal(mb_console_write(line->console, "x", 1, &err), -1);
  assert_int_equal(err.code, EPIPE);
}

/* A guest that is killed leaves unread what was typed to it; its last words must still arrive. */
static void last_words_before_a_reset (enum mb_console_transport transport, struct line *line) {
  struct mb_error err = {0};
  open_line(line, (struct mb_console_options){.transport = transport});
  assert_int_equal(mb_console_write(line->console, "unread", 6, &err), 6);
  say(line->far, "last words");
  hang_up(line);
  start(line, mb_clock_now());
  finish(line);
  assert_log(line, "last words", 10);
}

static void last_words_arrive_by_kernel (void **state) {
  last_words_before_a_reset(MB_CONSOLE_KERNEL, *state);
}

static void last_words_arrive_by_read (void **state) {
  last_words_before_a_reset(MB_CONSOLE_READ, *state);
}

static void a_full_disk_surfaces_but_draining_goes_on (void **state) {
  struct line *line = *state;
  enum { COUNT = 70000 };
  free(line->log);
  line->log = strdup("/dev/full");
  open_line(line, (struct mb_console_options){0});
  struct burst burst = {line->far, COUNT};
  line->far = -1;
  pthread_t writer;
  start(line, mb_clock_now());
  assert_int_equal(pthread_create(&writer, NULL, send_burst, &burst), 0);
  pthread_join(writer, NULL);
  struct mb_error err = {0};
  assert_int_equal(mb_console_finish(line->console, AMPLE_NS, &err), -1);
  assert_int_equal(err.code, ENOSPC);
  assert_string_equal(err.text, "/dev/full: cannot be written: No space left on device");
  assert_int_equal(stats_of(line).bytes, COUNT);
  assert_int_equal(stats_of(line).error.code, ENOSPC);
}

static void a_file_that_cannot_be_made_fails_open (void **state) {
  struct line *line = *state;
  struct mb_error err = {0};
  int fds = count_fds();
  struct mb_console_options options = {.log = line->log, .timing = "/no/such/place/x.timing"};
  assert_null(mb_console_open(&options, &err));
  assert_int_equal(err.code, ENOENT);
  options = (struct mb_console_options){.ring_bytes = SIZE_MAX};
  assert_null(mb_console_open(&options, &err));
  assert_int_equal(err.code, ENOMEM);
  assert_int_equal(count_fds(), fds);
}

static void the_thread_leaves_signals_to_others (void **state) {
  struct line *line = *state;
  start(line, mb_clock_now());
  assert_true(stats_of(line).thread_id > 0);
  assert_non_null(stats_of(line).scheduling);
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%d/status", stats_of(line).thread_id);
  FILE *status = fopen(path, "re");
  assert_non_null(status);
  unsigned long long blocked = 0;
  char text[256];
  while (fgets(text, sizeof text, status) != NULL)
    if (strncmp(text, "SigBlk:", 7) == 0) blocked = strtoull(text + 7, NULL, 16);
  fclose(status);
  static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGUSR1, SIGWINCH};
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
    assert_true(blocked >> (signals[i] - 1) & 1);
}

static void a_hundred_consoles_leave_nothing_open (void **state) {
  struct line *line = *state;
  int fds = count_fds();
  for (int i = 0; i < 100; i++) {
    struct mb_error err = {0};
    struct mb_console_options options = {.log = line->log, .timing = line->timing};
    struct mb_console *console = mb_console_open(&options, &err);
    assert_non_null(console);
    if (i % 2 == 0) assert_int_equal(mb_console_start(console, 0, &err), 0);
    if (i % 3 == 0) mb_console_handover(console);
    mb_console_close(console);
  }
  assert_int_equal(count_fds(), fds);
}

int main (void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(bytes_reach_the_files_and_the_ring),
      TEST(longer_messages_stay_whole),
      TEST(a_message_too_long_is_reported),
      TEST(nothing_is_lost_when_the_guest_is_faster),
      TEST(a_full_ring_costs_the_files_nothing),
      TEST(a_flood_does_not_grow_memory),
      TEST(the_event_tells_of_bytes_and_of_the_end),
      TEST(finish_does_not_wait_for_ever),
      TEST(finish_and_close_without_start),
      TEST(it_starts_once),
      TEST(the_guest_gets_one_byte_per_message),
      TEST(writing_never_waits),
      TEST(writing_to_a_closed_line_fails),
      TEST(last_words_arrive_by_kernel),
      TEST(last_words_arrive_by_read),
      TEST(a_full_disk_surfaces_but_draining_goes_on),
      TEST(a_file_that_cannot_be_made_fails_open),
      TEST(the_thread_leaves_signals_to_others),
      TEST(a_hundred_consoles_leave_nothing_open),
  };
  return cmocka_run_group_tests_name("console", tests, NULL, NULL);
}

#include "support.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "console.h"

#define AMPLE_NS (60 * MB_NS_PER_S)

struct line {
  char *directory, *log, *timing;
  struct mb_console *console;
  int far; /* the guest's end, a copy: close it to end the line */
};

static void open_line (struct line *line, struct mb_console_options options) {
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

static int set_up (void **state) {
  struct line *line = calloc(1, sizeof *line);
  line->directory = make_directory();
  line->log = path_in(line->directory, "x.log");
  line->timing = path_in(line->directory, "x.timing");
  line->far = -1;
  open_line(line, (struct mb_console_options){0});
  *state = line;
  return 0;
}

static void hang_up (struct line *line) {
  close(line->far);
  line->far = -1;
}

static int tear_down (void **state) {
  struct line *line = *state;
  if (line->far >= 0) close(line->far);
  mb_console_close(line->console);
  remove_directory(line->directory);
  free(line->log);
  free(line->timing);
  free(line);
  return 0;
}

static void say (int fd, const char *text) {
  for (; *text != '\0'; text++) assert_int_equal(send(fd, text, 1, MSG_NOSIGNAL), 1);
}

static void start (struct line *line, int64_t t0_ns) {
  struct mb_error err = {0};
  assert_int_equal(mb_console_start(line->console, t0_ns, &err), 0);
}

static void finish (struct line *line) {
  struct mb_error err = {0};
  assert_int_equal(mb_console_finish(line->console, AMPLE_NS, &err), 0);
}

static struct mb_console_stats stats_of (struct line *line) {
  struct mb_console_stats stats;
  mb_console_stats(line->console, &stats);
  return stats;
}

/* Waits until the line has delivered `bytes` in all. */
static void await_bytes (struct line *line, uint64_t bytes) {
  while (stats_of(line).bytes < bytes) {
    await_readable(mb_console_fd(line->console));
    mb_console_drain_event(line->console);
    usleep(1000);
  }
}

/* All that the ring holds, and whether its stamps are in order. */
static size_t read_ring (struct line *line, char *buffer, size_t size) {
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

static int64_t sum_of_timing_us (const char *path, uint64_t *bytes) {
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

static void assert_log (struct line *line, const char *expected, size_t n) {
  size_t size;
  char *text = read_file(line->log, &size);
  assert_int_equal(size, n);
  assert_memory_equal(text, expected, n);
  free(text);
}

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
      TEST(nothing_is_read_before_start_yet_all_is_stamped_when_sent),
      TEST(each_stamp_lies_between_before_and_after_its_sending),
      TEST(the_timing_file_adds_up),
      TEST(longer_messages_stay_whole),
      TEST(a_message_too_long_is_reported),
      TEST(nothing_is_lost_when_the_guest_is_faster),
      TEST(a_full_ring_costs_the_files_nothing),
      TEST(a_flood_does_not_grow_memory),
      TEST(several_consoles_share_one_clock),
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
      TEST(a_clock_set_forward_is_noticed),
      TEST(a_clock_set_back_is_noticed),
      TEST(the_read_transport_stamps_after_reading),
      TEST(the_virtual_transport_takes_the_time_from_the_message),
      TEST(bytes_without_their_virtual_time_are_reported),
      TEST(the_thread_leaves_signals_to_others),
      TEST(a_hundred_consoles_leave_nothing_open),
  };
  return cmocka_run_group_tests_name("console", tests, NULL, NULL);
}

#include "support.h"

#include <pthread.h>
#include <sched.h>

#include "ring.h"

#ifndef RING_ITEMS
#define RING_ITEMS 2000000
#endif

static void what_goes_in_comes_out (void **state) {
  (void)state;
  struct mb_ring *ring = mb_ring_new(0);
  struct mb_chunk chunk;
  assert_false(mb_ring_next(ring, &chunk));
  assert_true(mb_ring_push(ring, 17, "a", 1));
  assert_true(mb_ring_push(ring, 18, "longer than a header", 20));
  assert_true(mb_ring_push(ring, -1, "", 0));
  assert_true(mb_ring_next(ring, &chunk));
  assert_int_equal(chunk.t_ns, 17);
  assert_int_equal(chunk.n, 1);
  assert_memory_equal(chunk.data, "a", 1);
  assert_true(mb_ring_next(ring, &chunk));
  assert_int_equal(chunk.t_ns, 18);
  assert_memory_equal(chunk.data, "longer than a header", chunk.n);
  assert_true(mb_ring_next(ring, &chunk));
  assert_int_equal(chunk.t_ns, -1);
  assert_int_equal(chunk.n, 0);
  assert_false(mb_ring_next(ring, &chunk));
  mb_ring_free(ring);
}

static void a_full_ring_refuses_until_it_is_released (void **state) {
  (void)state;
  struct mb_ring *ring = mb_ring_new(1);
  struct mb_chunk chunk;
  int pushed = 0;
  while (mb_ring_push(ring, pushed, "x", 1)) pushed++;
  assert_true(pushed * 16 >= MB_RING_SIZE_MIN);
  assert_false(mb_ring_push(ring, 0, "x", 1));
  for (int i = 0; i < pushed; i++) {
    assert_true(mb_ring_next(ring, &chunk));
    assert_int_equal(chunk.t_ns, i);
  }
  assert_false(mb_ring_push(ring, 0, "x", 1)); /* read, but not yet released */
  mb_ring_release(ring);
  assert_true(mb_ring_push(ring, 99, "y", 1));
  assert_true(mb_ring_next(ring, &chunk));
  assert_int_equal(chunk.t_ns, 99);
  mb_ring_free(ring);
}

static void the_largest_chunk_fits_wherever_the_ring_stands (void **state) {
  (void)state;
  struct mb_ring *ring = mb_ring_new(0);
  char data[MB_RING_CHUNK_MAX + 1];
  struct mb_chunk chunk;
  assert_false(mb_ring_push(ring, 0, data, sizeof data));
  for (int i = 0; i < 3000; i++) {
    size_t n = (size_t)(i * 37) % (MB_RING_CHUNK_MAX + 1);
    memset(data, i & 0xff, n);
    assert_true(mb_ring_push(ring, i, data, n));
    assert_true(mb_ring_push(ring, i, data, MB_RING_CHUNK_MAX));
    assert_true(mb_ring_next(ring, &chunk));
    assert_int_equal(chunk.n, n);
    assert_memory_equal(chunk.data, data, n);
    assert_true(mb_ring_next(ring, &chunk));
    assert_int_equal(chunk.n, MB_RING_CHUNK_MAX);
    mb_ring_release(ring);
  }
  mb_ring_free(ring);
}

static void an_impossible_size_fails (void **state) {
  (void)state;
  assert_null(mb_ring_new(SIZE_MAX));
  mb_ring_free(NULL);
}

struct traffic {
  struct mb_ring *ring;
  bool patient; /* tries again when the ring is full */
  long refused;
};

static size_t length_of (long i) {
  return i % 1000 == 0 ? 500 : (size_t)(i % 7);
}

static void *write_items (void *argument) {
  struct traffic *traffic = argument;
  char data[512];
  for (long i = 0; i < RING_ITEMS; i++) {
    size_t n = length_of(i);
    memset(data, (char)i, n);
    while (!mb_ring_push(traffic->ring, i, data, n)) {
      traffic->refused++;
      if (!traffic->patient) break;
      sched_yield();
    }
  }
  while (!mb_ring_push(traffic->ring, RING_ITEMS, "", 0)) sched_yield();
  return NULL;
}

/* Reads until the item after the last; checks order and content. How many items came. */
static long read_items (struct mb_ring *ring) {
  long count = 0;
  int64_t last = -1;
  struct mb_chunk chunk;
  for (;;) {
    while (!mb_ring_next(ring, &chunk)) {
      mb_ring_release(ring);
      sched_yield();
    }
    if (chunk.t_ns == RING_ITEMS) return count;
    assert_true(chunk.t_ns > last);
    assert_int_equal(chunk.n, length_of((long)chunk.t_ns));
    for (size_t i = 0; i < chunk.n; i++) assert_true(chunk.data[i] == (char)chunk.t_ns);
    last = chunk.t_ns;
    if (++count % 100 == 0) mb_ring_release(ring);
  }
}

static void two_threads (bool patient) {
  struct traffic traffic = {.ring = mb_ring_new(32 * 1024), .patient = patient};
  pthread_t writer;
  assert_int_equal(pthread_create(&writer, NULL, write_items, &traffic), 0);
  long count = read_items(traffic.ring);
  mb_ring_release(traffic.ring);
  pthread_join(writer, NULL);
  assert_int_equal(count + (patient ? 0 : traffic.refused), RING_ITEMS);
  mb_ring_free(traffic.ring);
}

static void nothing_is_lost_between_two_threads (void **state) {
  (void)state;
  two_threads(true);
}

static void what_is_refused_is_all_that_is_lost (void **state) {
  (void)state;
  two_threads(false);
}

int main (void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_goes_in_comes_out),
      cmocka_unit_test(a_full_ring_refuses_until_it_is_released),
      cmocka_unit_test(the_largest_chunk_fits_wherever_the_ring_stands),
      cmocka_unit_test(an_impossible_size_fails),
      cmocka_unit_test(nothing_is_lost_between_two_threads),
      cmocka_unit_test(what_is_refused_is_all_that_is_lost),
  };
  return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pool.h"
#include "resample.h"

static struct mb_pool *new_pool (void) {
  struct mb_pool *pool = mb_pool_new();
  assert_non_null(pool);
  return pool;
}

static void *make (struct mb_pool *pool, size_t size) {
  unsigned char *block = mb_pool_resize(pool, NULL, 0, size);
  assert_non_null(block);
  assert_int_equal((uintptr_t)block % 16, 0);
  return block;
}

static void test_what_is_freed_is_used_again (void **state) {
  (void)state;
  struct mb_pool *pool = new_pool();
  void *block = make(pool, 56);
  assert_null(mb_pool_resize(pool, block, 56, 0));
  assert_ptr_equal(make(pool, 49), block); /* 49 to 64 bytes are one size */
  assert_ptr_not_equal(make(pool, 49), block);
  assert_null(mb_pool_resize(pool, NULL, 7, 0));
  mb_pool_free(pool);
}

static void test_content_moves_along (void **state) {
  (void)state;
  static const size_t sizes[] = {1, 16, 17, 512, 513, 100000, 600, 512, 100, 1};
  struct mb_pool *pool = new_pool();
  unsigned char *block = make(pool, 1);
  block[0] = 'x';
  for (size_t i = 1; i < sizeof sizes / sizeof *sizes; i++) {
    block = mb_pool_resize(pool, block, sizes[i - 1], sizes[i]);
    assert_non_null(block);
    assert_int_equal(block[0], 'x');
    if (sizes[i] > 1) block[sizes[i] - 1] = 'y';
  }
  mb_pool_resize(pool, block, 1, 0);
  mb_pool_free(pool);
}

/* Many blocks of random sizes, each filled with a byte of its own, changed and freed in random order: none may touch
** another. There are enough of them for pieces of huge pages. */
static void test_blocks_do_not_overlap (void **state) {
  (void)state;
  enum { BLOCKS = 200000, STEPS = 600000 };
  struct mb_pool *pool = new_pool();
  unsigned char **blocks = calloc(BLOCKS, sizeof *blocks);
  size_t *sizes = calloc(BLOCKS, sizeof *sizes);
  assert_non_null(blocks);
  assert_non_null(sizes);
  struct mb_rng rng;
  mb_rng_seed(&rng, 1);
  for (size_t step = 0; step < STEPS; step++) {
    size_t i = mb_rng_below(&rng, BLOCKS);
    size_t size = mb_rng_below(&rng, 8) == 0 ? 0 : 1 + mb_rng_below(&rng, 700);
    if (sizes[i] > 0) {
      assert_int_equal(blocks[i][0], (unsigned char)i);
      assert_int_equal(blocks[i][sizes[i] - 1], (unsigned char)i);
    }
    blocks[i] = mb_pool_resize(pool, blocks[i], sizes[i], size);
    assert_int_equal(blocks[i] != NULL, size > 0);
    sizes[i] = size;
    if (size > 0) memset(blocks[i], (unsigned char)i, size);
  }
  for (size_t i = 0; i < BLOCKS; i++) {
    for (size_t at = 0; at < sizes[i]; at++) assert_int_equal(blocks[i][at], (unsigned char)i);
    mb_pool_resize(pool, blocks[i], sizes[i], 0);
  }
  free(sizes);
  free(blocks);
  mb_pool_free(pool);
}

int main (void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_what_is_freed_is_used_again),
      cmocka_unit_test(test_content_moves_along),
      cmocka_unit_test(test_blocks_do_not_overlap),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

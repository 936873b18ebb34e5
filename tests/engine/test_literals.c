#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "literals.h"

static struct mb_literals *new_set (const char *const *literals, size_t count) {
  size_t sizes[16] = {0};
  for (size_t i = 0; i < count; i++) sizes[i] = strlen(literals[i]);
  struct mb_literals *set = mb_literals_new(literals, sizes, count);
  assert_non_null(set);
  return set;
}

static bool occur (const struct mb_literals *set, const char *text) {
  return mb_literals_occur(set, text, strlen(text));
}

static void test_finds_any_of_them (void **state) {
  (void)state;
  static const char *const literals[] = {"he", "she", "hers", "login: "};
  struct mb_literals *set = new_set(literals, 4);
  assert_true(occur(set, "he"));
  assert_true(occur(set, "ushers"));
  assert_true(occur(set, "a long line that ends in login: "));
  assert_false(occur(set, "a long line that ends in login:"));
  assert_false(occur(set, "hhhssslogin login"));
  assert_false(occur(set, ""));
  mb_literals_free(set);
}

/* A literal inside another one, and one that begins like another. */
static void test_overlapping_literals (void **state) {
  (void)state;
  static const char *const literals[] = {"abcdX", "bc", "abce"};
  struct mb_literals *set = new_set(literals, 3);
  assert_true(occur(set, "abcd"));
  assert_true(occur(set, "xbcx"));
  assert_false(occur(set, "abXbXc"));
  mb_literals_free(set);
  static const char *const nested[] = {"abc", "ab", "abcd"};
  set = new_set(nested, 3);
  assert_true(occur(set, "aab"));
  assert_false(occur(set, "aac"));
  mb_literals_free(set);
  /* Falling back from one literal into the middle of another. */
  static const char *const back[] = {"aabaac", "abaab"};
  set = new_set(back, 2);
  assert_true(occur(set, "aabaab"));
  assert_true(occur(set, "aaabaac"));
  assert_false(occur(set, "aabaaXc"));
  mb_literals_free(set);
}

static void test_no_literals_occur_nowhere (void **state) {
  (void)state;
  struct mb_literals *set = new_set(NULL, 0);
  assert_false(occur(set, "anything"));
  mb_literals_free(set);
}

static void test_any_bytes (void **state) {
  (void)state;
  char all[256];
  for (int i = 0; i < 256; i++) all[i] = (char)i;
  const char *literals[] = {all};
  size_t sizes[] = {256};
  struct mb_literals *set = mb_literals_new(literals, sizes, 1);
  assert_non_null(set);
  char text[600];
  memset(text, 'x', sizeof text);
  memcpy(text + 300, all, 256);
  assert_true(mb_literals_occur(set, text, sizeof text));
  text[400] ^= 1;
  assert_false(mb_literals_occur(set, text, sizeof text));
  mb_literals_free(set);
}

static void test_what_is_refused (void **state) {
  (void)state;
  static char big[MB_LITERALS_BYTES_MAX + 1];
  const char *literals[] = {"a", big};
  size_t sizes[] = {0, 1};
  errno = 0;
  assert_null(mb_literals_new(literals, sizes, 2));
  assert_int_equal(errno, EINVAL);
  sizes[0] = 1;
  sizes[1] = MB_LITERALS_BYTES_MAX;
  assert_null(mb_literals_new(literals, sizes, 2));
  sizes[1] = SIZE_MAX;
  assert_null(mb_literals_new(literals, sizes, 2));
  sizes[1] = MB_LITERALS_BYTES_MAX - 1;
  struct mb_literals *set = mb_literals_new(literals, sizes, 2);
  assert_non_null(set);
  mb_literals_free(set);
}

static void test_agrees_with_memmem (void **state) {
  (void)state;
  srand(3);
  for (int round = 0; round < 2000; round++) {
    char pool[16][8];
    const char *literals[16];
    size_t sizes[16] = {0};
    size_t count = 1 + (size_t)rand() % 6;
    for (size_t i = 0; i < count; i++) {
      sizes[i] = 1 + (size_t)rand() % 6;
      for (size_t j = 0; j < sizes[i]; j++) pool[i][j] = (char)('a' + rand() % 3);
      literals[i] = pool[i];
    }
    char text[40];
    size_t size = (size_t)rand() % sizeof text;
    for (size_t i = 0; i < size; i++) text[i] = (char)('a' + rand() % 4);
    bool want = false;
    for (size_t i = 0; i < count; i++) {
      want = want || memmem(text, size, literals[i], sizes[i]) != NULL;
    }
    struct mb_literals *set = mb_literals_new(literals, sizes, count);
    assert_int_equal(mb_literals_occur(set, text, size), want);
    mb_literals_free(set);
  }
}

int main (void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_finds_any_of_them),         cmocka_unit_test(test_overlapping_literals),
      cmocka_unit_test(test_no_literals_occur_nowhere), cmocka_unit_test(test_any_bytes),
      cmocka_unit_test(test_what_is_refused),           cmocka_unit_test(test_agrees_with_memmem),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "json.h"

static void string_is (const char *s, size_t size, const char *expected) {
  char *out =
      malloc(size * MB_JSON_BYTE_MAX + MB_JSON_QUOTES); /* no byte more: a sanitizer watches */
  assert_non_null(out);
  size_t length = mb_json_string(s, size, out);
  assert_int_equal(length, strlen(expected));
  assert_memory_equal(out, expected, length);
  free(out);
}

#define STRING(s, expected) string_is(s, sizeof(s) - 1, expected)

static void test_strings (void **state) {
  (void)state;
  STRING("", "\"\"");
  STRING("login: ", "\"login: \"");
  STRING("a \"b\" \\ /", "\"a \\\"b\\\" \\\\ /\"");
  STRING("\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"");
  STRING("\0\1\033[0m\177", "\"\\u0000\\u0001\\u001b[0m\\u007f\"");
  STRING("\1\1\1\1", "\"\\u0001\\u0001\\u0001\\u0001\"");
}

#define BAD "\xef\xbf\xbd"

static void test_utf8 (void **state) {
  (void)state;
  STRING("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \xf4\x8f\xbf\xbf",
         "\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \xf4\x8f\xbf\xbf\"");
  STRING("a\xff\xfe", "\"a" BAD BAD "\"");
  STRING("\x80z", "\"" BAD "z\"");                       /* a continuation of nothing */
  STRING("\xe2\x82", "\"" BAD BAD "\"");                 /* cut off */
  STRING("\xe2\"", "\"" BAD "\\\"\"");                   /* what follows is not swallowed */
  STRING("\xc0\xaf", "\"" BAD BAD "\"");                 /* longer than need be */
  STRING("\xe0\x9f\xbf", "\"" BAD BAD BAD "\"");         /* so too */
  STRING("\xf0\x8f\xbf\xbf", "\"" BAD BAD BAD BAD "\""); /* so too */
  STRING("\xed\xa0\x80", "\"" BAD BAD BAD "\"");         /* a surrogate */
  STRING("\xf4\x90\x80\x80", "\"" BAD BAD BAD BAD "\""); /* beyond U+10FFFF */
}

static void number_is (double x, int decimals, const char *expected) {
  char out[MB_JSON_NUMBER_MAX];
  size_t length = mb_json_number(x, decimals, out);
  assert_true(length < sizeof out);
  out[length] = '\0';
  assert_string_equal(out, expected);
}

static void test_numbers (void **state) {
  (void)state;
  number_is(0, 6, "0");
  number_is(-0.0, 6, "0");
  number_is(100, 6, "100");
  number_is(66.0658921234, 6, "66.065892");
  number_is(66.5, 6, "66.5");
  number_is(-1.25, 6, "-1.25");
  number_is(100.0000000001, 6, "100");
  number_is(1.23e-9, 6, "1.23e-09");
  number_is(-1e-9, 6, "-1e-09");
  number_is(9.7, 0, "10");
  number_is(0x1p60, 6, "1152921504606846976");
  number_is(9007199254740991.0, MB_JSON_EXACT, "9007199254740991");
  number_is(-9007199254740991.0, MB_JSON_EXACT, "-9007199254740991");
  number_is(0.1, MB_JSON_EXACT, "0.1");
  number_is(1.0 / 3, MB_JSON_EXACT, "0.33333333333333331");
  number_is(1e-300, MB_JSON_EXACT, "1e-300");
  number_is(1e300, MB_JSON_EXACT, "1e+300");
}

static void test_the_longest_number_has_room (void **state) {
  (void)state;
  char out[MB_JSON_NUMBER_MAX];
  assert_int_equal(mb_json_number(-1.7976931348623157e308, 6, out), 310);
  assert_int_equal(out[0], '-');
  assert_int_equal(mb_json_number(-0x1.fffffffffffffp50, 17, out), 20);
}

int main (void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_strings),
      cmocka_unit_test(test_utf8),
      cmocka_unit_test(test_numbers),
      cmocka_unit_test(test_the_longest_number_has_room),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

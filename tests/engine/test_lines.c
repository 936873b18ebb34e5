#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lines.h"

static struct mb_lines *new_lines (size_t limit) {
  struct mb_lines *l = mb_lines_new(limit);
  assert_non_null(l);
  return l;
}

static void push (struct mb_lines *l, const char *text, int64_t t_ns) {
  assert_int_equal(mb_lines_push(l, text, strlen(text), t_ns), 0);
}

static void expect_text (const struct mb_text *text, const char *want) {
  assert_int_equal(text->size, strlen(want));
  assert_memory_equal(text->data, want, text->size);
}

static void expect_next (struct mb_lines *l, const char *want) {
  struct mb_text text;
  assert_true(mb_lines_next(l, &text));
  expect_text(&text, want);
}

static void expect_partial (struct mb_lines *l, const char *want) {
  struct mb_text text;
  mb_lines_partial(l, &text);
  expect_text(&text, want);
}

static void expect_none (struct mb_lines *l) {
  struct mb_text text;
  assert_false(mb_lines_next(l, &text));
}

static void expect_stamp (struct mb_lines *l, size_t i, int64_t want_t, uint64_t want_offset) {
  int64_t t_ns;
  uint64_t offset;
  assert_true(mb_lines_stamp(l, i, &t_ns, &offset));
  assert_int_equal(t_ns, want_t);
  assert_int_equal(offset, want_offset);
  int64_t all[64];
  assert_true(mb_lines_stamps(l, NULL, 0) > i);
  assert_true(mb_lines_stamps(l, all, 64) <= 64);
  assert_int_equal(all[i], want_t);
}

/* What `in` becomes, lines joined by '|', the unfinished one last; pushed in pieces of `piece` bytes. */
static void render (const char *in, size_t size, size_t limit, size_t piece, char *out) {
  struct mb_lines *l = new_lines(limit);
  struct mb_text text;
  for (size_t i = 0; i < size; i += piece) {
    size_t n = size - i < piece ? size - i : piece;
    assert_int_equal(mb_lines_push(l, in + i, n, (int64_t)i), 0);
    while (mb_lines_next(l, &text)) out += sprintf(out, "%.*s|", (int)text.size, text.data);
  }
  mb_lines_partial(l, &text);
  sprintf(out, "%.*s", (int)text.size, text.data);
  mb_lines_free(l);
}

static void test_what_a_terminal_does (void **state) {
  (void)state;
  static const struct {
    const char *in, *out;
  } cases[] = {
      {"", ""},
      {"one\r\ntwo\nthree", "one|two|three"},
      {"\n\n", "||"},
      {"\r\r\n", "|"},
      {"a\tb\n", "a\tb|"},
      {"a\a\v\f\x7f\x01z\n", "az|"},
      {"\xff\xc3(\x80\n", "\xff\xc3(\x80|"},
      /* overwriting */
      {"|\b/\b-\b\\\bLoading\n", "Loading|"},
      {"1 seconds. \b\b\b\b\b\b\b\b\b\b\b0\n", "0 seconds. |"},
      {"50%\r60%\r100%\n", "100%|"},
      {"longer\rab\n", "abnger|"},
      {"\b\b\bx\n", "x|"},
      {"ab\b\b\bxyz\n", "xyz|"},
      /* sequences that are obeyed */
      {"abcdef\b\b\b\033[K!\n", "abc!|"},
      {"abcdef\b\b\b\033[0K!\n", "abc!|"},
      {"abcdef\b\b\b\033[1K!\n", "   !ef|"},
      {"abcdef\033[2K!\n", "      !|"},
      {"abcdef\r\033[K!\n", "!|"},
      {"abcdef\033[1K!\n", "      !|"},
      {"\033[1K\033[K!\n", "!|"},
      {"abc\033[2Dx\n", "axc|"},
      {"abc\033[Dx\n", "abx|"},
      {"abc\033[9Dx\n", "xbc|"},
      {"abc\033[3Cx\n", "abc   x|"},
      {"abc\033[3C\n", "abc|"},
      {"abc\033[2Gx\n", "axc|"},
      {"abc\033[Gx\n", "xbc|"},
      {"abc\033[6;7Gx\n", "abc  x|"},
      /* sequences that leave the line */
      {"abc\033[2Jdef\033[1;1Hghi\033[3;4fx\033[Ay\033[Bz\033[E1\033[F2\033[5d3\n",
       "abc|def|ghi|x|y|z|1|2|3|"},
      {"\033[2J\033[01;01Hhello\n", "hello|"},
      {"abc\033cdef\033Dghi\033Ejkl\033Mm", "abc|def|ghi|jkl|m"},
      {"\033c\033[?7l\033[2J\033[0mSeaBIOS\n", "SeaBIOS|"},
      /* sequences that are dropped */
      {"\033[1;31mred\033[0m \033[38:2:1:2:3mx\033[m\n", "red x|"},
      {"\033[?25lx\033[?2Ky\033[>0Kz\033[!p\033[ q\n", "xyz|"},
      {"\033(Bx\033)0y\033#8z\033 F!\n", "xyz!|"},
      {"\0337x\0338y\033=z\033>\n", "xyz|"},
      {"\033]0;title\007x\033]2;other\033\\y\n", "xy|"},
      {"\033Pq#0;1\033\\x\033_apc\033\\y\033^pm\033\\z\033Xsos\033\\!\n", "xyz!|"},
      /* sequences cut short */
      {"\033[\nnext\n", "|next|"},
      {"a\033\nnext\n", "a|next|"},
      {"\033]0;no end\nnext\n", "|next|"},
      {"\033[12\030x\033]a\032y\n", "xy|"},
      {"\033[3\033[1mx\n", "x|"},
      {"\033]0;a\033[1mx\n", "x|"},
      {"\033]0;a\033\033\\x\n", "x|"},
      {"ab\033[\b1Dx\n", "xb|"},
      {"\033\xc3\xa9x\033[1\xc3\xa9\n", "\xc3\xa9x\xc3\xa9|"},
      {"\033[999999999999999999999Cx\r\033[99999999999Gy\033[99999999999Dz\n", NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const char *in = cases[i].in;
    char whole[1024];
    render(in, strlen(in), 8192, 1024, whole);
    if (cases[i].out != NULL) assert_string_equal(whole, cases[i].out);
    for (size_t piece = 1; piece < 5; piece++) {
      char pieces[1024];
      render(in, strlen(in), 8192, piece, pieces);
      assert_string_equal(pieces, whole);
    }
  }
}

static void test_nul_is_dropped (void **state) {
  (void)state;
  char out[64];
  render("a\0b\0\n\033[\0001Kc", 11, 100, 100, out);
  assert_string_equal(out, "ab|c");
}

static void test_stamps (void **state) {
  (void)state;
  struct mb_lines *l = new_lines(100);
  push(l, "ab", 10);
  push(l, "cd\r\nef", 20);
  expect_next(l, "abcd");
  expect_stamp(l, 0, 10, 0);
  expect_stamp(l, 1, 10, 1);
  expect_stamp(l, 2, 20, 2);
  expect_stamp(l, 3, 20, 3);
  expect_partial(l, "ef");
  expect_stamp(l, 0, 20, 6);
  push(l, "g\n", 30);
  expect_next(l, "efg");
  expect_stamp(l, 1, 20, 7);
  expect_stamp(l, 2, 30, 8);
  mb_lines_free(l);
}

static void test_stamps_of_overwritten_text (void **state) {
  (void)state;
  struct mb_lines *l = new_lines(100);
  push(l, "abcdef", 1); /* 0..5 */
  push(l, "\b\b\b", 2); /* 6..8 */
  push(l, "XY", 3);     /* 9, 10 */
  expect_partial(l, "abcXYf");
  expect_stamp(l, 2, 1, 2);
  expect_stamp(l, 3, 3, 9);
  expect_stamp(l, 4, 3, 10);
  expect_stamp(l, 5, 1, 5);
  push(l, "\rhi\033[K", 4); /* 11..16 */
  expect_partial(l, "hi");
  expect_stamp(l, 0, 4, 12);
  expect_stamp(l, 1, 4, 13);
  push(l, "\033[3C!", 5); /* 17..21 */
  expect_partial(l, "hi   !");
  expect_stamp(l, 2, 5, 21); /* blanks count as made by the byte after them */
  expect_stamp(l, 4, 5, 21);
  expect_stamp(l, 5, 5, 21);
  push(l, "\r\033[2K.\n", 6); /* 22.. */
  expect_next(l, ".");
  expect_stamp(l, 0, 6, 27);
  mb_lines_free(l);
}

static void test_stamp_out_of_range (void **state) {
  (void)state;
  struct mb_lines *l = new_lines(100);
  int64_t t_ns;
  uint64_t offset;
  assert_false(mb_lines_stamp(l, 0, &t_ns, &offset));
  push(l, "ab", 1);
  expect_partial(l, "ab");
  assert_false(mb_lines_stamp(l, 2, &t_ns, &offset));
  push(l, "c", 1); /* the partial line may have moved */
  assert_false(mb_lines_stamp(l, 0, &t_ns, &offset));
  push(l, "\n\n", 1);
  expect_next(l, "abc");
  expect_next(l, "");
  assert_false(mb_lines_stamp(l, 0, &t_ns, &offset));
  mb_lines_free(l);
}

static void test_line_numbers (void **state) {
  (void)state;
  struct mb_lines *l = new_lines(4);
  struct mb_text text;
  push(l, "one\nlonger\nx", 1);
  for (uint64_t number = 1; number <= 3; number++) {
    assert_true(mb_lines_next(l, &text));
    assert_int_equal(text.number, number);
  }
  mb_lines_partial(l, &text);
  assert_int_equal(text.number, 4);
  mb_lines_free(l);
}

static void test_long_lines_come_in_pieces (void **state) {
  (void)state;
  char out[256];
  for (size_t piece = 1; piece < 20; piece++) {
    render("12345678\nabcdefghijklm\n", 23, 8, piece, out);
    assert_string_equal(out, "12345678|abcdefgh|ijklm|");
    render("12345678\bX9\r\n", 13, 8, piece, out);
    assert_string_equal(out, "1234567X|9|");
    render("abc\033[200Cd\033[200Ce", 18, 8, piece, out);
    assert_string_equal(out, "abc|d|e");
  }
}

static void test_an_endless_line_stays_bounded (void **state) {
  (void)state;
  struct mb_lines *l = new_lines(16);
  struct mb_text text;
  size_t bytes = 0;
  for (int i = 0; i < 100000; i++) {
    push(l, "xy", i);
    while (mb_lines_next(l, &text)) {
      assert_int_equal(text.size, 16);
      bytes += text.size;
    }
    mb_lines_partial(l, &text);
    assert_true(text.size <= 16);
  }
  assert_int_equal(bytes + text.size, 200000);
  expect_stamp(l, 0, 99992, 199984);
  mb_lines_free(l);
}

static void test_endless_sequences_are_given_up (void **state) {
  (void)state;
  struct mb_lines *l = new_lines(8192);
  push(l, "\033[", 1);
  for (int i = 0; i < 1000; i++) push(l, "1", 1);
  push(l, "end\n", 1);
  struct mb_text text;
  assert_true(mb_lines_next(l, &text));
  assert_true(text.size > 900 && text.size < 1003);
  push(l, "\033]", 1);
  for (int i = 0; i < 10000; i++) push(l, "s", 1);
  push(l, "\n", 1);
  assert_true(mb_lines_next(l, &text));
  assert_true(text.size > 5000 && text.size < 10000);
  mb_lines_free(l);
}

static void test_lines_left_behind_are_kept (void **state) {
  (void)state;
  struct mb_lines *l = new_lines(100);
  char want[16];
  /* Two lines come for each one taken, so that the queue is never empty while its front is reused. */
  int taken = 0;
  size_t offset = 0;
  for (int i = 0; i < 1000; i++) {
    char line[32];
    sprintf(line, "%d\r\n%d\n", 2 * i, 2 * i + 1);
    push(l, line, i);
    sprintf(want, "%d", taken);
    expect_next(l, want);
    expect_stamp(l, 0, taken / 2, (uint64_t)offset);
    offset += taken % 2 ? strlen(want) + 1 : strlen(want) + 2;
    taken++;
  }
  while (taken < 2000) {
    sprintf(want, "%d", taken++);
    expect_next(l, want);
  }
  expect_none(l);
  mb_lines_free(l);
}

/* Any bytes, in any pieces, give the same lines and offsets, within the limit and without control characters. */
static void test_pieces_do_not_matter (void **state) {
  (void)state;
  static const char alphabet[] = "ab \b\b\r\n\033[]0123;?KCDGHJmc\\\007\t\0\x7f\xc3\x18(B";
  srand(42);
  for (int round = 0; round < 300; round++) {
    char in[2000];
    size_t size = (size_t)rand() % sizeof in;
    for (size_t i = 0; i < size; i++) {
      in[i] = round % 2 ? alphabet[(size_t)rand() % (sizeof alphabet - 1)] : (char)rand();
    }
    size_t limit = 1 + (size_t)rand() % 40;
    struct mb_lines *whole = new_lines(limit);
    struct mb_lines *parts = new_lines(limit);
    struct mb_text a;
    struct mb_text b;
    assert_int_equal(mb_lines_push(whole, in, size, 7), 0);
    for (size_t i = 0; i < size;) {
      size_t n = 1 + (size_t)rand() % 9;
      if (n > size - i) n = size - i;
      assert_int_equal(mb_lines_push(parts, in + i, n, 7), 0);
      i += n;
    }
    for (bool more = true; more;) {
      more = mb_lines_next(whole, &a);
      assert_int_equal(mb_lines_next(parts, &b), more);
      if (!more) {
        mb_lines_partial(whole, &a);
        mb_lines_partial(parts, &b);
      }
      assert_int_equal(a.size, b.size);
      assert_memory_equal(a.data, b.data, a.size);
      assert_int_equal(a.number, b.number);
      assert_true(a.size <= limit);
      for (size_t i = 0; i < a.size; i++) {
        int64_t t_ns;
        uint64_t x;
        uint64_t y;
        unsigned char c = (unsigned char)a.data[i];
        assert_true((c >= 0x20 && c != 0x7f) || c == '\t');
        assert_true(mb_lines_stamp(whole, i, &t_ns, &x));
        assert_true(mb_lines_stamp(parts, i, &t_ns, &y));
        assert_int_equal(x, y);
        assert_int_equal(t_ns, 7);
        assert_true(x < size);
        if (c != ' ') assert_int_equal(c, (unsigned char)in[x]);
      }
    }
    mb_lines_free(whole);
    mb_lines_free(parts);
  }
}

int main (void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_what_a_terminal_does),
      cmocka_unit_test(test_nul_is_dropped),
      cmocka_unit_test(test_stamps),
      cmocka_unit_test(test_stamps_of_overwritten_text),
      cmocka_unit_test(test_stamp_out_of_range),
      cmocka_unit_test(test_line_numbers),
      cmocka_unit_test(test_long_lines_come_in_pieces),
      cmocka_unit_test(test_an_endless_line_stays_bounded),
      cmocka_unit_test(test_endless_sequences_are_given_up),
      cmocka_unit_test(test_lines_left_behind_are_kept),
      cmocka_unit_test(test_pieces_do_not_matter),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

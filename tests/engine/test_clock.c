#include "support.h"

#include "clock.h"

/* A clock whose readings take as long as a script says, and whose realtime may be stepped. */
struct script {
  int64_t now_ns;
  int64_t offset_ns;
  const int64_t *costs_ns; /* of each reading of the realtime clock */
  int readings;
};

static int64_t scripted_monotonic (void *state) {
  struct script *s = state;
  return s->now_ns;
}

static int64_t scripted_realtime (void *state) {
  struct script *s = state;
  int64_t half = s->costs_ns[s->readings++] / 2;
  s->now_ns += half;
  int64_t real = s->now_ns + s->offset_ns;
  s->now_ns += half;
  return real;
}

static void the_narrowest_bracket_wins (void **state) {
  (void)state;
  const int64_t costs_ns[] = {900, 40, 10000};
  struct script script = {.now_ns = 1000, .offset_ns = 5 * MB_NS_PER_S, .costs_ns = costs_ns};
  struct mb_clock clock = {scripted_monotonic, scripted_realtime, &script};
  struct mb_clock_offset offset = mb_clock_measure(&clock, 3);
  assert_int_equal(offset.offset_ns, 5 * MB_NS_PER_S);
  assert_int_equal(offset.width_ns, 40);
  assert_int_equal(script.readings, 3);
}

static void one_attempt_at_least (void **state) {
  (void)state;
  const int64_t costs_ns[] = {60};
  struct script script = {.offset_ns = -7, .costs_ns = costs_ns};
  struct mb_clock clock = {scripted_monotonic, scripted_realtime, &script};
  struct mb_clock_offset offset = mb_clock_measure(&clock, 0);
  assert_int_equal(offset.offset_ns, -7);
  assert_int_equal(offset.width_ns, 60);
}

static void a_step_shows_in_the_offset (void **state) {
  (void)state;
  const int64_t costs_ns[] = {20, 20};
  struct script script = {.offset_ns = 100, .costs_ns = costs_ns};
  struct mb_clock clock = {scripted_monotonic, scripted_realtime, &script};
  int64_t before_ns = mb_clock_measure(&clock, 1).offset_ns;
  script.offset_ns += MB_NS_PER_S;
  assert_int_equal(mb_clock_measure(&clock, 1).offset_ns - before_ns, MB_NS_PER_S);
}

static void the_system_clock_agrees_with_itself (void **state) {
  (void)state;
  int64_t before_ns = mb_clock_now();
  struct mb_clock_offset offset = mb_clock_measure(&mb_clock_system, 16);
  int64_t real_ns = mb_clock_realtime();
  int64_t after_ns = mb_clock_now();
  assert_true(after_ns >= before_ns);
  assert_true(offset.width_ns >= 0);
  assert_true(offset.width_ns <= after_ns - before_ns);
  assert_true(real_ns - offset.offset_ns >= before_ns - offset.width_ns);
  assert_true(real_ns - offset.offset_ns <= after_ns + offset.width_ns);
}

int main (void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_narrowest_bracket_wins),
      cmocka_unit_test(one_attempt_at_least),
      cmocka_unit_test(a_step_shows_in_the_offset),
      cmocka_unit_test(the_system_clock_agrees_with_itself),
  };
  return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}

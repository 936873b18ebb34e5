/* The generator against published vectors, and bootstrap replicates against what theory says of
** them. Every seed is fixed: a test here cannot fail by chance. */

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "resample.h"

/* The first outputs of splitmix64.c at https://prng.di.unimi.it for these seeds. */
static void splitmix_vectors (void **state) {
  (void)state;
  uint64_t s = 0;
  assert_int_equal(mb_splitmix64(&s), 0xe220a8397b1dcdafu);
  assert_int_equal(mb_splitmix64(&s), 0x6e789e6aa1b965f4u);
  assert_int_equal(mb_splitmix64(&s), 0x06c45d188009454fu);
  s = 1234567;
  assert_int_equal(mb_splitmix64(&s), 6457827717110365317u);
  assert_int_equal(mb_splitmix64(&s), 3203168211198807973u);
}

/* The outputs of xoshiro256starstar.c, same site, from the state 1, 2, 3, 4. */
static void xoshiro_vectors (void **state) {
  (void)state;
  static const uint64_t expected[] = {
      11520u,
      0u,
      1509978240u,
      1215971899390074240u,
      1216172134540287360u,
      607988272756665600u,
      16172922978634559625u,
      8476171486693032832u,
      10595114339597558777u,
      2904607092377533576u,
  };
  struct mb_rng rng = {{1, 2, 3, 4}};
  for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
    assert_int_equal(mb_rng_next(&rng), expected[i]);
  }
}

static void one_seed_one_sequence (void **state) {
  (void)state;
  struct mb_rng a, b, c;
  mb_rng_seed(&a, 42);
  mb_rng_seed(&b, 42);
  mb_rng_seed(&c, 43);
  int differs = 0;
  for (int i = 0; i < 100; i++) {
    uint64_t x = mb_rng_next(&a);
    assert_int_equal(x, mb_rng_next(&b));
    differs += x != mb_rng_next(&c);
  }
  assert_int_equal(differs, 100);
}

static void below_is_uniform (void **state) {
  (void)state;
  struct mb_rng rng;
  mb_rng_seed(&rng, 7);
  int counts[6] = {0};
  for (int i = 0; i < 60000; i++) {
    uint64_t x = mb_rng_below(&rng, 6);
    assert_true(x < 6);
    counts[x]++;
  }
  double chi2 = 0;
  for (int i = 0; i < 6; i++) chi2 += (counts[i] - 10000.0) * (counts[i] - 10000.0) / 10000.0;
  assert_true(chi2 < 20.5); /* 99.9 % quantile, 5 degrees of freedom */
  assert_int_equal(mb_rng_below(&rng, 1), 0);
}

/* Of n = 3 * 2^62 values a plain product would give a third of them twice as often. */
static void below_is_unbiased_for_huge_n (void **state) {
  (void)state;
  struct mb_rng rng;
  mb_rng_seed(&rng, 8);
  uint64_t n = UINT64_C(3) << 62;
  int thirds[3] = {0};
  for (int i = 0; i < 30000; i++) thirds[mb_rng_below(&rng, n) >> 62]++;
  for (int i = 0; i < 3; i++) assert_true(abs(thirds[i] - 10000) < 400);
  int odd = 0;
  for (int i = 0; i < 30000; i++) odd += (mb_rng_below(&rng, n) % 3) == 1;
  assert_true(abs(odd - 10000) < 400);
}

static void unit_stays_inside (void **state) {
  (void)state;
  struct mb_rng rng;
  mb_rng_seed(&rng, 9);
  double sum = 0;
  for (int i = 0; i < 100000; i++) {
    double x = mb_rng_unit(&rng);
    assert_true(x >= 0 && x < 1);
    sum += x;
  }
  assert_true(fabs(sum / 100000 - 0.5) < 0.005);
}

#define RESAMPLES 20000

static void moments_of (const double *xs, size_t n, double *mean, double *stdev) {
  double m = 0, v = 0;
  for (size_t i = 0; i < n; i++) m += xs[i] / (double)n;
  for (size_t i = 0; i < n; i++) v += (xs[i] - m) * (xs[i] - m) / (double)n;
  *mean = m;
  *stdev = sqrt(v);
}

/* The bootstrap distribution of the mean has the sample's mean and stdev_n / sqrt(n). */
static void means_spread_as_they_should (void **state) {
  (void)state;
  static const double xs[] = {63.0, 70.2, 65.1, 64.9, 66.8, 65.0, 64.2};
  static double out[RESAMPLES];
  struct mb_rng rng;
  mb_rng_seed(&rng, 1);
  assert_int_equal(mb_resample(MB_MEAN, xs, 7, out, RESAMPLES, &rng), 0);
  double mean, stdev, centre, spread;
  moments_of(xs, 7, &mean, &stdev);
  moments_of(out, RESAMPLES, &centre, &spread);
  assert_true(fabs(centre - mean) < 0.02);
  assert_true(fabs(spread - stdev / sqrt(7)) < 0.02);
}

static double frequency (const double *xs, size_t n, double value) {
  size_t hits = 0;
  for (size_t i = 0; i < n; i++) hits += xs[i] == value;
  return (double)hits / (double)n;
}

/* P(median of 3 draws from 3 is the smallest) = P(at least two draws are it) = 7/27. */
static void medians_follow_the_binomial (void **state) {
  (void)state;
  static const double xs[] = {5, 1, 3};
  static double out[RESAMPLES];
  struct mb_rng rng;
  mb_rng_seed(&rng, 2);
  assert_int_equal(mb_resample(MB_MEDIAN, xs, 3, out, RESAMPLES, &rng), 0);
  assert_true(fabs(frequency(out, RESAMPLES, 1) - 7.0 / 27) < 0.01);
  assert_true(fabs(frequency(out, RESAMPLES, 3) - 13.0 / 27) < 0.01);
  assert_true(fabs(frequency(out, RESAMPLES, 5) - 7.0 / 27) < 0.01);
}

/* An even n takes the mean of the middle two: of 2 values, the values and their mean. */
static void medians_of_even_samples (void **state) {
  (void)state;
  static const double xs[] = {10, 20};
  static double out[RESAMPLES];
  struct mb_rng rng;
  mb_rng_seed(&rng, 3);
  assert_int_equal(mb_resample(MB_MEDIAN, xs, 2, out, RESAMPLES, &rng), 0);
  assert_true(fabs(frequency(out, RESAMPLES, 10) - 0.25) < 0.01);
  assert_true(fabs(frequency(out, RESAMPLES, 15) - 0.5) < 0.01);
  assert_true(fabs(frequency(out, RESAMPLES, 20) - 0.25) < 0.01);
}

/* Two draws from {0, 1}: equal half of the time, else their standard deviation is sqrt(1/2). */
static void stdevs_divide_by_n_less_one (void **state) {
  (void)state;
  static const double xs[] = {0, 1};
  static double out[RESAMPLES];
  struct mb_rng rng;
  mb_rng_seed(&rng, 4);
  assert_int_equal(mb_resample(MB_STDEV, xs, 2, out, RESAMPLES, &rng), 0);
  assert_true(fabs(frequency(out, RESAMPLES, 0) - 0.5) < 0.01);
  for (int i = 0; i < RESAMPLES; i++) {
    assert_true(out[i] == 0 || fabs(out[i] - sqrt(0.5)) < 1e-12);
  }
}

static void equal_values_give_that_value (void **state) {
  (void)state;
  static const double xs[] = {65.3, 65.3, 65.3, 65.3};
  double out[50];
  struct mb_rng rng;
  for (int statistic = MB_MEAN; statistic <= MB_STDEV; statistic++) {
    mb_rng_seed(&rng, 5);
    assert_int_equal(mb_resample((enum mb_statistic)statistic, xs, 4, out, 50, &rng), 0);
    for (int i = 0; i < 50; i++) assert_true(out[i] == (statistic == MB_STDEV ? 0 : 65.3));
  }
}

/* Digits survive a large common offset, as CLOCK_MONOTONIC nanoseconds have. */
static void offsets_cost_no_digits (void **state) {
  (void)state;
  static const double xs[] = {1e15 + 1, 1e15 + 2, 1e15 + 3, 1e15 + 4, 1e15 + 5};
  static const double ys[] = {1, 2, 3, 4, 5};
  double a[200], b[200];
  struct mb_rng rng;
  mb_rng_seed(&rng, 6);
  assert_int_equal(mb_resample(MB_STDEV, xs, 5, a, 200, &rng), 0);
  mb_rng_seed(&rng, 6);
  assert_int_equal(mb_resample(MB_STDEV, ys, 5, b, 200, &rng), 0);
  for (int i = 0; i < 200; i++) assert_true(fabs(a[i] - b[i]) < 1e-9);
}

static void too_few_values (void **state) {
  (void)state;
  double x = 1, out;
  struct mb_rng rng;
  mb_rng_seed(&rng, 1);
  for (int statistic = MB_MEAN; statistic <= MB_STDEV; statistic++) {
    errno = 0;
    assert_int_equal(mb_resample((enum mb_statistic)statistic, &x, 0, &out, 1, &rng), -1);
    assert_int_equal(errno, EINVAL);
  }
  errno = 0;
  assert_int_equal(mb_resample(MB_STDEV, &x, 1, &out, 1, &rng), -1);
  assert_int_equal(errno, EINVAL);
  assert_int_equal(mb_resample(MB_MEDIAN, &x, 1, &out, 1, &rng), 0);
  assert_true(out == 1);
}

static int ascending (const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void sorts_any_number_of_values (void **state) {
  (void)state;
  double xs[300], expected[300], scratch[300];
  struct mb_rng rng;
  mb_rng_seed(&rng, 1);
  for (size_t n = 0; n <= 300; n++) {
    for (size_t i = 0; i < n; i++) xs[i] = (double)mb_rng_below(&rng, n) - 100; /* with ties */
    memcpy(expected, xs, n * sizeof *xs);
    qsort(expected, n, sizeof *expected, ascending);
    mb_sort(xs, n, scratch);
    for (size_t i = 0; i < n; i++) assert_true(xs[i] == expected[i]);
  }
}

int main (void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(splitmix_vectors),
      cmocka_unit_test(xoshiro_vectors),
      cmocka_unit_test(sorts_any_number_of_values),
      cmocka_unit_test(one_seed_one_sequence),
      cmocka_unit_test(below_is_uniform),
      cmocka_unit_test(below_is_unbiased_for_huge_n),
      cmocka_unit_test(unit_stays_inside),
      cmocka_unit_test(means_spread_as_they_should),
      cmocka_unit_test(medians_follow_the_binomial),
      cmocka_unit_test(medians_of_even_samples),
      cmocka_unit_test(stdevs_divide_by_n_less_one),
      cmocka_unit_test(equal_values_give_that_value),
      cmocka_unit_test(offsets_cost_no_digits),
      cmocka_unit_test(too_few_values),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

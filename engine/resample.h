#ifndef MB_RESAMPLE_H
#define MB_RESAMPLE_H

/* Bootstrap resampling, with the seeded generator and the sorting beneath it.
** Nothing here keeps state of its own: a generator belongs to its caller, and two generators with
** one seed give one sequence on every machine. Arrays belong to the caller and are only read,
** but for those named `out`. Failures: -1 and errno. */

#include <stddef.h>
#include <stdint.h>

/* xoshiro256** 1.0, seeded by splitmix64 (Blackman and Vigna, "Scrambled linear pseudorandom
** number generators", ACM TOMS 47, 2021; https://prng.di.unimi.it, public domain). */
struct mb_rng {
  uint64_t s[4];
};

/* Sorts n finite values; `scratch` has room for as many. */
void mb_sort (double *xs, size_t n, double *scratch);

enum mb_statistic { MB_MEAN, MB_MEDIAN, MB_STDEV };

uint64_t mb_splitmix64 (uint64_t *state);
void mb_rng_seed (struct mb_rng *rng, uint64_t seed);
double mb_rng_unit (struct mb_rng *rng); /* in [0, 1), 53 bits */

/* Here for the compiler to put into the loops: a report draws some 10^9 of them. */
static inline uint64_t mb_rotl (uint64_t x, int k) {
  return (x << k) | (x >> (64 - k));
}

static inline uint64_t mb_rng_next (struct mb_rng *rng) {
  uint64_t *s = rng->s;
  uint64_t result = mb_rotl(s[1] * 5, 7) * 9;
  uint64_t t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = mb_rotl(s[3], 45);
  return result;
}

/* Every value of 0..n-1 alike; n > 0.
** Lemire, "Fast random integer generation in an interval", ACM TOMACS 29, 2019: the high word of a
** product, and a new draw in the rare case that would favour some values. */
static inline uint64_t mb_rng_below (struct mb_rng *rng, uint64_t n) {
  unsigned __int128 product = (unsigned __int128)mb_rng_next(rng) * n;
  if ((uint64_t)product < n) {
    uint64_t threshold = -n % n;
    while ((uint64_t)product < threshold) {
      product = (unsigned __int128)mb_rng_next(rng) * n;
    }
  }
  return (uint64_t)(product >> 64);
}

/* Draws `resamples` samples of n values from the n values of xs, with replacement, and writes the
** statistic of each to out, in the order drawn. The standard deviation has n-1 in its denominator.
** EINVAL: n is 0, or below 2 for MB_STDEV. ENOMEM. */
int mb_resample (enum mb_statistic statistic, const double *xs, size_t n, double *out,
                 size_t resamples, struct mb_rng *rng);

#endif

#ifndef MB_RESAMPLE_H
#define MB_RESAMPLE_H

/* Bootstrap resampling, and the seeded generator beneath it.
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

enum mb_statistic { MB_MEAN, MB_MEDIAN, MB_STDEV };

uint64_t mb_splitmix64 (uint64_t *state);
void mb_rng_seed (struct mb_rng *rng, uint64_t seed);
uint64_t mb_rng_next (struct mb_rng *rng);
uint64_t mb_rng_below (struct mb_rng *rng, uint64_t n); /* every value of 0..n-1 alike; n > 0 */
double mb_rng_unit (struct mb_rng *rng);                /* in [0, 1), 53 bits */

/* Draws `resamples` samples of n values from the n values of xs, with replacement, and writes the
** statistic of each to out, in the order drawn. The standard deviation has n-1 in its denominator.
** EINVAL: n is 0, or below 2 for MB_STDEV. ENOMEM. */
int mb_resample (enum mb_statistic statistic, const double *xs, size_t n, double *out,
                 size_t resamples, struct mb_rng *rng);

#endif

#include "resample.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

uint64_t mb_splitmix64 (uint64_t *state) {
  uint64_t z = (*state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

void mb_rng_seed (struct mb_rng *rng, uint64_t seed) {
  for (int i = 0; i < 4; i++) rng->s[i] = mb_splitmix64(&seed);
}

double mb_rng_unit (struct mb_rng *rng) {
  return (double)(mb_rng_next(rng) >> 11) * 0x1p-53;
}

static double mean_of (const double *xs, size_t n) {
  double sum = 0, rest = 0;
  for (size_t i = 0; i < n; i++) sum += xs[i];
  double mean = sum / (double)n;
  for (size_t i = 0; i < n; i++) rest += xs[i] - mean;
  return mean + rest / (double)n;
}

/* Sums are taken of distances from the sample's mean: small numbers, so that neither a sum over
** 100,000 times nor the difference of two squares loses digits. */
static void resample_moments (int stdev, const double *xs, size_t n, double *out, size_t resamples,
                              struct mb_rng *rng) {
  double centre = mean_of(xs, n);
  double count = (double)n;
  for (size_t r = 0; r < resamples; r++) {
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
      double d = xs[mb_rng_below(rng, n)] - centre;
      sum += d;
      squares += d * d;
    }
    if (stdev) {
      double variance = (squares - sum * sum / count) / (count - 1);
      out[r] = variance > 0 ? sqrt(variance) : 0;
    } else {
      out[r] = centre + sum / count;
    }
  }
}

/* Two sorted runs become one. Which value is the smaller is for a random sample a coin toss that no processor predicts:
** there is no branch on it. */
static void merge (const double *a, const double *a_end, const double *b, const double *b_end,
                   double *out) {
  while (a < a_end && b < b_end) {
    int second = *b < *a;
    *out++ = *(second ? b : a);
    a += !second;
    b += second;
  }
  while (a < a_end) *out++ = *a++;
  while (b < b_end) *out++ = *b++;
}

void mb_sort (double *xs, size_t n, double *scratch) {
  double *from = xs, *to = scratch;
  for (size_t width = 1; width < n; width *= 2) {
    for (size_t start = 0; start < n; start += 2 * width) {
      size_t middle = n - start > width ? start + width : n;
      size_t stop = n - middle > width ? middle + width : n;
      merge(from + start, from + middle, from + middle, from + stop, to + start);
    }
    double *last = from;
    from = to;
    to = last;
  }
  if (from != xs) memcpy(xs, from, n * sizeof *xs);
}

/* How often each of the sorted values was drawn is all that the median needs: no sample is sorted. */
static double median_of_counts (const double *sorted, const uint32_t *counts, size_t n) {
  size_t lower = (n - 1) / 2, upper = n / 2; /* ranks from 0; the same one for an odd n */
  size_t seen = 0, i = 0;
  while ((seen += counts[i]) <= lower) i++;
  double low = sorted[i];
  while (seen <= upper) seen += counts[++i];
  return low + (sorted[i] - low) / 2;
}

static int resample_median (const double *xs, size_t n, double *out, size_t resamples,
                            struct mb_rng *rng) {
  double *sorted = malloc(2 * n * sizeof *sorted);
  uint32_t *counts = malloc(n * sizeof *counts);
  if (sorted && counts) {
    memcpy(sorted, xs, n * sizeof *sorted);
    mb_sort(sorted, n, sorted + n);
    for (size_t r = 0; r < resamples; r++) {
      memset(counts, 0, n * sizeof *counts);
      for (size_t i = 0; i < n; i++) counts[mb_rng_below(rng, n)]++;
      out[r] = median_of_counts(sorted, counts, n);
    }
  }
  int failed = !sorted || !counts;
  free(counts);
  free(sorted);
  if (failed) errno = ENOMEM;
  return failed ? -1 : 0;
}

int mb_resample (enum mb_statistic statistic, const double *xs, size_t n, double *out,
                 size_t resamples, struct mb_rng *rng) {
  if (n < 1 || (statistic == MB_STDEV && n < 2)) {
    errno = EINVAL;
    return -1;
  }
  if (statistic == MB_MEDIAN) return resample_median(xs, n, out, resamples, rng);
  resample_moments(statistic == MB_STDEV, xs, n, out, resamples, rng);
  return 0;
}

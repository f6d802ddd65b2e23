/* SPDX-License-Identifier: MIT */
#include "significance.h"

#include <math.h>
#include <stdlib.h>

#define EXACT_COUNT_MAX	   1000000u
#define FRACTION_STEPS_MAX 10000
#define TINY		   1e-300 /* in place of a denominator of 0 */
#define EXPECTED_SMALL	   10.0	  /* below it the z test's normal tail is off */

static double normal_below(double z)
{
	return 0.5 * erfc(-z / M_SQRT2);
}

/* ---- binomial -------------------------------------------------------------------------- */

static double away_from_zero(double x)
{
	return fabs(x) < TINY ? TINY : x;
}

/* The continued fraction of the incomplete beta function, by Lentz's recurrence; it converges
 * in about sqrt(max(a, b)) steps for x below the mean. */
static double beta_fraction(double a, double b, double x)
{
	double c = 1, d = 1 / away_from_zero(1 - (a + b) * x / (a + 1)), h = d;
	for (int m = 1; m < FRACTION_STEPS_MAX; m++) {
		double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
		d = 1 / away_from_zero(1 + even * d);
		c = away_from_zero(1 + even / c);
		h *= d * c;
		d = 1 / away_from_zero(1 + odd * d);
		c = away_from_zero(1 + odd / c);
		h *= d * c;
		if (fabs(d * c - 1) < 1e-14)
			break;
	}
	return h;
}

/* The regularized incomplete beta function, 0 < x < 1. */
static double beta_below(double a, double b, double x)
{
	double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
	if (x < (a + 1) / (a + b + 2))
		return front * beta_fraction(a, b, x) / a;
	return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double inv_sig_binomial(uint64_t successes, uint64_t count, double chance)
{
	double k = (double)successes, n = (double)count;
	if (successes >= count || chance <= 0)
		return 1;
	if (chance >= 1)
		return 0;
	if (count > EXACT_COUNT_MAX)
		return normal_below((k + 0.5 - n * chance) / sqrt(n * chance * (1 - chance)));
	return beta_below(n - k, k + 1, 1 - chance);
}

/* ---- order statistics -------------------------------------------------------------------- */

/* The smallest k with P(X <= k) >= probability. */
static uint64_t binomial_quantile(uint64_t count, double chance, double probability)
{
	uint64_t low = 0, high = count;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		if (inv_sig_binomial(middle, count, chance) >= probability)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

struct inv_sig_ranks inv_sig_quantile(uint64_t count, double fraction, double confidence)
{
	double miss = (1 - confidence) / 2;
	/* Of the values, fewer than r lie below the quantile when that of rank r lies above it. */
	uint64_t low = binomial_quantile(count, fraction, miss);
	return (struct inv_sig_ranks){low, binomial_quantile(count, fraction, 1 - miss) + 1};
}

double inv_sig_coverage(uint64_t count, double fraction, struct inv_sig_ranks ranks)
{
	double above = ranks.high > count ? 1 : inv_sig_binomial(ranks.high - 1, count, fraction);
	double below = ranks.low ? inv_sig_binomial(ranks.low - 1, count, fraction) : 0;
	return above - below;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

struct inv_sig_median inv_sig_median(double *values, size_t count, double confidence)
{
	struct inv_sig_ranks ranks = inv_sig_quantile(count, 0.5, confidence);
	qsort(values, count, sizeof(*values), by_value);
	if (ranks.low == 0 || ranks.high > count)
		ranks = (struct inv_sig_ranks){1, count};
	return (struct inv_sig_median){
		.value = (values[(count - 1) / 2] + values[count / 2]) / 2,
		.low = values[ranks.low - 1],
		.high = values[ranks.high - 1],
		.coverage = inv_sig_coverage(count, 0.5, ranks),
	};
}

/* ---- two shares ---------------------------------------------------------------------------- */

static double log_choose(double n, double k)
{
	return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1);
}

/* All tables of the same margins that are at most as likely. Few, since a count is small. */
static double fisher(double hits_a, double count_a, double hits, double count)
{
	double first = fmax(0, hits - (count - count_a)), last = fmin(hits, count_a);
	double all = log_choose(count, hits), p = 0;
	double seen = log_choose(count_a, hits_a) + log_choose(count - count_a, hits - hits_a);
	for (double k = first; k <= last; k++) {
		double one = log_choose(count_a, k) + log_choose(count - count_a, hits - k);
		if (one <= seen + 1e-5)
			p += exp(one - all);
	}
	return fmin(p, 1);
}

double inv_sig_shares(uint64_t hits_a, uint64_t count_a, uint64_t hits_b, uint64_t count_b)
{
	double a = (double)count_a, b = (double)count_b;
	double hits = (double)hits_a + (double)hits_b, share = hits / (a + b);
	if (count_a == 0 || count_b == 0 || share <= 0 || share >= 1)
		return 1;
	if (fmin(a, b) * fmin(share, 1 - share) < EXPECTED_SMALL)
		return fisher((double)hits_a, a, hits, a + b);
	double difference = (double)hits_b / b - (double)hits_a / a;
	return erfc(fabs(difference) / sqrt(share * (1 - share) * (1 / a + 1 / b)) / M_SQRT2);
}

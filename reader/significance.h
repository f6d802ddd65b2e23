/* SPDX-License-Identifier: MIT */
/*
 * significance.h - what is more than noise: the few tests that `diff` and `bench` decide by.
 *
 * All of them ask nothing of the distribution of what is measured: durations of calls are
 * neither normal nor free of outliers, and a test that assumes so finds changes in what the
 * scheduler did. Tests of means and standard deviations were rejected for that.
 *
 * [O1] The quantile of a population lies between two order statistics of a sample with a
 *      probability that is binomial whatever the distribution: of n values, the number that
 *      lie below the quantile of `fraction` is Binomial(n, fraction). (H. A. David and H. N.
 *      Nagaraja, Order Statistics, 3rd ed., 7.1; for the median it is the sign test's
 *      interval.) Where values are equal the interval covers more, never less.
 * [O2] Two shares (failures of calls): the pooled two-proportion z test, and Fisher's exact
 *      test where a count is expected to be small.
 *
 * Both assume that one value says nothing about the next. Pure functions: any thread.
 */
#ifndef INV_READER_SIGNIFICANCE_H
#define INV_READER_SIGNIFICANCE_H

#include <stddef.h>
#include <stdint.h>

/* P(X <= successes) of X ~ Binomial(count, chance); exact up to 10^6, then normal. */
double inv_sig_binomial(uint64_t successes, uint64_t count, double chance);

/* Ranks in order of size, 1 the smallest. low 0: no value is surely below; high count + 1:
 * none surely above. */
struct inv_sig_ranks {
	uint64_t low, high;
};

/*
 * The values between which the quantile lies with at least `confidence` (below 1), each end
 * missing it with at most half of what remains [O1].
 */
struct inv_sig_ranks inv_sig_quantile(uint64_t count, double fraction, double confidence);

/* How sure it is that the quantile lies between the values of two ranks [O1]. */
double inv_sig_coverage(uint64_t count, double fraction, struct inv_sig_ranks ranks);

/* The median, its interval, and how sure the interval is. */
struct inv_sig_median {
	double value, low, high;
	double coverage; /* below what was asked for where there are too few values */
};

/* Sorts the values. count: 1 at least. */
struct inv_sig_median inv_sig_median(double *values, size_t count, double confidence);

/*
 * How likely shares this far apart are, when both are of one population [O2]; two-sided.
 * Returns: a p-value in [0, 1]; 1 when either has no calls.
 */
double inv_sig_shares(uint64_t hits_a, uint64_t count_a, uint64_t hits_b, uint64_t count_b);

#endif

/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>

#include "reader/significance.h"

#define NEAR(is, want) cr_assert_float_eq(is, want, 1e-9, "%s: %.12f", #is, is)

Test(significance, binomial_tails_are_those_of_the_tables)
{
	NEAR(inv_sig_binomial(0, 10, 0.5), 1.0 / 1024);
	NEAR(inv_sig_binomial(1, 10, 0.5), 11.0 / 1024);
	NEAR(inv_sig_binomial(2, 10, 0.5), 56.0 / 1024);
	NEAR(inv_sig_binomial(9, 10, 0.5), 1023.0 / 1024);
	NEAR(inv_sig_binomial(10, 10, 0.5), 1);
	NEAR(inv_sig_binomial(2, 4, 0.3), 0.9163);
	NEAR(inv_sig_binomial(98, 100, 0.99), 1 - pow(0.99, 100) - 100 * pow(0.99, 99) * 0.01);
}

Test(significance, binomial_agrees_with_a_sum_of_its_terms)
{
	for (unsigned n = 1; n < 400; n += 7) {
		double sum = 0;
		for (unsigned k = 0; k < n; k++) {
			sum += exp(lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0) +
				   k * log(0.37) + (n - k) * log(0.63));
			cr_assert_float_eq(inv_sig_binomial(k, n, 0.37), sum, 1e-9, "%u of %u", k,
					   n);
		}
	}
}

Test(significance, the_normal_tail_goes_on_where_the_exact_one_ends)
{
	for (double z = -4; z <= 4; z += 0.5) {
		double k = 990000 + z * sqrt(1e6 * 0.99 * 0.01);
		double exact = inv_sig_binomial((uint64_t)k, 1000000, 0.99);
		double normal = inv_sig_binomial((uint64_t)k + 1, 1000001, 0.99);
		cr_assert_float_eq(exact, normal, 2e-3);
	}
}

/* Tabulated, for instance, by Conover, Practical Nonparametric Statistics, 3.2. */
Test(significance, the_median_of_ten_lies_between_the_second_and_the_ninth)
{
	struct inv_sig_ranks r = inv_sig_quantile(10, 0.5, 0.95);
	cr_assert_eq(r.low, 2);
	cr_assert_eq(r.high, 9);
	NEAR(inv_sig_coverage(10, 0.5, r), 1002.0 / 1024);
	r = inv_sig_quantile(20, 0.5, 0.95);
	cr_assert_eq(r.low, 6);
	cr_assert_eq(r.high, 15);
	r = inv_sig_quantile(6, 0.5, 0.95);
	cr_assert_eq(r.low, 1);
	cr_assert_eq(r.high, 6);
}

Test(significance, too_few_values_bound_a_quantile_on_no_side)
{
	struct inv_sig_ranks r = inv_sig_quantile(5, 0.5, 0.95);
	cr_assert_eq(r.low, 0);
	cr_assert_eq(r.high, 6);
	r = inv_sig_quantile(367, 0.99, 0.95); /* 0.99^367 > 0.025 */
	cr_assert_eq(r.high, 368);
	r = inv_sig_quantile(368, 0.99, 0.95);
	cr_assert_eq(r.high, 368);
	cr_assert_gt(r.low, 355);
}

Test(significance, ranks_miss_on_each_side_by_at_most_half_and_no_nearer_rank_does)
{
	static const double fractions[] = {0.01, 0.5, 0.9, 0.99};
	for (uint64_t n = 1; n < 5000; n = n * 3 / 2 + 1)
		for (unsigned f = 0; f < 4; f++) {
			double q = fractions[f], miss = 0.0005;
			struct inv_sig_ranks r = inv_sig_quantile(n, q, 1 - 2 * miss);
			if (r.low)
				cr_assert_leq(inv_sig_binomial(r.low - 1, n, q), miss);
			cr_assert_gt(inv_sig_binomial(r.low, n, q), miss);
			if (r.high <= n)
				cr_assert_geq(inv_sig_binomial(r.high - 1, n, q), 1 - miss);
			if (r.high >= 2)
				cr_assert_lt(inv_sig_binomial(r.high - 2, n, q), 1 - miss);
		}
}

Test(significance, an_interval_covers_the_median_as_often_as_it_says)
{
	uint64_t random = 12345;
	unsigned covered = 0;
	for (unsigned round = 0; round < 20000; round++) {
		double values[10];
		for (unsigned i = 0; i < 10; i++) {
			random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
			values[i] = exp(10 * ((double)(random >> 33) / 2147483648.0 - 0.5));
		}
		struct inv_sig_median m = inv_sig_median(values, 10, 0.95);
		covered += m.low <= 1 && 1 <= m.high;
	}
	cr_assert_float_eq(covered / 20000.0, 1002.0 / 1024, 0.005);
}

Test(significance, a_median_has_its_interval_and_says_when_it_is_too_wide_to_be_sure)
{
	double ten[] = {10, 9, 8, 7, 6, 5, 4, 3, 2, 1}, three[] = {3, 1, 2}, one[] = {7};
	struct inv_sig_median m = inv_sig_median(ten, 10, 0.95);
	NEAR(m.value, 5.5);
	NEAR(m.low, 2);
	NEAR(m.high, 9);
	m = inv_sig_median(three, 3, 0.95);
	NEAR(m.value, 2);
	NEAR(m.low, 1);
	NEAR(m.high, 3);
	NEAR(m.coverage, 0.75);
	m = inv_sig_median(one, 1, 0.95);
	NEAR(m.low, 7);
	NEAR(m.coverage, 0);
}

Test(significance, small_shares_are_judged_by_fishers_exact_test)
{
	NEAR(inv_sig_shares(3, 4, 1, 4), 34.0 / 70); /* the lady tasting tea */
	cr_assert_float_eq(inv_sig_shares(8, 10, 1, 6), 0.034965, 1e-6);
	cr_assert_float_eq(inv_sig_shares(1, 6, 8, 10), 0.034965, 1e-6);
	cr_assert_float_eq(inv_sig_shares(0, 1000000, 5, 1000000), 0.0625, 1e-5);
}

Test(significance, large_shares_are_judged_by_the_pooled_z_test)
{
	cr_assert_float_eq(inv_sig_shares(45, 100, 30, 100), 0.028460, 1e-6);
	cr_assert_float_eq(inv_sig_shares(30, 100, 45, 100), 0.028460, 1e-6);
	cr_assert_lt(inv_sig_shares(50000, 1000000, 51000, 1000000), 0.002);
}

Test(significance, shares_of_nothing_and_equal_shares_are_noise)
{
	NEAR(inv_sig_shares(0, 0, 3, 3), 1);
	NEAR(inv_sig_shares(0, 10, 0, 20), 1);
	NEAR(inv_sig_shares(10, 10, 20, 20), 1);
	NEAR(inv_sig_shares(100, 1000, 200, 2000), 1);
}

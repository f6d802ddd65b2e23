/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "reader/hist.h"

Test(hist, each_bucket_begins_where_the_one_before_ends)
{
	for (uint32_t i = 0; i + 1 < INV_HIST_BUCKETS; i++) {
		cr_assert_eq(inv_bucket_of(inv_bucket_low(i)), i);
		cr_assert_eq(inv_bucket_of(inv_bucket_low(i + 1) - 1), i);
	}
	cr_assert_eq(inv_bucket_of(UINT64_MAX), INV_HIST_BUCKETS - 1);
}

Test(hist, a_bucket_is_at_most_an_eighth_wide)
{
	for (uint32_t i = 8; i + 1 < INV_HIST_BUCKETS; i++) {
		double low = (double)inv_bucket_low(i), high = (double)inv_bucket_low(i + 1);
		cr_assert_leq((high - low) / low, INV_HIST_WIDTH_PERCENT / 100);
	}
}

Test(hist, percentiles_of_nothing_and_of_one)
{
	struct inv_hist h = {0};
	cr_assert_eq(inv_hist_percentile(&h, 0.5), 0);
	inv_hist_record(&h, 1234567, 1234567, 5, 1);
	cr_assert_eq(inv_hist_percentile(&h, 0), 1234567);
	cr_assert_eq(inv_hist_percentile(&h, 0.5), 1234567);
	cr_assert_eq(inv_hist_percentile(&h, 1), 1234567);
}

Test(hist, percentiles_lie_within_their_bucket)
{
	struct inv_hist h = {0};
	for (uint64_t v = 1; v <= 100000; v++)
		inv_hist_record(&h, v, v, v, 0);
	for (double f = 0.01; f < 1; f += 0.01)
		cr_assert_float_eq(inv_hist_percentile(&h, f), f * 100000, f * 100000 * 0.07);
}

Test(hist, adding_two_is_recording_all)
{
	struct inv_hist a = {0}, b = {0}, all = {0};
	for (uint64_t i = 0; i < 1000; i++) {
		uint64_t v = i * i * 17 % 99991;
		inv_hist_record(i % 3 ? &a : &b, v, v, i, (int64_t)i);
		inv_hist_record(&all, v, v, i, (int64_t)i);
	}
	inv_hist_add(&a, &b);
	cr_assert_eq(memcmp(&a, &all, sizeof(a)), 0);
}

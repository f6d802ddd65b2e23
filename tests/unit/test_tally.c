/* SPDX-License-Identifier: MIT */
/* test_tally.c - bucket arithmetic against a plain search. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "shm/tally.h"

static uint32_t plain_bucket(uint64_t ticks)
{
	uint32_t b = 0;
	while (b + 1 < INV_HIST_BUCKETS && inv_bucket_low(b + 1) <= ticks)
		b++;
	return b;
}

Test(tally, low_is_the_inverse_of_of_and_grows)
{
	for (uint32_t b = 0; b < INV_HIST_BUCKETS; b++) {
		cr_assert_eq(inv_bucket_of(inv_bucket_low(b)), b);
		if (b)
			cr_assert_lt(inv_bucket_low(b - 1), inv_bucket_low(b));
		if (b)
			cr_assert_eq(inv_bucket_of(inv_bucket_low(b) - 1), b - 1);
	}
}

Test(tally, random_durations_find_the_bucket_of_a_plain_search)
{
	srandom(1);
	for (int i = 0; i < 100000; i++) {
		uint64_t r = (uint64_t)random() << 33 ^ (uint64_t)random() << 2;
		uint64_t ticks = r >> (random() % 64);
		cr_assert_eq(inv_bucket_of(ticks), plain_bucket(ticks), "%lu", ticks);
	}
	cr_assert_eq(inv_bucket_of(UINT64_MAX), INV_HIST_BUCKETS - 1);
}

Test(tally, a_bucket_is_at_most_an_eighth_wide)
{
	for (uint32_t b = 8; b + 1 < INV_HIST_BUCKETS; b++)
		cr_assert_leq((inv_bucket_low(b + 1) - inv_bucket_low(b)) * 8, inv_bucket_low(b));
}

/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "reader/bench.h"

#define NEAR(is, want) cr_assert_float_eq(is, want, 1e-9, "%s: %f", #is, is)

/* Ten pairs: bare takes 100 ms wall, 50 ms CPU; observed (i + 1) ms and (i + 1) / 2 ms more. */
static struct inv_bench_pair pairs[10];
static struct inv_bench bench = {.pair_count = 10, .pairs = pairs};

static void setup(void)
{
	for (int i = 0; i < 10; i++)
		pairs[i] =
			(struct inv_bench_pair){{1e8, 5e7, 0},
						{1e8 + (i + 1) * 1e6, 5e7 + (i + 1) * 5e5, 1000}};
}

TestSuite(bench, .init = setup);

Test(bench, the_overhead_is_the_median_of_the_pairs_with_its_interval)
{
	struct inv_bench_result r;
	cr_assert_eq(inv_bench_judge(&bench, false, &r), 0);
	NEAR(r.bare_ns, 1e8);
	NEAR(r.observed_ns, 1.055e8);
	NEAR(r.ratio.value, 1.055);
	NEAR(r.ratio.low, 1.02);
	NEAR(r.ratio.high, 1.09);
	NEAR(r.ratio.coverage, 1002.0 / 1024);
	NEAR(r.added_ns.value, 5.5e6);
	cr_assert(r.has_calls);
	NEAR(r.call_ns.low, 2e3);
	NEAR(r.call_ns.value, 5.5e3);
	NEAR(r.call_ns.high, 9e3);
}

Test(bench, cpu_time_is_judged_by_itself)
{
	struct inv_bench_result r;
	cr_assert_eq(inv_bench_judge(&bench, true, &r), 0);
	NEAR(r.bare_ns, 5e7);
	NEAR(r.added_ns.value, 2.75e6);
}

/* Both sides of a pair meet the same neighbour: the pair's ratio does not. */
Test(bench, a_disturbance_of_a_whole_pair_changes_no_ratio)
{
	struct inv_bench_result before, after;
	cr_assert_eq(inv_bench_judge(&bench, false, &before), 0);
	pairs[3].bare.wall_ns *= 7;
	pairs[3].observed.wall_ns *= 7;
	cr_assert_eq(inv_bench_judge(&bench, false, &after), 0);
	NEAR(after.ratio.value, before.ratio.value);
	NEAR(after.ratio.high, before.ratio.high);
}

Test(bench, one_run_without_calls_leaves_the_cost_of_a_call_unsaid)
{
	struct inv_bench_result r;
	pairs[7].observed.calls = 0;
	cr_assert_eq(inv_bench_judge(&bench, false, &r), 0);
	cr_assert_not(r.has_calls);
	NEAR(r.call_ns.value, 0);
}

Test(bench, a_run_of_no_cpu_time_is_no_division_by_zero)
{
	struct inv_bench_result r;
	for (int i = 0; i < 10; i++)
		pairs[i].bare.cpu_ns = 0;
	cr_assert_eq(inv_bench_judge(&bench, true, &r), 0);
	NEAR(r.ratio.value, 1);
}

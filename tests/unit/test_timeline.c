/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "reader/timeline.h"

#define S  INT64_C(1000000000)
#define T0 INT64_C(1700000000000000000)

static struct inv_timeline line;

/* A clock of `rate` ticks a nanosecond. */
static struct inv_anchor at(double seconds, double rate, double step_seconds)
{
	return (struct inv_anchor){.ticks = 1000 + (uint64_t)(seconds * 1e9 * rate),
				   .realtime_ns = T0 + (int64_t)((seconds + step_seconds) * 1e9),
				   .boottime_ns = S + (int64_t)(seconds * 1e9),
				   .window_ticks = 50};
}

Test(timeline, interpolates_between_two_anchors)
{
	struct inv_anchor a[] = {at(10, 2.5, 0), at(0, 2.5, 0)};
	inv_timeline_make(&line, INV_CLOCK_TSC, a, 2);
	cr_assert(line.rate_known);
	cr_assert_float_eq(line.ns_per_tick, 0.4, 1e-9);
	cr_assert_eq(inv_timeline_duration(&line, 1000, 2500), 1000);
	cr_assert_eq(inv_timeline_realtime(&line, 1000 + 2500000000), T0 + S);
	cr_assert_eq(inv_timeline_realtime(&line, 1000 + UINT64_C(50000000000)), T0 + 20 * S,
		     "goes on beyond the end");
	cr_assert_eq(inv_timeline_realtime(&line, 0), T0 - 400, "and before the beginning");
}

Test(timeline, equal_anchors_give_no_rate)
{
	struct inv_anchor a[] = {at(1, 2.5, 0), at(1, 2.5, 0)};
	inv_timeline_make(&line, INV_CLOCK_TSC, a, 2);
	cr_assert_not(line.rate_known);
	cr_assert_eq(inv_timeline_duration(&line, 5, 1000), 1000);
	inv_timeline_make(&line, INV_CLOCK_TSC, a, 0);
	cr_assert_eq(inv_timeline_duration(&line, 5, 1000), 1000);
}

Test(timeline, monotonic_ticks_are_nanoseconds_whatever_anchors_say)
{
	struct inv_anchor a[] = {at(0, 1, 0), at(5, 1.3, 0)};
	inv_timeline_make(&line, INV_CLOCK_MONOTONIC, a, 2);
	cr_assert_eq(inv_timeline_duration(&line, 2000, 12345), 12345);
}

Test(timeline, a_step_of_the_civil_clock_is_counted_and_not_smeared)
{
	struct inv_anchor a[] = {at(0, 1, 0), at(10, 1, 3600), at(20, 1, 3600)};
	inv_timeline_make(&line, INV_CLOCK_TSC, a, 3);
	cr_assert_eq(line.steps, 1);
	cr_assert_eq(inv_timeline_realtime(&line, 1000 + 5 * S), T0 + 5 * S);
	cr_assert_eq(inv_timeline_realtime(&line, 1000 + 15 * S), T0 + 3615 * S);
}

Test(timeline, garbage_anchors_are_dropped)
{
	struct inv_anchor a[] = {
		at(0, 2, 0),
		{.ticks = UINT64_MAX, .realtime_ns = 1, .boottime_ns = 1},
		{.ticks = 77, .realtime_ns = -5, .boottime_ns = INT64_MIN},
		{.ticks = 5000, .realtime_ns = INT64_MAX, .boottime_ns = INT64_MAX},
		at(10, 2, 0)};
	inv_timeline_make(&line, INV_CLOCK_TSC, a, 5);
	for (uint64_t ticks = 1; ticks; ticks <<= 1) {
		inv_timeline_realtime(&line, ticks);
		inv_timeline_duration(&line, ticks, UINT64_MAX);
	}
}

Test(timeline, two_anchors_close_together_do_not_spoil_the_rate)
{
	struct inv_anchor near = at(5, 2, 0), a[] = {at(0, 2, 0), at(5, 2, 0), near, at(10, 2, 0)};
	a[2].ticks += 100; /* 50 ns by the counter, 80 by the other clock */
	a[2].boottime_ns += 80;
	a[2].realtime_ns += 80;
	inv_timeline_make(&line, INV_CLOCK_TSC, a, 4);
	uint64_t ns = inv_timeline_duration(&line, a[1].ticks + 10, 2000000);
	cr_assert_float_eq((double)ns, 1e6, 10);
}

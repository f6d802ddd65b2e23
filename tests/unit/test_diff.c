/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "reader/diff.h"
#include "reader_fixture.h"

static struct inv_registry *before, *after;
static struct inv_words words;
static struct inv_diff diff;

static void setup(void)
{
	cr_assert_eq(inv_words_init(&words), 0);
	before = inv_registry_new(0);
	after = inv_registry_new(0);
	cr_assert(before && after);
}

static void teardown(void)
{
	inv_diff_free(&diff);
	inv_registry_free(before);
	inv_registry_free(after);
	inv_words_free(&words);
}

TestSuite(diff, .init = setup, .fini = teardown);

static const struct inv_word *word(const char *text)
{
	return inv_words_get(&words, text, strlen(text));
}

/* `calls` of `artifact`.`method`, evenly spread over [low, high] ns. */
static void add(struct inv_registry *to, const char *artifact, const char *method, bool failed,
		uint64_t calls, uint64_t low, uint64_t high)
{
	struct inv_hist hist = {0};
	struct inv_key key = {word(artifact), word(method), word(failed ? "timeout" : "int"),
			      failed};
	for (uint64_t i = 0; i < calls; i++)
		inv_hist_record(&hist, low + (high - low) * i / calls, 0, i, 0);
	cr_assert_eq(inv_registry_add_hist(to, &key, &hist), 0);
}

static const struct inv_diff_row *row_of(const char *artifact, const char *method)
{
	for (size_t i = 0; i < diff.count; i++) {
		const struct inv_stats *s = diff.rows[i].a ? diff.rows[i].a : diff.rows[i].b;
		if (!strcmp(s->artifact, artifact) && !strcmp(s->name, method))
			return &diff.rows[i];
	}
	cr_assert_fail("no row %s.%s", artifact, method);
	return NULL;
}

static void compare(void)
{
	cr_assert_eq(inv_diff_make(&diff, before, after, INV_BY_METHOD), 0);
}

Test(diff, a_run_differs_in_nothing_from_itself)
{
	add(before, "oracle", "ask", false, 5000, 1000, 90000);
	add(before, "oracle", "ask", true, 500, 1000, 2000);
	add(before, "ledger", "pay", false, 3, 1000, 90000);
	cr_assert_eq(inv_diff_make(&diff, before, before, INV_BY_METHOD), 0);
	cr_assert_eq(diff.count, 2);
	cr_assert_eq(diff.worse + diff.better, 0);
	cr_assert_eq(diff.comparisons, 6);
	cr_assert_eq(inv_diff_change(&row_of("oracle", "ask")->p99), 0);
}

Test(diff, what_takes_twice_as_long_is_worse_and_the_other_way_round_better)
{
	add(before, "oracle", "ask", false, 5000, 10000, 11000);
	add(after, "oracle", "ask", false, 5000, 20000, 22000);
	add(before, "ledger", "pay", false, 5000, 20000, 22000);
	add(after, "ledger", "pay", false, 5000, 10000, 11000);
	compare();
	const struct inv_diff_row *worse = row_of("oracle", "ask"),
				  *better = row_of("ledger", "pay");
	cr_assert_eq(worse->p50.verdict, INV_DIFF_WORSE);
	cr_assert_eq(worse->p99.verdict, INV_DIFF_WORSE);
	cr_assert_eq(worse->failures.verdict, INV_DIFF_NOISE);
	cr_assert_eq(better->p50.verdict, INV_DIFF_BETTER);
	cr_assert_float_eq(inv_diff_change(&worse->p50), 1, 0.13);
	cr_assert_float_eq(inv_diff_change(&better->p50), -0.5, 0.07);
	cr_assert(inv_diff_above(worse, 0.5));
	cr_assert_not(inv_diff_above(worse, 1.5));
	cr_assert_not(inv_diff_above(better, 0));
	cr_assert_eq(diff.worse, 1);
	cr_assert_eq(diff.better, 1);
}

/* 8192 and 9216 are neighbours among the lower bounds of buckets. */
Test(diff, neighbouring_buckets_are_no_change_however_many_the_calls)
{
	cr_assert_eq(inv_bucket_of(9216), inv_bucket_of(8192) + 1);
	cr_assert_eq(inv_bucket_low(inv_bucket_of(9216)), 9216);
	add(before, "oracle", "ask", false, 1000000, 8192, 9216);
	add(after, "oracle", "ask", false, 1000000, 9216, 10240);
	compare();
	cr_assert_eq(row_of("oracle", "ask")->p50.verdict, INV_DIFF_NOISE);
}

Test(diff, two_buckets_on_are_a_change)
{
	add(before, "oracle", "ask", false, 1000, 8192, 9215);
	add(after, "oracle", "ask", false, 1000, 10240, 11263);
	compare();
	cr_assert_eq(row_of("oracle", "ask")->p50.verdict, INV_DIFF_WORSE);
}

Test(diff, units_of_the_two_runs_may_differ)
{
	inv_registry_set_unit(after, 10);
	add(before, "oracle", "ask", false, 5000, 10000, 11000);
	add(after, "oracle", "ask", false, 5000, 1000, 1100);
	compare();
	cr_assert_eq(row_of("oracle", "ask")->p50.verdict, INV_DIFF_NOISE);
	cr_assert_float_eq(inv_diff_change(&row_of("oracle", "ask")->p50), 0, 0.13);
}

Test(diff, a_p99_of_few_calls_is_not_judged)
{
	add(before, "oracle", "ask", false, 300, 10000, 11000);
	add(after, "oracle", "ask", false, 300, 90000, 99000);
	compare();
	cr_assert_eq(row_of("oracle", "ask")->p50.verdict, INV_DIFF_WORSE);
	cr_assert_eq(row_of("oracle", "ask")->p99.verdict, INV_DIFF_UNJUDGED);
}

Test(diff, bounds_hold_the_percentile_and_whole_buckets)
{
	struct inv_hist hist = {0};
	for (uint64_t v = 1; v <= 10000; v++)
		inv_hist_record(&hist, v, v, v, 0);
	struct inv_diff_bounds b = inv_diff_percentile_bounds(&hist, 2, 0.5, 0.95);
	/* ranks 4902 to 5099 of 10,000: buckets [4608, 5120) */
	cr_assert_eq(b.low, 2 * 4608);
	cr_assert_eq(b.high, 2 * 5120);
	b = inv_diff_percentile_bounds(&hist, 1, 0.99, 0.95);
	cr_assert_eq(b.low, 9216);
	cr_assert_eq(b.high, 10000); /* the greatest value, not its bucket's end */
	b = inv_diff_percentile_bounds(&(struct inv_hist){0}, 1, 0.5, 0.95);
	cr_assert_eq(b.low, 0);
	cr_assert(isinf(b.high));
}

Test(diff, failures_are_judged_by_their_share)
{
	add(before, "oracle", "ask", false, 9900, 1000, 1000);
	add(before, "oracle", "ask", true, 100, 1000, 1000);
	add(after, "oracle", "ask", false, 4700, 1000, 1000);
	add(after, "oracle", "ask", true, 300, 1000, 1000);
	compare();
	const struct inv_diff_row *row = row_of("oracle", "ask");
	cr_assert_eq(row->failures.verdict, INV_DIFF_WORSE);
	cr_assert_float_eq(inv_diff_change(&row->failures), 5, 1e-9);
	cr_assert(inv_diff_above(row, 4.9));
	cr_assert_not(inv_diff_above(row, 5.1));
}

Test(diff, a_failure_that_never_was_is_worse_than_any_limit)
{
	add(before, "oracle", "ask", false, 1000, 1000, 1000);
	add(after, "oracle", "ask", false, 900, 1000, 1000);
	add(after, "oracle", "ask", true, 100, 1000, 1000);
	compare();
	cr_assert(isinf(inv_diff_change(&row_of("oracle", "ask")->failures)));
	cr_assert(inv_diff_above(row_of("oracle", "ask"), 1e9));
}

Test(diff, many_comparisons_ask_more_of_each)
{
	char name[32];
	add(before, "oracle", "ask", false, 1000, 1000, 1000);
	add(before, "oracle", "ask", true, 100, 1000, 1000);
	add(after, "oracle", "ask", false, 1000, 1000, 1000);
	add(after, "oracle", "ask", true, 140, 1000, 1000);
	compare();
	cr_assert_eq(row_of("oracle", "ask")->failures.verdict, INV_DIFF_WORSE); /* p = 0.016 */
	for (unsigned i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "other_%u", i);
		add(before, name, "ask", false, 10, 1000, 1000);
		add(after, name, "ask", false, 10, 1000, 1000);
	}
	inv_diff_free(&diff);
	compare();
	cr_assert_eq(row_of("oracle", "ask")->failures.verdict, INV_DIFF_NOISE);
}

Test(diff, worse_comes_first_then_better_then_what_is_in_one_then_the_rest_by_calls)
{
	static const char *const ORDER[] = {"slower", "slow",  "fast", "gone",
					    "new",    "often", "rare"};
	add(before, "rare", "m", false, 10, 1000, 1000);
	add(after, "rare", "m", false, 10, 1000, 1000);
	add(before, "often", "m", false, 9999, 1000, 1000);
	add(after, "often", "m", false, 9999, 1000, 1000);
	add(before, "slow", "m", false, 5000, 1000, 1000);
	add(after, "slow", "m", false, 5000, 2000, 2000);
	add(before, "slower", "m", false, 50, 1000, 1000);
	add(after, "slower", "m", false, 50, 3000, 3000);
	add(before, "fast", "m", false, 50, 9000, 9000);
	add(after, "fast", "m", false, 50, 1000, 1000);
	add(before, "gone", "m", false, 50, 9000, 9000);
	add(after, "new", "m", false, 5, 9000, 9000);
	compare();
	cr_assert_eq(diff.count, 7);
	for (size_t i = 0; i < 7; i++) {
		const struct inv_stats *s = diff.rows[i].a ? diff.rows[i].a : diff.rows[i].b;
		cr_assert_str_eq(s->artifact, ORDER[i]);
	}
	cr_assert_eq(diff.comparisons, 15);
}

Test(diff, methods_of_one_name_are_joined_within_their_artifact_only)
{
	add(before, "oracle", "ask", false, 10, 1000, 1000);
	add(after, "ledger", "ask", false, 10, 1000, 1000);
	compare();
	cr_assert_eq(diff.count, 2);
	cr_assert_null(row_of("oracle", "ask")->b);
	cr_assert_null(row_of("ledger", "ask")->a);
}

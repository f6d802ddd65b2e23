/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdatomic.h>

#include "reader/series.h"
#include "reader_fixture.h"

#define SECOND INT64_C(1000000000)
#define BORN   (1000 * SECOND + SECOND / 2)

static struct inv_registry *totals;
static struct inv_series *series;
static struct inv_words words;

static void setup(void)
{
	cr_assert_eq(inv_words_init(&words), 0);
	totals = inv_registry_new(0);
	series = inv_series_new(BORN);
	cr_assert(totals && series);
}

static void teardown(void)
{
	inv_series_free(series);
	inv_registry_free(totals);
	inv_words_free(&words);
}

TestSuite(series, .init = setup, .fini = teardown);

static void record(const char *artifact, const char *type, int calls)
{
	struct inv_call call = made_call(&words, "alice", artifact, type, 1);
	for (int i = 0; i < calls; i++)
		cr_assert_eq(inv_registry_record(totals, &call), 0);
}

static void look(int64_t at)
{
	cr_assert_eq(inv_series_look(series, totals, at), 0);
}

static void look_with(int calls, int64_t at)
{
	record("wheat", NULL, calls);
	look(at);
}

static struct inv_series_point point_of(const char *artifact, int64_t second)
{
	struct inv_series_point point;
	struct inv_text text = {artifact, artifact ? strlen(artifact) : 0};
	inv_registry_hold();
	inv_series_read(series, text, second, &point, 1);
	inv_registry_release();
	return point;
}

static void expect(const char *artifact, int64_t second, uint64_t calls, uint64_t failures)
{
	struct inv_series_point p = point_of(artifact, second);
	cr_assert(p.exact, "second %ld is not known", (long)second);
	cr_assert_eq(p.calls, calls, "second %ld: %lu calls, not %lu", (long)second, p.calls,
		     calls);
	cr_assert_eq(p.failures, failures);
}

static int64_t newest(void)
{
	int64_t second;
	return inv_series_newest(series, &second) ? second : -1;
}

Test(series, a_session_that_is_young_is_counted_from_its_beginning)
{
	look_with(7, BORN + SECOND / 10);
	look_with(5, 1001 * SECOND);
	cr_assert_eq(newest(), 1000);
	expect(NULL, 1000, 12, 0);
	cr_assert_not(point_of(NULL, 999).exact);
}

Test(series, what_was_counted_before_the_first_look_is_in_no_second)
{
	look_with(1000, BORN + 100 * SECOND); /* in the middle of 1100 */
	look_with(5, 1101 * SECOND);
	cr_assert_eq(newest(), -1, "the second in which looking began is closed");
	look_with(3, 1102 * SECOND);
	cr_assert_not(point_of(NULL, 1100).exact);
	expect(NULL, 1101, 3, 0);
	expect("wheat", 1101, 3, 0);
}

Test(series, a_second_that_is_not_over_is_not_known)
{
	look_with(1, BORN + SECOND / 4);
	cr_assert_eq(newest(), -1);
	cr_assert_not(point_of(NULL, 1000).exact);
}

Test(series, a_difference_is_dealt_out_over_the_time_between_two_looks)
{
	look(1001 * SECOND);
	look_with(400, 1005 * SECOND);
	for (int64_t s = 1001; s < 1005; s++)
		expect(NULL, s, 100, 0);
	look_with(7, 1005 * SECOND + SECOND / 2);
	look_with(10, 1006 * SECOND + SECOND / 2);
	expect("wheat", 1005, 7 + 5, 0);
}

Test(series, silence_closes_seconds_with_nothing_in_them)
{
	look_with(4, BORN + SECOND / 10);
	cr_assert_eq(inv_series_still(series, 1003 * SECOND), 0);
	look_with(6, 1003 * SECOND + SECOND / 2);
	cr_assert_eq(inv_series_still(series, 1004 * SECOND), 0);
	expect(NULL, 1000, 4, 0);
	expect(NULL, 1001, 0, 0);
	expect(NULL, 1002, 0, 0);
	expect(NULL, 1003, 6, 0);
}

Test(series, its_end_closes_the_second_that_has_begun_and_nothing_comes_after)
{
	look_with(4, BORN + SECOND / 10);
	cr_assert_eq(inv_series_end(series), 0);
	expect(NULL, 1000, 4, 0);
	look_with(100, 1005 * SECOND);
	cr_assert_eq(inv_series_still(series, 1006 * SECOND), 0);
	cr_assert_eq(inv_series_end(series), 0);
	cr_assert_eq(newest(), 1000);
}

Test(series, an_end_without_a_beginning_is_nothing)
{
	cr_assert_eq(inv_series_still(series, BORN), 0);
	cr_assert_eq(inv_series_end(series), 0);
	cr_assert_eq(newest(), -1);
}

Test(series, artifacts_and_failures_are_told_apart)
{
	look(BORN);
	record("wheat", NULL, 3);
	record("wheat", "timeout", 2);
	record("wheat", "validation", 1);
	record("ore", "timeout", 4);
	look(1001 * SECOND);
	look_with(1, 1002 * SECOND);
	expect(NULL, 1000, 10, 7);
	expect("wheat", 1000, 6, 3);
	expect("ore", 1000, 4, 4);
	expect("ore", 1001, 0, 0);
	expect("salt", 1000, 0, 0);
	expect("", 1000, 0, 0);
}

Test(series, an_artifact_without_room_is_not_known_and_the_sum_is)
{
	char name[32];
	for (unsigned i = 0; i < INV_SERIES_ARTIFACTS + 5; i++) {
		snprintf(name, sizeof(name), "artifact_%u", i);
		record(name, NULL, 1);
	}
	look(1001 * SECOND);
	expect(NULL, 1000, INV_SERIES_ARTIFACTS + 5, 0);
	unsigned known = 0;
	for (unsigned i = 0; i < INV_SERIES_ARTIFACTS + 5; i++) {
		snprintf(name, sizeof(name), "artifact_%u", i);
		struct inv_series_point p = point_of(name, 1000);
		known += p.exact;
		cr_assert_eq(p.calls, p.exact);
	}
	cr_assert_eq(known, INV_SERIES_ARTIFACTS);
	cr_assert_not(point_of("never called", 1000).exact, "it may be one of those without room");
}

Test(series, the_last_seconds_are_kept_and_older_ones_are_not_known)
{
	look(1001 * SECOND);
	for (int64_t s = 1002; s <= 2500; s++)
		look_with((int)(s % 7), s * SECOND);
	cr_assert_eq(newest(), 2499);
	cr_assert_not(point_of(NULL, 2499 - INV_SERIES_SECONDS).exact);
	for (int64_t s = 2500 - INV_SERIES_SECONDS; s < 2500; s++)
		expect("wheat", s, (uint64_t)((s + 1) % 7), 0);
}

Test(series, after_a_long_sleep_only_seconds_that_can_be_asked_for_are_made)
{
	look_with(1, BORN + SECOND / 10);
	look_with(9000, INT64_C(4000000000) * SECOND);
	cr_assert_eq(newest(), INT64_C(3999999999));
	expect(NULL, INT64_C(3999999999), 10, 0);
	expect(NULL, INT64_C(4000000000) - INV_SERIES_SECONDS, 10, 0);
}

Test(series, a_clock_that_is_set_back_loses_no_call)
{
	look_with(4, BORN + SECOND / 10);
	look_with(6, 1003 * SECOND + SECOND / 4); /* spread over four seconds */
	look_with(5, 1001 * SECOND + SECOND / 4);
	cr_assert_eq(newest(), 1003);
	look_with(2, 1002 * SECOND);
	cr_assert_eq(newest(), 1001, "the second that was begun anew is the newest");
	expect(NULL, 1001, 2, 0);
	look_with(1, 1003 * SECOND);
	expect(NULL, 1002, 1, 0);
}

Test(series, totals_that_shrink_are_no_calls)
{
	look_with(4, BORN + SECOND / 10);
	inv_registry_free(totals);
	totals = inv_registry_new(0);
	look_with(1, 1001 * SECOND);
	look_with(2, 1002 * SECOND);
	expect(NULL, 1000, 4, 0);
	expect(NULL, 1001, 2, 0);
}

Test(series, at_whatever_times_it_is_looked_at_it_adds_up_to_the_totals)
{
	static const char *const NAMES[] = {"wheat", "ore", "salt"};
	unsigned seed = (unsigned)getpid();
	uint64_t all = 0, sum = 0, of_artifacts = 0;
	int64_t at = BORN;
	printf("seed %u\n", seed);
	for (int i = 0; i < 500; i++) {
		int calls = rand_r(&seed) % 20;
		record(NAMES[rand_r(&seed) % 3], rand_r(&seed) % 4 ? NULL : "timeout", calls);
		all += (uint64_t)calls;
		at += rand_r(&seed) % SECOND;
		look(at);
		if (rand_r(&seed) % 3 == 0)
			cr_assert_eq(inv_series_still(series, at += rand_r(&seed) % SECOND), 0);
	}
	cr_assert_eq(inv_series_end(series), 0);
	for (int64_t s = 1000; s <= newest(); s++) {
		sum += point_of(NULL, s).calls;
		for (int k = 0; k < 3; k++)
			of_artifacts += point_of(NAMES[k], s).calls;
	}
	cr_assert_eq(sum, all);
	cr_assert_eq(of_artifacts, all);
}

/* ---- asked meanwhile ------------------------------------------------------------------ */

static atomic_bool over;

static void *ask(void *arg)
{
	uint64_t *wrong = arg;
	struct inv_series_point all[20], one[20];
	int64_t second;
	/* Who is not scheduled for long finds that its seconds are not known any more. */
	inv_registry_enter();
	while (!atomic_load(&over)) {
		inv_registry_hold();
		if (inv_series_newest(series, &second)) {
			inv_series_read(series, (struct inv_text){NULL, 0}, second - 19, all, 20);
			inv_series_read(series, (struct inv_text){"wheat", 5}, second - 19, one,
					20);
			for (int i = 0; i < 20; i++)
				*wrong += second - 19 + i > 1000 && all[i].exact && one[i].exact &&
					  (all[i].calls != 3 || one[i].calls != 2);
		}
		inv_registry_release();
	}
	inv_registry_leave();
	return NULL;
}

Test(series, who_asks_meanwhile_sees_whole_seconds)
{
	pthread_t threads[2];
	uint64_t wrong[2] = {0};
	look(1001 * SECOND);
	for (int i = 0; i < 2; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, ask, &wrong[i]), 0);
	for (int64_t s = 1002; s < 6000; s++) {
		record("ore", "timeout", 1);
		look_with(2, s * SECOND);
	}
	atomic_store(&over, true);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	cr_assert_eq(wrong[0] + wrong[1], 0);
}

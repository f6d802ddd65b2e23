/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>

#include "reader/registry.h"
#include "reader_fixture.h"

#define KEEP 200

static struct inv_registry *registry;
static struct inv_words words;

static void setup(void)
{
	cr_assert_eq(inv_words_init(&words), 0);
	registry = inv_registry_new(KEEP);
	cr_assert_not_null(registry);
}

static void teardown(void)
{
	inv_registry_free(registry);
	inv_words_free(&words);
}

TestSuite(registry_history, .init = setup, .fini = teardown);

static uint64_t keep(const char *invoker, const char *artifact, const char *type, int64_t end)
{
	struct inv_call call = made_call(&words, invoker, artifact, type, 0);
	call.start_ns = end;
	cr_assert_eq(inv_registry_keep(registry, &call), 0);
	return call.id;
}

struct seen {
	size_t count;
	uint64_t ids[1024], arrivals[1024];
	int64_t end[1024];
};

static void see(void *arg, const struct inv_call *call)
{
	struct seen *s = arg;
	s->ids[s->count] = call->id;
	s->end[s->count++] = call->start_ns + (int64_t)call->duration_ns;
}

static void see_arrival(void *arg, const struct inv_call *call, uint64_t arrival)
{
	struct seen *s = arg;
	s->arrivals[s->count] = arrival;
	see(arg, call);
}

static struct inv_text text(const char *t)
{
	return (struct inv_text){t, t ? strlen(t) : 0};
}

/* What a plain array of all calls, newest last, says of the same question. */
struct model {
	uint64_t id;
	const char *invoker, *artifact;
	bool failed;
	int64_t end;
};

static bool fits(const struct model *m, const struct inv_window *w)
{
	if (w->artifact.text && strcmp(w->artifact.text, m->artifact))
		return false;
	if (w->invoker.text && strcmp(w->invoker.text, m->invoker))
		return false;
	return m->failed ? w->failed : w->succeeded;
}

static void check(const struct model *all, size_t count, const struct inv_window *w)
{
	static struct seen seen;
	uint64_t total, fitting = 0;
	size_t expected = 0;
	seen.count = 0;
	size_t found = inv_registry_window(registry, w, see, &seen, &total);
	for (size_t i = count; i-- > (count > KEEP ? count - KEEP : 0);) {
		if (!fits(&all[i], w))
			continue;
		if (fitting++ < w->offset || expected == w->limit)
			continue;
		cr_assert_lt(expected, found);
		cr_assert_eq(seen.ids[expected++], all[i].id);
	}
	cr_assert_eq(found, expected);
	cr_assert_eq(total, fitting);
}

Test(registry_history, any_question_has_the_answer_of_a_plain_array_while_old_calls_go)
{
	static const char *const names[] = {"a", "b", "c", "d", NULL, "unknown"};
	static struct model all[3 * KEEP];
	unsigned random = 12345;
	for (size_t i = 0; i < 3 * KEEP; i++) {
		random = random * 1103515245u + 12345u;
		struct model *m = &all[i];
		*m = (struct model){.invoker = names[random >> 8 & 3],
				    .artifact = names[random >> 16 & 3],
				    .failed = (random >> 24 & 3) == 0,
				    .end = (int64_t)(i * 10)};
		m->id = keep(m->invoker, m->artifact, m->failed ? "timeout" : NULL, m->end);
		if (i % 37)
			continue;
		for (unsigned q = 0; q < 6 * 6 * 4; q++) {
			struct inv_window w = {.artifact = text(names[q % 6]),
					       .invoker = text(names[q / 6 % 6]),
					       .succeeded = q / 36 & 1,
					       .failed = q / 72,
					       .offset = q % 5 * 7,
					       .limit = q % 3 ? 1000 : 5};
			check(all, i + 1, &w);
		}
	}
}

Test(registry_history, a_call_that_is_told_late_is_put_in_its_place)
{
	static struct seen seen;
	struct inv_window w = {.succeeded = true, .failed = true, .limit = 1000};
	uint64_t total;
	unsigned random = 99;
	for (int i = 0; i < 1000; i++) {
		random = random * 1103515245u + 12345u;
		keep("a", "x", i % 3 ? NULL : "timeout", i * 10 - (int)(random >> 16 & 127));
	}
	cr_assert_eq(inv_registry_window(registry, &w, see, &seen, &total), KEEP);
	cr_assert_eq(total, KEEP);
	for (size_t i = 1; i < seen.count; i++)
		cr_assert_geq(seen.end[i - 1], seen.end[i], "at %zu", i);
}

Test(registry_history, a_clock_that_goes_back_costs_no_walk_and_loses_nothing)
{
	static struct seen seen;
	struct inv_window w = {.succeeded = true, .failed = true, .limit = 1000};
	uint64_t total;
	for (int i = 0; i < 5 * KEEP; i++)
		keep("a", "x", NULL, -i * 1000);
	cr_assert_eq(inv_registry_window(registry, &w, see, &seen, &total), KEEP);
}

Test(registry_history, news_are_what_arrived_since_also_when_it_is_not_the_newest)
{
	static struct seen seen;
	keep("a", "x", NULL, 1000);
	keep("a", "x", NULL, 2000);
	uint64_t after = inv_registry_arrivals(registry);
	uint64_t late = keep("a", "x", "timeout", 1500);
	uint64_t newest = keep("b", "x", NULL, 3000);
	uint64_t until = inv_registry_arrivals(registry);
	keep("b", "x", NULL, 2500);
	cr_assert_eq(inv_registry_news(registry, after, until, see_arrival, &seen), 2);
	cr_assert_eq(seen.ids[0], newest);
	cr_assert_eq(seen.ids[1], late);
	cr_assert_eq(seen.arrivals[1], after + 1);
	cr_assert_eq(inv_registry_news(registry, until + 1, until + 1, see_arrival, &seen), 0);
}

Test(registry_history, of_news_that_have_gone_the_rest_is_found)
{
	static struct seen seen;
	for (int i = 0; i < KEEP + 50; i++)
		keep("a", "x", NULL, i);
	cr_assert_eq(inv_registry_news(registry, 0, KEEP + 50, see_arrival, &seen), KEEP);
}

Test(registry_history, a_page_is_sorted_searched_and_counts_all)
{
	struct inv_stats_list list;
	uint64_t total;
	char name[16];
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "artifact_%02d", i);
		for (int k = 0; k <= i; k++) {
			struct inv_call call =
				made_call(&words, "who", name, k % 4 ? NULL : "timeout",
					  (uint64_t)(40 - i));
			cr_assert_eq(inv_registry_record(registry, &call), 0);
		}
	}
	struct inv_page_query query = {.by = INV_BY_ARTIFACT, .offset = 2, .limit = 3};
	cr_assert_eq(inv_registry_page(registry, &query, &list, &total), 0);
	cr_assert_eq(total, 40);
	cr_assert_eq(list.count, 3);
	cr_assert_str_eq(list.rows[0].name, "artifact_37");
	cr_assert_eq(inv_stats_total(&list.rows[0]), 38);
	cr_assert_eq(list.rows[0].types[0].count, list.rows[0].failed);
	inv_stats_list_free(&list);
	query.sort = INV_SORT_P99;
	query.offset = 0;
	cr_assert_eq(inv_registry_page(registry, &query, &list, &total), 0);
	cr_assert_str_eq(list.rows[0].name, "artifact_00");
	inv_stats_list_free(&list);
	query.search = text("_3");
	query.sort = INV_SORT_NAME;
	cr_assert_eq(inv_registry_page(registry, &query, &list, &total), 0);
	cr_assert_eq(total, 10);
	cr_assert_str_eq(list.rows[0].name, "artifact_30");
	inv_stats_list_free(&list);
	query = (struct inv_page_query){.by = INV_BY_INVOKER,
					.limit = 5,
					.artifact = text("artifact_07")};
	cr_assert_eq(inv_registry_page(registry, &query, &list, &total), 0);
	cr_assert_eq(total, 1);
	cr_assert_eq(inv_stats_total(&list.rows[0]), 8);
	inv_stats_list_free(&list);
	query.artifact = text("unknown");
	cr_assert_eq(inv_registry_page(registry, &query, &list, &total), 0);
	cr_assert_eq(total + list.count, 0);
	inv_stats_list_free(&list);
}

static _Atomic bool stop;

static void *ask(void *arg)
{
	static _Thread_local struct seen seen;
	struct inv_window w = {.succeeded = true, .failed = true, .limit = 1000};
	struct inv_window both = {
		.artifact = text("x"), .invoker = text("b"), .failed = true, .limit = 50};
	uint64_t total, asked = 0;
	inv_registry_enter();
	while (!stop) {
		seen.count = 0;
		inv_registry_window(registry, asked++ % 2 ? &w : &both, see, &seen, &total);
		for (size_t i = 0; i < seen.count; i++)
			if (seen.ids[i] == 0)
				abort();
	}
	inv_registry_leave();
	return (void *)(uintptr_t)asked;
}

Test(registry_history, askers_walk_while_calls_come_late_and_go)
{
	pthread_t threads[2];
	unsigned random = 7;
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, ask, NULL);
	for (int i = 0; i < 100000; i++) {
		random = random * 1103515245u + 12345u;
		keep(i % 2 ? "a" : "b", i % 3 ? "x" : "y", i % 5 ? NULL : "timeout",
		     i * 10 - (int)(random >> 16 & 63));
	}
	stop = true;
	for (int i = 0; i < 2; i++) {
		void *asked;
		pthread_join(threads[i], &asked);
		cr_assert_gt((uintptr_t)asked, 0);
	}
}

Test(registry_history, calls_since_a_time_are_found_and_whether_there_are_older_ones)
{
	struct seen s = {0};
	for (int i = 0; i < 10; i++)
		keep("alice", i % 2 ? "wheat" : "ore", i % 3 ? NULL : "timeout", 1000 + i);
	cr_assert(inv_registry_since(registry, text(NULL), 1007, see, &s));
	cr_assert_eq(s.count, 3);
	for (size_t i = 0; i < s.count; i++)
		cr_assert_eq(s.end[i], 1009 - (int64_t)i);
	s.count = 0;
	cr_assert(inv_registry_since(registry, text("wheat"), 1004, see, &s));
	cr_assert_eq(s.count, 3);
	cr_assert_not(inv_registry_since(registry, text("wheat"), 1000, see, &s));
	cr_assert_eq(s.count, 3 + 5);
	cr_assert_not(inv_registry_since(registry, text("salt"), 0, see, &s));
	cr_assert_eq(s.count, 8);
}

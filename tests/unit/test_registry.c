/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "reader/registry.h"
#include "reader_fixture.h"

static struct inv_registry *registry;
static struct inv_words words;

static void setup(void)
{
	cr_assert_eq(inv_words_init(&words), 0);
	registry = inv_registry_new(1000);
	cr_assert_not_null(registry);
}

static void teardown(void)
{
	inv_registry_free(registry);
	inv_words_free(&words);
}

TestSuite(registry, .init = setup, .fini = teardown);

static void record(const char *invoker, const char *artifact, const char *type, uint64_t ms)
{
	struct inv_call call = made_call(&words, invoker, artifact, type, ms);
	cr_assert_eq(inv_registry_record(registry, &call), 0);
}

struct seen {
	size_t count;
	uint64_t ids[64];
	char text[64][32];
};

static void see(void *arg, const struct inv_call *call)
{
	struct seen *seen = arg;
	if (seen->count < 64) {
		seen->ids[seen->count] = call->id;
		snprintf(seen->text[seen->count], 32, "%s/%s", call->invoker->text,
			 call->artifact->text);
	}
	seen->count++;
}

Test(registry, record_invocation)
{
	struct inv_stats s;
	record("alice", "wheat", NULL, 5);
	cr_assert_eq(inv_registry_artifact(registry, "wheat", &s), 0);
	cr_assert_eq(inv_stats_total(&s), 1);
	cr_assert_eq(s.successful, 1);
	cr_assert_eq(s.hist.sum, 5000000);
	cr_assert(inv_registry_from_events(registry));
	inv_stats_clear(&s);
}

Test(registry, get_artifact_stats)
{
	struct inv_stats s;
	record("alice", "wheat", NULL, 10);
	record("bob", "wheat", NULL, 20);
	record("alice", "wheat", "timeout", 30);
	record("alice", "ore", NULL, 1000);
	cr_assert_eq(inv_registry_artifact(registry, "wheat", &s), 0);
	cr_assert_str_eq(s.name, "wheat");
	cr_assert_eq(inv_stats_total(&s), 3);
	cr_assert_eq(s.successful, 2);
	cr_assert_eq(s.failed, 1);
	cr_assert_float_eq(inv_stats_mean(&s), 20e6, 1);
	cr_assert_eq(s.unique, 2);
	cr_assert_eq(s.hist.min, 10000000);
	cr_assert_eq(s.hist.max, 30000000);
	inv_stats_clear(&s);
	cr_assert_eq(inv_registry_artifact(registry, "gold", &s), -ENOENT);
}

Test(registry, success_rate_calculation)
{
	struct inv_stats none = {0}, s;
	cr_assert_eq(inv_stats_success_rate(&none), 0.0);
	cr_assert_eq(inv_stats_mean(&none), 0.0);
	for (int i = 0; i < 8; i++)
		record("alice", "wheat", i % 4 == 0 ? "permission" : NULL, 1);
	cr_assert_eq(inv_registry_artifact(registry, "wheat", &s), 0);
	cr_assert_float_eq(inv_stats_success_rate(&s), 0.75, 1e-12);
	inv_stats_clear(&s);
}

Test(registry, filter_by_invoker)
{
	struct seen seen = {0};
	struct inv_query query = {.invoker = "alice"};
	record("alice", "wheat", NULL, 1);
	record("bob", "wheat", NULL, 1);
	record("alice", "ore", NULL, 1);
	cr_assert_eq(inv_registry_history(registry, &query, see, &seen), 2);
	cr_assert_str_eq(seen.text[0], "alice/ore", "newest first");
	cr_assert_str_eq(seen.text[1], "alice/wheat");
	query.invoker = "nobody";
	cr_assert_eq(inv_registry_history(registry, &query, see, &seen), 0);
}

Test(registry, failure_type_counts)
{
	struct inv_stats s;
	record("a", "wheat", "timeout", 1);
	record("b", "wheat", "permission", 1);
	record("c", "wheat", "timeout", 1);
	record("c", "ore", "validation", 1);
	record("c", "wheat", NULL, 1);
	cr_assert_eq(inv_registry_artifact(registry, "wheat", &s), 0);
	cr_assert_eq(s.type_count, 2);
	cr_assert_str_eq(s.types[0].type, "timeout");
	cr_assert_eq(s.types[0].count, 2);
	cr_assert_str_eq(s.types[1].type, "permission");
	cr_assert_eq(s.types[1].count, 1);
	inv_stats_clear(&s);
}

Test(registry, history_obeys_artifact_outcome_and_limit)
{
	struct seen seen = {0};
	for (int i = 0; i < 10; i++)
		record("alice", i % 2 ? "wheat" : "ore", i % 5 ? NULL : "timeout", 1);
	struct inv_query failed = {.failed = true};
	struct inv_query wheat = {.artifact = "wheat", .succeeded = true};
	struct inv_query three = {.limit = 3};
	cr_assert_eq(inv_registry_history(registry, &failed, see, &seen), 2);
	cr_assert_eq(inv_registry_history(registry, &wheat, see, &seen), 4);
	seen.count = 0;
	cr_assert_eq(inv_registry_history(registry, &three, see, &seen), 3);
	cr_assert_gt(seen.ids[0], seen.ids[1]);
	cr_assert_gt(seen.ids[1], seen.ids[2]);
}

Test(registry, an_open_call_is_history_and_not_statistics)
{
	struct seen seen = {0};
	struct inv_stats s;
	struct inv_query any = {0};
	struct inv_call call = made_call(&words, "alice", "wheat", NULL, 1);
	call.state = INV_CALL_OPEN;
	call.type = NULL;
	cr_assert_eq(inv_registry_record(registry, &call), 0);
	cr_assert_eq(inv_registry_history(registry, &any, see, &seen), 1);
	cr_assert_eq(inv_registry_artifact(registry, "wheat", &s), -ENOENT);
}

Test(registry, full_history_drops_the_oldest_and_keeps_the_totals)
{
	struct seen seen = {0};
	struct inv_stats s;
	struct inv_query any = {0}, alice = {.invoker = "alice"};
	for (int i = 0; i < 2500; i++)
		record(i % 2 ? "alice" : "bob", "wheat", NULL, 1);
	cr_assert_eq(inv_registry_history(registry, &any, see, &seen), 1000);
	cr_assert_eq(inv_registry_history(registry, &alice, see, &seen), 500);
	cr_assert_eq(inv_registry_artifact(registry, "wheat", &s), 0);
	cr_assert_eq(inv_stats_total(&s), 2500);
	inv_stats_clear(&s);
}

Test(registry, groups_by_method_error_and_invoker)
{
	struct inv_stats_list list;
	record("alice", "wheat", "timeout", 1);
	record("alice", "ore", "timeout", 1);
	record("bob", "ore", NULL, 1);
	cr_assert_eq(inv_registry_group(registry, INV_BY_ERROR, (struct inv_text){0}, &list), 0);
	cr_assert_eq(list.count, 1);
	cr_assert_eq(list.rows[0].failed, 2);
	inv_stats_list_free(&list);
	cr_assert_eq(inv_registry_group(registry, INV_BY_METHOD, (struct inv_text){0}, &list), 0);
	cr_assert_eq(list.count, 2);
	cr_assert_str_eq(list.rows[0].artifact, "ore");
	inv_stats_list_free(&list);
	cr_assert_eq(inv_registry_group(registry, INV_BY_INVOKER, (struct inv_text){0}, &list), 0);
	cr_assert_eq(list.count, 2);
	cr_assert_str_eq(list.rows[0].name, "alice");
	cr_assert_eq(list.rows[0].unique, 2);
	inv_stats_list_free(&list);
}

static void see_cell(void *arg, const struct inv_cell_row *row)
{
	struct seen *seen = arg;
	snprintf(seen->text[seen->count++], 32, "%u:%c", row->type->length,
		 row->type->text[row->type->length - 1]);
}

/* "a" and "a\0b" are two names, of artifacts, methods and errors alike. */
Test(registry, names_with_a_nul_byte_are_not_taken_for_what_is_before_it)
{
	struct inv_stats_list list;
	struct seen seen = {0};
	const struct inv_text nul = {"a\0b", 3};
	record("alice", "a", "a", 1);
	for (int i = 0; i < 2; i++) {
		struct inv_call call = made_call(&words, "alice", "a", i ? "a" : "x", 1);
		call.artifact = call.method = inv_words_get(&words, nul.text, nul.length);
		call.type = i ? call.type : call.artifact;
		cr_assert_eq(inv_registry_record(registry, &call), 0);
	}
	cr_assert_eq(inv_registry_group(registry, INV_BY_METHOD, nul, &list), 0);
	cr_assert_eq(list.count, 1);
	cr_assert_eq(list.rows[0].failed, 2);
	cr_assert_eq(list.rows[0].length, 3);
	cr_assert_eq(list.rows[0].type_count, 2);
	cr_assert_eq(list.rows[0].types[0].length, 1, "in the order of their names");
	cr_assert_eq(list.rows[0].types[1].length, 3);
	inv_stats_list_free(&list);
	inv_registry_cells(registry, nul, see_cell, &seen);
	cr_assert_eq(seen.count, 2);
	cr_assert_str_eq(seen.text[1], "3:b");
}

Test(registry, tallies_of_two_lanes_add_up_and_are_exact)
{
	struct inv_cell *cell = calloc(1, sizeof(*cell));
	struct inv_key key = {inv_words_str(&words, "wheat"), inv_words_str(&words, "buy"),
			      inv_words_str(&words, "int"), false};
	struct inv_stats s;
	atomic_store(&cell->bucket[4], 10);
	atomic_store(&cell->sum_ticks, 40);
	atomic_store(&cell->min_ticks, 4);
	atomic_store(&cell->max_ticks, 4);
	cr_assert_eq(inv_registry_add_cell(registry, &key, cell), 0);
	cr_assert_eq(inv_registry_add_cell(registry, &key, cell), 0);
	cr_assert_eq(inv_registry_artifact(registry, "wheat", &s), 0);
	cr_assert_eq(inv_stats_total(&s), 20);
	cr_assert_eq(s.hist.sum, 80);
	cr_assert_not(inv_registry_from_events(registry));
	inv_stats_clear(&s);
	free(cell);
}

struct asking {
	uint64_t highest;
	bool went_back;
};

static _Atomic int stop;

static void *ask(void *arg)
{
	struct asking *a = arg;
	struct seen seen = {0};
	struct inv_query any = {.limit = 50};
	inv_registry_enter();
	while (!atomic_load(&stop)) {
		struct inv_stats s;
		inv_registry_history(registry, &any, see, &seen);
		if (inv_registry_artifact(registry, "wheat", &s) == 0) {
			a->went_back |= inv_stats_total(&s) < a->highest;
			a->highest = inv_stats_total(&s);
			inv_stats_clear(&s);
		}
	}
	inv_registry_leave();
	return NULL;
}

/* In kB. */
static long resident(void)
{
	long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	if (!f || fscanf(f, "%*s %ld", &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

Test(registry, memory_of_many_pairs_follows_their_number)
{
	long before = resident();
	for (unsigned i = 0; i < 120000; i++) {
		char invoker[16], artifact[16];
		snprintf(invoker, sizeof(invoker), "i%u", i % 300);
		snprintf(artifact, sizeof(artifact), "a%u", i / 300);
		cr_assert_eq(inv_registry_add_pair(registry, inv_words_str(&words, invoker),
						   inv_words_str(&words, artifact), 1, 0, 1),
			     0);
	}
	long grown = resident() - before;
	cr_assert(before && grown < 50 << 10, "grew by %ld kB", grown);
}

Test(registry, is_queried_by_others_while_it_is_filled)
{
	struct asking a[2] = {0};
	pthread_t threads[2];
	for (int i = 0; i < 2; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, ask, &a[i]), 0);
	for (int i = 0; i < 20000; i++)
		record(i % 3 ? "alice" : "bob", "wheat", i % 7 ? NULL : "timeout", 1);
	atomic_store(&stop, 1);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	cr_assert_not(a[0].went_back || a[1].went_back);
	struct inv_stats s;
	cr_assert_eq(inv_registry_artifact(registry, "wheat", &s), 0);
	cr_assert_eq(inv_stats_total(&s), 20000);
	inv_stats_clear(&s);
}

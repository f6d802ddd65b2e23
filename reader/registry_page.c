/* SPDX-License-Identifier: MIT */
/*
 * registry_page.c - one page of a roll-up: sorted, searched, and only its rows in full.
 *
 * Every candidate is looked at for its sort value; a row in full (a histogram of 3 KB) is
 * made for the page alone. inv_registry_group, which makes them all, would take 200 MB for
 * 65,536 invokers.
 */
#include "registry_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LOAD(word) __atomic_load_n(&(word), __ATOMIC_RELAXED)

struct candidate {
	const struct entity *entity, *method; /* method: only of methods */
	double value;
};

struct candidates {
	struct candidate *rows;
	size_t count, room;
	const struct inv_page_query *query;
	const struct entity *artifact; /* the scope, or NULL */
};

/* ---- rows ------------------------------------------------------------------------- */

/* Counts and sums alone. */
static void add_light(struct inv_stats *stats, const struct cell *c)
{
	uint64_t count = LOAD(c->hist.count);
	stats->hist.count += count;
	stats->hist.sum += LOAD(c->hist.sum);
	if (c->failed)
		stats->failed += count;
	else
		stats->successful += count;
}

static int add_cells(struct inv_stats *stats, const struct candidate *from, bool light)
{
	int result = 0;
	for (struct cell *c = rcu_dereference(from->entity->cells); c && !result; c = c->next) {
		if (from->method && c->method != from->method)
			continue;
		if (light)
			add_light(stats, c);
		else
			result = inv_stats_add_cell(stats, c);
	}
	return result;
}

static void add_pairs(struct inv_stats *stats, const struct candidate *from,
		      const struct entity *artifact)
{
	for (struct pair *p = rcu_dereference(from->entity->pairs); p; p = p->next) {
		uint64_t failures = LOAD(p->failures), calls = LOAD(p->calls);
		if (artifact && p->artifact != artifact)
			continue;
		stats->failed += failures;
		stats->successful += calls > failures ? calls - failures : 0;
		stats->hist.count += calls;
		stats->hist.sum += LOAD(p->sum);
		stats->unique += calls > 0;
	}
}

static int fill(const struct candidates *all, const struct candidate *from, bool light,
		struct inv_stats *out)
{
	const struct entity *named = from->method ? from->method : from->entity;
	*out = (struct inv_stats){.name = named->word.text, .length = named->word.length};
	if (all->query->by == INV_BY_INVOKER) {
		add_pairs(out, from, all->artifact);
		return 0;
	}
	if (from->method) {
		out->artifact = from->entity->word.text;
		out->artifact_length = from->entity->word.length;
	}
	out->unique = LOAD(from->entity->unique_invokers);
	int result = add_cells(out, from, light);
	inv_stats_sort_types(out);
	return result;
}

/* ---- order --------------------------------------------------------------------------- */

static const char *const SORTS[] = {"total", "failed", "rate", "mean", "p50",
				    "p90",   "p99",    "max",  "self", "name"};

bool inv_sort_of(const char *name, enum inv_sort *sort)
{
	for (unsigned i = 0; i < sizeof(SORTS) / sizeof(SORTS[0]); i++)
		if (!strcmp(name, SORTS[i])) {
			*sort = (enum inv_sort)i;
			return true;
		}
	return false;
}

static bool is_light(enum inv_sort sort)
{
	return sort <= INV_SORT_MEAN || sort == INV_SORT_NAME;
}

double inv_stats_sort_value(const struct inv_stats *s, enum inv_sort sort)
{
	switch (sort) {
	case INV_SORT_FAILED:
		return (double)s->failed;
	case INV_SORT_RATE:
		return inv_stats_total(s) ? -inv_stats_success_rate(s) : -2; /* the worst first */
	case INV_SORT_MEAN:
		return inv_stats_mean(s);
	case INV_SORT_P50:
		return inv_hist_percentile(&s->hist, 0.5);
	case INV_SORT_P90:
		return inv_hist_percentile(&s->hist, 0.9);
	case INV_SORT_P99:
		return inv_hist_percentile(&s->hist, 0.99);
	case INV_SORT_MAX:
		return (double)s->hist.max;
	case INV_SORT_SELF:
		return (double)s->hist.self;
	default:
		return (double)inv_stats_total(s);
	}
}

static int compare_words(const struct inv_word *a, const struct inv_word *b)
{
	return inv_text_compare((struct inv_text){a->text, a->length},
				(struct inv_text){b->text, b->length});
}

static int by_name(const struct candidate *x, const struct candidate *y)
{
	const struct entity *a = x->method ? x->method : x->entity;
	const struct entity *b = y->method ? y->method : y->entity;
	int names = compare_words(&a->word, &b->word);
	return names ? names : compare_words(&x->entity->word, &y->entity->word);
}

static int compare(const void *a, const void *b, void *arg)
{
	const struct inv_page_query *query = arg;
	const struct candidate *x = a, *y = b;
	int order = x->value < y->value ? 1 : x->value > y->value ? -1 : by_name(x, y);
	if (query->sort == INV_SORT_NAME)
		order = by_name(x, y);
	return query->reverse ? -order : order;
}

/* ---- candidates ------------------------------------------------------------------------ */

static bool is_searched(const struct candidates *all, const struct candidate *c)
{
	const struct inv_text *search = &all->query->search;
	const struct inv_word *a = &c->entity->word;
	if (!search->text || search->length == 0)
		return true;
	if (memmem(a->text, a->length, search->text, search->length))
		return true;
	return c->method &&
	       memmem(c->method->word.text, c->method->word.length, search->text, search->length);
}

static int add_candidate(struct candidates *all, struct candidate candidate)
{
	struct inv_stats stats;
	if (!is_searched(all, &candidate))
		return 0;
	if (all->count == all->room) {
		size_t room = all->room ? all->room * 2 : 256;
		struct candidate *rows = realloc(all->rows, room * sizeof(*rows));
		if (!rows)
			return -ENOMEM;
		all->rows = rows;
		all->room = room;
	}
	int result = fill(all, &candidate, is_light(all->query->sort), &stats);
	candidate.value = inv_stats_sort_value(&stats, all->query->sort);
	free(stats.types);
	if (result == 0 && stats.hist.count)
		all->rows[all->count++] = candidate;
	return result;
}

static int add_methods(struct candidates *all, const struct entity *e)
{
	for (struct cell *c = rcu_dereference(e->cells); c; c = c->next) {
		bool met = false;
		for (struct cell *k = rcu_dereference(e->cells); k != c && !met; k = k->next)
			met = k->method == c->method;
		if (!met && add_candidate(all, (struct candidate){e, c->method, 0}) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int add_entity(struct candidates *all, const struct entity *e)
{
	if (all->query->by == INV_BY_INVOKER)
		return rcu_dereference(e->pairs) ? add_candidate(all, (struct candidate){e, 0, 0})
						 : 0;
	if (!rcu_dereference(e->cells) || (all->artifact && e != all->artifact))
		return 0;
	if (all->query->by == INV_BY_METHOD)
		return add_methods(all, e);
	return add_candidate(all, (struct candidate){e, 0, 0});
}

static int gather(struct inv_registry *registry, struct candidates *all)
{
	struct cds_lfht_iter iter;
	struct entity *e;
	int result = 0;
	cds_lfht_for_each_entry(registry->entities, &iter, e, node)
	{
		/* cppcheck-suppress uninitvar ; the macro sets e */
		result = add_entity(all, e);
		if (result < 0)
			return result;
	}
	return 0;
}

/* ---- pages -------------------------------------------------------------------------------- */

static int make_page(struct candidates *all, struct inv_stats_list *out)
{
	const struct inv_page_query *query = all->query;
	size_t first = query->offset < all->count ? query->offset : all->count;
	size_t count = all->count - first < query->limit ? all->count - first : query->limit;
	int result = 0;
	if (all->count)
		qsort_r(all->rows, all->count, sizeof(*all->rows), compare,
			(void *)(uintptr_t)query);
	out->rows = calloc(count + 1, sizeof(*out->rows));
	if (!out->rows)
		return -ENOMEM;
	for (size_t i = 0; i < count && !result; i++)
		result = fill(all, &all->rows[first + i], false, &out->rows[out->count++]);
	return result;
}

int inv_registry_page(struct inv_registry *registry, const struct inv_page_query *query,
		      struct inv_stats_list *out, uint64_t *total)
{
	struct candidates all = {.query = query};
	int result = 0;
	*out = (struct inv_stats_list){0};
	inv_read_lock();
	if (query->artifact.text)
		all.artifact =
			inv_registry_find(registry, query->artifact.text, query->artifact.length);
	if (!query->artifact.text || all.artifact)
		result = gather(registry, &all);
	*total = all.count;
	if (result == 0)
		result = make_page(&all, out);
	inv_read_unlock();
	free(all.rows);
	if (result < 0)
		inv_stats_list_free(out);
	return result;
}

/* ---- pairs --------------------------------------------------------------------------------- */

static int by_calls(const void *a, const void *b)
{
	const struct inv_edge *x = a, *y = b;
	if (x->calls != y->calls)
		return x->calls < y->calls ? 1 : -1;
	int from = compare_words(x->from, y->from);
	return from ? from : compare_words(x->to, y->to);
}

static int add_edge(struct inv_edges *out, const struct pair *p, size_t *room)
{
	if (out->count == *room) {
		*room = *room ? *room * 2 : 256;
		struct inv_edge *rows = realloc(out->rows, *room * sizeof(*rows));
		if (!rows)
			return -ENOMEM;
		out->rows = rows;
	}
	out->rows[out->count++] = (struct inv_edge){.from = &p->invoker->word,
						    .to = &p->artifact->word,
						    .from_artifact = p->invoker->cells != NULL,
						    .calls = LOAD(p->calls),
						    .failures = LOAD(p->failures),
						    .sum = LOAD(p->sum)};
	return 0;
}

static int edges_of(struct cds_lfht *table, struct inv_edges *out)
{
	struct cds_lfht_iter iter;
	struct pair *p;
	size_t room = 0;
	int result = 0;
	*out = (struct inv_edges){0};
	inv_read_lock();
	cds_lfht_for_each_entry(table, &iter, p, node)
	{
		/* cppcheck-suppress uninitvar ; the macro sets p */
		uint64_t calls = LOAD(p->calls);
		if (calls && result == 0)
			/* cppcheck-suppress uninitvar ; the macro sets p */
			result = add_edge(out, p, &room);
	}
	inv_read_unlock();
	if (result < 0)
		free(out->rows);
	else if (out->count)
		qsort(out->rows, out->count, sizeof(*out->rows), by_calls);
	return result;
}

int inv_registry_edges(struct inv_registry *registry, struct inv_edges *out)
{
	return edges_of(registry->pairs, out);
}

int inv_registry_nested(struct inv_registry *registry, struct inv_edges *out)
{
	return edges_of(registry->nested, out);
}

/* SPDX-License-Identifier: MIT */
/*
 * registry_query.c - the asking half of the registry: groups are added up anew for each answer.
 *
 * Sums kept ready for each grouping were rejected: four more stores a call for the
 * follower, to spare an answer that costs microseconds.
 */
#include "registry_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LOAD(word) __atomic_load_n(&(word), __ATOMIC_RELAXED)

int inv_text_compare(struct inv_text a, struct inv_text b)
{
	int order = memcmp(a.text, b.text, a.length < b.length ? a.length : b.length);
	return order ? order : (a.length > b.length) - (a.length < b.length);
}

static struct inv_text text_of(const struct inv_word *word)
{
	return (struct inv_text){word->text, word->length};
}

struct inv_sample inv_sample_of(const struct inv_hist *hist)
{
	return (struct inv_sample){.calls = hist->count,
				   .p50_ns = inv_hist_percentile(hist, 0.5),
				   .p90_ns = inv_hist_percentile(hist, 0.9),
				   .p99_ns = inv_hist_percentile(hist, 0.99),
				   .p999_ns = inv_hist_percentile(hist, 0.999),
				   .max_ns = (double)hist->max};
}

int inv_stats_compare_names(const struct inv_stats *x, const struct inv_stats *y)
{
	return inv_text_compare((struct inv_text){x->name, x->length},
				(struct inv_text){y->name, y->length});
}

int inv_stats_compare_artifacts(const struct inv_stats *x, const struct inv_stats *y)
{
	if (!x->artifact || !y->artifact)
		return 0;
	return inv_text_compare((struct inv_text){x->artifact, x->artifact_length},
				(struct inv_text){y->artifact, y->artifact_length});
}

double inv_registry_ns_per_unit(const struct inv_registry *registry)
{
	return registry->ns_per_unit;
}

bool inv_registry_from_events(const struct inv_registry *registry)
{
	return LOAD(registry->from_events);
}

double inv_stats_success_rate(const struct inv_stats *stats)
{
	uint64_t total = inv_stats_total(stats);
	return total ? (double)stats->successful / (double)total : 0.0;
}

double inv_stats_mean(const struct inv_stats *stats)
{
	uint64_t total = inv_stats_total(stats);
	return total ? (double)stats->hist.sum / (double)total : 0.0;
}

void inv_stats_clear(struct inv_stats *stats)
{
	free(stats->types);
	*stats = (struct inv_stats){0};
}

void inv_stats_list_free(struct inv_stats_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->rows[i].types);
	free(list->rows);
	*list = (struct inv_stats_list){0};
}

/* ---- adding up ----------------------------------------------------------------- */

static int add_type(struct inv_stats *stats, struct inv_text type, uint64_t count)
{
	for (size_t i = 0; i < stats->type_count; i++)
		if (stats->types[i].type == type.text) {
			stats->types[i].count += count;
			return 0;
		}
	size_t bytes = (stats->type_count + 1) * sizeof(*stats->types);
	struct inv_type_count *types = realloc(stats->types, bytes);
	if (!types)
		return -ENOMEM;
	stats->types = types;
	types[stats->type_count++] = (struct inv_type_count){type.text, type.length, count};
	return 0;
}

int inv_stats_add_cell(struct inv_stats *stats, const struct cell *cell)
{
	struct inv_hist hist;
	inv_hist_copy(&hist, &cell->hist);
	inv_hist_add(&stats->hist, &hist);
	if (!cell->failed) {
		stats->successful += hist.count;
		return 0;
	}
	stats->failed += hist.count;
	return hist.count ? add_type(stats, text_of(&cell->type->word), hist.count) : 0;
}

/* The row of a name, added when it is new; a list under construction has room for 2^n. */
static struct inv_stats *row_of(struct inv_stats_list *list, size_t from, const char *name,
				size_t length)
{
	for (size_t i = from; i < list->count; i++)
		if (list->rows[i].name == name)
			return &list->rows[i];
	if ((list->count & (list->count - 1)) == 0) {
		size_t room = list->count ? list->count * 2 : 1;
		struct inv_stats *rows = realloc(list->rows, room * sizeof(*rows));
		if (!rows)
			return NULL;
		list->rows = rows;
	}
	struct inv_stats *row = &list->rows[list->count++];
	*row = (struct inv_stats){.name = name, .length = length};
	return row;
}

static int group_artifact(const struct entity *e, struct inv_stats_list *out)
{
	struct inv_stats *row = row_of(out, out->count, e->word.text, e->word.length);
	if (!row)
		return -ENOMEM;
	row->unique = LOAD(e->unique_invokers);
	for (struct cell *c = rcu_dereference(e->cells); c; c = c->next)
		if (inv_stats_add_cell(row, c) < 0)
			return -ENOMEM;
	return 0;
}

static int group_methods(const struct entity *e, struct inv_stats_list *out)
{
	size_t from = out->count;
	for (struct cell *c = rcu_dereference(e->cells); c; c = c->next) {
		struct inv_stats *row =
			row_of(out, from, c->method->word.text, c->method->word.length);
		if (!row || inv_stats_add_cell(row, c) < 0)
			return -ENOMEM;
		row->artifact = e->word.text;
		row->artifact_length = e->word.length;
	}
	return 0;
}

static int group_errors(const struct entity *e, struct inv_stats_list *out)
{
	for (struct cell *c = rcu_dereference(e->cells); c; c = c->next) {
		if (!c->failed || !LOAD(c->hist.count))
			continue;
		struct inv_stats *row = row_of(out, 0, c->type->word.text, c->type->word.length);
		if (!row || inv_stats_add_cell(row, c) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int group_invoker(const struct entity *e, const struct entity *artifact,
			 struct inv_stats_list *out)
{
	struct inv_stats *row = NULL;
	for (struct pair *p = rcu_dereference(e->pairs); p; p = p->next) {
		if (artifact && p->artifact != artifact)
			continue;
		if (!row)
			row = row_of(out, out->count, e->word.text, e->word.length);
		if (!row)
			return -ENOMEM;
		uint64_t failures = LOAD(p->failures), calls = LOAD(p->calls);
		row->failed += failures;
		row->successful += calls > failures ? calls - failures : 0;
		row->hist.count += calls;
		row->hist.sum += LOAD(p->sum);
		row->unique++;
	}
	return 0;
}

static int group_one(const struct entity *e, enum inv_group by, const struct entity *artifact,
		     struct inv_stats_list *out)
{
	if (by == INV_BY_INVOKER)
		return e->pairs ? group_invoker(e, artifact, out) : 0;
	if (!rcu_dereference(e->cells) || (artifact && e != artifact))
		return 0;
	if (by == INV_BY_ARTIFACT)
		return group_artifact(e, out);
	return by == INV_BY_METHOD ? group_methods(e, out) : group_errors(e, out);
}

static int group_all(struct inv_registry *registry, enum inv_group by, const struct entity *only,
		     struct inv_stats_list *out)
{
	struct cds_lfht_iter iter;
	struct entity *e;
	int result = 0;
	cds_lfht_for_each_entry(registry->entities, &iter, e, node)
	{
		/* cppcheck-suppress uninitvar ; the macro sets e */
		result = group_one(e, by, only, out);
		if (result < 0)
			return result;
	}
	return 0;
}

static int by_total(const void *a, const void *b)
{
	const struct inv_stats *x = a, *y = b;
	uint64_t n = inv_stats_total(x), m = inv_stats_total(y);
	if (n != m)
		return n < m ? 1 : -1;
	int names = inv_stats_compare_names(x, y);
	return names ? names : inv_stats_compare_artifacts(x, y);
}

static int by_count(const void *a, const void *b)
{
	const struct inv_type_count *x = a, *y = b;
	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return inv_text_compare((struct inv_text){x->type, x->length},
				(struct inv_text){y->type, y->length});
}

void inv_stats_sort_types(struct inv_stats *stats)
{
	if (stats->type_count)
		qsort(stats->types, stats->type_count, sizeof(*stats->types), by_count);
}

static void sort_list(struct inv_stats_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		inv_stats_sort_types(&list->rows[i]);
	if (list->count)
		qsort(list->rows, list->count, sizeof(*list->rows), by_total);
}

int inv_registry_group(struct inv_registry *registry, enum inv_group by, struct inv_text artifact,
		       struct inv_stats_list *out)
{
	int result = 0;
	*out = (struct inv_stats_list){0};
	inv_read_lock();
	struct entity *only =
		artifact.text ? inv_registry_find(registry, artifact.text, artifact.length) : NULL;
	if (only && by != INV_BY_INVOKER)
		result = group_one(only, by, only, out);
	else if (!artifact.text || only)
		result = group_all(registry, by, only, out);
	inv_read_unlock();
	if (result < 0)
		inv_stats_list_free(out);
	sort_list(out);
	return result;
}

int inv_registry_lookup(struct inv_registry *registry, struct inv_text artifact,
			struct inv_stats *out)
{
	struct inv_stats_list list = {0};
	int result = 0;
	*out = (struct inv_stats){0};
	inv_read_lock();
	struct entity *e = inv_registry_find(registry, artifact.text, artifact.length);
	if (e && rcu_dereference(e->cells))
		result = group_artifact(e, &list);
	inv_read_unlock();
	if (result == 0 && list.count) {
		*out = list.rows[0];
		list.count = 0;
		inv_stats_sort_types(out);
	} else if (result == 0) {
		result = -ENOENT;
	}
	inv_stats_list_free(&list);
	return result;
}

int inv_registry_artifact(struct inv_registry *registry, const char *artifact,
			  struct inv_stats *out)
{
	return inv_registry_lookup(registry, (struct inv_text){artifact, strlen(artifact)}, out);
}

void inv_registry_cells(struct inv_registry *registry, struct inv_text artifact,
			void (*visit)(void *arg, const struct inv_cell_row *row), void *arg)
{
	struct inv_cell_row row;
	inv_read_lock();
	struct entity *e = inv_registry_find(registry, artifact.text, artifact.length);
	for (struct cell *c = e ? rcu_dereference(e->cells) : NULL; c; c = c->next) {
		inv_hist_copy(&row.hist, &c->hist);
		row.method = &c->method->word;
		row.type = &c->type->word;
		row.failed = c->failed;
		if (row.hist.count)
			visit(arg, &row);
	}
	inv_read_unlock();
}

void inv_registry_sum(struct inv_registry *registry, uint64_t *successful, uint64_t *failed)
{
	struct cds_lfht_iter iter;
	struct cell *c;
	*successful = *failed = 0;
	inv_read_lock();
	cds_lfht_for_each_entry(registry->cells, &iter, c, node)
	{
		/* cppcheck-suppress uninitvar ; the macro sets c */
		uint64_t *sum = c->failed ? failed : successful;
		*sum += LOAD(c->hist.count);
	}
	inv_read_unlock();
}

void inv_registry_each_count(struct inv_registry *registry,
			     void (*visit)(void *arg, const struct inv_word *artifact, bool failed,
					   uint64_t calls),
			     void *arg)
{
	struct cds_lfht_iter iter;
	struct cell *c;
	inv_read_lock();
	cds_lfht_for_each_entry(registry->cells, &iter, c, node)
	{
		/* cppcheck-suppress uninitvar ; the macro sets c */
		visit(arg, &c->artifact->word, c->failed, LOAD(c->hist.count));
	}
	inv_read_unlock();
}

void inv_registry_each_cell(struct inv_registry *registry,
			    void (*visit)(void *arg, const struct inv_cell_view *cell), void *arg)
{
	struct cds_lfht_iter iter;
	struct inv_hist hist;
	struct cell *c;
	inv_read_lock();
	cds_lfht_for_each_entry(registry->cells, &iter, c, node)
	{
		/* cppcheck-suppress uninitvar ; the macro sets c */
		inv_hist_copy(&hist, &c->hist);
		const struct inv_cell_view view = {&c->artifact->word, &c->method->word,
						   &c->type->word, &hist,
						   /* cppcheck-suppress uninitvar ; it sets c */
						   c->failed};
		if (hist.count)
			visit(arg, &view);
	}
	inv_read_unlock();
}

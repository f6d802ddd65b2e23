/* SPDX-License-Identifier: MIT */
#include "top_rows.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shm/proc.h"
#include "table.h"

#define TYPES_SHOWN 4u

/* ---- columns and views -------------------------------------------------------------- */

enum form { TEXT, COUNT, RATE, SHARE, DURATION, WHOLE };

static const struct {
	const char *title;
	const char *key; /* of --sort */
	enum form form;
	int rank;
} COLUMNS[INV_TOP_COLUMNS] = {
	[INV_TOP_COL_ARTIFACT] = {"ARTIFACT", "artifact", TEXT, 0},
	[INV_TOP_COL_METHOD] = {"METHOD", "method", TEXT, 1},
	[INV_TOP_COL_INVOKER] = {"INVOKER", "invoker", TEXT, 1},
	[INV_TOP_COL_ERROR] = {"ERROR", "error", TEXT, 0},
	[INV_TOP_COL_STATE] = {"STATE", "state", TEXT, 3},
	[INV_TOP_COL_FAILURES] = {"FAILURES", "failures", TEXT, 9},
	[INV_TOP_COL_CALLS] = {"CALLS", "calls", COUNT, 1},
	[INV_TOP_COL_CALLS_S] = {"CALLS/S", "calls/s", RATE, 3},
	[INV_TOP_COL_FAILED] = {"FAILED", "failed", COUNT, 2},
	[INV_TOP_COL_FAILED_S] = {"FAIL/S", "failed/s", RATE, 8},
	[INV_TOP_COL_SUCCESS] = {"SUCCESS", "rate", SHARE, 4},
	[INV_TOP_COL_MEAN] = {"MEAN", "mean", DURATION, 6},
	[INV_TOP_COL_P50] = {"P50", "p50", DURATION, 7},
	[INV_TOP_COL_P99] = {"P99", "p99", DURATION, 5},
	[INV_TOP_COL_MAX] = {"MAX", "max", DURATION, 10},
	[INV_TOP_COL_SELF] = {"SELF", "self", DURATION, 12},
	[INV_TOP_COL_UNIQUE] = {"INVOKERS", "unique", COUNT, 13},
	[INV_TOP_COL_OPEN] = {"OPEN", "open", COUNT, 11},
	[INV_TOP_COL_AGE] = {"AGE", "age", DURATION, 0},
	[INV_TOP_COL_TICK] = {"TICK", "tick", WHOLE, 4},
	[INV_TOP_COL_PID] = {"PID", "pid", WHOLE, 5},
	[INV_TOP_COL_TID] = {"TID", "tid", WHOLE, 6},
	[INV_TOP_COL_DEPTH] = {"DEPTH", "depth", WHOLE, 7},
};

static const enum inv_top_column OF_ARTIFACT[] = {
	INV_TOP_COL_ARTIFACT, INV_TOP_COL_CALLS,   INV_TOP_COL_CALLS_S, INV_TOP_COL_FAILED,
	INV_TOP_COL_FAILED_S, INV_TOP_COL_SUCCESS, INV_TOP_COL_MEAN,	INV_TOP_COL_P50,
	INV_TOP_COL_P99,      INV_TOP_COL_MAX,	   INV_TOP_COL_SELF,	INV_TOP_COL_UNIQUE,
	INV_TOP_COL_OPEN,     INV_TOP_COL_FAILURES};
static const enum inv_top_column OF_METHOD[] = {
	INV_TOP_COL_ARTIFACT, INV_TOP_COL_METHOD,   INV_TOP_COL_CALLS,	 INV_TOP_COL_CALLS_S,
	INV_TOP_COL_FAILED,   INV_TOP_COL_FAILED_S, INV_TOP_COL_SUCCESS, INV_TOP_COL_MEAN,
	INV_TOP_COL_P50,      INV_TOP_COL_P99,	    INV_TOP_COL_MAX,	 INV_TOP_COL_FAILURES};
static const enum inv_top_column OF_INVOKER[] = {INV_TOP_COL_INVOKER,  INV_TOP_COL_CALLS,
						 INV_TOP_COL_CALLS_S,  INV_TOP_COL_FAILED,
						 INV_TOP_COL_FAILED_S, INV_TOP_COL_SUCCESS,
						 INV_TOP_COL_MEAN,     INV_TOP_COL_UNIQUE};
static const enum inv_top_column OF_ERROR[] = {INV_TOP_COL_ERROR,    INV_TOP_COL_FAILED,
					       INV_TOP_COL_FAILED_S, INV_TOP_COL_MEAN,
					       INV_TOP_COL_P50,	     INV_TOP_COL_P99,
					       INV_TOP_COL_MAX};
static const enum inv_top_column OF_OPEN[] = {INV_TOP_COL_AGE,	  INV_TOP_COL_ARTIFACT,
					      INV_TOP_COL_METHOD, INV_TOP_COL_INVOKER,
					      INV_TOP_COL_TICK,	  INV_TOP_COL_STATE,
					      INV_TOP_COL_PID,	  INV_TOP_COL_TID,
					      INV_TOP_COL_DEPTH};

#define VIEW(name, columns, sort)                                                                  \
	{                                                                                          \
		name, columns, sizeof(columns) / sizeof((columns)[0]), sort                        \
	}
static const struct {
	const char *name;
	const enum inv_top_column *columns;
	size_t count;
	enum inv_top_column sort;
} VIEWS[INV_TOP_VIEWS] = {
	[INV_TOP_ARTIFACT] = VIEW("artifact", OF_ARTIFACT, INV_TOP_COL_CALLS),
	[INV_TOP_METHOD] = VIEW("method", OF_METHOD, INV_TOP_COL_CALLS),
	[INV_TOP_INVOKER] = VIEW("invoker", OF_INVOKER, INV_TOP_COL_CALLS),
	[INV_TOP_ERROR] = VIEW("error", OF_ERROR, INV_TOP_COL_FAILED),
	[INV_TOP_OPEN] = VIEW("inflight", OF_OPEN, INV_TOP_COL_AGE),
};

size_t inv_top_columns(enum inv_top_view view, const enum inv_top_column **columns)
{
	*columns = VIEWS[view].columns;
	return VIEWS[view].count;
}

const char *inv_top_title(enum inv_top_view view, enum inv_top_column column)
{
	if (view == INV_TOP_INVOKER && column == INV_TOP_COL_UNIQUE)
		return "ARTIFACTS";
	return COLUMNS[column].title;
}

int inv_top_rank(enum inv_top_column column)
{
	return COLUMNS[column].rank;
}

const char *inv_top_view_name(enum inv_top_view view)
{
	return VIEWS[view].name;
}

bool inv_top_view_named(const char *name, enum inv_top_view *view)
{
	for (unsigned i = 0; i < INV_TOP_VIEWS; i++)
		if (!strcmp(name, VIEWS[i].name)) {
			*view = (enum inv_top_view)i;
			return true;
		}
	return false;
}

bool inv_top_sort_named(const char *name, enum inv_top_column *column)
{
	for (unsigned i = 0; i < INV_TOP_COLUMNS; i++)
		if (!strcmp(name, COLUMNS[i].key)) {
			*column = (enum inv_top_column)i;
			return true;
		}
	return false;
}

enum inv_top_column inv_top_first_sort(enum inv_top_view view)
{
	return VIEWS[view].sort;
}

void inv_top_format(const struct inv_top_row *row, enum inv_top_column column, char *to)
{
	double v = row->number[column];
	switch (COLUMNS[column].form) {
	case TEXT:
		*to = '\0';
		break;
	case COUNT:
	case WHOLE:
		snprintf(to, INV_TOP_CELL, "%.0f", v);
		break;
	case RATE:
		snprintf(to, INV_TOP_CELL, v > 0 && v < 9.95 ? "%.1f" : "%.0f", v);
		break;
	case SHARE:
		snprintf(to, INV_TOP_CELL, "%.1f%%", 100 * v);
		break;
	case DURATION:
		inv_table_format_duration(to, v);
		break;
	}
}

/* ---- rows of totals ------------------------------------------------------------------- */

static const enum inv_group GROUPS[] = {
	[INV_TOP_ARTIFACT] = INV_BY_ARTIFACT,
	[INV_TOP_METHOD] = INV_BY_METHOD,
	[INV_TOP_INVOKER] = INV_BY_INVOKER,
	[INV_TOP_ERROR] = INV_BY_ERROR,
};

static int by_name(const void *a, const void *b)
{
	int artifacts = inv_stats_compare_artifacts(a, b);
	return artifacts ? artifacts : inv_stats_compare_names(a, b);
}

static double seconds(int64_t from_ns, int64_t to_ns)
{
	return to_ns > from_ns ? (double)((uint64_t)to_ns - (uint64_t)from_ns) / 1e9 : 0;
}

static double per_second(uint64_t now, uint64_t before, double over)
{
	return over > 0 && now > before ? (double)(now - before) / over : 0;
}

/* What rates are the difference to, and over what time. */
struct span {
	struct inv_stats_list before; /* by name; empty: since the start */
	double seconds;
};

static double span_seconds(const struct inv_top_looks *looks)
{
	if (looks->before && looks->before->registry)
		return seconds(looks->before->taken_ns, looks->now->taken_ns);
	return seconds(looks->now->created_ns, looks->end_ns);
}

static void put_text(struct inv_top_row *row, enum inv_top_column column, const char *text,
		     size_t length)
{
	row->text[column] = text;
	row->length[column] = length;
}

/* "permission 12, timeout 3" */
static void put_failures(struct inv_top_row *row, const struct inv_stats *s)
{
	size_t at = 0, size = sizeof(row->failures);
	for (size_t i = 0; i < s->type_count && i < TYPES_SHOWN && at < size; i++) {
		int n = snprintf(row->failures + at, size - at, "%s%.60s %llu", i ? ", " : "",
				 s->types[i].type, (unsigned long long)s->types[i].count);
		at += n > 0 ? (size_t)n : 0;
	}
	if (s->type_count > TYPES_SHOWN && at < size)
		snprintf(row->failures + at, size - at, ", ...");
}

static void put_stats(struct inv_top_row *row, const struct inv_stats *s, double unit,
		      const struct span *span)
{
	const struct inv_stats *old = NULL;
	if (span->before.count)
		old = bsearch(s, span->before.rows, span->before.count, sizeof(*s), by_name);
	double *n = row->number;
	n[INV_TOP_COL_CALLS] = (double)inv_stats_total(s);
	n[INV_TOP_COL_FAILED] = (double)s->failed;
	n[INV_TOP_COL_CALLS_S] =
		per_second(inv_stats_total(s), old ? inv_stats_total(old) : 0, span->seconds);
	n[INV_TOP_COL_FAILED_S] = per_second(s->failed, old ? old->failed : 0, span->seconds);
	n[INV_TOP_COL_SUCCESS] = inv_stats_success_rate(s);
	n[INV_TOP_COL_MEAN] = inv_stats_mean(s) * unit;
	n[INV_TOP_COL_P50] = inv_hist_percentile(&s->hist, 0.5) * unit;
	n[INV_TOP_COL_P99] = inv_hist_percentile(&s->hist, 0.99) * unit;
	n[INV_TOP_COL_MAX] = (double)s->hist.max * unit;
	n[INV_TOP_COL_SELF] = (double)s->hist.self * unit;
	n[INV_TOP_COL_UNIQUE] = (double)s->unique;
	n[INV_TOP_COL_OPEN] = (double)s->in_flight;
	put_failures(row, s);
}

static void make_row(struct inv_top_row *row, const struct inv_stats *s, enum inv_top_view view)
{
	static const enum inv_top_column NAMED[] = {
		[INV_TOP_ARTIFACT] = INV_TOP_COL_ARTIFACT,
		[INV_TOP_METHOD] = INV_TOP_COL_METHOD,
		[INV_TOP_INVOKER] = INV_TOP_COL_INVOKER,
		[INV_TOP_ERROR] = INV_TOP_COL_ERROR,
	};
	put_text(row, NAMED[view], s->name, s->length);
	if (view == INV_TOP_METHOD && s->artifact)
		put_text(row, INV_TOP_COL_ARTIFACT, s->artifact, s->artifact_length);
}

static int take_before(const struct inv_top_looks *looks, enum inv_group by, struct span *span)
{
	span->seconds = span_seconds(looks);
	if (!looks->before || !looks->before->registry)
		return 0;
	int result = inv_registry_group(looks->before->registry, by, (struct inv_text){0},
					&span->before);
	if (span->before.count)
		qsort(span->before.rows, span->before.count, sizeof(*span->before.rows), by_name);
	return result;
}

/* Open calls are counted in the cut's own lists, not in the registry. */
static uint64_t open_of(const struct inv_cut *cut, const char *artifact)
{
	uint64_t open = 0;
	for (size_t i = 0; i < cut->in_flight.count; i++)
		open += !strcmp(cut->in_flight.calls[i].artifact->text, artifact);
	return open;
}

static int make_totals(struct inv_top_rows *out, const struct inv_top_looks *looks,
		       enum inv_top_view view)
{
	struct inv_stats_list list = {0};
	struct span span = {0};
	double unit = inv_registry_ns_per_unit(looks->now->registry);
	int result =
		inv_registry_group(looks->now->registry, GROUPS[view], (struct inv_text){0}, &list);
	if (result == 0)
		result = take_before(looks, GROUPS[view], &span);
	if (result == 0 && list.count) {
		out->rows = calloc(list.count, sizeof(*out->rows));
		result = out->rows ? 0 : -ENOMEM;
	}
	for (size_t i = 0; i < list.count && result == 0; i++) {
		struct inv_stats *s = &list.rows[i];
		if (view == INV_TOP_ARTIFACT)
			s->in_flight = open_of(looks->now, s->name);
		make_row(&out->rows[out->count], s, view);
		put_stats(&out->rows[out->count++], s, unit, &span);
	}
	inv_stats_list_free(&span.before);
	inv_stats_list_free(&list);
	return result;
}

/* ---- rows of open calls ------------------------------------------------------------------ */

static void put_word(struct inv_top_row *row, enum inv_top_column column,
		     const struct inv_word *word)
{
	put_text(row, column, word->text, word->length);
}

static void add_open(struct inv_top_rows *out, const struct inv_open_list *list, const char *state)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct inv_open_call *call = &list->calls[i];
		struct inv_top_row *row = &out->rows[out->count++];
		put_word(row, INV_TOP_COL_ARTIFACT, call->artifact);
		put_word(row, INV_TOP_COL_METHOD, call->method);
		put_word(row, INV_TOP_COL_INVOKER, call->invoker);
		put_text(row, INV_TOP_COL_STATE, state, strlen(state));
		row->number[INV_TOP_COL_AGE] = (double)call->age_ns;
		row->number[INV_TOP_COL_TICK] = (double)call->tick;
		row->number[INV_TOP_COL_PID] = call->pid;
		row->number[INV_TOP_COL_TID] = call->tid;
		row->number[INV_TOP_COL_DEPTH] = call->depth;
	}
}

static int make_open(struct inv_top_rows *out, const struct inv_cut *cut)
{
	size_t count = cut->in_flight.count + cut->never.count;
	out->rows = count ? calloc(count, sizeof(*out->rows)) : NULL;
	if (count && !out->rows)
		return -ENOMEM;
	add_open(out, &cut->in_flight, "in flight");
	add_open(out, &cut->never, "never returned");
	return 0;
}

/* ---- filter and order --------------------------------------------------------------------- */

static bool contains(const char *text, size_t length, const char *part)
{
	size_t n = strlen(part);
	for (size_t at = 0; at + n <= length; at++) {
		size_t k = 0;
		while (k < n &&
		       tolower((unsigned char)text[at + k]) == tolower((unsigned char)part[k]))
			k++;
		if (k == n)
			return true;
	}
	return false;
}

static bool matches(const struct inv_top_row *row, const char *filter)
{
	if (!*filter || contains(row->failures, strlen(row->failures), filter))
		return true;
	for (unsigned i = 0; i < INV_TOP_TEXTS; i++)
		if (row->text[i] && contains(row->text[i], row->length[i], filter))
			return true;
	return false;
}

static void keep_matching(struct inv_top_rows *rows, const char *filter)
{
	size_t kept = 0;
	for (size_t i = 0; i < rows->count; i++)
		if (matches(&rows->rows[i], filter))
			rows->rows[kept++] = rows->rows[i];
	rows->hidden = rows->count - kept;
	rows->count = kept;
}

/* A row is moved while it is sorted and filtered: it can not point into itself before. */
static void point_to_failures(struct inv_top_rows *rows)
{
	for (size_t i = 0; i < rows->count; i++) {
		struct inv_top_row *row = &rows->rows[i];
		put_text(row, INV_TOP_COL_FAILURES, row->failures, strlen(row->failures));
	}
}

static int compare_text(const struct inv_top_row *a, const struct inv_top_row *b,
			enum inv_top_column column)
{
	if (column == INV_TOP_COL_FAILURES)
		return strcmp(a->failures, b->failures);
	return strcmp(a->text[column] ? a->text[column] : "",
		      b->text[column] ? b->text[column] : "");
}

static int compare(const void *a, const void *b, void *arg)
{
	const struct inv_top_row *x = a, *y = b;
	const struct inv_top_query *q = arg;
	int order = 0;
	if (q->sort < INV_TOP_TEXTS)
		order = compare_text(x, y, q->sort);
	else if (q->sort == INV_TOP_COL_SUCCESS) /* the worst first */
		order = (x->number[q->sort] > y->number[q->sort]) -
			(x->number[q->sort] < y->number[q->sort]);
	else
		order = (x->number[q->sort] < y->number[q->sort]) -
			(x->number[q->sort] > y->number[q->sort]);
	if (q->reverse)
		order = -order;
	for (unsigned i = 0; i < INV_TOP_COL_STATE && order == 0; i++)
		order = compare_text(x, y, (enum inv_top_column)i);
	return order;
}

int inv_top_rows_make(struct inv_top_rows *out, const struct inv_top_looks *looks,
		      const struct inv_top_query *query)
{
	*out = (struct inv_top_rows){0};
	int result = query->view == INV_TOP_OPEN ? make_open(out, looks->now)
						 : make_totals(out, looks, query->view);
	if (result < 0) {
		inv_top_rows_free(out);
		return result;
	}
	keep_matching(out, query->filter);
	if (out->count)
		qsort_r(out->rows, out->count, sizeof(*out->rows), compare,
			(void *)(uintptr_t)query);
	point_to_failures(out);
	return 0;
}

void inv_top_rows_free(struct inv_top_rows *rows)
{
	free(rows->rows);
	*rows = (struct inv_top_rows){0};
}

/* ---- totals -------------------------------------------------------------------------------- */

static void sum(const struct inv_cut *cut, uint64_t *calls, uint64_t *failed)
{
	*calls = inv_cut_total(cut);
	*failed = 0;
	for (size_t i = 0; i < cut->artifacts.count; i++)
		*failed += cut->artifacts.rows[i].failed;
}

void inv_top_totals(const struct inv_top_looks *looks, struct inv_top_totals *totals)
{
	uint64_t calls = 0, failed = 0;
	double over = span_seconds(looks);
	if (looks->before && looks->before->registry)
		sum(looks->before, &calls, &failed);
	sum(looks->now, &totals->calls, &totals->failed);
	totals->calls_s = per_second(totals->calls, calls, over);
	totals->failed_s = per_second(totals->failed, failed, over);
	totals->seconds = seconds(looks->now->created_ns, looks->end_ns);
}

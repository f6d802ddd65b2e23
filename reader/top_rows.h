/* SPDX-License-Identifier: MIT */
/*
 * top_rows.h - what `invreg top` shows: rows of a view, made from two cuts, with rates.
 *
 * A view is a list of columns; a row has a text for each column of text and a number for
 * each other one. Sorting, the filter and the formatting of a cell are here, so that the
 * screen and `-1` show the same. Pure but for memory: no terminal, no clock.
 *
 * Rates are the difference of two cuts over the time between them. Where there is one cut
 * only (the first, a file, what has ended) they are the mean over the session's time.
 *
 * Texts in rows belong to the cuts, which have to outlive them. One thread.
 */
#ifndef INV_READER_TOP_ROWS_H
#define INV_READER_TOP_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cut.h"

enum inv_top_view {
	INV_TOP_ARTIFACT,
	INV_TOP_METHOD,
	INV_TOP_INVOKER,
	INV_TOP_ERROR,
	INV_TOP_OPEN, /* in flight, and never returned */
	INV_TOP_VIEWS
};

enum inv_top_column {
	INV_TOP_COL_ARTIFACT,
	INV_TOP_COL_METHOD,
	INV_TOP_COL_INVOKER,
	INV_TOP_COL_ERROR,
	INV_TOP_COL_STATE,
	INV_TOP_COL_FAILURES, /* by type, as one text */
	INV_TOP_TEXTS,	      /* those above are texts */
	INV_TOP_COL_CALLS = INV_TOP_TEXTS,
	INV_TOP_COL_CALLS_S,
	INV_TOP_COL_FAILED,
	INV_TOP_COL_FAILED_S,
	INV_TOP_COL_SUCCESS,
	INV_TOP_COL_MEAN,
	INV_TOP_COL_P50,
	INV_TOP_COL_P99,
	INV_TOP_COL_MAX,
	INV_TOP_COL_SELF,
	INV_TOP_COL_UNIQUE, /* invokers of an artifact, artifacts of an invoker */
	INV_TOP_COL_OPEN,
	INV_TOP_COL_AGE,
	INV_TOP_COL_TICK,
	INV_TOP_COL_PID,
	INV_TOP_COL_TID,
	INV_TOP_COL_DEPTH,
	INV_TOP_COLUMNS
};

#define INV_TOP_CELL 64 /* bytes of a formatted number */

struct inv_top_row {
	const char *text[INV_TOP_TEXTS]; /* NULL: the view has no such column */
	size_t length[INV_TOP_TEXTS];
	double number[INV_TOP_COLUMNS];
	char failures[160];
};

struct inv_top_rows {
	struct inv_top_row *rows;
	size_t count, hidden; /* hidden by the filter */
};

struct inv_top_query {
	enum inv_top_view view;
	enum inv_top_column sort;
	bool reverse;
	const char *filter; /* "": none */
};

/* Two looks at one session; before->registry is NULL when there was none. */
struct inv_top_looks {
	const struct inv_cut *now, *before;
	int64_t end_ns; /* until when there were calls; of what is live: now */
};

/* Columns of a view, the first one names the row. Returns: how many. */
size_t inv_top_columns(enum inv_top_view view, const enum inv_top_column **columns);

/* "CALLS/S": what stands above a column. */
const char *inv_top_title(enum inv_top_view view, enum inv_top_column column);

/* How important a column is where room is short: 0 is the last to go. */
int inv_top_rank(enum inv_top_column column);

/* By the name that --by or --sort takes. Returns: false: there is none such. */
bool inv_top_view_named(const char *name, enum inv_top_view *view);
bool inv_top_sort_named(const char *name, enum inv_top_column *column);
const char *inv_top_view_name(enum inv_top_view view);

/* What a view is sorted by at first. */
enum inv_top_column inv_top_first_sort(enum inv_top_view view);

/* Returns: 0 or -ENOMEM. */
int inv_top_rows_make(struct inv_top_rows *out, const struct inv_top_looks *looks,
		      const struct inv_top_query *query);
void inv_top_rows_free(struct inv_top_rows *rows);

/* A cell that is a number, as text; of at least INV_TOP_CELL bytes. */
void inv_top_format(const struct inv_top_row *row, enum inv_top_column column, char *to);

/* Totals of a look, and their rates. */
struct inv_top_totals {
	uint64_t calls, failed;
	double calls_s, failed_s;
	double seconds; /* that the session has lasted */
};
void inv_top_totals(const struct inv_top_looks *looks, struct inv_top_totals *totals);

#endif

/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "output.h"
#include "table.h"
#include "top_private.h"
#include "verbs.h"

static void put_head(const struct inv_top_look *look, const struct inv_top_looks *looks)
{
	const struct inv_cut *cut = looks->now;
	struct inv_top_totals t;
	inv_top_totals(looks, &t);
	inv_table_say(stdout, cut->session->text, cut->session->length);
	printf(": %s, %.1f s, %llu calls (%.1f/s), %llu failed, %llu in flight, %llu never "
	       "returned, %zu artifacts, %zu invokers%s\n",
	       look->life, t.seconds, (unsigned long long)t.calls, t.calls_s,
	       (unsigned long long)t.failed,
	       (unsigned long long)(cut->in_flight.count + cut->in_flight.unnamed),
	       (unsigned long long)(cut->never.count + cut->never.unnamed), cut->artifacts.count,
	       cut->invokers.count, cut->from_events ? " (from events)" : "");
	for (size_t i = 0; i < cut->lost_count; i++)
		printf("lost %llu: %s: %s\n", (unsigned long long)cut->lost[i].count,
		       cut->lost[i].name, cut->lost[i].text);
}

static void put_rows(const struct inv_top_rows *rows, enum inv_top_view view)
{
	const enum inv_top_column *columns;
	size_t count = inv_top_columns(view, &columns);
	char heads[INV_TOP_COLUMNS][16];
	const char *head[INV_TABLE_COLUMNS] = {0};
	struct inv_table table;
	for (size_t c = 0; c < count && c < INV_TABLE_COLUMNS - 1; c++) {
		snprintf(heads[c], sizeof(heads[c]), "%s%s", columns[c] < INV_TOP_TEXTS ? "" : ">",
			 inv_top_title(view, columns[c]));
		head[c] = heads[c];
	}
	inv_table_init(&table, head);
	for (size_t i = 0; i < rows->count; i++)
		for (size_t c = 0; c < count; c++) {
			const struct inv_top_row *row = &rows->rows[i];
			char number[INV_TOP_CELL];
			inv_top_format(row, columns[c], number);
			if (columns[c] < INV_TOP_TEXTS && row->text[columns[c]])
				inv_table_text(&table, row->text[columns[c]],
					       row->length[columns[c]]);
			else
				inv_table_str(&table, number);
		}
	inv_table_print(&table, stdout, inv_table_width(stdout), inv_table_color(stdout));
	inv_table_free(&table);
}

int inv_top_once(struct inv_src *src, const struct inv_top_options *options)
{
	struct inv_top_look look = {.src = src};
	struct inv_top_rows rows;
	int result = inv_top_look(&look);
	if (result == 0) {
		struct inv_top_looks looks = inv_top_looks(&look);
		result = inv_top_rows_make(&rows, &looks, &options->query);
		if (result == 0) {
			put_head(&look, &looks);
			put_rows(&rows, options->query.view);
			inv_top_rows_free(&rows);
		}
	}
	inv_top_look_free(&look);
	return result < 0 ? inv_output_source_error(src, result) : inv_output_stdout_done();
}

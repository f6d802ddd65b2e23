/* SPDX-License-Identifier: MIT */
#include "diff_report.h"

#include <math.h>
#include <string.h>

#include "json.h"
#include "table.h"

/* ---- table --------------------------------------------------------------------------------- */

static void share_cell(struct inv_table *t, const struct inv_stats *s)
{
	uint64_t total = s ? inv_stats_total(s) : 0;
	if (total)
		inv_table_printf(t, "%.2f%%", 100 * (double)s->failed / (double)total);
	else
		inv_table_str(t, "");
}

static void calls_cell(struct inv_table *t, const struct inv_stats *s)
{
	if (s)
		inv_table_count(t, inv_stats_total(s));
	else
		inv_table_str(t, "");
}

static void change_cell(struct inv_table *t, const struct inv_diff_measure *m)
{
	double change = inv_diff_change(m);
	if (isinf(change))
		inv_table_str(t, "");
	else if (fabs(change) < 0.0005)
		inv_table_str(t, "0.0%");
	else if (change < 9.995)
		inv_table_printf(t, "%+.1f%%", 100 * change);
	else
		inv_table_printf(t, "x%.4g", change + 1);
}

static void duration_cells(struct inv_table *t, const struct inv_diff_row *row,
			   const struct inv_diff_measure *m, double fraction,
			   const struct inv_diff_report *r)
{
	if (row->a)
		inv_table_duration(t, inv_hist_percentile(&row->a->hist, fraction) *
					      inv_registry_ns_per_unit(r->a->registry));
	else
		inv_table_str(t, "");
	if (row->b)
		inv_table_duration(t, inv_hist_percentile(&row->b->hist, fraction) *
					      inv_registry_ns_per_unit(r->b->registry));
	else
		inv_table_str(t, "");
	if (row->a && row->b)
		change_cell(t, m);
	else
		inv_table_str(t, "");
}

/* "worse: failures, p99; better: p50" */
static size_t add_verdict(char *text, size_t size, size_t at, const struct inv_diff_row *row,
			  enum inv_diff_verdict verdict, const char *word)
{
	const struct inv_diff_measure *const m[] = {&row->failures, &row->p50, &row->p99};
	static const char *const NAMES[] = {"failures", "p50", "p99"};
	const char *between = at ? "; " : "";
	for (size_t i = 0; i < 3; i++) {
		if (m[i]->verdict != verdict || at >= size)
			continue;
		int n = snprintf(text + at, size - at, "%s%s%s%s", between, word, *word ? ": " : "",
				 NAMES[i]);
		at += n > 0 ? (size_t)n : 0;
		between = ", ";
		word = "";
	}
	return at;
}

static void verdict_cell(struct inv_table *t, const struct inv_diff_row *row)
{
	char text[128] = "";
	size_t at;
	if (!row->a || !row->b) {
		inv_table_str(t, row->a ? "only in A" : "only in B");
		return;
	}
	at = add_verdict(text, sizeof(text), 0, row, INV_DIFF_WORSE, "worse");
	add_verdict(text, sizeof(text), at, row, INV_DIFF_BETTER, "better");
	inv_table_str(t, text);
}

static void add_row(struct inv_table *t, const struct inv_diff_row *row,
		    const struct inv_diff_report *r)
{
	const struct inv_stats *any = row->a ? row->a : row->b;
	if (any->artifact)
		inv_table_text(t, any->artifact, any->artifact_length);
	inv_table_text(t, any->name, any->length);
	calls_cell(t, row->a);
	calls_cell(t, row->b);
	share_cell(t, row->a);
	share_cell(t, row->b);
	duration_cells(t, row, &row->p50, 0.5, r);
	duration_cells(t, row, &row->p99, 0.99, r);
	verdict_cell(t, row);
}

static void say_side(FILE *to, const char *name, const struct inv_cut *cut)
{
	fprintf(to, "%s  ", name);
	inv_table_say(to, cut->session->text, cut->session->length);
	fprintf(to, ": %llu calls%s", (unsigned long long)inv_cut_total(cut),
		cut->command[0] ? " of " : "");
	inv_table_say(to, cut->command, strlen(cut->command));
	fputs(cut->from_events ? " (from events: what was lost is missing)\n" : "\n", to);
}

static size_t count_unjudged(const struct inv_diff *diff)
{
	size_t count = 0;
	for (size_t i = 0; i < diff->count; i++) {
		const struct inv_diff_row *row = &diff->rows[i];
		if (row->a && row->b)
			count += (row->p50.verdict == INV_DIFF_UNJUDGED) +
				 (row->p99.verdict == INV_DIFF_UNJUDGED);
	}
	return count;
}

void inv_diff_report_table(const struct inv_diff_report *r, FILE *to, bool color)
{
	static const char *const REST[] = {">CALLS A", ">CALLS B", ">FAILED A",	     ">FAILED B",
					   ">P50 A",   ">P50 B",   ">CHANGE",	     ">P99 A",
					   ">P99 B",   ">CHANGE",  "MORE THAN NOISE"};
	const char *head[INV_TABLE_COLUMNS] = {"ARTIFACT"};
	struct inv_table table;
	size_t n = 1;
	if (r->by == INV_BY_METHOD)
		head[n++] = "METHOD";
	for (size_t i = 0; i < sizeof(REST) / sizeof(REST[0]); i++)
		head[n++] = REST[i];
	say_side(to, "A", r->a);
	say_side(to, "B", r->b);
	fputc('\n', to);
	inv_table_init(&table, head);
	for (size_t i = 0; i < r->diff->count; i++)
		add_row(&table, &r->diff->rows[i], r);
	inv_table_print(&table, to, inv_table_width(to), color);
	inv_table_free(&table);
	fprintf(to,
		"\n%zu worse, %zu better, by more than the noise within the runs (%llu "
		"comparisons, "
		"%.0f %% chance of any false one).\n"
		"Percentiles are exact to a bucket %.1f %% wide: a change within it is not seen.\n",
		r->diff->worse, r->diff->better, (unsigned long long)r->diff->comparisons,
		100 * INV_DIFF_ALPHA, INV_HIST_WIDTH_PERCENT);
	size_t unjudged = count_unjudged(r->diff);
	if (unjudged)
		fprintf(to, "%zu percentiles are not judged: too few calls.\n", unjudged);
}

/* ---- JSON ---------------------------------------------------------------------------------- */

static void put_u64(struct inv_json *j, const char *key, uint64_t value)
{
	inv_json_key(j, key);
	inv_json_put_u64(j, value);
}

static void put_real(struct inv_json *j, const char *key, double value)
{
	if (isinf(value))
		return;
	inv_json_key(j, key);
	inv_json_put_real(j, value, 6);
}

static void put_ms(struct inv_json *j, const char *key, double ns)
{
	if (isinf(ns))
		return;
	inv_json_key(j, key);
	inv_json_put_ms(j, ns);
}

static const char *verdict_name(enum inv_diff_verdict verdict)
{
	static const char *const NAMES[] = {"unjudged", "noise", "better", "worse"};
	return NAMES[verdict];
}

static void put_verdict(struct inv_json *j, const struct inv_diff_measure *m)
{
	put_real(j, "change_percent", 100 * inv_diff_change(m));
	inv_json_key(j, "verdict");
	inv_json_put_str(j, verdict_name(m->verdict));
	inv_json_close(j, '}');
}

static void put_failures(struct inv_json *j, const struct inv_diff_measure *m)
{
	inv_json_key(j, "failure_rate");
	inv_json_open(j, '{');
	put_real(j, "a", m->a);
	put_real(j, "b", m->b);
	inv_json_key(j, "p_value");
	inv_json_put_real(j, m->p_value, 9);
	put_verdict(j, m);
}

static void put_percentile(struct inv_json *j, const char *key, const struct inv_diff_measure *m)
{
	inv_json_key(j, key);
	inv_json_open(j, '{');
	put_ms(j, "a_ms", m->a);
	put_ms(j, "b_ms", m->b);
	put_ms(j, "a_low_ms", m->in_a.low);
	put_ms(j, "a_high_ms", m->in_a.high);
	put_ms(j, "b_low_ms", m->in_b.low);
	put_ms(j, "b_high_ms", m->in_b.high);
	put_verdict(j, m);
}

static void put_counts(struct inv_json *j, const char *key, const struct inv_stats *s)
{
	inv_json_key(j, key);
	inv_json_open(j, '{');
	put_u64(j, "total_invocations", s ? inv_stats_total(s) : 0);
	put_u64(j, "failed", s ? s->failed : 0);
	inv_json_close(j, '}');
}

static void put_row(struct inv_json *j, const struct inv_diff_row *row)
{
	const struct inv_stats *any = row->a ? row->a : row->b;
	inv_json_open(j, '{');
	inv_json_key(j, "artifact_id");
	if (any->artifact) {
		inv_json_put_text(j, any->artifact, any->artifact_length);
		inv_json_key(j, "method");
	}
	inv_json_put_text(j, any->name, any->length);
	inv_json_key(j, "in");
	inv_json_put_str(j, row->a && row->b ? "both" : row->a ? "a" : "b");
	put_counts(j, "a", row->a);
	put_counts(j, "b", row->b);
	if (row->a && row->b) {
		put_failures(j, &row->failures);
		put_percentile(j, "p50", &row->p50);
		put_percentile(j, "p99", &row->p99);
	}
	inv_json_close(j, '}');
}

static void put_side(struct inv_json *j, const char *key, const struct inv_cut *cut)
{
	inv_json_key(j, key);
	inv_json_open(j, '{');
	inv_json_key(j, "session");
	inv_json_put_text(j, cut->session->text, cut->session->length);
	inv_json_key(j, "command");
	inv_json_put_str(j, cut->command);
	inv_json_key(j, "taken");
	inv_json_put_time(j, cut->taken_ns);
	put_u64(j, "total_invocations", inv_cut_total(cut));
	inv_json_key(j, "from");
	inv_json_put_str(j, cut->from_events ? "events" : "tallies");
	inv_json_close(j, '}');
}

void inv_diff_report_json(const struct inv_diff_report *r, struct inv_buf *out)
{
	struct inv_json json = {.out = out}, *j = &json;
	uint64_t above = 0;
	inv_json_open(j, '{');
	put_side(j, "a", r->a);
	put_side(j, "b", r->b);
	inv_json_key(j, "rows");
	inv_json_open(j, '[');
	for (size_t i = 0; i < r->diff->count; i++) {
		put_row(j, &r->diff->rows[i]);
		above += r->fail_above >= 0 && inv_diff_above(&r->diff->rows[i], r->fail_above);
	}
	inv_json_close(j, ']');
	put_u64(j, "worse", r->diff->worse);
	put_u64(j, "better", r->diff->better);
	if (r->fail_above >= 0)
		put_u64(j, "above", above);
	put_u64(j, "comparisons", r->diff->comparisons);
	put_real(j, "alpha", INV_DIFF_ALPHA);
	inv_json_key(j, "bucket_width_percent");
	inv_json_put_real(j, INV_HIST_WIDTH_PERCENT, 1);
	inv_json_close(j, '}');
	inv_buf_line_end(out);
}

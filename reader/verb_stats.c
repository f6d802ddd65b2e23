/* SPDX-License-Identifier: MIT */
/*
 * verb_stats.c - `invreg stats`: exact totals, by what is asked, as table, JSON or CSV.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cost.h"
#include "cut.h"
#include "options.h"
#include "output.h"
#include "report.h"
#include "say.h"
#include "table.h"
#include "verbs.h"

enum form { FORM_TABLE, FORM_JSON, FORM_CSV };

/* ---- percentiles of invokers ------------------------------------------------------------ */

static struct inv_text invoker_of(const struct inv_call *call)
{
	return (struct inv_text){call->invoker->text, call->invoker->length};
}

static int by_invoker(const void *a, const void *b)
{
	return inv_text_compare(invoker_of(a), invoker_of(b));
}

/* The first call of who is not before name. */
static size_t first_of(const struct inv_src *src, struct inv_text name)
{
	size_t low = 0, high = src->call_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (inv_text_compare(invoker_of(&src->calls[middle]), name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void sample_one(struct inv_stats *row, const struct inv_src *src)
{
	struct inv_hist hist = {0};
	struct inv_text name = {row->name, row->length};
	for (size_t i = first_of(src, name); i < src->call_count; i++) {
		const struct inv_call *call = &src->calls[i];
		if (inv_text_compare(invoker_of(call), name) != 0)
			break;
		if (call->state == INV_CALL_DONE)
			inv_hist_record(&hist, call->duration_ns, 0, 0, 0);
	}
	row->sample = inv_sample_of(&hist);
}

/* Tallies of invokers have no histograms: the calls that are kept have to do. */
static int sample_invokers(struct inv_cut *cut, struct inv_src *src)
{
	int result = src->call_count ? 0 : inv_src_load(src);
	if (result < 0)
		return result;
	if (src->call_count)
		qsort(src->calls, src->call_count, sizeof(*src->calls), by_invoker);
	for (size_t i = 0; i < cut->invokers.count; i++)
		sample_one(&cut->invokers.rows[i], src);
	return 0;
}

/* ---- order --------------------------------------------------------------------------- */

static double sort_value(const struct inv_stats *s, const char *key)
{
	if (!strcmp(key, "failed"))
		return (double)s->failed;
	if (!strcmp(key, "rate"))
		return -inv_stats_success_rate(s); /* the worst first */
	if (!strcmp(key, "mean"))
		return inv_stats_mean(s);
	if (!strcmp(key, "p50") && s->sample.calls)
		return s->sample.p50_ns;
	if (!strcmp(key, "p99") && s->sample.calls)
		return s->sample.p99_ns;
	if (!strcmp(key, "max") && s->sample.calls)
		return s->sample.max_ns;
	if (!strcmp(key, "p50"))
		return inv_hist_percentile(&s->hist, 0.5);
	if (!strcmp(key, "p99"))
		return inv_hist_percentile(&s->hist, 0.99);
	if (!strcmp(key, "max"))
		return (double)s->hist.max;
	return (double)inv_stats_total(s);
}

static int compare(const void *a, const void *b, void *key)
{
	const struct inv_stats *x = a, *y = b;
	int names = inv_stats_compare_names(x, y);
	if (!strcmp(key, "name"))
		return names;
	double v = sort_value(x, key), w = sort_value(y, key);
	return v < w ? 1 : v > w ? -1 : names;
}

static bool sort_known(const char *key)
{
	static const char *const KEYS[] = {"total", "failed", "rate", "mean",
					   "p50",   "p99",    "max",  "name"};
	for (size_t i = 0; i < sizeof(KEYS) / sizeof(KEYS[0]); i++)
		if (!strcmp(key, KEYS[i]))
			return true;
	return false;
}

static void sort(struct inv_stats_list *list, const char *key)
{
	if (key && list->count)
		qsort_r(list->rows, list->count, sizeof(*list->rows), compare,
			(void *)(uintptr_t)key);
}

/* ---- table ---------------------------------------------------------------------------- */

static void add_row(struct inv_table *t, const struct inv_stats *s, enum inv_group by, double unit)
{
	if (s->artifact)
		inv_table_text(t, s->artifact, s->artifact_length);
	inv_table_text(t, s->name, s->length);
	inv_table_count(t, inv_stats_total(s));
	inv_table_count(t, s->successful);
	inv_table_count(t, s->failed);
	inv_table_printf(t, "%.2f%%", 100 * inv_stats_success_rate(s));
	inv_table_duration(t, inv_stats_mean(s) * unit);
	if (by == INV_BY_INVOKER) {
		const double kept[] = {s->sample.p50_ns, s->sample.p90_ns, s->sample.p99_ns};
		for (size_t i = 0; i < 3; i++)
			if (s->sample.calls)
				inv_table_duration(t, kept[i]);
			else
				inv_table_str(t, "-");
		inv_table_count(t, s->unique);
		return;
	}
	inv_table_duration(t, inv_hist_percentile(&s->hist, 0.5) * unit);
	inv_table_duration(t, inv_hist_percentile(&s->hist, 0.9) * unit);
	inv_table_duration(t, inv_hist_percentile(&s->hist, 0.99) * unit);
	inv_table_duration(t, (double)s->hist.max * unit);
	inv_table_duration(t, (double)s->hist.self * unit);
}

static void show_table(const struct inv_cut *cut, enum inv_group by,
		       const struct inv_stats_list *list)
{
	static const char *const FIRST[] = {"ARTIFACT", "METHOD", "ERROR", "INVOKER"};
	const char *head[INV_TABLE_COLUMNS] = {0};
	size_t n = 0;
	if (by == INV_BY_METHOD)
		head[n++] = "ARTIFACT";
	head[n++] = FIRST[by];
	static const char *const COMMON[] = {">CALLS", ">OK", ">FAILED", ">SUCCESS", ">MEAN"};
	static const char *const TAIL[] = {">P50", ">P90", ">P99", ">MAX", ">SELF"};
	for (size_t i = 0; i < 5; i++)
		head[n++] = COMMON[i];
	for (size_t i = 0; i < (by == INV_BY_INVOKER ? 3 : 5); i++)
		head[n++] = TAIL[i];
	if (by == INV_BY_INVOKER)
		head[n++] = ">ARTIFACTS";
	struct inv_table table;
	inv_table_init(&table, head);
	for (size_t i = 0; i < list->count; i++)
		add_row(&table, &list->rows[i], by, inv_registry_ns_per_unit(cut->registry));
	inv_table_print(&table, stdout, inv_table_width(stdout), inv_table_color(stdout));
	inv_table_free(&table);
}

/* ---- all -------------------------------------------------------------------------------- */

static void put(const struct inv_cut *cut, enum inv_group by, enum form form,
		const struct inv_stats_list *list, struct inv_buf *out)
{
	if (form == FORM_CSV)
		inv_report_group_csv(cut, by, list, out);
	else if (by == INV_BY_ARTIFACT || by == INV_BY_INVOKER)
		inv_report_object(cut, out, false);
	else
		inv_report_group_json(cut, by, list, out);
}

static int show_group(struct inv_cut *cut, enum inv_group by, const char *key, enum form form,
		      struct inv_buf *out)
{
	struct inv_stats_list list = {0};
	int result = 0;
	/* The object shows the cut's own lists: sort those. */
	if (by == INV_BY_ARTIFACT || by == INV_BY_INVOKER) {
		struct inv_stats_list *own =
			by == INV_BY_ARTIFACT ? &cut->artifacts : &cut->invokers;
		sort(own, key);
		if (form == FORM_TABLE)
			show_table(cut, by, own);
		else
			put(cut, by, form, own, out);
		return 0;
	}
	result = inv_registry_group(cut->registry, by, (struct inv_text){0}, &list);
	sort(&list, key);
	if (result == 0 && form == FORM_TABLE)
		show_table(cut, by, &list);
	else if (result == 0)
		put(cut, by, form, &list, out);
	inv_stats_list_free(&list);
	return result;
}

static void say_caveats(const struct inv_cut *cut, bool sampled)
{
	if (sampled)
		inv_say("invreg: percentiles by invoker are of the calls that are kept\n");
	for (size_t i = 0; i < cut->lost_count; i++)
		inv_say("invreg: lost %llu: %s\n", (unsigned long long)cut->lost[i].count,
			cut->lost[i].name);
	if (cut->live && inv_setting_paused(&cut->setting))
		inv_say("invreg: the session is paused: `invreg resume` goes on\n");
	if (cut->from_events)
		inv_say("invreg: totals are from events; what was lost is missing\n");
}

static bool next_group(const char **what, enum inv_group *by)
{
	static const char *const NAMES[] = {"artifact", "method", "error", "invoker"};
	size_t n = strcspn(*what, ",");
	for (unsigned i = 0; i < 4; i++)
		if (strlen(NAMES[i]) == n && !strncmp(*what, NAMES[i], n)) {
			*by = (enum inv_group)i;
			*what += n + ((*what)[n] == ',');
			return true;
		}
	return false;
}

static int show(struct inv_cut *cut, const char *what, const char *key, enum form form,
		bool sampled)
{
	struct inv_buf out;
	enum inv_group by;
	int result = 0, code = inv_output_open(&out);
	if (code)
		return code;
	while (*what && result == 0 && next_group(&what, &by)) {
		result = show_group(cut, by, key, form, &out);
		if (*what && form == FORM_TABLE)
			fputc('\n', stdout);
	}
	if (form == FORM_TABLE && result == 0 && cut->cost_ns > 0 && inv_cut_total(cut)) {
		fputc('\n', stdout);
		inv_cost_say(cut, stdout);
	}
	code = inv_output_close(&out);
	say_caveats(cut, sampled);
	if (result < 0)
		inv_say("invreg: %s\n", strerror(-result));
	return result < 0 ? INV_EXIT_RUNTIME : code ? code : inv_output_stdout_done();
}

static int run(const char *dir, const char *session, const char *what, const char *key,
	       enum form form)
{
	struct inv_src src;
	struct inv_cut cut;
	int code = inv_src_open(&src, dir, session);
	if (code)
		return code;
	bool sampled = strstr(what, "invoker") != NULL;
	int result = inv_cut_take(&cut, &src);
	if (result == 0 && sampled)
		result = sample_invokers(&cut, &src);
	if (result < 0)
		code = inv_output_source_error(&src, result);
	else
		code = show(&cut, what, key, form, sampled);
	inv_cut_free(&cut);
	inv_src_close(&src);
	return code;
}

int inv_verb_stats(int argc, char **argv)
{
	const char *by = "artifact", *key = NULL, *dir = NULL, *session = NULL;
	bool json = false, csv = false;
	const struct inv_option options[] = {{"by", 0, &by, NULL},
					     {"sort", 0, &key, NULL},
					     {"json", 0, NULL, &json},
					     {"csv", 0, NULL, &csv},
					     {0}};
	size_t words;
	enum inv_group group;
	int code = inv_options_parse(argc, argv, options, &dir, &session, 1, &words);
	if (code >= 0)
		return code;
	const char *rest = by;
	while (*rest && next_group(&rest, &group))
		;
	if (*rest || !*by || (key && !sort_known(key)) || (json && csv)) {
		inv_say("invreg: stats: %s; see `invreg stats --help`\n",
			json && csv	? "--json or --csv, not both"
			: *rest || !*by ? "--by is artifact, invoker, method or error, or several "
					  "of them with commas"
					: "--sort is total, failed, rate, mean, p50, p99, max or "
					  "name");
		return INV_EXIT_USAGE;
	}
	return run(dir, session, by, key, json ? FORM_JSON : csv ? FORM_CSV : FORM_TABLE);
}

/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cost.h"
#include "json.h"

static void put_u64(struct inv_json *j, const char *name, uint64_t value)
{
	inv_json_key(j, name);
	inv_json_put_u64(j, value);
}

static void put_str(struct inv_json *j, const char *name, const char *text)
{
	inv_json_key(j, name);
	inv_json_put_str(j, text);
}

static void put_word(struct inv_json *j, const char *name, const struct inv_word *word)
{
	inv_json_key(j, name);
	inv_json_put_text(j, word->text, word->length);
}

static void put_ms(struct inv_json *j, const char *name, double ns)
{
	inv_json_key(j, name);
	inv_json_put_ms(j, ns);
}

static void put_time(struct inv_json *j, const char *name, int64_t ns)
{
	inv_json_key(j, name);
	inv_json_put_time(j, ns);
}

static void begin_list(struct inv_json *j, const char *name)
{
	inv_json_key(j, name);
	inv_json_open(j, '[');
}

/* ---- totals ----------------------------------------------------------------------- */

const char *inv_report_key(enum inv_group by)
{
	static const char *const KEYS[] = {"artifact_id", "method", "error_type", "invoker_id"};
	return KEYS[by];
}

void inv_report_counts(struct inv_json *j, const struct inv_stats *s, double unit)
{
	put_u64(j, "total_invocations", inv_stats_total(s));
	put_u64(j, "successful", s->successful);
	put_u64(j, "failed", s->failed);
	inv_json_key(j, "success_rate");
	inv_json_put_real(j, inv_stats_success_rate(s), 6);
	put_ms(j, "avg_duration_ms", inv_stats_mean(s) * unit);
}

static void put_count(struct inv_json *j, const struct inv_type_count *type)
{
	inv_json_key_text(j, type->type, type->length);
	inv_json_put_u64(j, type->count);
}

void inv_report_totals(struct inv_json *j, const struct inv_stats *s, double unit)
{
	inv_report_counts(j, s, unit);
	inv_json_key(j, "failure_types");
	inv_json_open(j, '{');
	for (size_t i = 0; i < s->type_count; i++)
		put_count(j, &s->types[i]);
	inv_json_close(j, '}');
}

static void put_distribution(struct inv_json *j, const struct inv_stats *s, double unit)
{
	const struct inv_hist *h = &s->hist;
	put_ms(j, "p50_ms", inv_hist_percentile(h, 0.5) * unit);
	put_ms(j, "p90_ms", inv_hist_percentile(h, 0.9) * unit);
	put_ms(j, "p99_ms", inv_hist_percentile(h, 0.99) * unit);
	put_ms(j, "p999_ms", inv_hist_percentile(h, 0.999) * unit);
	put_ms(j, "min_ms", h->count ? (double)h->min * unit : 0);
	put_ms(j, "max_ms", (double)h->max * unit);
	put_ms(j, "self_ms", (double)h->self * unit);
}

static void put_last_tick(struct inv_json *j, const struct inv_stats *s)
{
	inv_json_key(j, "last_tick");
	inv_json_put_i64(j, s->hist.last_tick);
}

static void put_methods(struct inv_json *j, const struct inv_cut *cut, struct inv_text artifact)
{
	struct inv_stats_list methods;
	begin_list(j, "methods");
	if (inv_registry_group(cut->registry, INV_BY_METHOD, artifact, &methods) == 0)
		for (size_t i = 0; i < methods.count; i++) {
			const struct inv_stats *m = &methods.rows[i];
			inv_json_open(j, '{');
			inv_json_key(j, "method");
			inv_json_put_text(j, m->name, m->length);
			inv_report_totals(j, m, inv_registry_ns_per_unit(cut->registry));
			put_distribution(j, m, inv_registry_ns_per_unit(cut->registry));
			put_last_tick(j, m);
			inv_json_close(j, '}');
		}
	inv_stats_list_free(&methods);
	inv_json_close(j, ']');
}

/* The members of an artifact, for the object and for the line. */
static void put_artifact(struct inv_json *j, const struct inv_cut *cut, const struct inv_stats *s)
{
	double unit = inv_registry_ns_per_unit(cut->registry);
	inv_json_key(j, "artifact_id");
	inv_json_put_text(j, s->name, s->length);
	inv_report_totals(j, s, unit);
	put_distribution(j, s, unit);
	put_u64(j, "in_flight", s->in_flight);
	put_u64(j, "never_returned", s->never_returned);
	put_u64(j, "unique_invokers", s->unique);
	put_last_tick(j, s);
	put_methods(j, cut, (struct inv_text){s->name, s->length});
	if (cut->from_events)
		put_str(j, "from", "events");
}

void inv_report_sample(struct inv_json *j, const struct inv_sample *sample)
{
	inv_json_key(j, "percentiles");
	inv_json_open(j, '{');
	put_ms(j, "p50_ms", sample->p50_ns);
	put_ms(j, "p90_ms", sample->p90_ns);
	put_ms(j, "p99_ms", sample->p99_ns);
	put_ms(j, "p999_ms", sample->p999_ns);
	put_ms(j, "max_ms", sample->max_ns);
	put_u64(j, "calls", sample->calls);
	put_str(j, "from", "events");
	inv_json_close(j, '}');
}

static void put_invoker(struct inv_json *j, const struct inv_cut *cut, const struct inv_stats *s)
{
	inv_json_open(j, '{');
	inv_json_key(j, "invoker_id");
	inv_json_put_text(j, s->name, s->length);
	inv_report_counts(j, s, inv_registry_ns_per_unit(cut->registry));
	put_u64(j, "unique_artifacts", s->unique);
	if (s->sample.calls)
		inv_report_sample(j, &s->sample);
	inv_json_close(j, '}');
}

/* ---- the rest of a cut --------------------------------------------------------------- */

void inv_report_control(struct inv_json *j, const struct inv_cut *cut)
{
	inv_json_key(j, "control");
	inv_setting_put(&cut->setting, j);
}

static void put_status(struct inv_json *j, const struct inv_cut *cut)
{
	inv_json_key(j, "status");
	inv_json_open(j, '{');
	put_str(j, "state", cut->live ? "live" : cut->procs_unknown ? "unknown" : "ended");
	put_time(j, "created", cut->created_ns);
	put_u64(j, "processes_alive", cut->procs_alive);
	put_u64(j, "processes_ended", cut->procs_dead);
	put_u64(j, "processes_unknown", cut->procs_unknown);
	put_u64(j, "calls", inv_cut_total(cut));
	put_u64(j, "begun", cut->begun);
	put_u64(j, "abandoned", cut->abandoned);
	put_u64(j, "inherited", cut->inherited);
	put_u64(j, "in_flight", cut->in_flight.count + cut->in_flight.unnamed);
	put_u64(j, "never_returned", cut->never.count + cut->never.unnamed);
	put_u64(j, "events_kept", cut->events_kept);
	put_u64(j, "events_lapped", cut->events_lapped);
	put_u64(j, "events_filtered", cut->events_filtered);
	put_u64(j, "calls_paused", cut->calls_paused);
	inv_report_control(j, cut);
	put_u64(j, "names", cut->names);
	put_u64(j, "lanes", cut->lanes);
	put_u64(j, "reserved_bytes", cut->reserved_bytes);
	put_u64(j, "budget_bytes", cut->budget_bytes);
	put_u64(j, "clock_steps", cut->time_steps);
	inv_json_close(j, '}');
}

static const char *liveness_name(unsigned liveness)
{
	static const char *const NAMES[] = {"dead", "alive", "unknown"};
	return NAMES[liveness <= INV_LIVENESS_UNKNOWN ? liveness : INV_LIVENESS_UNKNOWN];
}

static void put_open(struct inv_json *j, const char *name, const struct inv_open_list *list)
{
	begin_list(j, name);
	for (size_t i = 0; i < list->count; i++) {
		const struct inv_open_call *c = &list->calls[i];
		inv_json_open(j, '{');
		put_word(j, "invoker_id", c->invoker);
		put_word(j, "artifact_id", c->artifact);
		put_word(j, "method", c->method);
		inv_json_key(j, "tick");
		inv_json_put_i64(j, c->tick);
		put_time(j, "started", c->start_ns);
		put_ms(j, "age_ms", (double)c->age_ns);
		put_u64(j, "call", c->id);
		put_u64(j, "pid", c->pid);
		put_u64(j, "tid", c->tid);
		put_u64(j, "depth", c->depth);
		put_word(j, "probe", c->probe);
		put_str(j, "process", liveness_name(c->liveness));
		inv_json_close(j, '}');
	}
	inv_json_close(j, ']');
}

static void put_lost(struct inv_json *j, const struct inv_cut *cut)
{
	begin_list(j, "lost");
	for (size_t i = 0; i < cut->lost_count; i++) {
		inv_json_open(j, '{');
		put_str(j, "reason", cut->lost[i].name);
		put_u64(j, "count", cut->lost[i].count);
		inv_json_close(j, '}');
	}
	inv_json_close(j, ']');
}

void inv_report_probes(struct inv_json *j, const struct inv_cut *cut)
{
	begin_list(j, "probes");
	for (size_t i = 0; i < cut->probe_count; i++) {
		const struct inv_probe_state *p = &cut->probes[i];
		inv_json_open(j, '{');
		put_str(j, "name", p->row.name);
		put_str(j, "tier", inv_tier_name(p->tier));
		put_u64(j, "sites", p->sites);
		put_u64(j, "calls", p->calls);
		put_str(j, "why", p->why);
		put_str(j, "target", p->row.target);
		put_u64(j, "refused", p->refused);
		put_u64(j, "bound_in", p->bound_in);
		if (cut->probe_count > 1)
			put_str(j, "calls_from", "events");
		inv_json_close(j, '}');
	}
	inv_json_close(j, ']');
}

void inv_report_notes(struct inv_json *j, const struct inv_cut *cut)
{
	begin_list(j, "notes");
	for (size_t i = 0; i < cut->note_count; i++) {
		const struct inv_note_row *n = &cut->notes[i];
		inv_json_open(j, '{');
		put_str(j, "reason", inv_reason_text((enum inv_reason)n->note.reason));
		put_str(j, "probe", n->probe);
		put_str(j, "exe", n->note.exe);
		put_str(j, "detail", n->note.detail);
		put_u64(j, "pid", n->note.pid);
		put_u64(j, "count", n->count);
		inv_json_close(j, '}');
	}
	inv_json_close(j, ']');
}

static void put_totals(struct inv_json *j, const struct inv_cut *cut)
{
	begin_list(j, "artifacts");
	for (size_t i = 0; i < cut->artifacts.count; i++) {
		inv_json_open(j, '{');
		put_artifact(j, cut, &cut->artifacts.rows[i]);
		inv_json_close(j, '}');
	}
	inv_json_close(j, ']');
	begin_list(j, "invokers");
	for (size_t i = 0; i < cut->invokers.count; i++)
		put_invoker(j, cut, &cut->invokers.rows[i]);
	inv_json_close(j, ']');
}

static void put_heading(struct inv_json *j, const struct inv_cut *cut)
{
	put_word(j, "session", cut->session);
	put_str(j, "command", cut->command);
	put_time(j, "taken", cut->taken_ns);
	put_u64(j, "window_ns", cut->window_ns);
}

/* Nothing where it is not known: a 0 would be taken for a number. */
static void put_cost(struct inv_json *j, const struct inv_cut *cut)
{
	if (!(cut->cost_ns > 0))
		return;
	inv_json_key(j, "shim");
	inv_json_open(j, '{');
	inv_cost_put(cut, inv_cut_total(cut), j);
	put_ms(j, "elapsed_ms", (double)cut->elapsed_ns);
	inv_json_close(j, '}');
}

static void put_closing(struct inv_json *j, const struct inv_cut *cut)
{
	put_cost(j, cut);
	put_str(j, "from", cut->from_events ? "events" : "tallies");
	inv_json_key(j, "bucket_width_percent");
	inv_json_put_real(j, INV_HIST_WIDTH_PERCENT, 1);
}

void inv_report_object(const struct inv_cut *cut, struct inv_buf *out, bool with_status)
{
	struct inv_json j = {.out = out};
	inv_json_open(&j, '{');
	put_heading(&j, cut);
	if (with_status)
		put_status(&j, cut);
	put_totals(&j, cut);
	put_open(&j, "in_flight", &cut->in_flight);
	put_open(&j, "never_returned", &cut->never);
	put_lost(&j, cut);
	inv_report_probes(&j, cut);
	inv_report_notes(&j, cut);
	put_closing(&j, cut);
	inv_json_close(&j, '}');
	inv_buf_line_end(out);
}

/* ---- groups ------------------------------------------------------------------------------ */

void inv_report_group_json(const struct inv_cut *cut, enum inv_group by,
			   const struct inv_stats_list *list, struct inv_buf *out)
{
	struct inv_json j = {.out = out};
	double unit = inv_registry_ns_per_unit(cut->registry);
	inv_json_open(&j, '{');
	put_heading(&j, cut);
	begin_list(&j, by == INV_BY_METHOD ? "methods" : "errors");
	for (size_t i = 0; i < list->count; i++) {
		const struct inv_stats *s = &list->rows[i];
		inv_json_open(&j, '{');
		if (s->artifact) {
			inv_json_key(&j, "artifact_id");
			inv_json_put_text(&j, s->artifact, s->artifact_length);
		}
		inv_json_key(&j, inv_report_key(by));
		inv_json_put_text(&j, s->name, s->length);
		inv_report_totals(&j, s, unit);
		put_distribution(&j, s, unit);
		put_last_tick(&j, s);
		inv_json_close(&j, '}');
	}
	inv_json_close(&j, ']');
	put_lost(&j, cut);
	put_closing(&j, cut);
	inv_json_close(&j, '}');
	inv_buf_line_end(out);
}

/* RFC 4180, and no cell that a spreadsheet would run as a formula. */
static void csv_text(struct inv_buf *out, const char *text, size_t length)
{
	bool formula = length && strchr("=+-@\t\r", text[0]);
	inv_buf_puts(out, formula ? "\"'" : "\"");
	for (size_t i = 0; i < length; i++)
		inv_buf_put(out, text[i] == '"' ? "\"\"" : &text[i], text[i] == '"' ? 2 : 1);
	inv_buf_puts(out, "\"");
}

static void csv_ms(struct inv_buf *out, double ns)
{
	char text[INV_JSON_NUMBER_ROOM + 1] = ",";
	char *end = inv_json_ms(text + 1, ns > 0 && ns < 9e18 ? (uint64_t)(ns + 0.5) : 0);
	inv_buf_put(out, text, (size_t)(end - text));
}

static void csv_row(struct inv_buf *out, const struct inv_stats *s, enum inv_group by, double unit)
{
	const struct inv_hist *h = &s->hist;
	char rate[INV_JSON_NUMBER_ROOM];
	if (s->artifact) {
		csv_text(out, s->artifact, s->artifact_length);
		inv_buf_puts(out, ",");
	}
	csv_text(out, s->name, s->length);
	inv_buf_printf(out, ",%llu,%llu,%llu,", (unsigned long long)inv_stats_total(s),
		       (unsigned long long)s->successful, (unsigned long long)s->failed);
	char *end = inv_json_real(rate, inv_stats_success_rate(s), 6);
	inv_buf_put(out, rate, (size_t)(end - rate));
	csv_ms(out, inv_stats_mean(s) * unit);
	if (by != INV_BY_INVOKER) {
		csv_ms(out, inv_hist_percentile(h, 0.5) * unit);
		csv_ms(out, inv_hist_percentile(h, 0.9) * unit);
		csv_ms(out, inv_hist_percentile(h, 0.99) * unit);
		csv_ms(out, h->count ? (double)h->min * unit : 0);
		csv_ms(out, (double)h->max * unit);
		csv_ms(out, (double)h->self * unit);
	} else {
		csv_ms(out, s->sample.p50_ns);
		csv_ms(out, s->sample.p90_ns);
		csv_ms(out, s->sample.p99_ns);
	}
	inv_buf_line_end(out);
}

void inv_report_group_csv(const struct inv_cut *cut, enum inv_group by,
			  const struct inv_stats_list *list, struct inv_buf *out)
{
	inv_buf_printf(out, "%s%s,total_invocations,successful,failed,success_rate,avg_duration_ms",
		       by == INV_BY_METHOD ? "artifact_id," : "", inv_report_key(by));
	inv_buf_puts(out, ",p50_ms,p90_ms,p99_ms");
	if (by != INV_BY_INVOKER)
		inv_buf_puts(out, ",min_ms,max_ms,self_ms");
	inv_buf_line_end(out);
	for (size_t i = 0; i < list->count; i++)
		csv_row(out, &list->rows[i], by, inv_registry_ns_per_unit(cut->registry));
}

/* ---- lines --------------------------------------------------------------------------------- */

/* By place, not by value: read back in the same unit they are the same histogram. */
static void put_buckets(struct inv_json *j, const struct inv_hist *h)
{
	begin_list(j, "buckets");
	for (uint32_t i = 0; i < INV_HIST_BUCKETS; i++) {
		if (!h->bucket[i])
			continue;
		inv_json_open(j, '[');
		inv_json_put_u64(j, i);
		inv_json_put_u64(j, h->bucket[i]);
		inv_json_close(j, ']');
	}
	inv_json_close(j, ']');
}

struct line {
	struct inv_json *json;
	double unit;
};

static void put_cell(void *arg, const struct inv_cell_row *cell)
{
	struct line *line = arg;
	struct inv_json *j = line->json;
	inv_json_open(j, '{');
	put_word(j, "method", cell->method);
	put_word(j, "type", cell->type);
	inv_json_key(j, "failed");
	inv_json_put_bool(j, cell->failed);
	put_ms(j, "sum_ms", (double)cell->hist.sum * line->unit);
	put_ms(j, "self_ms", (double)cell->hist.self * line->unit);
	put_ms(j, "min_ms", (double)cell->hist.min * line->unit);
	put_ms(j, "max_ms", (double)cell->hist.max * line->unit);
	inv_json_key(j, "last_tick");
	inv_json_put_i64(j, cell->hist.last_tick);
	/* The session's clock, which says whose last tick is the last of them all. */
	put_ms(j, "last_end_ms", (double)cell->hist.last * line->unit);
	put_buckets(j, &cell->hist);
	inv_json_close(j, '}');
}

static int put_invokers_of(struct inv_json *j, const struct inv_cut *cut, struct inv_text artifact)
{
	struct inv_stats_list list;
	int result = inv_registry_group(cut->registry, INV_BY_INVOKER, artifact, &list);
	begin_list(j, "invokers");
	for (size_t i = 0; i < list.count; i++) {
		const struct inv_stats *s = &list.rows[i];
		inv_json_open(j, '{');
		inv_json_key(j, "invoker_id");
		inv_json_put_text(j, s->name, s->length);
		put_u64(j, "calls", inv_stats_total(s));
		put_u64(j, "failures", s->failed);
		put_ms(j, "sum_ms", (double)s->hist.sum * inv_registry_ns_per_unit(cut->registry));
		inv_json_close(j, '}');
	}
	inv_json_close(j, ']');
	inv_stats_list_free(&list);
	return result;
}

static int put_stats_line(const struct inv_cut *cut, const struct inv_stats *s, struct inv_buf *out)
{
	struct inv_json j = {.out = out};
	struct line line = {&j, inv_registry_ns_per_unit(cut->registry)};
	struct inv_text artifact = {s->name, s->length};
	inv_json_open(&j, '{');
	put_str(&j, "event_type", "invoke_stats");
	put_artifact(&j, cut, s);
	put_word(&j, "session", cut->session);
	put_time(&j, "timestamp", cut->taken_ns);
	inv_json_key(&j, "bucket_unit_ns");
	inv_json_put_real(&j, line.unit, 9);
	begin_list(&j, "cells");
	inv_registry_cells(cut->registry, artifact, put_cell, &line);
	inv_json_close(&j, ']');
	int result = put_invokers_of(&j, cut, artifact);
	inv_json_close(&j, '}');
	inv_buf_line_end(out);
	return result;
}

int inv_report_cut_lines(const struct inv_cut *cut, struct inv_buf *out)
{
	struct inv_json j = {.out = out};
	for (size_t i = 0; i < cut->artifacts.count; i++)
		if (put_stats_line(cut, &cut->artifacts.rows[i], out) < 0)
			return -ENOMEM;
	inv_json_open(&j, '{');
	put_str(&j, "event_type", "invoke_losses");
	put_word(&j, "session", cut->session);
	put_lost(&j, cut);
	put_cost(&j, cut);
	if (cut->setting.known)
		inv_report_control(&j, cut);
	inv_json_close(&j, '}');
	inv_buf_line_end(out);
	return 0;
}

int inv_report_lines(const struct inv_view *view, struct inv_buf *out)
{
	struct inv_src src;
	struct inv_cut cut;
	int result = inv_src_borrow(&src, view);
	if (result < 0)
		return result;
	result = inv_cut_take(&cut, &src);
	if (result == 0)
		result = inv_report_cut_lines(&cut, out);
	inv_cut_free(&cut);
	inv_src_close(&src);
	return result;
}

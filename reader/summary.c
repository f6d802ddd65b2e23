/* SPDX-License-Identifier: MIT */
#include "summary.h"

#include <errno.h>
#include <string.h>

#include "cost.h"
#include "guard.h"
#include "shm/proc.h"
#include "table.h"

#define OPEN_SHOWN  20u
#define NOTES_SHOWN 10u
#define TYPES_SHOWN 4u

static void heading(FILE *to, bool color, const char *text)
{
	fprintf(to, color ? "\n\033[1m%s\033[0m\n" : "\n%s\n", text);
}

/* "permission 12, timeout 3" */
static void types_cell(struct inv_table *table, const struct inv_stats *s)
{
	char text[512];
	size_t at = 0;
	text[0] = '\0';
	for (size_t i = 0; i < s->type_count && i < TYPES_SHOWN && at < sizeof(text); i++) {
		int n = snprintf(text + at, sizeof(text) - at, "%s%.100s %llu", i ? ", " : "",
				 s->types[i].type, (unsigned long long)s->types[i].count);
		at += n > 0 ? (size_t)n : 0;
	}
	if (s->type_count > TYPES_SHOWN && at < sizeof(text))
		snprintf(text + at, sizeof(text) - at, ", ...");
	inv_table_str(table, text);
}

static void artifact_row(struct inv_table *table, const struct inv_stats *s, double unit)
{
	inv_table_text(table, s->name, s->length);
	inv_table_count(table, inv_stats_total(s));
	inv_table_count(table, s->failed);
	inv_table_printf(table, "%.1f%%", 100.0 * inv_stats_success_rate(s));
	inv_table_duration(table, inv_stats_mean(s) * unit);
	inv_table_duration(table, inv_hist_percentile(&s->hist, 0.5) * unit);
	inv_table_duration(table, inv_hist_percentile(&s->hist, 0.99) * unit);
	inv_table_duration(table, (double)s->hist.max * unit);
	inv_table_duration(table, (double)s->hist.self * unit);
	inv_table_count(table, s->unique);
	types_cell(table, s);
}

static void show_artifacts(const struct inv_cut *cut, FILE *to, bool color)
{
	static const char *const HEAD[] = {"ARTIFACT", ">CALLS",    ">FAILED",	">SUCCESS",
					   ">MEAN",    ">P50",	    ">P99",	">MAX",
					   ">SELF",    ">INVOKERS", "FAILURES", NULL};
	struct inv_table table;
	inv_table_init(&table, HEAD);
	for (size_t i = 0; i < cut->artifacts.count; i++)
		artifact_row(&table, &cut->artifacts.rows[i],
			     inv_registry_ns_per_unit(cut->registry));
	inv_table_print(&table, to, inv_table_width(to), color);
	inv_table_free(&table);
}

static void show_open(const struct inv_open_list *list, const char *title, FILE *to, bool color)
{
	static const char *const HEAD[] = {"ARTIFACT", "METHOD", "INVOKER", ">AGE", ">TICK",
					   ">PID",     ">TID",	 ">DEPTH",  NULL};
	struct inv_table table;
	if (list->count + list->unnamed == 0)
		return;
	heading(to, color, title);
	inv_table_init(&table, HEAD);
	for (size_t i = 0; i < list->count && i < OPEN_SHOWN; i++) {
		const struct inv_open_call *c = &list->calls[i];
		inv_table_text(&table, c->artifact->text, c->artifact->length);
		inv_table_text(&table, c->method->text, c->method->length);
		inv_table_text(&table, c->invoker->text, c->invoker->length);
		inv_table_duration(&table, (double)c->age_ns);
		inv_table_printf(&table, "%lld", (long long)c->tick);
		inv_table_printf(&table, "%u%s", c->pid,
				 c->liveness == INV_LIVENESS_UNKNOWN ? "?" : "");
		inv_table_count(&table, c->tid);
		inv_table_count(&table, c->depth);
	}
	if (list->count)
		inv_table_print(&table, to, inv_table_width(to), color);
	if (list->count > OPEN_SHOWN)
		fprintf(to, "... and %zu more\n", list->count - OPEN_SHOWN);
	if (list->unnamed)
		fprintf(to,
			"%llu more without a name (too deep, without a lane, or too long ago)\n",
			(unsigned long long)list->unnamed);
	inv_table_free(&table);
}

static void show_lost(const struct inv_cut *cut, FILE *to, bool color)
{
	if (cut->lost_count == 0)
		return;
	heading(to, color, "Lost");
	for (size_t i = 0; i < cut->lost_count; i++)
		fprintf(to, "%12llu  %s: %s\n", (unsigned long long)cut->lost[i].count,
			cut->lost[i].name, cut->lost[i].text);
}

static void show_probe(const struct inv_probe_state *p, FILE *to)
{
	fputs("  ", to);
	inv_table_say(to, p->row.name, strlen(p->row.name));
	fputs(" (", to);
	inv_table_say(to, p->row.target, strlen(p->row.target));
	if (p->bound_in)
		fprintf(to, "): bound by %s at %llu site%s in %u of %u process%s",
			inv_tier_name(p->tier), (unsigned long long)p->sites,
			p->sites == 1 ? "" : "s", p->bound_in, p->procs, p->procs == 1 ? "" : "es");
	else
		fputs("): not bound", to);
	if (p->why[0]) {
		fputs("; ", to);
		inv_table_say(to, p->why, strlen(p->why));
	}
	fputc('\n', to);
}

static void show_note(const struct inv_note_row *n, FILE *to)
{
	fputs("  ", to);
	if (n->probe[0]) {
		inv_table_say(to, n->probe, strlen(n->probe));
		fputs(": ", to);
	}
	fputs(inv_reason_text((enum inv_reason)n->note.reason), to);
	fputs(n->note.detail[0] ? ": " : "", to);
	inv_table_say(to, n->note.detail, strlen(n->note.detail));
	fputs(n->note.exe[0] ? " in " : "", to);
	inv_table_say(to, n->note.exe, strlen(n->note.exe));
	fprintf(to, " (pid %u", n->note.pid);
	fprintf(to, n->count > 1 ? ", %u times)\n" : ")\n", n->count);
}

static bool all_bound(const struct inv_cut *cut)
{
	for (size_t i = 0; i < cut->probe_count; i++)
		if (!cut->probes[i].bound_in || cut->probes[i].why[0])
			return false;
	return true;
}

/* Bindings interest when something is missing; else they are one line of noise a probe. */
static void show_bindings(const struct inv_cut *cut, FILE *to, bool color)
{
	bool nothing = inv_cut_total(cut) == 0;
	if (cut->probe_count && (nothing || !all_bound(cut))) {
		heading(to, color, "Probes");
		for (size_t i = 0; i < cut->probe_count; i++)
			show_probe(&cut->probes[i], to);
	}
	if (cut->note_count == 0)
		return;
	heading(to, color, "Notes");
	for (size_t i = 0; i < cut->note_count && i < NOTES_SHOWN; i++)
		show_note(&cut->notes[i], to);
	if (cut->note_count > NOTES_SHOWN)
		fprintf(to, "  ... and %zu more\n", cut->note_count - NOTES_SHOWN);
}

static bool any_bound(const struct inv_cut *cut)
{
	for (size_t i = 0; i < cut->probe_count; i++)
		if (cut->probes[i].bound_in)
			return true;
	return false;
}

static void say_why_nothing(const struct inv_cut *cut, FILE *to)
{
	uint32_t procs = cut->procs_alive + cut->procs_dead + cut->procs_unknown;
	fputs("No call was recorded: ", to);
	if (cut->calls_paused)
		fputs("those that there were came while the session was paused.\n", to);
	else if (cut->from_events)
		fputs("the file has no events.\n", to);
	else if (any_bound(cut))
		fputs("the probes are bound, but what they watch has not returned a call yet.\n",
		      to);
	else if (procs || cut->note_count)
		fputs("no probe is bound; the reasons are below.\n", to);
	else
		fputs("no process has loaded the shim. Is the program static, setuid, 32-bit, or "
		      "for another libc? LD_PRELOAD does nothing there.\n",
		      to);
}

/* What an ended session was told last explains what it lacks. */
static void show_setting(const struct inv_cut *cut, FILE *to)
{
	const char *when = cut->live || cut->procs_unknown ? "now" : "when it ended";
	if (inv_setting_paused(&cut->setting))
		fprintf(to, "Paused %s: calls are counted, neither tallied nor kept as events%s\n",
			when, cut->live ? "; `invreg resume` goes on" : "");
	if (!inv_setting_filters(&cut->setting))
		return;
	fprintf(to, "Filtered %s: only events of ", when);
	inv_setting_say_filter(&cut->setting, to);
	fputs(" are kept; totals are of all calls\n", to);
}

static void show_total(const struct inv_cut *cut, FILE *to)
{
	uint64_t failed = 0, total = inv_cut_total(cut);
	for (size_t i = 0; i < cut->artifacts.count; i++)
		failed += cut->artifacts.rows[i].failed;
	inv_table_say(to, cut->session->text, cut->session->length);
	fprintf(to, ": %llu calls, %llu failed, %zu artifacts, %zu invokers",
		(unsigned long long)total, (unsigned long long)failed, cut->artifacts.count,
		cut->invokers.count);
	fprintf(to, ", %llu in flight, %llu never returned",
		(unsigned long long)(cut->in_flight.count + cut->in_flight.unnamed),
		(unsigned long long)(cut->never.count + cut->never.unnamed));
	if (cut->abandoned)
		fprintf(to, ", %llu abandoned", (unsigned long long)cut->abandoned);
	fputs(cut->from_events ? " (from events: what was lost is missing)\n" : "\n", to);
	inv_cost_say(cut, to);
	if (cut->time_steps)
		fprintf(to,
			"The system's clock was stepped %u times meanwhile: times of day jump\n",
			cut->time_steps);
}

void inv_summary_show(const struct inv_cut *cut, FILE *to, bool color)
{
	show_total(cut, to);
	show_setting(cut, to);
	if (inv_cut_total(cut) == 0)
		say_why_nothing(cut, to);
	else
		show_artifacts(cut, to, color);
	show_open(&cut->in_flight, "In flight", to, color);
	show_open(&cut->never, "Never returned", to, color);
	show_lost(cut, to, color);
	show_bindings(cut, to, color);
	if (inv_cut_total(cut))
		fprintf(to, "\nPercentiles are exact to a bucket %.1f %% wide.\n",
			INV_HIST_WIDTH_PERCENT);
}

static bool nothing_began(const struct inv_cut *cut)
{
	for (size_t i = 0; i < cut->lost_count; i++)
		if (!strcmp(cut->lost[i].name, inv_loss_name(INV_LOSS_PAUSED)))
			return false;
	return !cut->begun && !cut->inherited && !inv_cut_total(cut);
}

static struct inv_summary_probes bindings(const struct inv_cut *cut)
{
	struct inv_summary_probes out = {0};
	for (size_t i = 0; i < cut->probe_count && i < 64; i++) {
		const struct inv_probe_state *p = &cut->probes[i];
		bool python = strncmp(p->row.target, "python:", 7) == 0;
		out.bound |= (uint64_t)(p->bound_in != 0) << i;
		out.told |= (uint64_t)(!p->bound_in && python && p->why[0]) << i;
	}
	for (size_t i = 0; i < cut->note_count; i++)
		if (cut->notes[i].note.reason == INV_REASON_ENTRY && cut->notes[i].note.probe < 64)
			out.told |= UINT64_C(1) << cut->notes[i].note.probe;
	return out;
}

bool inv_summary_print(struct inv_view *view, FILE *to, bool color,
		       struct inv_summary_probes *probes)
{
	struct inv_src src;
	struct inv_cut cut;
	bool nothing = false;
	int result = inv_src_borrow(&src, view);
	if (result == 0) {
		result = inv_cut_take(&cut, &src);
		if (result == 0) {
			inv_summary_show(&cut, to, color);
			nothing = nothing_began(&cut);
			*probes = bindings(&cut);
			inv_cut_free(&cut);
		}
		inv_src_close(&src);
	}
	if (result < 0)
		fprintf(to, "invreg: no summary: %s\n",
			result == -EFAULT ? "the segment was truncated" : strerror(-result));
	return nothing;
}

/* ---- progress ------------------------------------------------------------------------- */

struct counting {
	const struct inv_view *view;
	uint64_t *calls, *failures, *lost;
};

static uint64_t get(const inv_a64 *word)
{
	return atomic_load_explicit((inv_a64 *)word, memory_order_relaxed);
}

/* Failures have no counter of their own: they are in the cells, few of which are failures. */
static void count_cells(struct counting *n, const struct inv_cell *cells, uint64_t count,
			bool calls_too)
{
	for (uint64_t i = 0; i < count; i++) {
		uint64_t key = get(&cells[i].key);
		bool failed = i < 2 ? i == INV_CELL_OTHER_FAILED : INV_CELL_FAILED(key);
		if (!failed && !calls_too)
			continue;
		uint64_t calls = key || i < 2 ? inv_cell_calls(&cells[i]) : 0;
		*n->failures += failed ? calls : 0;
		*n->calls += calls_too ? calls : 0;
	}
}

static void count_lane(struct counting *n, uint32_t lane)
{
	const struct inv_segment *seg = &n->view->seg;
	const struct inv_lane *l = inv_segment_lane(seg, lane);
	uint64_t cells = get(&l->cell_count);
	cells = cells < seg->header->cell_slots ? cells : seg->header->cell_slots;
	*n->calls += get(&l->returned);
	for (unsigned i = 0; i < INV_LOSS_COUNT; i++)
		*n->lost += get(&l->lost[i]);
	count_cells(n, inv_segment_cells(seg, lane), cells, false);
}

static int count_all(void *arg)
{
	struct counting *n = arg;
	const struct inv_segment *seg = &n->view->seg;
	for (uint32_t lane = 0; lane < inv_view_lane_count(n->view); lane++)
		count_lane(n, lane);
	for (unsigned i = 0; i < INV_LOSS_COUNT; i++)
		*n->lost += inv_view_lost(n->view, (enum inv_loss)i);
	count_cells(n, seg->overflow_cells, seg->header->overflow_cells, true);
	return 0;
}

void inv_progress_counts(struct inv_view *view, uint64_t *calls, uint64_t *failures, uint64_t *lost)
{
	struct counting n = {view, calls, failures, lost};
	*calls = *failures = *lost = 0;
	inv_guard_call(count_all, &n);
}

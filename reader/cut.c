/* SPDX-License-Identifier: MIT */
#include "cut_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "guard.h"
#include "shm/clock.h"

static int64_t now_ns(clockid_t clock)
{
	struct timespec ts;
	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

uint64_t inv_cut_total(const struct inv_cut *cut)
{
	uint64_t total = 0;
	for (size_t i = 0; i < cut->artifacts.count; i++)
		total += inv_stats_total(&cut->artifacts.rows[i]);
	return total;
}

void inv_cut_count_lines(struct inv_cut *cut, struct inv_registry *totals)
{
	uint64_t successful, failed;
	inv_registry_sum(totals, &successful, &failed);
	cut->returned = successful + failed;
	cut->begun = cut->returned + cut->in_flight.count;
}

void inv_cut_free(struct inv_cut *cut)
{
	inv_stats_list_free(&cut->artifacts);
	inv_stats_list_free(&cut->invokers);
	free(cut->in_flight.calls);
	free(cut->never.calls);
	free(cut->probes);
	free(cut->notes);
	if (cut->own_registry)
		inv_registry_free(cut->registry);
	*cut = (struct inv_cut){0};
}

/* ---- segments -------------------------------------------------------------------- */

static void copy_text(char *to, size_t size, const char *from)
{
	size_t n = strnlen(from, size - 1);
	memcpy(to, from, n);
	to[n] = '\0';
}

static void take_header(struct cutting *c)
{
	const struct inv_segment *seg = &c->src->view.seg;
	const struct inv_header *h = seg->header;
	const struct inv_timeline *line = &c->src->decoder.timeline;
	c->cut->session = c->src->decoder.session;
	copy_text(c->cut->command, sizeof(c->cut->command), h->command);
	c->cut->created_ns = h->created.realtime_ns;
	c->cut->budget_bytes = h->budget_bytes;
	c->session_nonce = h->session_nonce;
	c->cut->ns_per_tick = line->ns_per_tick;
	c->cut->time_steps = line->steps;
	c->cut->reserved_bytes =
		atomic_load_explicit(&seg->shared->reserved_bytes, memory_order_relaxed);
	c->cut->names = atomic_load_explicit(&seg->shared->name_count, memory_order_relaxed);
}

/* A raw snapshot, and a segment whose writers are gone, stand still: so does their time. */
static void take_time(struct cutting *c)
{
	const struct inv_header *h = c->src->view.seg.header;
	const struct inv_timeline *line = &c->src->decoder.timeline;
	if (h->flags & INV_HEADER_SNAPSHOT) {
		c->taken_ticks =
			h->taken.ticks ? h->taken.ticks : line->spans[line->count - 1].ticks;
		c->cut->taken_ns = h->taken.realtime_ns;
		c->cut->window_ns = h->window_ns;
		return;
	}
	c->cut->taken_ns = now_ns(CLOCK_REALTIME);
	if (c->src->decoder.now_counts)
		c->taken_ticks = inv_clock_ticks((enum inv_clock_kind)h->clock_kind);
	else
		c->taken_ticks = line->spans[line->count - 1].ticks;
}

/* Nobody notes when a session ends: its last call is the last that is known of it. */
static void take_elapsed(struct cutting *c)
{
	uint64_t from = c->src->view.seg.header->created.ticks;
	uint64_t until = c->cut->live ? c->taken_ticks : c->last_ticks;
	if (until > from)
		c->cut->elapsed_ns =
			inv_timeline_duration(&c->src->decoder.timeline, from, until - from);
}

/* By how a probe is bound; of several, by what share of the calls each has. */
static void take_cost(struct cutting *c)
{
	const struct inv_header *h = c->src->view.seg.header;
	double plain = (double)h->cost_ticks_x1024, entry = (double)h->cost_entry_ticks_x1024;
	double calls = 0, cost = 0;
	for (size_t i = 0; i < c->cut->probe_count; i++) {
		const struct inv_probe_state *p = &c->cut->probes[i];
		bool patched = p->tier == INV_TIER_ENTRY && entry > 0;
		c->cut->cost_at_least |= p->tier == INV_TIER_PYTHON;
		calls += (double)p->calls;
		cost += (double)p->calls * (patched ? entry : plain);
	}
	c->cut->cost_ns = (calls > 0 ? cost / calls : plain) / 1024 * c->cut->ns_per_tick;
}

static int take_view(void *arg)
{
	struct cutting *c = arg;
	inv_decoder_anchor(&c->src->decoder);
	take_header(c);
	take_time(c);
	inv_cut_procs(c);
	inv_registry_set_unit(c->cut->registry, c->cut->ns_per_tick);
	int result = inv_cut_lanes(c);
	take_elapsed(c);
	if (result == 0)
		result = inv_cut_probes(c);
	take_cost(c);
	return result;
}

/* ---- event lines ------------------------------------------------------------------ */

static void take_lost_ranges(struct cutting *c)
{
	const struct inv_src *src = c->src;
	uint64_t slots = 0;
	for (size_t i = 0; i < src->lost_count; i++)
		if (src->lost[i].last >= src->lost[i].first)
			slots += src->lost[i].last - src->lost[i].first + 1;
	memcpy(c->lost, src->reported_lost, sizeof(c->lost));
	/*
	 * Slots are more than events. But what the rings had lost in the end, whoever followed
	 * them into the file may have read before.
	 */
	if (c->lost[INV_LOSS_COUNT] == 0 || slots < c->lost[INV_LOSS_COUNT])
		c->lost[INV_LOSS_COUNT] = slots;
	c->cut->events_lapped = c->lost[INV_LOSS_COUNT];
}

static int push_open(struct inv_open_list *list, const struct inv_call *call, int64_t end_ns)
{
	if (list->count == list->room) {
		size_t room = list->room ? list->room * 2 : 64;
		struct inv_open_call *calls = realloc(list->calls, room * sizeof(*calls));
		if (!calls)
			return -ENOMEM;
		list->calls = calls;
		list->room = room;
	}
	uint64_t age = end_ns > call->start_ns ? (uint64_t)end_ns - (uint64_t)call->start_ns : 0;
	list->calls[list->count++] = (struct inv_open_call){
		.id = call->id,
		.start_ns = call->start_ns,
		.age_ns = age,
		.tick = call->tick,
		.invoker = call->invoker,
		.artifact = call->artifact,
		.method = call->method,
		.probe = call->probe,
		.pid = call->pid,
		.tid = call->tid,
		.depth = call->depth,
		.liveness = INV_LIVENESS_UNKNOWN,
	};
	return 0;
}

static int64_t end_of(const struct inv_src *src)
{
	int64_t end = 0;
	for (size_t i = 0; i < src->call_count; i++) {
		const struct inv_call *call = &src->calls[i];
		int64_t at = inv_call_end_ns(call);
		end = at > end ? at : end;
	}
	return end;
}

static int take_lines(struct cutting *c)
{
	struct inv_cut *cut = c->cut;
	struct inv_src *src = c->src;
	int result = 0;
	cut->session = src->call_count ? src->calls[0].session : src->words.empty;
	cut->created_ns = src->call_count ? src->calls[0].start_ns : 0;
	cut->taken_ns = end_of(src);
	cut->events_kept = src->call_count;
	for (size_t i = 0; i < src->call_count && result == 0; i++) {
		const struct inv_call *call = &src->calls[i];
		if (call->state != INV_CALL_DONE)
			result = push_open(&cut->in_flight, call, cut->taken_ns);
		else if (!src->exact)
			result = inv_registry_record(cut->registry, call);
	}
	take_lost_ranges(c);
	inv_cut_count_lines(cut, cut->registry);
	cut->cost_ns = src->reported_cost_ns;
	cut->cost_at_least = src->reported_at_least;
	cut->elapsed_ns = src->reported_elapsed_ns;
	return result;
}

/* ---- all -------------------------------------------------------------------------- */

bool inv_loss_is_of_events(enum inv_loss reason)
{
	return reason == INV_LOSS_NO_RING || reason == INV_LOSS_NO_LANE ||
	       reason == INV_LOSS_REENTERED || reason == INV_LOSS_NO_PROC;
}

static void take_losses(struct cutting *c)
{
	c->cut->calls_paused = c->lost[INV_LOSS_PAUSED];
	c->cut->events_filtered = c->lost[INV_LOSS_FILTERED];
	for (unsigned i = 0; i <= INV_LOSS_COUNT; i++) {
		if (c->lost[i] == 0)
			continue;
		struct inv_loss_row *row = &c->cut->lost[c->cut->lost_count++];
		row->count = c->lost[i];
		row->events = i == INV_LOSS_COUNT || inv_loss_is_of_events((enum inv_loss)i);
		row->name = i < INV_LOSS_COUNT ? inv_loss_name((enum inv_loss)i) : "lapped";
		row->text = i < INV_LOSS_COUNT
				    ? inv_loss_text((enum inv_loss)i)
				    : "events overwritten before they were read; totals are exact. "
				      "`run -o FILE` follows, --size gives longer rings";
	}
}

static int by_age(const void *a, const void *b)
{
	const struct inv_open_call *x = a, *y = b;
	return (x->start_ns > y->start_ns) - (x->start_ns < y->start_ns);
}

/* Open calls belong to their artifacts, too; a name met only in them gets no row. */
static void count_open(struct inv_cut *cut, const struct inv_open_list *list, bool never)
{
	for (size_t i = 0; i < list->count; i++)
		for (size_t k = 0; k < cut->artifacts.count; k++) {
			const struct inv_word *word = list->calls[i].artifact;
			struct inv_stats *row = &cut->artifacts.rows[k];
			if (row->length != word->length ||
			    memcmp(row->name, word->text, row->length))
				continue;
			if (never)
				row->never_returned++;
			else
				row->in_flight++;
		}
}

static void sort_open(struct inv_open_list *list)
{
	if (list->count)
		qsort(list->calls, list->count, sizeof(*list->calls), by_age);
}

static int take_groups(struct inv_cut *cut)
{
	int result = inv_registry_group(cut->registry, INV_BY_ARTIFACT, (struct inv_text){0},
					&cut->artifacts);
	if (result == 0)
		result = inv_registry_group(cut->registry, INV_BY_INVOKER, (struct inv_text){0},
					    &cut->invokers);
	count_open(cut, &cut->in_flight, false);
	count_open(cut, &cut->never, true);
	return result;
}

static int take_all(struct cutting *c)
{
	struct inv_src *src = c->src;
	c->cut->ns_per_tick = 1.0;
	if (src->kind == INV_SRC_JSONL) {
		int result = src->call_count ? 0 : inv_src_load(src);
		return result < 0 ? result : take_lines(c);
	}
	int64_t begun = now_ns(CLOCK_MONOTONIC);
	int result = inv_guard_call(take_view, c);
	if (src->kind != INV_SRC_LIVE)
		return result;
	c->cut->window_ns = (uint64_t)(now_ns(CLOCK_MONOTONIC) - begun);
	if (result == 0)
		inv_setting_read(&c->cut->setting, src->view.seg.path, c->session_nonce);
	return result;
}

static int take(struct inv_cut *cut, struct inv_src *src, bool groups)
{
	struct cutting cutting = {.cut = cut, .src = src};
	*cut = (struct inv_cut){0};
	inv_self_read(&cutting.self);
	cut->own_registry = !src->exact;
	cut->registry = src->exact ? src->exact : inv_registry_new(0);
	int result = cut->registry ? take_all(&cutting) : -ENOMEM;
	sort_open(&cut->in_flight);
	sort_open(&cut->never);
	if (result == 0 && groups)
		result = take_groups(cut);
	if (result < 0) {
		inv_cut_free(cut);
		return result;
	}
	cut->from_events = inv_registry_from_events(cut->registry);
	take_losses(&cutting);
	return 0;
}

int inv_cut_take(struct inv_cut *cut, struct inv_src *src)
{
	return take(cut, src, true);
}

int inv_cut_take_tallies(struct inv_cut *cut, struct inv_src *src)
{
	return take(cut, src, false);
}

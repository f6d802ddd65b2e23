/* SPDX-License-Identifier: MIT */
/*
 * cut_lanes.c - lanes into totals, open calls and losses.
 *
 * A call is open when its in-flight entry is valid. It is in flight while its process is
 * alive (or may be); of a dead process it never returns, whether a new owner of the lane
 * has counted that already or not.
 */
#include "cut_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint64_t get(const inv_a64 *word)
{
	return atomic_load_explicit(word, memory_order_relaxed);
}

/* ---- tallies ----------------------------------------------------------------------- */

static int add_cells(struct cutting *c, const struct inv_cell *cells, uint32_t count)
{
	struct inv_decoder *d = &c->src->decoder;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t k = get(&cells[i].key);
		bool other = i <= INV_CELL_OTHER_FAILED;
		if ((!k && !other) || inv_cell_calls(&cells[i]) == 0)
			continue;
		struct inv_key key = {inv_decode_name(d, INV_CELL_ARTIFACT(k)),
				      inv_decode_name(d, INV_CELL_METHOD(k)),
				      inv_decode_type(d, INV_CELL_TYPE(k)), INV_CELL_FAILED(k)};
		if (other)
			key = (struct inv_key){d->words->other, d->words->other, d->words->other,
					       i == INV_CELL_OTHER_FAILED};
		if (inv_registry_add_cell(c->cut->registry, &key, &cells[i]) < 0)
			return -ENOMEM;
		c->cut->returned += inv_cell_calls(&cells[i]);
		uint64_t last = get(&cells[i].last_ticks);
		c->last_ticks = last > c->last_ticks ? last : c->last_ticks;
	}
	return 0;
}

static int add_pairs(struct cutting *c, const struct inv_pair *pairs, uint32_t count)
{
	struct inv_decoder *d = &c->src->decoder;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t k = get(&pairs[i].key);
		uint64_t calls = get(&pairs[i].calls);
		if (calls == 0)
			continue;
		const struct inv_word *invoker = d->words->other, *artifact = d->words->other;
		if (i > 0 && k) {
			invoker = inv_decode_name(d, INV_PAIR_INVOKER(k));
			artifact = inv_decode_name(d, INV_PAIR_ARTIFACT(k));
		}
		if (inv_registry_add_pair(c->cut->registry, invoker, artifact, calls,
					  get(&pairs[i].failures), get(&pairs[i].sum_ticks)) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* ---- open calls ---------------------------------------------------------------------- */

static struct inv_open_call *push(struct inv_open_list *list)
{
	if (list->count == list->room) {
		size_t room = list->room ? list->room * 2 : 64;
		struct inv_open_call *calls = realloc(list->calls, room * sizeof(*calls));
		if (!calls)
			return NULL;
		list->calls = calls;
		list->room = room;
	}
	return &list->calls[list->count++];
}

/* The process of an owner word: its row may belong to another by now. */
static enum inv_liveness owner_liveness(const struct cutting *c, uint64_t owner, uint32_t *pid)
{
	uint32_t row = INV_OWNER_ROW(owner);
	*pid = 0;
	if (row >= INV_PROCS_MAX)
		return INV_LIVENESS_DEAD;
	uint64_t state = get(&c->src->view.seg.procs[row].state);
	if (INV_PROC_GENERATION(state) != INV_OWNER_GENERATION(owner))
		return INV_LIVENESS_DEAD;
	*pid = INV_PROC_PID(state);
	return (enum inv_liveness)c->liveness[row];
}

static int add_open(struct cutting *c, const struct inv_inflight *entry, bool ended)
{
	struct inv_decoder *d = &c->src->decoder;
	uint32_t pid;
	enum inv_liveness liveness = owner_liveness(c, get(&entry->owner), &pid);
	bool never = ended || liveness == INV_LIVENESS_DEAD;
	struct inv_open_call *call = push(never ? &c->cut->never : &c->cut->in_flight);
	if (!call)
		return -ENOMEM;
	uint64_t who = get(&entry->who), what = get(&entry->what), where = get(&entry->where);
	uint64_t start = get(&entry->start_ticks);
	uint64_t age = c->taken_ticks > start ? c->taken_ticks - start : 0;
	*call = (struct inv_open_call){
		.id = get(&entry->call),
		.start_ns = inv_timeline_realtime(&d->timeline, start),
		.age_ns = inv_timeline_duration(&d->timeline, start, age),
		.tick = (int64_t)get(&entry->tick),
		.invoker = inv_decode_name(d, (uint32_t)who),
		.artifact = inv_decode_name(d, (uint32_t)(who >> 32)),
		.method = inv_decode_name(d, (uint32_t)what),
		.probe = inv_decode_probe(d, INV_WHERE_PROBE(where)),
		.pid = pid,
		.tid = INV_OWNER_TID(get(&entry->owner)),
		.depth = INV_WHERE_DEPTH(where),
		.liveness = (uint8_t)(ended ? INV_LIVENESS_DEAD : liveness),
	};
	return 0;
}

static bool is_open(const struct inv_lane *lane, const struct inv_inflight *entry)
{
	uint64_t ordinal = get(&entry->ordinal_1);
	return ordinal != 0 && ordinal <= get(&lane->begun);
}

static int add_open_calls(struct cutting *c, const struct inv_lane_copy *copy)
{
	const struct inv_lane *lane = &copy->fixed;
	uint64_t open = inv_lane_copy_open_calls(copy), named = 0, ended = 0;
	uint32_t pid;
	for (unsigned i = 0; i < INV_INFLIGHT_MAX; i++) {
		if (is_open(lane, &lane->inflight[i]) && named < open) {
			if (add_open(c, &lane->inflight[i], false) < 0)
				return -ENOMEM;
			named++;
		}
		if (get(&lane->ended[i].ordinal_1)) {
			if (add_open(c, &lane->ended[i], true) < 0)
				return -ENOMEM;
			ended++;
		}
	}
	uint64_t never = get(&lane->never_returned);
	c->cut->never.unnamed += never > ended ? never - ended : 0;
	if (owner_liveness(c, get(&copy->row.owner), &pid) == INV_LIVENESS_DEAD)
		c->cut->never.unnamed += open - named;
	else
		c->cut->in_flight.unnamed += open - named;
	return 0;
}

/* ---- lanes ---------------------------------------------------------------------------- */

static void add_losses(struct cutting *c, const struct inv_lane_copy *copy)
{
	for (unsigned i = 0; i < INV_LOSS_COUNT; i++)
		c->lost[i] += get(&copy->fixed.lost[i]);
}

/* Whether the slot holds a call; counts it for its probe, unless it ended elsewhere or never. */
static bool holds_call(struct cutting *c, const struct inv_slot *slot)
{
	unsigned state = INV_SEQ_STATE(get(&slot->seq));
	if (state == INV_SLOT_BUSY || state == INV_SLOT_TEXT)
		return false;
	unsigned probe = INV_WHERE_PROBE(get(&slot->where));
	if (probe < INV_PROBES_MAX && state != INV_SLOT_ABANDONED)
		c->kept_of_probe[probe]++;
	return true;
}

/* Of the calls that were given a slot, those whose slot still holds one are kept. */
static void add_kept(struct cutting *c, const struct inv_lane_copy *copy)
{
	const struct inv_view *view = &c->src->view;
	uint64_t events = get(&copy->fixed.events), head = get(&copy->fixed.head), kept = 0;
	uint64_t slots = inv_view_ring_slots(view, copy->lane);
	for (uint64_t i = head > slots ? head - slots + 1 : 1; slots && i <= head; i++)
		kept += holds_call(c, &inv_segment_ring(&view->seg, copy->lane)[i & (slots - 1)]);
	kept = head <= slots || kept > events ? events : kept;
	c->cut->events_kept += kept;
	c->lost[INV_LOSS_COUNT] += events - kept;
}

static int add_lane(struct cutting *c, uint32_t lane)
{
	struct inv_lane_copy copy;
	enum inv_result found = inv_view_lane(&c->src->view, lane, &copy);
	if (found != INV_OK)
		return found == INV_E_SYSTEM ? -ENOMEM : 0;
	c->cut->lanes++;
	c->cut->begun += get(&copy.fixed.begun);
	c->cut->abandoned += get(&copy.fixed.abandoned);
	c->cut->inherited += get(&copy.fixed.inherited);
	c->cut->never_returned += get(&copy.fixed.never_returned);
	add_losses(c, &copy);
	add_kept(c, &copy);
	int result = add_cells(c, copy.cells, copy.cell_count);
	if (result == 0)
		result = add_pairs(c, copy.pairs, copy.pair_count);
	if (result == 0)
		result = add_open_calls(c, &copy);
	inv_lane_copy_free(&copy);
	return result;
}

static int add_overflow(struct cutting *c)
{
	struct inv_overflow_copy copy;
	uint64_t before = c->cut->returned;
	if (inv_view_overflow(&c->src->view, &copy) != INV_OK)
		return -ENOMEM;
	int result = add_cells(c, copy.cells, copy.cell_count);
	if (result == 0)
		result = add_pairs(c, copy.pairs, copy.pair_count);
	uint64_t returned = c->cut->returned - before;
	uint64_t begun = get(&copy.fixed.begun) + get(&copy.fixed.inherited);
	uint64_t over = returned + get(&copy.fixed.abandoned);
	uint64_t open = begun > over ? begun - over : 0;
	c->cut->begun += get(&copy.fixed.begun);
	c->cut->abandoned += get(&copy.fixed.abandoned);
	c->cut->inherited += get(&copy.fixed.inherited);
	if (c->cut->live)
		c->cut->in_flight.unnamed += open;
	else
		c->cut->never.unnamed += open;
	inv_overflow_copy_free(&copy);
	return result;
}

int inv_cut_lanes(struct cutting *c)
{
	uint32_t lanes = inv_view_lane_count(&c->src->view);
	for (uint32_t i = 0; i < lanes; i++)
		if (add_lane(c, i) < 0)
			return -ENOMEM;
	for (unsigned i = 0; i < INV_LOSS_COUNT; i++)
		c->lost[i] += inv_view_lost(&c->src->view, (enum inv_loss)i);
	c->cut->events_lapped = c->lost[INV_LOSS_COUNT];
	return add_overflow(c);
}

/* SPDX-License-Identifier: MIT */
/*
 * record_path.h - the path of every call, to be inlined where a call is wrapped.
 *
 * record.c has the protocol, and these functions once more as functions. A call of a native
 * function passes through here by inlining: it takes some 500 instructions, of which the
 * borders between functions would be a tenth. What only some calls need is in record.c.
 *
 * For files that are built without vector registers (vectors.h).
 */
#ifndef INV_SHM_RECORD_PATH_H
#define INV_SHM_RECORD_PATH_H

#include "record_private.h"

/* Where a call is counted. */
struct inv_counted {
	struct inv_cell *cell;
	struct inv_pair *pair;
	inv_a64 *bucket;
	uint64_t returned; /* with this call */
	uint32_t place_1;  /* of the in-flight entry that it closes, or 0 */
};

/* A call that ends in an unusual way changes more than the ordinary counters. */
struct inv_unusual {
	bool taken_back;   /* had been counted abandoned */
	bool inherited;	   /* begun elsewhere */
	uint64_t new_head; /* the event takes a new slot */
	uint64_t index;	   /* of its slot; 0: none */
	uint64_t outcome;  /* of that slot */
};

/* The fields of a call but for what was missed, so that they can stay in registers. */
struct inv_path_fields {
	uint32_t invoker, artifact, method;
	uint16_t args_count;
	uint8_t probe;
	int64_t tick;
};

/* Puts the text of names behind the slot to come, 0: none. Returns: how many slots it took. */
uint32_t inv_begin_misses(struct inv_thread *t, struct inv_call *call,
			  const struct inv_call_fields *f, uint64_t index);

/* Something has been switched on or off. Returns: whether the call is begun, or paused. */
bool inv_begin_controlled(struct inv_thread *t, struct inv_call *call, struct inv_call_fields *f);

/* The cell or pair of a key, a new one if there is none and room. Returns: its number. */
uint32_t inv_find_cell(struct inv_thread *t, const struct inv_call *call, uint64_t key);
uint32_t inv_find_pair(struct inv_thread *t, uint64_t key);

/* A call begun in another process or thread: recorded whole here [C2]. */
void inv_end_elsewhere(struct inv_call *call, const struct inv_call_outcome *o, uint64_t duration,
		       bool clamped);

/* A call of this thread and process that inv_path_end has no way for. */
void inv_end_unusual(struct inv_call *call, const struct inv_call_outcome *o, uint64_t end_ticks);

/*
 * Whether, by [C5], a wrapper whose stack pointer is `at` has to go on to its function without a
 * frame, by inv_path_pass_by. To be asked before it makes one. In an ignored child it always has.
 */
static inline bool inv_path_full(uintptr_t at)
{
	return __builtin_expect(at < inv_tls.full_below, 0);
}

/* Counts such a call. */
static inline void inv_path_pass_by(void)
{
	if (inv_tls.passed)
		atomic_fetch_add_explicit(inv_tls.passed, 1, memory_order_relaxed);
}

static inline uint64_t inv_path_now(void)
{
	return inv_clock_ticks(inv_process.clock);
}

/* ---- begin ------------------------------------------------------------------------ */

/*
 * Whether the call can be recorded in the thread's lane as it is: then the thread is busy with it,
 * and *call is what inv_path_begin wants. Else the call is still to enter, by inv_record_enter_at.
 */
static inline __attribute__((always_inline)) bool
inv_path_enter(struct inv_call *call, uintptr_t frame, struct inv_vectors *vectors)
{
	struct inv_thread *t = inv_tls.thread;
	call->vectors = vectors;
	call->mode = INV_CALL_UNOBSERVED;
	if (__builtin_expect(!t || inv_tls.busy ||
				     atomic_load_explicit(inv_process.alive,
							  memory_order_relaxed) != t->epoch,
			     0))
		return false;
	inv_set_busy(frame);
	call->mode = INV_CALL_LANE;
	call->thread = t;
	call->names = &t->names;
	call->frame = frame;
	call->epoch = inv_process.epoch;
	return true;
}

/* The words of an attempt, which its slot and its in-flight entry both hold. */
struct inv_path_words {
	uint64_t tick, who, what, where;
};

static inline void inv_path_attempt(struct inv_slot *slot, struct inv_path_words w)
{
	inv_word_store(&slot->tick, w.tick);
	inv_word_store(&slot->who, w.who);
	inv_word_store(&slot->what, w.what);
	inv_word_store(&slot->where, w.where);
}

/* Makes the slot of the attempt BUSY and fills it. */
static inline __attribute__((always_inline)) struct inv_slot *
inv_path_slot(struct inv_thread *t, struct inv_call *call, uint64_t index, struct inv_path_words w)
{
	struct inv_slot *slot = inv_ring_slot(t->ring, t->ring_mask, index);
	call->index = index;
	inv_slot_open(&slot->seq, index);
	INV_TEST_POINT(begin_slot_busy);
	inv_path_attempt(slot, w);
	INV_TEST_POINT(begin_slot_filled);
	return slot;
}

/* Returns: the entry, whose ordinal is still to be stored; NULL: the call is too deep for one. */
static inline __attribute__((always_inline)) struct inv_inflight *
inv_path_inflight(struct inv_thread *t, struct inv_lane *lane, struct inv_call *call, uint64_t id,
		  uint64_t ordinal_1, struct inv_path_words w)
{
	uint32_t place = t->top;
	if (__builtin_expect(place >= INV_INFLIGHT_MAX, 0) && t->aside)
		place = INV_SLOW(call->vectors, inv_forget_moved(t));
	if (__builtin_expect(place >= INV_INFLIGHT_MAX, 0)) {
		inv_bump(&lane->lost[INV_LOSS_TOO_DEEP], 1);
		INV_SLOW(call->vectors, inv_deep_begun(t, call));
		call->place_1 = 0;
		call->waits = false;
		return NULL;
	}
	struct inv_inflight *e = &lane->inflight[place];
	inv_put(&e->call, id);
	inv_put(&e->tick, w.tick);
	inv_put(&e->who, w.who);
	inv_put(&e->what, w.what);
	inv_put(&e->where, w.where);
	inv_put(&e->owner, t->owner);
	t->frames[place].ordinal_1 = ordinal_1;
	t->frames[place].children_ticks = 0;
	t->frames[place].call = call;
	t->frames[place].pointer = call->pointer;
	t->frames[place].address = call->frame;
	t->top = place + 1;
	call->place_1 = place + 1;
	return e;
}

/* Why a call that gets all else gets no slot, by `slotless`: filtered, or there is no ring. */
static inline __attribute__((always_inline)) void
inv_path_begin_lane(struct inv_thread *t, struct inv_call *call, const struct inv_path_fields *p,
		    struct inv_call_fields *f, enum inv_loss slotless)
{
	struct inv_lane *lane = t->lane;
	uint64_t index = inv_get(&lane->head) + 1, ordinal_1 = inv_get(&lane->begun) + 1;
	bool has_slot = slotless == INV_LOSS_COUNT;
	uint64_t id = t->id_base | (has_slot ? index : ordinal_1) |
		      (slotless == INV_LOSS_FILTERED ? INV_CALL_FILTERED : 0);
	uint32_t depth = t->top + t->deep - t->aside, texts = 0;
	if (__builtin_expect(depth > 255, 0))
		depth = 255;
	struct inv_path_words w = {
		.tick = (uint64_t)p->tick,
		.who = (uint64_t)p->artifact << 32 | p->invoker,
		.what = t->what_base | p->method,
		.where = t->where_base | INV_WHERE(0, 0, p->args_count, p->probe, depth),
	};
	call->what = w.what;
	call->where = w.where;
	uint32_t lane_index = t->lane_index, claims = t->claims; /* one load and one store */
	call->lane = lane_index;
	call->claims = claims;
	call->ordinal_1 = ordinal_1;
	call->call_id = id;
	if (!has_slot)
		call->index = 0;
	if (__builtin_expect(f->amiss != 0, 0)) {
		texts = inv_begin_misses(t, call, f, has_slot ? index : 0);
		w.where = call->where;
	}
	struct inv_slot *slot = has_slot ? inv_path_slot(t, call, index, w) : NULL;
	struct inv_inflight *e = inv_path_inflight(t, lane, call, id, ordinal_1, w);
	INV_TEST_POINT(begin_inflight_filled);
	uint64_t now = inv_clock_ticks(inv_process.clock);
	call->start_ticks = now;
	if (__builtin_expect(e != NULL, 1)) {
		inv_put(&e->start_ticks, now);
		/* [B9] release: the entry before its ordinal; pairs with inv_view_lane */
		atomic_store_explicit(&e->ordinal_1, ordinal_1, memory_order_release);
	}
	INV_TEST_POINT(begin_inflight_open);
	/* [B9] release: counted after the entry is whole; pairs with inv_view_lane */
	atomic_store_explicit(&lane->begun, ordinal_1, memory_order_release);
	INV_TEST_POINT(begin_counted);
	if (!has_slot) {
		inv_bump(&lane->lost[slotless], 1);
		INV_TEST_POINT(begin_filtered);
	} else {
		inv_word_store(&slot->start_ticks, now);
		inv_slot_publish(&slot->seq, index, INV_SLOT_ATTEMPT);
		INV_TEST_POINT(begin_slot_attempt);
		inv_ring_advance(lane, index + texts);
		INV_TEST_POINT(begin_head);
		atomic_signal_fence(memory_order_seq_cst); /* counted after head, even if killed */
		inv_bump(&lane->events, 1);
	}
	inv_clear_busy();
	INV_TEST_POINT(inside_call);
}

static inline struct inv_path_fields inv_path_fields_of(const struct inv_call_fields *f)
{
	return (struct inv_path_fields){.invoker = f->invoker,
					.artifact = f->artifact,
					.method = f->method,
					.args_count = f->args_count,
					.probe = f->probe,
					.tick = f->tick};
}

/* The fields whole, for what is not on every call's way. */
static inline struct inv_call_fields *inv_path_spill(struct inv_call_fields *f,
						     const struct inv_path_fields *p)
{
	f->invoker = p->invoker;
	f->artifact = p->artifact;
	f->method = p->method;
	f->tick = p->tick;
	f->args_count = p->args_count;
	f->probe = p->probe;
	return f;
}

static inline void inv_path_who(struct inv_call *call, const struct inv_path_fields *p)
{
	call->who = (uint64_t)p->artifact << 32 | p->invoker;
	call->tick = (uint64_t)p->tick;
}

/* A call that has entered by inv_path_enter, or is in LANE mode. */
static inline __attribute__((always_inline)) void
inv_path_begin(struct inv_call *call, const struct inv_path_fields *p, struct inv_call_fields *f)
{
	struct inv_thread *t = call->thread;
	inv_path_who(call, p);
	if (__builtin_expect(t->top && t->frames[t->top - 1].address <= call->frame, 0))
		INV_SLOW(call->vectors, inv_abandon_jumped(t, call->frame));
	/* A paused call too: its frame must not be taken for that of one jumped over. */
	if (__builtin_expect(inv_get(&inv_process.control->generation) != t->plain_generation, 0) &&
	    inv_begin_controlled(t, call, inv_path_spill(f, p)))
		return;
	inv_path_begin_lane(t, call, p, f, INV_LOSS_COUNT);
}

/* ---- end -------------------------------------------------------------------------- */

/* Whether the call returns where it began, in its thread and its process, which is busy then. */
static inline __attribute__((always_inline)) bool inv_path_back(struct inv_call *call)
{
	bool back = call->mode == INV_CALL_LANE && inv_tls.thread == call->thread &&
		    !inv_tls.busy &&
		    atomic_load_explicit(inv_process.alive, memory_order_relaxed) == call->epoch;
	if (__builtin_expect(back, 1))
		inv_set_busy(call->frame);
	return back;
}

/* The first place that a key may have; nearly all are there. */
static inline __attribute__((always_inline)) uint32_t
inv_path_cell(struct inv_thread *t, const struct inv_call *call, uint64_t key)
{
	uint32_t cell = t->cell_index[inv_key_place(key, t->cell_bits)];
	if (__builtin_expect(cell && inv_get(&t->cells[cell].key) == key, 1))
		return cell;
	return inv_find_cell(t, call, key);
}

/* Place 0 is the _other pair, of which inv_find_pair makes nothing else. */
static inline __attribute__((always_inline)) uint32_t inv_path_pair(struct inv_thread *t,
								    uint64_t key)
{
	uint32_t place = inv_key_place(key, t->pair_bits);
	if (__builtin_expect(inv_get(&t->pairs[place].key) == key, 1))
		return place;
	return inv_find_pair(t, key);
}

/* From the redo record, where the values are at hand: kept elsewhere they would be spilled. */
static inline void inv_path_cell_store(struct inv_counted at, const struct inv_redo *r)
{
	inv_put(at.bucket, inv_get(&r->bucket_value));
	INV_TEST_POINT(end_bucket);
	inv_put(&at.cell->sum_ticks, inv_get(&r->sum_ticks));
	inv_put(&at.cell->self_ticks, inv_get(&r->self_ticks));
	inv_put(&at.cell->min_ticks, inv_get(&r->min_ticks));
	inv_put(&at.cell->max_ticks, inv_get(&r->max_ticks));
	inv_put(&at.cell->last_ticks, inv_get(&r->last_ticks));
	inv_put(&at.cell->last_tick, inv_get(&r->last_tick));
	INV_TEST_POINT(end_sums);
}

static inline __attribute__((always_inline)) void inv_path_commit(struct inv_thread *t,
								  struct inv_counted at,
								  uint64_t index, uint64_t outcome,
								  const struct inv_unusual *u)
{
	struct inv_lane *lane = t->lane;
	struct inv_redo *r = &lane->redo;
	inv_put(&r->slot, index);
	inv_put(&r->outcome, outcome);
	if (__builtin_expect(u != NULL, 0)) {
		inv_put(&r->abandoned, inv_get(&lane->abandoned) - u->taken_back);
		inv_put(&r->inherited, inv_get(&lane->inherited) + u->inherited);
		inv_put(&r->head, u->new_head);
	}
	INV_TEST_POINT(end_redo_filled);
	/* [B5] release: the redo record before in_slot; pairs with inv_view_lane and settle */
	atomic_store_explicit(&lane->in_slot, at.returned, memory_order_release);
	atomic_signal_fence(memory_order_seq_cst); /* a kill must find in_slot before the rest */
	INV_TEST_POINT(end_committed);
	if (__builtin_expect(index != 0, 1)) {
		struct inv_slot *slot = inv_ring_slot(t->ring, t->ring_mask, index);
		inv_word_store(&slot->duration_ticks, inv_get(&r->duration_ticks));
		inv_word_store(&slot->outcome, outcome);
		INV_TEST_POINT(end_slot_filled);
		inv_slot_publish(&slot->seq, index, INV_SLOT_DONE);
		INV_TEST_POINT(end_slot_done);
	}
	inv_path_cell_store(at, r);
	inv_put(&at.pair->calls, inv_get(&r->pair_calls));
	inv_put(&at.pair->failures, inv_get(&r->pair_failures));
	inv_put(&at.pair->sum_ticks, inv_get(&r->pair_sum_ticks));
	INV_TEST_POINT(end_pair);
	if (__builtin_expect(at.place_1 != 0, 1))
		inv_put(&lane->inflight[at.place_1 - 1].ordinal_1, 0);
	INV_TEST_POINT(end_inflight_closed);
	if (__builtin_expect(u != NULL, 0)) {
		inv_put(&lane->abandoned, inv_get(&r->abandoned));
		inv_put(&lane->inherited, inv_get(&r->inherited));
		if (u->new_head)
			inv_ring_advance(lane, u->new_head);
		inv_bump(&lane->events, u->inherited && index);
	}
	inv_put(&lane->returned, at.returned);
	INV_TEST_POINT(end_returned);
	inv_commit_close(lane);
	if (__builtin_expect(u != NULL, 0))
		inv_put(&r->head, 0);
	INV_TEST_POINT(end_closed);
}

/* INV_CELL_KEY and INV_PAIR_KEY of ids that are known to fit. */
static_assert(INV_NAMES_MAX <= 1u << 24 && INV_TYPES_MAX <= 1u << 14, "ids fit the keys");
static inline uint64_t inv_path_cell_key(uint64_t artifact, uint64_t method,
					 const struct inv_call_outcome *o)
{
	return INV_CELL_KEY(0, 0, 0, 0) | (uint64_t)o->failed << 62 | (uint64_t)o->type << 48 |
	       method << 24 | artifact;
}

/*
 * The tally half of a commit: new absolute values of cell, pair and returned, put down in the
 * redo record, which is worth nothing before inv_path_commit. `place_1` of the in-flight entry
 * that the call closes, or 0.
 */
static inline __attribute__((always_inline)) struct inv_counted
inv_path_count(struct inv_thread *t, const struct inv_call *call, const struct inv_call_outcome *o,
	       uint64_t duration, uint64_t self, uint32_t place_1)
{
	struct inv_redo *r = &t->lane->redo;
	uint64_t artifact = call->artifact;
	uint32_t cell_at = inv_path_cell(t, call, inv_path_cell_key(artifact, call->method, o));
	uint32_t pair_at =
		inv_path_pair(t, INV_PAIR_KEY(0, 0) | (uint64_t)call->invoker << 24 | artifact);
	uint32_t bucket = inv_bucket_of(duration);
	struct inv_cell *cell = &t->cells[cell_at];
	struct inv_pair *pair = &t->pairs[pair_at];
	struct inv_counted at = {cell, pair, &cell->bucket[bucket], inv_get(&t->lane->returned) + 1,
				 place_1};
	uint64_t min = inv_get(&cell->min_ticks), max = inv_get(&cell->max_ticks);
	uint64_t least = duration + !duration;
	inv_put(&r->duration_ticks, duration);
	inv_put(&r->places, (uint64_t)pair_at << 32 | cell_at);
	inv_put(&r->bucket, (uint64_t)place_1 << 32 | bucket);
	inv_put(&r->bucket_value, inv_get(at.bucket) + 1);
	inv_put(&r->sum_ticks, inv_get(&cell->sum_ticks) + duration);
	inv_put(&r->self_ticks, inv_get(&cell->self_ticks) + self);
	inv_put(&r->min_ticks, min - 1 < least - 1 ? min : least); /* 0 is none yet: the greatest */
	inv_put(&r->max_ticks, max > duration ? max : duration);
	inv_put(&r->last_ticks, call->start_ticks + duration);
	inv_put(&r->last_tick, call->tick);
	inv_put(&r->pair_calls, inv_get(&pair->calls) + 1);
	inv_put(&r->pair_failures, inv_get(&pair->failures) + o->failed);
	inv_put(&r->pair_sum_ticks, inv_get(&pair->sum_ticks) + duration);
	inv_put(&r->returned, at.returned);
	return at;
}

static inline uint8_t inv_path_flags(const struct inv_call_outcome *o, bool clamped)
{
	return (uint8_t)(o->flags | (o->failed ? INV_FLAG_FAILED : 0) |
			 (clamped ? INV_FLAG_CLAMPED : 0));
}

/* Closes the private frame of the innermost call. Returns: the call's self time. */
static inline uint64_t inv_path_close(struct inv_thread *t, uint32_t place_1, uint64_t duration)
{
	uint64_t children = t->frames[place_1 - 1].children_ticks;
	t->frames[place_1 - 1].ordinal_1 = 0;
	if (place_1 > 1)
		t->frames[place_1 - 2].children_ticks += duration;
	t->top = place_1 - 1;
	return children < duration ? duration - children : 0;
}

/*
 * Ends a call that is back (inv_path_back). Nearly all are the innermost open call, have a slot
 * that has not been lapped, and no message: those end here. What is not inlined has a copy of the
 * outcome, so that the original can stay in registers.
 */
static inline __attribute__((always_inline)) void
inv_path_end(struct inv_call *call, const struct inv_call_outcome *o, uint64_t end_ticks)
{
	struct inv_thread *t = call->thread;
	uint32_t place_1 = call->place_1;
	uint64_t index = call->index, start = call->start_ticks;
	bool usual = place_1 && index && place_1 == t->top && !(t->aside | t->deep) &&
		     t->frames[place_1 - 1].ordinal_1 == call->ordinal_1 && end_ticks >= start &&
		     inv_get(&t->lane->head) - index <= t->ring_mask && !o->message;
	if (__builtin_expect(!usual, 0)) {
		struct inv_call_outcome copy = *o;
		inv_end_unusual(call, &copy, end_ticks);
		return;
	}
	uint64_t duration = end_ticks - start, self = inv_path_close(t, place_1, duration);
	struct inv_counted at = inv_path_count(t, call, o, duration, self, place_1);
	inv_path_commit(t, at, index, INV_OUTCOME(o->type, inv_path_flags(o, false), 0, 0), NULL);
	inv_clear_busy();
}

#endif

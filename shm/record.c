/* SPDX-License-Identifier: MIT */
/*
 * record.c - the hot path: begin and end of a call in the thread's own lane.
 *
 * Begin: slot BUSY, its words, the in-flight entry, then the clock, then the entry's
 * ordinal and `begun` (the call has begun), then the slot's ATTEMPT and `head`. The clock
 * is read after all that can be prepared, so that little of our own time is measured.
 *
 * End: all values are computed, stored to the redo record, and committed by in_slot [R1];
 * then slot, bucket, sums, pair, in-flight entry and `returned` follow in any order, and
 * in_slot is cleared.
 *
 * Built without vector registers; what is called from here is called by way of
 * inv_vectors_keep (vectors.h).
 *
 * Why not a copy of the tallies with a sequence lock: readers would have to wait for a
 * writer, and a killed writer would leave them waiting for ever.
 */
#include "record.h"

#include "record_private.h"
#include "text.h"

#define TEXT_NAME_BYTES 120u /* of a name without an id that an event carries */

__thread struct inv_tls inv_tls;
struct inv_process inv_process;

/* ---- begin ------------------------------------------------------------------------ */

bool inv_record_enter_at(struct inv_call *call, uintptr_t frame, struct inv_vectors *vectors)
{
	struct inv_thread *t = inv_tls.thread;
	call->vectors = vectors;
	if (__builtin_expect(!t || inv_tls.busy ||
				     !atomic_load_explicit(inv_process.alive, memory_order_relaxed),
			     0))
		return INV_SLOW(vectors, inv_enter_slow(call, frame));
	inv_set_busy(frame);
	call->mode = INV_CALL_LANE;
	call->thread = t;
	call->names = &t->names;
	call->frame = frame;
	call->epoch = inv_process.epoch;
	return true;
}

/* Counts what the look-ups missed; fills *text with names that found no id. */
static void __attribute__((noinline))
note_misses(inv_a64 *lost, const struct inv_call_fields *f, struct inv_text *text)
{
	for (unsigned i = 0; i < 3; i++) {
		const struct inv_name_miss *m = &f->miss[i];
		if (!(f->missed & (1u << i)))
			continue;
		inv_bump(&lost[INV_LOSS_UNREADABLE], m->unreadable);
		inv_bump(&lost[INV_LOSS_NAME_OVERFLOW], m->overflow);
		inv_bump(&lost[INV_LOSS_NAME_TRUNCATED], m->truncated);
		if (m->text)
			inv_text_add(text, (uint8_t)(INV_TEXT_INVOKER + i), m->text, m->length,
				     TEXT_NAME_BYTES);
	}
	inv_bump(&lost[INV_LOSS_UNREADABLE], f->unreadable);
}

/* Puts the text of names behind the slot to come, 0: none. Returns: how many slots it took. */
static uint32_t __attribute__((noinline))
begin_misses(struct inv_thread *t, struct inv_call *call, const struct inv_call_fields *f,
	     uint64_t index)
{
	inv_vectors_keep(call->vectors);
	struct inv_text text = {.length = 0};
	note_misses(t->lane->lost, f, &text);
	if (!text.length || !t->ring || !index)
		return 0;
	inv_text_write(t->ring, t->ring_mask, &text, index + 1, index);
	call->where |= INV_WHERE_TEXT_FOLLOWS;
	return inv_text_slots(&text);
}

/* Returns: the entry, whose ordinal is still to be stored; NULL: the call is too deep for one. */
static inline __attribute__((always_inline)) struct inv_inflight *
open_inflight(struct inv_thread *t, struct inv_lane *lane, struct inv_call *call)
{
	uint32_t place = t->top;
	if (__builtin_expect(place >= INV_INFLIGHT_MAX, 0)) {
		inv_bump(&lane->lost[INV_LOSS_TOO_DEEP], 1);
		t->deep++;
		call->place_1 = 0;
		return NULL;
	}
	struct inv_inflight *e = &lane->inflight[place];
	inv_put(&e->call, call->call_id);
	inv_put(&e->tick, call->tick);
	inv_put(&e->who, call->who);
	inv_put(&e->what, call->what);
	inv_put(&e->where, call->where);
	inv_put(&e->owner, t->owner);
	t->frames[place].ordinal_1 = call->ordinal_1;
	t->frames[place].children_ticks = 0;
	t->frames[place].address = call->frame;
	t->top = place + 1;
	call->place_1 = place + 1;
	return e;
}

static inline void fill_attempt(struct inv_slot *slot, const struct inv_call *call)
{
	inv_word_store(&slot->tick, call->tick);
	inv_word_store(&slot->who, call->who);
	inv_word_store(&slot->what, call->what);
	inv_word_store(&slot->where, call->where);
}

/* Makes the slot of the attempt BUSY and fills it; NULL: the lane has no ring. */
static inline __attribute__((always_inline)) struct inv_slot *
open_slot(struct inv_thread *t, struct inv_lane *lane, struct inv_call *call, uint64_t index)
{
	if (__builtin_expect(!t->ring, 0)) {
		inv_bump(&lane->lost[INV_LOSS_NO_RING], 1);
		call->index = 0;
		return NULL;
	}
	struct inv_slot *slot = inv_ring_slot(t->ring, t->ring_mask, index);
	call->index = index;
	inv_slot_open(&slot->seq, index);
	INV_TEST_POINT(begin_slot_busy);
	fill_attempt(slot, call);
	INV_TEST_POINT(begin_slot_filled);
	return slot;
}

/* `filtered` is known when this is compiled: the call gets no slot, and all else. */
static inline __attribute__((always_inline)) void begin_in_lane(struct inv_thread *t,
								struct inv_call *call,
								const struct inv_call_fields *f,
								bool filtered)
{
	struct inv_lane *lane = t->lane;
	uint64_t index = inv_get(&lane->head) + 1, ordinal_1 = inv_get(&lane->begun) + 1;
	uint32_t depth = t->top + t->deep - t->suspended, texts = 0;
	call->what = t->what_base | f->method;
	call->where = t->where_base |
		      INV_WHERE(0, 0, f->args_count, f->probe, depth < 255 ? depth : 255);
	call->lane = t->lane_index;
	call->claims = t->claims;
	call->ordinal_1 = ordinal_1;
	call->call_id = t->id_base | INV_CALL_ID(0, t->ring ? index : ordinal_1);
	if (filtered) {
		call->call_id = t->id_base | INV_CALL_ID(0, ordinal_1 | INV_CALL_FILTERED);
		call->index = 0;
	}
	if (__builtin_expect(f->missed | f->unreadable, 0))
		texts = begin_misses(t, call, f, filtered ? 0 : index);
	struct inv_slot *slot = filtered ? NULL : open_slot(t, lane, call, index);
	struct inv_inflight *e = open_inflight(t, lane, call);
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
	if (filtered) {
		inv_bump(&lane->lost[INV_LOSS_FILTERED], 1);
		INV_TEST_POINT(begin_filtered);
	} else if (__builtin_expect(slot != NULL, 1)) {
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

/* Something has been switched on or off. Returns: whether the call is begun, or paused. */
static bool __attribute__((noinline, cold))
begin_controlled(struct inv_thread *t, struct inv_call *call, const struct inv_call_fields *f)
{
	enum inv_verdict verdict = INV_SLOW(call->vectors, inv_control_judge(t, f));
	if (verdict == INV_VERDICT_TALLY)
		begin_in_lane(t, call, f, true);
	if (verdict != INV_VERDICT_NOTHING)
		return verdict == INV_VERDICT_TALLY;
	inv_bump(&t->lane->lost[INV_LOSS_PAUSED], 1);
	INV_TEST_POINT(begin_paused);
	call->mode = INV_CALL_UNOBSERVED;
	inv_clear_busy();
	return true;
}

void inv_record_begin(struct inv_call *call, const struct inv_call_fields *f)
{
	struct inv_thread *t = call->thread;
	call->who = (uint64_t)f->artifact << 32 | f->invoker;
	call->tick = (uint64_t)f->tick;
	if (__builtin_expect(call->mode != INV_CALL_LANE, 0)) {
		INV_SLOW(call->vectors, inv_overflow_begin(call, f));
		return;
	}
	if (__builtin_expect(t->top && t->frames[t->top - 1].address <= call->frame, 0))
		INV_SLOW(call->vectors, inv_abandon_jumped(t, call->frame));
	/* A paused call too: its frame must not be taken for that of one jumped over. */
	if (__builtin_expect(inv_get(&inv_process.control->generation) != t->plain_generation, 0) &&
	    begin_controlled(t, call, f))
		return;
	begin_in_lane(t, call, f, false);
}

/* ---- end -------------------------------------------------------------------------- */

uint64_t inv_record_now(void)
{
	return inv_clock_ticks(inv_process.clock);
}

void inv_record_reenter(struct inv_call *call)
{
	if (__builtin_expect(call->mode == INV_CALL_LANE && inv_tls.thread == call->thread &&
				     !inv_tls.busy && call->epoch == inv_process.epoch &&
				     atomic_load_explicit(inv_process.alive, memory_order_relaxed),
			     1))
		inv_set_busy(call->frame);
	else
		INV_SLOW(call->vectors, inv_reenter_slow(call));
}

static uint32_t __attribute__((noinline))
add_cell(struct inv_thread *t, const struct inv_call *call, uint64_t key, uint32_t index_place)
{
	inv_vectors_keep(call->vectors);
	if (t->cell_count == t->cells_reserved)
		t->cells_reserved = inv_lane_grow_cells(inv_process.segment, t->lane_index);
	if (t->cell_count >= t->cells_reserved || index_place == UINT32_MAX) {
		inv_bump(&t->lane->lost[INV_LOSS_TALLY_OVERFLOW], 1);
		return INV_CELL_FAILED(key) ? INV_CELL_OTHER_FAILED : INV_CELL_OTHER_OK;
	}
	uint32_t cell = t->cell_count++;
	inv_put(&t->cells[cell].first_ticks, call->start_ticks);
	inv_put(&t->cells[cell].key, key);
	t->cell_index[index_place] = (uint16_t)cell;
	/* [B4] release: the key before the count; pairs with inv_view_lane */
	atomic_store_explicit(&t->lane->cell_count, t->cell_count, memory_order_release);
	INV_TEST_POINT(end_cell_added);
	return cell;
}

static inline __attribute__((always_inline)) uint32_t
find_cell(struct inv_thread *t, const struct inv_call *call, uint64_t key)
{
	uint32_t place = inv_key_place(key, INV_CELL_INDEX_BITS);
	for (uint32_t i = 0; i < INV_CELL_PROBES; i++) {
		uint32_t cell = t->cell_index[place];
		if (!cell)
			return add_cell(t, call, key, place);
		if (__builtin_expect(inv_get(&t->cells[cell].key) == key, 1))
			return cell;
		place = (place + 1) & ((1u << INV_CELL_INDEX_BITS) - 1);
	}
	return add_cell(t, call, key, UINT32_MAX);
}

static inline __attribute__((always_inline)) uint32_t find_pair(struct inv_thread *t, uint64_t key)
{
	uint32_t mask = (1u << t->pair_bits) - 1, place = inv_key_place(key, t->pair_bits);
	for (uint32_t i = 0; i < INV_CELL_PROBES; i++, place = (place + 1) & mask) {
		if (!place)
			continue; /* the _other pair */
		uint64_t have = inv_get(&t->pairs[place].key);
		if (__builtin_expect(have == key, 1))
			return place;
		if (!have) {
			/* [B4] release: a pair is a complete empty one before; pairs with view */
			atomic_store_explicit(&t->pairs[place].key, key, memory_order_release);
			INV_TEST_POINT(end_pair_added);
			return place;
		}
	}
	inv_bump(&t->lane->lost[INV_LOSS_PAIR_OVERFLOW], 1);
	return 0;
}

static inline void redo_store(struct inv_redo *r, const struct inv_commit *c)
{
	inv_put(&r->slot, c->slot);
	inv_put(&r->duration_ticks, c->duration_ticks);
	inv_put(&r->outcome, c->outcome);
	inv_put(&r->places, c->places);
	inv_put(&r->bucket, c->bucket);
	inv_put(&r->bucket_value, c->bucket_value);
	inv_put(&r->sum_ticks, c->sum_ticks);
	inv_put(&r->self_ticks, c->self_ticks);
	inv_put(&r->min_ticks, c->min_ticks);
	inv_put(&r->max_ticks, c->max_ticks);
	inv_put(&r->last_ticks, c->last_ticks);
	inv_put(&r->last_tick, c->last_tick);
	inv_put(&r->pair_calls, c->pair_calls);
	inv_put(&r->pair_failures, c->pair_failures);
	inv_put(&r->pair_sum_ticks, c->pair_sum_ticks);
	inv_put(&r->returned, c->returned);
}

static inline void cell_store(struct inv_cell *cell, const struct inv_commit *c)
{
	inv_put(&cell->bucket[(uint32_t)c->bucket], c->bucket_value);
	INV_TEST_POINT(end_bucket);
	inv_put(&cell->sum_ticks, c->sum_ticks);
	inv_put(&cell->self_ticks, c->self_ticks);
	inv_put(&cell->min_ticks, c->min_ticks);
	inv_put(&cell->max_ticks, c->max_ticks);
	inv_put(&cell->last_ticks, c->last_ticks);
	inv_put(&cell->last_tick, c->last_tick);
	INV_TEST_POINT(end_sums);
}

/* Where a call is counted. */
struct counted {
	struct inv_cell *cell;
	struct inv_pair *pair;
};

/* A call that ends in an unusual way changes more than the ordinary counters. */
struct unusual {
	bool taken_back;   /* had been counted abandoned */
	bool inherited;	   /* begun elsewhere */
	uint64_t new_head; /* the event takes a new slot */
};

static inline __attribute__((always_inline)) void commit(struct inv_thread *t,
							 const struct inv_commit *c,
							 struct counted at, const struct unusual *u)
{
	struct inv_lane *lane = t->lane;
	uint32_t place_1 = (uint32_t)(c->bucket >> 32);
	redo_store(&lane->redo, c);
	if (__builtin_expect(u != NULL, 0)) {
		inv_put(&lane->redo.abandoned, inv_get(&lane->abandoned) - u->taken_back);
		inv_put(&lane->redo.inherited, inv_get(&lane->inherited) + u->inherited);
		inv_put(&lane->redo.head, u->new_head);
	}
	INV_TEST_POINT(end_redo_filled);
	/* [B5] release: the redo record before in_slot; pairs with inv_view_lane and settle */
	atomic_store_explicit(&lane->in_slot, c->returned, memory_order_release);
	atomic_signal_fence(memory_order_seq_cst); /* a kill must find in_slot before the rest */
	INV_TEST_POINT(end_committed);
	if (__builtin_expect(c->slot != 0, 1)) {
		struct inv_slot *slot = inv_ring_slot(t->ring, t->ring_mask, c->slot);
		inv_word_store(&slot->duration_ticks, c->duration_ticks);
		inv_word_store(&slot->outcome, c->outcome);
		INV_TEST_POINT(end_slot_filled);
		inv_slot_publish(&slot->seq, c->slot, INV_SLOT_DONE);
		INV_TEST_POINT(end_slot_done);
	}
	cell_store(at.cell, c);
	inv_put(&at.pair->calls, c->pair_calls);
	inv_put(&at.pair->failures, c->pair_failures);
	inv_put(&at.pair->sum_ticks, c->pair_sum_ticks);
	INV_TEST_POINT(end_pair);
	if (__builtin_expect(place_1 != 0, 1))
		inv_put(&lane->inflight[place_1 - 1].ordinal_1, 0);
	INV_TEST_POINT(end_inflight_closed);
	if (__builtin_expect(u != NULL, 0)) {
		inv_put(&lane->abandoned, inv_get(&lane->redo.abandoned));
		inv_put(&lane->inherited, inv_get(&lane->redo.inherited));
		if (u->new_head)
			inv_ring_advance(lane, u->new_head);
		inv_bump(&lane->events, u->inherited && c->slot);
	}
	inv_put(&lane->returned, c->returned);
	INV_TEST_POINT(end_returned);
	inv_commit_close(lane);
	if (__builtin_expect(u != NULL, 0))
		inv_put(&lane->redo.head, 0);
	INV_TEST_POINT(end_closed);
}

/* INV_CELL_KEY and INV_PAIR_KEY of ids that are known to fit. */
static_assert(INV_NAMES_MAX <= 1u << 24 && INV_TYPES_MAX <= 1u << 14, "ids fit the keys");
static inline uint64_t cell_key(uint64_t artifact, uint64_t method, const struct inv_call_outcome *o)
{
	return INV_CELL_KEY(0, 0, 0, 0) | (uint64_t)o->failed << 62 | (uint64_t)o->type << 48 |
	       method << 24 | artifact;
}

/* The tally half of a commit: new absolute values of cell, pair and returned. */
static inline __attribute__((always_inline)) struct counted
count_call(struct inv_thread *t, const struct inv_call *call, const struct inv_call_outcome *o,
	   uint64_t duration, uint64_t self, struct inv_commit *c)
{
	uint64_t artifact = call->who >> 32, invoker = (uint32_t)call->who;
	uint32_t cell_at = find_cell(t, call, cell_key(artifact, (uint32_t)call->what, o));
	uint32_t pair_at = find_pair(t, INV_PAIR_KEY(0, 0) | invoker << 24 | artifact);
	uint32_t bucket = inv_bucket_of(duration);
	struct inv_cell *cell = &t->cells[cell_at];
	struct inv_pair *pair = &t->pairs[pair_at];
	uint64_t min = inv_get(&cell->min_ticks), max = inv_get(&cell->max_ticks);
	uint64_t least = duration ? duration : 1;
	c->duration_ticks = duration;
	c->places = (uint64_t)pair_at << 32 | cell_at;
	c->bucket = bucket;
	c->bucket_value = inv_get(&cell->bucket[bucket]) + 1;
	c->sum_ticks = inv_get(&cell->sum_ticks) + duration;
	c->self_ticks = inv_get(&cell->self_ticks) + self;
	c->min_ticks = min - 1 < least - 1 ? min : least; /* 0 is none yet: the greatest */
	c->max_ticks = max > duration ? max : duration;
	c->last_ticks = call->start_ticks + duration;
	c->last_tick = call->tick;
	c->pair_calls = inv_get(&pair->calls) + 1;
	c->pair_failures = inv_get(&pair->failures) + o->failed;
	c->pair_sum_ticks = inv_get(&pair->sum_ticks) + duration;
	c->returned = inv_get(&t->lane->returned) + 1;
	return (struct counted){cell, pair};
}

/* Closes the private frame. Returns: the call's self time. */
static inline uint64_t close_frame(struct inv_thread *t, const struct inv_call *call,
				   uint64_t duration)
{
	uint32_t place = call->place_1 - 1;
	uint64_t children = t->frames[place].children_ticks;
	t->frames[place].ordinal_1 = 0;
	if (__builtin_expect(t->suspended != 0, 0) &&
	    t->frames[place].address == INV_FRAME_SUSPENDED)
		t->suspended--; /* it waited while others worked: nobody's child */
	else if (place && t->frames[place - 1].ordinal_1)
		t->frames[place - 1].children_ticks += duration;
	if (__builtin_expect(place + 1 == t->top, 1)) {
		while (place && !t->frames[place - 1].ordinal_1)
			place--;
		t->top = place;
		if (__builtin_expect(t->deep != 0, 0))
			INV_SLOW(call->vectors, inv_abandon_deep(t));
	}
	return children < duration ? duration - children : 0;
}

static uint64_t close_deep(struct inv_thread *t, uint64_t duration)
{
	if (t->deep == 1 && t->top)
		t->frames[t->top - 1].children_ticks += duration;
	if (t->deep)
		t->deep--;
	return duration;
}

/*
 * Text and slot of an event whose slot cannot simply be completed: it has a message, was
 * lapped, or begun elsewhere. The new slot, if any, comes right behind its text.
 */
static void __attribute__((noinline))
end_with_text(struct inv_thread *t, struct inv_call *call, const struct inv_call_outcome *o,
	      uint8_t flags, bool anew, struct inv_commit *c, struct unusual *u)
{
	inv_vectors_keep(call->vectors);
	struct inv_text text = {.length = 0};
	uint64_t head = inv_get(&t->lane->head), event = call->index;
	if (anew)
		inv_text_add(&text, INV_TEXT_ORIGIN, &call->call_id, 8, 8);
	if (o->message)
		inv_text_add(&text, INV_TEXT_MESSAGE, o->message, o->message_length,
			     INV_MESSAGE_BYTES_MAX);
	uint32_t count = inv_text_slots(&text);
	if (text.cut || (o->flags & INV_FLAG_TRUNCATED)) {
		flags |= INV_FLAG_TRUNCATED;
		inv_bump(&t->lane->lost[INV_LOSS_TEXT_TRUNCATED], 1);
	}
	if (anew)
		event = head + count + 1;
	inv_text_write(t->ring, t->ring_mask, &text, head + 1, event);
	INV_TEST_POINT(end_text_written);
	/* An event's own slot may be lapped by its text in a very small ring. */
	inv_ring_advance(t->lane, head + count);
	if (anew) {
		struct inv_slot *slot = inv_ring_slot(t->ring, t->ring_mask, event);
		inv_slot_open(&slot->seq, event);
		inv_word_store(&slot->start_ticks, call->start_ticks);
		fill_attempt(slot, call);
		u->new_head = event;
		flags |= INV_FLAG_REWRITTEN;
	}
	c->slot = event;
	c->outcome = INV_OUTCOME(o->type, flags, count, (uint32_t)(head + 1 - event));
}

static uint8_t outcome_flags(const struct inv_call_outcome *o, bool clamped)
{
	return (uint8_t)(o->flags | (o->failed ? INV_FLAG_FAILED : 0) |
			 (clamped ? INV_FLAG_CLAMPED : 0));
}

/* Retires the first slot and in-flight entry of a call that another thread began. */
static void tell_first_lane(const struct inv_call *call)
{
	struct inv_segment *seg = inv_process.segment;
	struct inv_lane *lane = inv_segment_lane(seg, call->lane);
	uint32_t ring_slots =
		atomic_load_explicit(&seg->rows[call->lane].ring_slots, memory_order_relaxed);
	uint64_t ordinal_1 = call->ordinal_1;
	if (call->index && ring_slots) {
		struct inv_slot *slot = inv_ring_slot(inv_segment_ring(seg, call->lane),
						      ring_slots - 1, call->index);
		uint64_t attempt = INV_SEQ(call->index, INV_SLOT_ATTEMPT);
		atomic_compare_exchange_strong_explicit(&slot->seq, &attempt,
							INV_SEQ(call->index, INV_SLOT_ABANDONED),
							memory_order_relaxed, memory_order_relaxed);
	}
	if (call->place_1 &&
	    atomic_compare_exchange_strong_explicit(&lane->inflight[call->place_1 - 1].ordinal_1,
						    &ordinal_1, 0, memory_order_relaxed,
						    memory_order_relaxed))
		atomic_fetch_add_explicit(&lane->moved, 1, memory_order_relaxed);
}

/* A call begun in another process or thread: recorded whole here [C2]. */
static void __attribute__((noinline))
end_elsewhere(struct inv_call *call, const struct inv_call_outcome *o, uint64_t duration,
	      bool clamped)
{
	inv_vectors_keep(call->vectors);
	struct inv_thread *t = inv_tls.thread;
	bool forked = call->epoch != inv_process.epoch;
	struct inv_commit c = {.slot = 0};
	struct unusual u = {.inherited = true};
	uint8_t flags = (uint8_t)(outcome_flags(o, clamped) | (forked ? INV_FLAG_FORKED : 0));
	if (!forked)
		tell_first_lane(call);
	call->what = (uint64_t)t->tid << 32 | (uint32_t)call->what;
	call->where = (call->where & ~UINT64_C(0xffffffff)) |
		      INV_WHERE(inv_process.row, inv_process.generation, 0, 0, 0);
	call->where &= ~INV_WHERE_TEXT_FOLLOWS;
	struct counted at = count_call(t, call, o, duration, duration, &c);
	if (call->call_id & INV_CALL_FILTERED)
		inv_bump(&t->lane->lost[INV_LOSS_FILTERED], 1);
	else if (t->ring)
		end_with_text(t, call, o, flags, true, &c, &u);
	else
		inv_bump(&t->lane->lost[INV_LOSS_NO_RING], 1);
	commit(t, &c, at, &u);
	inv_clear_busy();
}

static void __attribute__((noinline))
end_unusual(struct inv_thread *t, struct inv_call *call, const struct inv_call_outcome *o,
	    uint8_t flags, struct inv_commit *c, struct counted at, bool taken_back)
{
	struct unusual u = {.taken_back = taken_back};
	uint64_t head = inv_get(&t->lane->head);
	/* Its own text must not lap it either: INV_TEXT_SLOTS_MAX places are kept free. */
	bool lapped = call->index && head - call->index + INV_TEXT_SLOTS_MAX >= t->ring_mask + 1;
	c->slot = 0;
	c->outcome = INV_OUTCOME(o->type, flags, 0, 0);
	if (call->index)
		end_with_text(t, call, o, flags, lapped, c, &u);
	commit(t, c, at, &u);
}

void inv_record_end(struct inv_call *call, const struct inv_call_outcome *o, uint64_t end_ticks)
{
	struct inv_thread *t = call->thread;
	bool clamped = end_ticks < call->start_ticks;
	uint64_t duration = clamped ? 0 : end_ticks - call->start_ticks;
	if (__builtin_expect(call->mode != INV_CALL_LANE, 0)) {
		if (call->mode == INV_CALL_OVERFLOW)
			INV_SLOW(call->vectors, inv_overflow_end(call, o, duration));
		return;
	}
	if (__builtin_expect(t != inv_tls.thread || call->epoch != inv_process.epoch, 0)) {
		end_elsewhere(call, o, duration, clamped);
		return;
	}
	bool named = call->place_1 && t->frames[call->place_1 - 1].ordinal_1 == call->ordinal_1;
	if (__builtin_expect(!named && call->claims != t->claims, 0)) {
		end_elsewhere(call, o, duration, clamped); /* begun by a former owner of the lane */
		return;
	}
	struct inv_commit c;
	bool taken_back = false;
	uint64_t self;
	uint8_t flags = outcome_flags(o, clamped);
	if (__builtin_expect(clamped, 0))
		inv_bump(&t->lane->lost[INV_LOSS_CLOCK_BACKWARDS], 1);
	uint32_t close_1 = 0;
	if (__builtin_expect(!call->place_1, 0)) {
		taken_back = !t->deep;
		self = close_deep(t, duration);
	} else if (__builtin_expect(named, 1)) {
		self = close_frame(t, call, duration);
		close_1 = call->place_1;
	} else {
		taken_back = true; /* had been judged jumped over: a return always wins */
		self = duration;
	}
	struct counted at = count_call(t, call, o, duration, self, &c);
	c.bucket |= (uint64_t)close_1 << 32;
	bool lapped = call->index && inv_get(&t->lane->head) - call->index > t->ring_mask;
	if (__builtin_expect(taken_back || lapped || o->message != NULL, 0)) {
		struct inv_commit copy = c; /* so that c itself can live in registers */
		end_unusual(t, call, o, flags, &copy, at, taken_back);
	} else {
		c.slot = call->index;
		c.outcome = INV_OUTCOME(o->type, flags, 0, 0);
		commit(t, &c, at, NULL);
	}
	inv_clear_busy();
}

/* SPDX-License-Identifier: MIT */
/*
 * record.c - begin and end of a call in the thread's own lane: what few calls need, and the
 * path of all of them (record_path.h) as functions.
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

#include "record_path.h"
#include "text.h"

#define RETRY_CELLS_AFTER 4096u
#define TEXT_NAME_BYTES	  120u /* of a name without an id that an event carries */

__thread struct inv_tls inv_tls;
struct inv_process inv_process;

/* ---- begin ------------------------------------------------------------------------ */

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

uint32_t inv_begin_misses(struct inv_thread *t, struct inv_call *call,
			  const struct inv_call_fields *f, uint64_t index)
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

__attribute__((cold)) bool inv_begin_controlled(struct inv_thread *t, struct inv_call *call,
						struct inv_call_fields *f)
{
	enum inv_verdict verdict = INV_SLOW(call->vectors, inv_control_judge(t, f));
	if (verdict == INV_VERDICT_ALL && t->ring)
		return false;
	if (verdict != INV_VERDICT_NOTHING) {
		struct inv_path_fields p = inv_path_fields_of(f);
		inv_path_begin_lane(t, call, &p, f,
				    verdict == INV_VERDICT_ALL ? INV_LOSS_NO_RING
							       : INV_LOSS_FILTERED);
		return true;
	}
	inv_bump(&t->lane->lost[INV_LOSS_PAUSED], 1);
	INV_TEST_POINT(begin_paused);
	call->mode = INV_CALL_UNOBSERVED;
	inv_clear_busy();
	return true;
}

/* ---- end -------------------------------------------------------------------------- */

/* Where there are none now, not at each call of a key without one: it may be a system call. */
static void more_cells(struct inv_thread *t)
{
	if (t->calls_without_cell++ % RETRY_CELLS_AFTER)
		return;
	t->cells_reserved = inv_lane_grow_cells(inv_process.segment, t->lane_index);
	if (t->cell_count < t->cells_reserved)
		t->calls_without_cell = 0;
}

/* `index_place`: where the index has room for it, or UINT32_MAX. */
static uint32_t add_cell(struct inv_thread *t, uint64_t key, uint64_t start_ticks,
			 uint32_t index_place)
{
	if (t->cell_count == t->cells_reserved)
		more_cells(t);
	bool room = t->cell_count < t->cells_reserved;
	if (room && (index_place == UINT32_MAX || t->cell_count >= 1u << (t->cell_bits - 2)))
		index_place = inv_cells_grow_index(t, key);
	if (!room || index_place == UINT32_MAX) {
		inv_bump(&t->lane->lost[INV_LOSS_TALLY_OVERFLOW], 1);
		return INV_CELL_FAILED(key) ? INV_CELL_OTHER_FAILED : INV_CELL_OTHER_OK;
	}
	uint32_t cell = t->cell_count++;
	inv_put(&t->cells[cell].first_ticks, start_ticks);
	inv_put(&t->cells[cell].key, key);
	t->cell_index[index_place] = (uint16_t)cell;
	/* [B4] release: the key before the count; pairs with inv_view_lane */
	atomic_store_explicit(&t->lane->cell_count, t->cell_count, memory_order_release);
	INV_TEST_POINT(end_cell_added);
	return cell;
}

uint32_t inv_find_cell(struct inv_thread *t, const struct inv_call *call, uint64_t key)
{
	uint32_t mask = (1u << t->cell_bits) - 1, place = inv_key_place(key, t->cell_bits);
	uint32_t free_place = UINT32_MAX;
	for (uint32_t i = 0; i < INV_CELL_PROBES; i++, place = (place + 1) & mask) {
		uint32_t cell = t->cell_index[place];
		if (!cell) {
			free_place = place;
			break;
		}
		if (inv_get(&t->cells[cell].key) == key)
			return cell;
	}
	return INV_SLOW(call->vectors, add_cell(t, key, call->start_ticks, free_place));
}

uint32_t inv_find_pair(struct inv_thread *t, uint64_t key)
{
	uint32_t mask = (1u << t->pair_bits) - 1, place = inv_key_place(key, t->pair_bits);
	for (uint32_t i = 0; i < INV_CELL_PROBES; i++, place = (place + 1) & mask) {
		if (!place)
			continue; /* the _other pair */
		uint64_t have = inv_get(&t->pairs[place].key);
		if (have == key)
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

/*
 * Text and slot of an event whose slot cannot simply be completed: it has a message, was
 * lapped, or begun elsewhere. The new slot, if any, comes right behind its text.
 */
static void __attribute__((noinline))
end_with_text(struct inv_thread *t, struct inv_call *call, const struct inv_call_outcome *o,
	      uint8_t flags, bool anew, struct inv_unusual *u)
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
		inv_path_attempt(slot, (struct inv_path_words){call->tick, call->who, call->what,
							       call->where});
		u->new_head = event;
		flags |= INV_FLAG_REWRITTEN;
	}
	u->index = event;
	u->outcome = INV_OUTCOME(o->type, flags, count, (uint32_t)(head + 1 - event));
}

/*
 * Of a call too deep to have an entry: counted while the thread that began it has the lane. One
 * that ends at this very moment may count it too, as never returned.
 */
static void move_unnamed(const struct inv_call *call)
{
	const struct inv_lane_row *row = &inv_process.segment->rows[call->lane];
	inv_a32 *claims = (inv_a32 *)&row->claims;
	if (inv_get(&row->owner) &&
	    call->claims == atomic_load_explicit(claims, memory_order_relaxed))
		atomic_fetch_add_explicit(&inv_segment_lane(inv_process.segment, call->lane)->moved,
					  1, memory_order_relaxed);
}

void inv_tell_first_lane(const struct inv_call *call)
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
	if (!call->place_1) {
		move_unnamed(call);
		return;
	}
	inv_a64 *entry = &lane->inflight[call->place_1 - 1].ordinal_1;
	if (inv_get(entry) != ordinal_1)
		return;
	/* Counted before the entry is closed, and taken back where its owner was first: whoever
	 * settles the lane meanwhile would count it a second time, as never returned. */
	atomic_fetch_add_explicit(&lane->moved, 1, memory_order_relaxed);
	/* [B14] release: `moved` before the entry's end; pairs with close_entry */
	if (!atomic_compare_exchange_strong_explicit(entry, &ordinal_1, 0, memory_order_release,
						     memory_order_relaxed))
		atomic_fetch_sub_explicit(&lane->moved, 1, memory_order_relaxed);
}

void inv_end_elsewhere(struct inv_call *call, const struct inv_call_outcome *o, uint64_t duration,
		       bool clamped)
{
	inv_vectors_keep(call->vectors);
	struct inv_thread *t = inv_tls.thread;
	bool forked = call->epoch != inv_process.epoch;
	struct inv_unusual u = {.inherited = true};
	uint8_t flags = (uint8_t)(inv_path_flags(o, clamped) | (forked ? INV_FLAG_FORKED : 0));
	if (!forked)
		inv_tell_first_lane(call);
	call->what = (uint64_t)t->tid << 32 | (uint32_t)call->what;
	call->where = (call->where & ~UINT64_C(0xffffffff)) |
		      INV_WHERE(inv_process.row, inv_process.generation, 0, 0, 0);
	call->where &= ~INV_WHERE_TEXT_FOLLOWS;
	struct inv_counted at = inv_path_count(t, call, o, duration, duration, 0);
	if (call->call_id & INV_CALL_FILTERED)
		inv_bump(&t->lane->lost[INV_LOSS_FILTERED], 1);
	else if (t->ring)
		end_with_text(t, call, o, flags, true, &u);
	else
		inv_bump(&t->lane->lost[INV_LOSS_NO_RING], 1);
	inv_path_commit(t, at, u.index, u.outcome, &u);
	inv_clear_busy();
}

/* Closes the private frame. Returns: the call's self time. */
static uint64_t close_frame(struct inv_thread *t, const struct inv_call *call, uint64_t duration)
{
	uint32_t place = call->place_1 - 1;
	uint64_t children = t->frames[place].children_ticks;
	if (!t->aside && call->place_1 == t->top) {
		uint64_t self = inv_path_close(t, call->place_1, duration);
		if (t->deep)
			INV_SLOW(call->vectors, inv_abandon_deep(t));
		return self;
	}
	INV_SLOW(call->vectors, inv_close_among(t, place, duration));
	return children < duration ? duration - children : 0;
}

static void close_deep(struct inv_thread *t, const struct inv_call *call, uint64_t duration)
{
	if (t->deep == 1)
		INV_SLOW(call->vectors, inv_charge(t, t->top, duration));
	if (t->deep)
		inv_deep_ended(t);
}

/* A call with a message, or one that was lapped or taken back. */
static void commit_unusual(struct inv_thread *t, struct inv_call *call,
			   const struct inv_call_outcome *o, uint8_t flags,
			   const struct inv_counted *at, bool taken_back)
{
	struct inv_unusual u = {.taken_back = taken_back,
				.outcome = INV_OUTCOME(o->type, flags, 0, 0)};
	uint64_t head = inv_get(&t->lane->head);
	/* Its own text must not lap it either: INV_TEXT_SLOTS_MAX places are kept free. */
	bool lapped = call->index && head - call->index + INV_TEXT_SLOTS_MAX >= t->ring_mask + 1;
	if (call->index)
		end_with_text(t, call, o, flags, lapped, &u);
	inv_path_commit(t, *at, u.index, u.outcome, &u);
}

void inv_end_unusual(struct inv_call *call, const struct inv_call_outcome *o, uint64_t end_ticks)
{
	struct inv_thread *t = call->thread;
	bool clamped = end_ticks < call->start_ticks, taken_back = false;
	uint64_t duration = clamped ? 0 : end_ticks - call->start_ticks, self = duration;
	bool named = call->place_1 && t->frames[call->place_1 - 1].ordinal_1 == call->ordinal_1;
	uint8_t flags = inv_path_flags(o, clamped);
	uint32_t close_1 = 0;
	if (!named && call->claims != t->claims) { /* begun by a former owner of the lane */
		inv_end_elsewhere(call, o, duration, clamped);
		return;
	}
	if (clamped)
		inv_bump(&t->lane->lost[INV_LOSS_CLOCK_BACKWARDS], 1);
	if (named) {
		self = close_frame(t, call, duration);
		close_1 = call->place_1;
	} else if (!call->place_1) {
		taken_back = !call->waits && !t->deep;
		if (!call->waits)
			close_deep(t, call, duration);
	} else {
		taken_back = true; /* had been judged jumped over: a return always wins */
	}
	struct inv_counted at = inv_path_count(t, call, o, duration, self, close_1);
	bool lapped = call->index && inv_get(&t->lane->head) - call->index > t->ring_mask;
	if (taken_back || lapped || o->message)
		commit_unusual(t, call, o, flags, &at, taken_back);
	else
		inv_path_commit(t, at, call->index, INV_OUTCOME(o->type, flags, 0, 0), NULL);
	inv_clear_busy();
}

/* ---- the path, as functions --------------------------------------------------------- */

bool inv_record_enter_at(struct inv_call *call, uintptr_t frame, struct inv_vectors *vectors)
{
	if (__builtin_expect(inv_path_enter(call, frame, vectors), 1))
		return true;
	return inv_process.segment ? INV_SLOW(vectors, inv_enter_slow(call, frame))
				   : INV_SLOW(vectors, inv_enter_nothing());
}

void inv_record_begin(struct inv_call *call, struct inv_call_fields *fields)
{
	struct inv_path_fields p = inv_path_fields_of(fields);
	if (__builtin_expect(call->mode == INV_CALL_LANE, 1)) {
		inv_path_begin(call, &p, fields);
		return;
	}
	inv_path_who(call, &p);
	INV_SLOW(call->vectors, inv_overflow_begin(call, fields));
}

uint64_t inv_record_now(void)
{
	return inv_path_now();
}

void inv_record_reenter(struct inv_call *call)
{
	if (!inv_path_back(call))
		INV_SLOW(call->vectors, inv_reenter_slow(call));
}

void inv_record_end(struct inv_call *call, const struct inv_call_outcome *outcome,
		    uint64_t end_ticks)
{
	bool clamped = end_ticks < call->start_ticks, here;
	uint64_t duration = clamped ? 0 : end_ticks - call->start_ticks;
	if (call->mode == INV_CALL_LANE) {
		here = call->thread == inv_tls.thread && call->epoch == inv_process.epoch;
		if (__builtin_expect(here, 1))
			inv_path_end(call, outcome, end_ticks);
		else
			inv_end_elsewhere(call, outcome, duration, clamped);
	} else if (call->mode == INV_CALL_OVERFLOW) {
		INV_SLOW(call->vectors, inv_overflow_end(call, outcome, duration));
	}
}

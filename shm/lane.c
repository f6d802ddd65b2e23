/* SPDX-License-Identifier: MIT */
/*
 * lane.c - claim, grant, settle, release.
 *
 * Memory: the fixed part, a first chunk of cells and a page of pairs are the least a lane
 * needs. Rings and large pair tables are granted from the first third of the budget, each
 * a quarter of what is left of that, so that early threads get full rings and the 256th
 * still gets its tallies, with 30 keys, from the rest: exactness before events.
 */
#include "lane.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ring.h"
#include "sandbox.h"
#include "tally.h"

#define CELL_CHUNK	    16u
#define PAIR_SLOTS_LEAST    128u /* one page */
#define RING_SLOTS_LEAST    64u	 /* one page */
#define RING_SHARE	    4u
#define LIVENESS_ASKED_MOST 16u /* rows asked about in one claim */

/* ---- commit ---------------------------------------------------------------------- */

static uint64_t get(const inv_a64 *word)
{
	return atomic_load_explicit((inv_a64 *)word, memory_order_relaxed);
}

static void put(inv_a64 *word, uint64_t value)
{
	atomic_store_explicit(word, value, memory_order_relaxed);
}

void inv_commit_load(struct inv_commit *out, const struct inv_redo *redo)
{
	out->slot = get(&redo->slot);
	out->duration_ticks = get(&redo->duration_ticks);
	out->outcome = get(&redo->outcome);
	out->places = get(&redo->places);
	out->bucket = get(&redo->bucket);
	out->bucket_value = get(&redo->bucket_value);
	out->sum_ticks = get(&redo->sum_ticks);
	out->self_ticks = get(&redo->self_ticks);
	out->min_ticks = get(&redo->min_ticks);
	out->max_ticks = get(&redo->max_ticks);
	out->last_ticks = get(&redo->last_ticks);
	out->last_tick = get(&redo->last_tick);
	out->pair_calls = get(&redo->pair_calls);
	out->pair_failures = get(&redo->pair_failures);
	out->pair_sum_ticks = get(&redo->pair_sum_ticks);
	out->returned = get(&redo->returned);
	out->abandoned = get(&redo->abandoned);
	out->inherited = get(&redo->inherited);
	out->head = get(&redo->head);
}

static void apply_slot(const struct inv_commit *c, const struct inv_commit_target *to)
{
	if (!to->ring || !c->slot)
		return;
	struct inv_slot *slot = inv_ring_slot(to->ring, to->ring_slots - 1, c->slot);
	if (INV_SEQ_INDEX(get(&slot->seq)) != c->slot)
		return; /* lapped since: in_slot would have been cleared, so a damaged file */
	inv_word_store(&slot->duration_ticks, c->duration_ticks);
	inv_word_store(&slot->outcome, c->outcome);
	inv_slot_publish(&slot->seq, c->slot, INV_SLOT_DONE);
}

void inv_commit_apply(const struct inv_commit *c, const struct inv_commit_target *to)
{
	uint32_t cell = (uint32_t)c->places, pair = (uint32_t)(c->places >> 32);
	uint32_t bucket = (uint32_t)c->bucket, inflight = (uint32_t)(c->bucket >> 32);
	apply_slot(c, to);
	if (cell < to->cell_count && bucket < INV_HIST_BUCKETS) {
		put(&to->cells[cell].bucket[bucket], c->bucket_value);
		put(&to->cells[cell].sum_ticks, c->sum_ticks);
		put(&to->cells[cell].self_ticks, c->self_ticks);
		put(&to->cells[cell].min_ticks, c->min_ticks);
		put(&to->cells[cell].max_ticks, c->max_ticks);
		put(&to->cells[cell].last_ticks, c->last_ticks);
		put(&to->cells[cell].last_tick, c->last_tick);
	}
	if (pair < to->pair_count) {
		put(&to->pairs[pair].calls, c->pair_calls);
		put(&to->pairs[pair].failures, c->pair_failures);
		put(&to->pairs[pair].sum_ticks, c->pair_sum_ticks);
	}
	if (inflight && inflight <= INV_INFLIGHT_MAX)
		put(&to->lane->inflight[inflight - 1].ordinal_1, 0);
	if (c->slot && c->inherited > get(&to->lane->inherited))
		put(&to->lane->events, get(&to->lane->events) + 1);
	put(&to->lane->abandoned, c->abandoned);
	put(&to->lane->inherited, c->inherited);
	put(&to->lane->returned, c->returned);
	if (c->head > get(&to->lane->head))
		put(&to->lane->head, c->head);
}

uint64_t inv_lane_open_calls(const struct inv_lane *lane)
{
	uint64_t in = get(&lane->begun) + get(&lane->inherited);
	uint64_t out = get(&lane->returned) + get(&lane->abandoned) + get(&lane->never_returned) +
		       get(&lane->moved);
	return in > out ? in - out : 0;
}

/* ---- settling --------------------------------------------------------------------- */

static void target_in_place(struct inv_segment *seg, uint32_t index, struct inv_commit_target *to)
{
	struct inv_lane_row *row = &seg->rows[index];
	to->lane = inv_segment_lane(seg, index);
	to->cells = inv_segment_cells(seg, index);
	to->cell_count = (uint32_t)get(&to->lane->cell_count);
	to->pairs = inv_segment_pairs(seg, index);
	to->pair_count = atomic_load_explicit(&row->pair_slots, memory_order_relaxed);
	to->ring = inv_segment_ring(seg, index);
	to->ring_slots = atomic_load_explicit(&row->ring_slots, memory_order_relaxed);
	if (!to->ring_slots)
		to->ring = NULL;
}

static void redo_in_place(const struct inv_commit_target *to)
{
	struct inv_commit commit;
	if (!get(&to->lane->in_slot))
		return;
	inv_commit_load(&commit, &to->lane->redo);
	inv_commit_apply(&commit, to);
	INV_TEST_POINT(settle_redone);
	inv_commit_close(to->lane);
}

/* The slot that was being written when its writer died: an empty text, never an event [K3]. */
static void bury_open_slot(const struct inv_commit_target *to)
{
	if (!to->ring)
		return;
	uint64_t next = get(&to->lane->head) + 1;
	struct inv_slot *slot = inv_ring_slot(to->ring, to->ring_slots - 1, next);
	uint64_t seq = get(&slot->seq);
	if (INV_SEQ_INDEX(seq) != next)
		return;
	if (INV_SEQ_STATE(seq) == INV_SLOT_BUSY) {
		inv_word_store(&((struct inv_text_slot *)slot)->meta, 0);
		inv_slot_publish(&slot->seq, next, INV_SLOT_TEXT);
	} else if (INV_SEQ_STATE(seq) != INV_SLOT_TEXT) {
		put(&to->lane->events, get(&to->lane->events) + 1);
	}
	inv_ring_advance(to->lane, next);
}

/*
 * Keeps the name of a call that will never return, by its ordinal, so that settling again
 * writes the same; `taken` are the places of calls that were open at the same time.
 */
static struct inv_inflight *name_the_lost(struct inv_lane *lane, const struct inv_inflight *from,
					  uint32_t *taken)
{
	uint64_t ordinal_1 = get(&from->ordinal_1);
	if (!ordinal_1 || ordinal_1 > get(&lane->begun))
		return NULL;
	uint32_t at = (uint32_t)((ordinal_1 - 1) % INV_INFLIGHT_MAX);
	while (*taken >> at & 1)
		at = (at + 1) % INV_INFLIGHT_MAX;
	*taken |= 1u << at;
	struct inv_inflight *to = &lane->ended[at];
	put(&to->ordinal_1, 0);
	inv_fence_reuse();
	put(&to->call, get(&from->call));
	put(&to->start_ticks, get(&from->start_ticks));
	put(&to->tick, get(&from->tick));
	put(&to->who, get(&from->who));
	put(&to->what, get(&from->what));
	put(&to->where, get(&from->where));
	put(&to->owner, get(&from->owner));
	/* [B9] release: the entry before its ordinal; pairs with inv_view_lane */
	atomic_store_explicit(&to->ordinal_1, ordinal_1, memory_order_release);
	return to;
}

/*
 * From here on no other thread can have the call's return counted as moved. Where one had
 * before, its count is seen, and the call is not one that never returned.
 */
static void close_entry(struct inv_inflight *entry, struct inv_inflight *lost)
{
	/* [B14] acquire: `moved` is read after the entry; pairs with tell_first_lane */
	if (!atomic_exchange_explicit(&entry->ordinal_1, 0, memory_order_acquire) && lost)
		put(&lost->ordinal_1, 0);
}

static void count_the_lost(struct inv_lane *lane)
{
	put(&lane->never_returned, get(&lane->never_returned) + inv_lane_open_calls(lane));
}

static void settle(const struct inv_commit_target *to)
{
	struct inv_lane *lane = to->lane;
	struct inv_inflight *lost[INV_INFLIGHT_MAX];
	uint32_t taken = 0;
	redo_in_place(to);
	bury_open_slot(to);
	for (unsigned i = 0; i < INV_INFLIGHT_MAX; i++)
		lost[i] = name_the_lost(lane, &lane->inflight[i], &taken);
	INV_TEST_POINT(settle_named);
	for (unsigned i = 0; i < INV_INFLIGHT_MAX; i++)
		close_entry(&lane->inflight[i], lost[i]);
	INV_TEST_POINT(settle_closed);
	count_the_lost(lane);
	INV_TEST_POINT(settle_counted);
	put(&lane->redo.abandoned, get(&lane->abandoned));
	put(&lane->redo.inherited, get(&lane->inherited));
	put(&lane->redo.head, 0);
}

void inv_lane_settle(struct inv_segment *seg, uint32_t lane)
{
	struct inv_commit_target to;
	target_in_place(seg, lane, &to);
	settle(&to);
}

void inv_lane_redo(struct inv_segment *seg, uint32_t lane)
{
	struct inv_commit_target to;
	target_in_place(seg, lane, &to);
	redo_in_place(&to);
	bury_open_slot(&to);
	put(&to.lane->redo.abandoned, get(&to.lane->abandoned));
	put(&to.lane->redo.inherited, get(&to.lane->inherited));
	put(&to.lane->redo.head, 0);
}

/* ---- granting --------------------------------------------------------------------- */

static uint64_t offset_of(const struct inv_segment *seg, const void *p)
{
	return (uint64_t)((const unsigned char *)p - seg->base);
}

/* What is left of the third that rings and large tables may take. */
static uint64_t left_for_events(const struct inv_segment *seg)
{
	uint64_t left = inv_segment_budget_left(seg);
	uint64_t kept = seg->header->budget_bytes / 3 * 2;
	return left > kept ? left - kept : 0;
}

static bool grant_pairs(struct inv_segment *seg, uint32_t lane)
{
	struct inv_lane_row *row = &seg->rows[lane];
	uint32_t most = seg->header->pair_slots;
	uint32_t least = PAIR_SLOTS_LEAST < most ? PAIR_SLOTS_LEAST : most;
	uint32_t slots = inv_segment_afford(left_for_events(seg) / RING_SHARE,
					    sizeof(struct inv_pair), least, most);
	if (inv_segment_reserve(seg, offset_of(seg, inv_segment_pairs(seg, lane)),
				(uint64_t)slots * sizeof(struct inv_pair)))
		return false;
	atomic_store_explicit(&row->pair_slots, slots, memory_order_relaxed);
	return true;
}

static void grant_ring(struct inv_segment *seg, uint32_t lane)
{
	uint32_t most = seg->header->ring_slots;
	uint32_t slots = inv_segment_afford(left_for_events(seg) / RING_SHARE,
					    sizeof(struct inv_slot), RING_SLOTS_LEAST, most);
	uint64_t at = offset_of(seg, inv_segment_ring(seg, lane));
	for (; slots >= RING_SLOTS_LEAST; slots /= 2)
		if (!inv_segment_reserve(seg, at, (uint64_t)slots * sizeof(struct inv_slot))) {
			atomic_store_explicit(&seg->rows[lane].ring_slots, slots,
					      memory_order_relaxed);
			return;
		}
}

uint32_t inv_lane_grow_cells(struct inv_segment *seg, uint32_t lane)
{
	struct inv_lane_row *row = &seg->rows[lane];
	uint32_t have = atomic_load_explicit(&row->cells_reserved, memory_order_relaxed);
	uint32_t more = seg->header->cell_slots - have;
	if (more > CELL_CHUNK)
		more = CELL_CHUNK;
	uint64_t at = offset_of(seg, inv_segment_cells(seg, lane) + have);
	if (!more || inv_segment_reserve(seg, at, (uint64_t)more * sizeof(struct inv_cell)))
		return have;
	atomic_store_explicit(&row->cells_reserved, have + more, memory_order_relaxed);
	return have + more;
}

static void add_other_cells(struct inv_segment *seg, uint32_t lane)
{
	struct inv_cell *cells = inv_segment_cells(seg, lane);
	struct inv_pair *pairs = inv_segment_pairs(seg, lane);
	put(&cells[INV_CELL_OTHER_OK].key, INV_CELL_KEY(0, 0, 0, 0));
	put(&cells[INV_CELL_OTHER_FAILED].key, INV_CELL_KEY(0, 0, 0, 1));
	put(&pairs[0].key, INV_PAIR_KEY(0, 0));
	/* [B4] release: the keys before the count; pairs with inv_view_lane */
	atomic_store_explicit(&inv_segment_lane(seg, lane)->cell_count, 2, memory_order_release);
}

static void mend_size(inv_a32 *word, uint32_t least, uint32_t most)
{
	uint32_t slots = atomic_load_explicit(word, memory_order_relaxed);
	if (slots && (slots < least || slots > most || (slots & (slots - 1))))
		atomic_store_explicit(word, 0, memory_order_relaxed);
}

/*
 * A stray store of the program may have hit the row: sizes that cannot be are granted anew.
 * From here on they are believed, and nothing outside the segment is ever written to.
 */
static void mend(struct inv_segment *seg, uint32_t lane)
{
	struct inv_lane_row *row = &seg->rows[lane];
	mend_size(&row->ring_slots, RING_SLOTS_LEAST, seg->header->ring_slots);
	mend_size(&row->pair_slots, 2, seg->header->pair_slots);
	if (atomic_load_explicit(&row->cells_reserved, memory_order_relaxed) >
	    seg->header->cell_slots)
		atomic_store_explicit(&row->cells_reserved, 0, memory_order_relaxed);
}

/* No more cells than may be stored to. */
static void mend_cells(struct inv_segment *seg, uint32_t lane)
{
	inv_a64 *count = &inv_segment_lane(seg, lane)->cell_count;
	uint32_t reserved =
		atomic_load_explicit(&seg->rows[lane].cells_reserved, memory_order_relaxed);
	if (get(count) < 2)
		add_other_cells(seg, lane);
	else if (get(count) > reserved)
		put(count, reserved);
}

/* Makes a lane usable; a lane half granted by a claimer that died is granted the rest. */
static bool grant(struct inv_segment *seg, uint32_t lane)
{
	struct inv_lane_row *row = &seg->rows[lane];
	mend(seg, lane);
	if (!atomic_load_explicit(&row->cells_reserved, memory_order_relaxed)) {
		uint64_t at = offset_of(seg, inv_segment_lane(seg, lane));
		if (inv_segment_reserve(seg, at, sizeof(struct inv_lane)) ||
		    !inv_lane_grow_cells(seg, lane))
			return false;
	}
	if (!atomic_load_explicit(&row->pair_slots, memory_order_relaxed) &&
	    !grant_pairs(seg, lane))
		return false;
	mend_cells(seg, lane);
	if (!atomic_load_explicit(&row->ring_slots, memory_order_relaxed))
		grant_ring(seg, lane);
	return true;
}

/* ---- claiming ---------------------------------------------------------------------- */

struct claimer {
	struct inv_segment *seg;
	const struct inv_self *self;
	uint64_t owner;
	uint32_t first_asked; /* lane */
	uint32_t asked;
	/* Liveness of each row's current generation, once known: 0 unknown yet, else 1 + value. */
	uint8_t verdict[INV_PROCS_MAX];
};

static bool process_dead(struct claimer *c, uint16_t row, uint16_t generation)
{
	if (row >= INV_PROCS_MAX)
		return false;
	uint64_t state = atomic_load_explicit(&c->seg->procs[row].state, memory_order_relaxed);
	if (INV_PROC_GENERATION(state) != generation)
		return true; /* the row has been taken again, which only a dead one's is */
	if (!c->verdict[row]) {
		if (c->asked == LIVENESS_ASKED_MOST)
			return false;
		c->asked++;
		c->verdict[row] = (uint8_t)(1 + inv_proc_row_liveness(c->seg, c->self, row));
	}
	return c->verdict[row] == 1 + INV_LIVENESS_DEAD;
}

static bool owner_dead(struct claimer *c, uint64_t owner)
{
	uint32_t tid = INV_OWNER_TID(owner);
	if (!inv_sandbox_allows(INV_ASK_LOOK))
		return false;
	if (owner >> 32 == c->owner >> 32) /* a thread of our own process */
		return tid == INV_OWNER_TID(c->owner) ||
		       (syscall(SYS_tgkill, getpid(), (pid_t)tid, 0) && errno == ESRCH);
	return process_dead(c, INV_OWNER_ROW(owner), INV_OWNER_GENERATION(owner));
}

static bool take(struct claimer *c, uint32_t lane, uint64_t from)
{
	/* [B6] acquire: the former owner's stores are seen; release: ours come after it */
	return atomic_compare_exchange_strong_explicit(&c->seg->rows[lane].owner, &from, c->owner,
						       memory_order_acq_rel, memory_order_relaxed);
}

static void note_touched(struct inv_segment *seg, uint32_t lane)
{
	uint32_t have = atomic_load_explicit(&seg->shared->lanes_touched, memory_order_relaxed);
	while (have <= lane &&
	       !atomic_compare_exchange_weak_explicit(&seg->shared->lanes_touched, &have, lane + 1,
						      memory_order_relaxed, memory_order_relaxed))
		;
}

/* Whether its memory is paid for. */
static bool is_granted(const struct claimer *c, uint32_t lane)
{
	inv_a32 *pairs = &c->seg->rows[lane].pair_slots; /* its tallies, which come last */
	return atomic_load_explicit(pairs, memory_order_relaxed) != 0;
}

static uint32_t find_free(struct claimer *c, uint32_t touched, bool granted)
{
	for (uint32_t i = 0; i < touched; i++)
		if (is_granted(c, i) == granted && !get(&c->seg->rows[i].owner) && take(c, i, 0))
			return i;
	return INV_LANE_NONE;
}

/* Not always from the first: only so many are asked whether they live. */
static uint32_t find_dead(struct claimer *c, uint32_t touched, bool granted)
{
	for (uint32_t n = 0; n < touched; n++) {
		uint32_t i = (c->first_asked + n) % touched;
		uint64_t owner = get(&c->seg->rows[i].owner);
		if (is_granted(c, i) == granted && owner && owner_dead(c, owner) &&
		    take(c, i, owner))
			return i;
	}
	return INV_LANE_NONE;
}

/*
 * Lanes whose memory is paid for come first. Among the others is one, once there is no more
 * memory, that nobody can use.
 */
static uint32_t find_used(struct claimer *c)
{
	uint32_t touched =
		atomic_load_explicit(&c->seg->shared->lanes_touched, memory_order_relaxed);
	uint32_t lane = INV_LANE_NONE;
	if (touched > c->seg->header->lane_count)
		touched = c->seg->header->lane_count;
	for (int granted = 1; granted >= 0 && lane == INV_LANE_NONE; granted--) {
		lane = find_free(c, touched, granted);
		if (lane == INV_LANE_NONE)
			lane = find_dead(c, touched, granted);
	}
	return lane;
}

static uint32_t find_fresh(struct claimer *c)
{
	for (uint32_t i = 0; i < c->seg->header->lane_count; i++)
		if (!get(&c->seg->rows[i].owner) && take(c, i, 0))
			return i;
	return INV_LANE_NONE;
}

uint32_t inv_lane_claim(struct inv_segment *seg, const struct inv_self *self, uint64_t owner)
{
	static inv_a32 turn;
	uint32_t first =
		atomic_fetch_add_explicit(&turn, LIVENESS_ASKED_MOST, memory_order_relaxed);
	struct claimer c = {.seg = seg,
			    .self = self,
			    .owner = owner,
			    .first_asked = first + INV_OWNER_TID(owner)};
	int saved = errno;
	uint32_t lane = find_used(&c);
	if (lane == INV_LANE_NONE)
		lane = find_fresh(&c);
	if (lane != INV_LANE_NONE) {
		note_touched(seg, lane);
		INV_TEST_POINT(lane_claimed);
		if (grant(seg, lane)) {
			INV_TEST_POINT(lane_reserved);
			atomic_fetch_add_explicit(&seg->rows[lane].claims, 1, memory_order_relaxed);
			inv_lane_settle(seg, lane);
		} else {
			put(&seg->rows[lane].owner, 0); /* nothing of it was used */
			lane = INV_LANE_NONE;
		}
	}
	errno = saved;
	return lane;
}

void inv_lane_release(struct inv_segment *seg, uint32_t lane)
{
	inv_lane_settle(seg, lane);
	INV_TEST_POINT(lane_released);
	/* [B6] release: all of the lane before it is free; pairs with take */
	atomic_store_explicit(&seg->rows[lane].owner, 0, memory_order_release);
	atomic_fetch_add_explicit(&seg->shared->lane_changes, 1, memory_order_relaxed);
}

/* SPDX-License-Identifier: MIT */
/*
 * ring.h - the event ring of a lane: one writer that never waits, readers that cannot hurt it.
 *
 * An event has one slot. It is written at entry of the call (attempt) and completed in
 * place at return (done). The index of a slot grows for ever; its place is the index
 * modulo the ring's size, so that `seq` (index and state) tells a reader whether what it
 * copied is what it asked for. Being lapped is a normal answer, not an error.
 *
 *   BUSY(i) --fields--> ATTEMPT(i) --duration, outcome--> DONE(i) --lap--> BUSY(i + size)
 *                           |  ^
 *                 jumped over  a return always wins
 *                           v  |
 *                        ABANDONED(i)
 *   BUSY(i) --bytes--> TEXT(i)          messages; never completed later
 *
 * A call that outlives its slot (its own children lapped it) is written anew at return,
 * whole, under a new index, flagged REWRITTEN, and its text names the first index.
 *
 * Claims
 * [K1] Wait-free writer: a bounded number of plain stores, no loop, no read-modify-write.
 * [K2] The words that are read in state ATTEMPT are not stored to until the slot is BUSY
 *      again: a reader that sees ATTEMPT before and after copying has a whole attempt.
 * [K3] A writer killed anywhere leaves ATTEMPT or DONE slots whole; the one that it was
 *      writing is BUSY beyond `head` (settle turns it into an empty TEXT) or completed by
 *      the redo record (lane.h).
 * [K4] Readers are wait-free too: one copy, one answer; they decide whether to come back.
 *
 * Barriers (store side -> load side: what breaks without it)
 * [B0] segment.ready release -> acquire in inv_segment_check: a joiner reads zeros for sizes.
 * [B1] seq release (ATTEMPT, DONE, TEXT) -> seq acquire in the reader: fields of the
 *      former lap under the new seq.
 * [B2] head release -> head acquire: the reader asks for a slot not yet published; it
 *      would only come back in vain.
 * [B3] fence release after BUSY -> fence acquire before the second look at seq: fields of
 *      the next lap under the old seq.
 * [B4] cell_count and pair key release -> acquire: a reader adds up a cell or pair whose
 *      first call it half sees.
 * [B5] in_slot release (set, and cleared) -> acquire: redo values applied before they are
 *      whole, or a commit taken as finished that is not.
 * [B11] fence release after in_slot is cleared -> fence acquire between a reader's two looks:
 *      the next commit's record under the last one's number. (Found by tests/model/model.c:
 *      a release store does not hold back the stores after it; x86 never shows it.) The same
 *      fences stand between the end of an in-flight entry and the next call that takes it.
 * [B6] lane owner: release in release, acq_rel CAS in claim: the new owner does not see
 *      the last stores of the former one.
 * [B7] proc state LIVE release -> acquire: a reader judges liveness by a zero start time.
 * [B8] note state release -> acquire: half a note.
 * [B9] begun release -> acquire: an in-flight entry whose fields are older than its ordinal.
 * [B10] flag of an overflow name cache: clear release -> test-and-set acquire.
 * [B14] end of an in-flight entry by another thread, release -> exchange acquire in settle: a
 *      call counted as moved, and as never returned too.
 * [B15] epoch in the page that fork wipes, and the word of who sees to a fork: release -> acquire:
 *      another thread of a fork child goes on with its parent's process row.
 * [N1] name entry CAS release -> acquire: an id whose text is not there yet (names.h).
 *
 * gcc's TSan does not model fences: with INV_TSAN the two fences of [B3] become release
 * and acquire operations on the words themselves.
 */
#ifndef INV_SHM_RING_H
#define INV_SHM_RING_H

#include <stdint.h>

#include "layout.h"
#include "testpoint.h"

#if defined(__SANITIZE_THREAD__)
#define INV_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define INV_TSAN 1
#endif
#endif

/* Slot words behind seq: under TSan the fence's order is put on each word. */
#ifdef INV_TSAN
#define INV_WORD_STORE memory_order_release /* [B3] release: stands in for the fence */
#define INV_WORD_LOAD  memory_order_acquire /* [B3] acquire: stands in for the fence */
#else
#define INV_WORD_STORE memory_order_relaxed
#define INV_WORD_LOAD  memory_order_relaxed
#endif

static inline struct inv_slot *inv_ring_slot(struct inv_slot *ring, uint64_t mask, uint64_t index)
{
	return &ring[index & mask];
}

/* The slot now belongs to `index` and is worth nothing to readers until published. */
static inline void inv_slot_open(inv_a64 *seq, uint64_t index)
{
	atomic_store_explicit(seq, INV_SEQ(index, INV_SLOT_BUSY), memory_order_relaxed);
#ifndef INV_TSAN
	/* [B3] release: BUSY before any field; pairs with the fence in the reader */
	atomic_thread_fence(memory_order_release);
#endif
}

static inline void inv_word_store(inv_a64 *word, uint64_t value)
{
	atomic_store_explicit(word, value, INV_WORD_STORE);
}

static inline uint64_t inv_word_load(const inv_a64 *word)
{
	return atomic_load_explicit((inv_a64 *)word, INV_WORD_LOAD);
}

static inline void inv_slot_publish(inv_a64 *seq, uint64_t index, enum inv_slot_state state)
{
	/* [B1] release: fields before their state; pairs with the reader's first look */
	atomic_store_explicit(seq, INV_SEQ(index, state), memory_order_release);
}

/* Between the end of a record, or of an in-flight entry, and the next one in its place. */
static inline void inv_fence_reuse(void)
{
#ifndef INV_TSAN
	/* [B11] release: the end before what comes next; pairs with the second looks in view.c */
	atomic_thread_fence(memory_order_release);
#endif
}

/* The redo record is worth nothing from here on, and may be stored to again. */
static inline void inv_commit_close(struct inv_lane *lane)
{
	/* [B5] release: the whole commit before its end; pairs with inv_view_lane */
	atomic_store_explicit(&lane->in_slot, 0, memory_order_release);
	inv_fence_reuse();
}

static inline void inv_ring_advance(struct inv_lane *lane, uint64_t head)
{
	/* [B2] release: the slot before head; pairs with inv_view_head */
	atomic_store_explicit(&lane->head, head, memory_order_release);
}

#endif

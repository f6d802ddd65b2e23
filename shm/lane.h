/* SPDX-License-Identifier: MIT */
/*
 * lane.h - who owns a lane, how it changes hands, and how a cut-off commit is finished.
 *
 * A lane belongs to one thread by one word (row of the process, generation, tid). Tallies
 * and ring are keyed by what was called, not by who, so that the next owner simply goes on.
 *
 * Life: free -> owned -> free (thread exit), or owned by a dead thread -> owned by the one
 * that takes it over. A thread counts as dead when its process is dead in our own pid
 * namespace and boot, or when it is a tid of our own process that no longer exists.
 * Elsewhere liveness is unknown and nothing is taken.
 *
 * [R1] Commit: a returning call first stores all that it will change into the redo record,
 *      in absolute values, then sets in_slot. From that store on the call counts as
 *      returned: whoever finds in_slot set (a reader in its copy, a new owner in place, the
 *      same thread after a longjmp) stores the record's values again, which is harmless.
 * [R2] Settling is idempotent: each step stores absolute values or what can be derived
 *      from counters, so that a settler killed anywhere leaves a lane to be settled again.
 * [I1] begun + inherited = returned + abandoned + never_returned + moved + in flight.
 * [I2] An in-flight entry counts only when its ordinal has been counted in begun.
 *
 * Progress: claiming looks at each lane once: lock-free. It makes system calls (to
 * reserve memory, to ask for liveness) and is never on the hot path.
 */
#ifndef INV_SHM_LANE_H
#define INV_SHM_LANE_H

#include <stdbool.h>
#include <stdint.h>

#include "proc.h"
#include "segment.h"

#define INV_LANE_NONE UINT32_MAX

/* The values of a redo record, out of shared memory. */
struct inv_commit {
	uint64_t slot, duration_ticks, outcome, places, bucket, bucket_value;
	uint64_t sum_ticks, self_ticks, min_ticks, max_ticks, last_ticks, last_tick;
	uint64_t pair_calls, pair_failures, pair_sum_ticks;
	uint64_t returned, abandoned, inherited, head;
};

/* Where a commit goes: a lane in place, or a reader's copy (ring NULL there). */
struct inv_commit_target {
	struct inv_lane *lane;
	struct inv_cell *cells;
	uint32_t cell_count;
	struct inv_pair *pairs;
	uint32_t pair_count;
	struct inv_slot *ring;
	uint64_t ring_slots;
};

void inv_commit_load(struct inv_commit *out, const struct inv_redo *redo);

/* Applies a commit; places beyond the target's bounds are ignored. */
void inv_commit_apply(const struct inv_commit *commit, const struct inv_commit_target *to);

/* Calls in flight by [I1]; 0 where counters contradict each other. */
uint64_t inv_lane_open_calls(const struct inv_lane *lane);

/*
 * Claims a lane for `owner` and settles it.
 * Returns: its index, or INV_LANE_NONE: none is free, or no memory for its tallies.
 */
uint32_t inv_lane_claim(struct inv_segment *seg, const struct inv_self *self, uint64_t owner);

/* Finishes what a former owner left: [R1], [R2]. Only by the owner of the lane. */
void inv_lane_settle(struct inv_segment *seg, uint32_t lane);

/* Finishes only a commit in progress: for the same thread, after a longjmp out of us. */
void inv_lane_redo(struct inv_segment *seg, uint32_t lane);

/* Settles (open calls become never_returned) and frees. Only by the owner. */
void inv_lane_release(struct inv_segment *seg, uint32_t lane);

/* Reserves further cells. Returns: how many may now be stored to. */
uint32_t inv_lane_grow_cells(struct inv_segment *seg, uint32_t lane);

#endif

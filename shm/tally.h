/* SPDX-License-Identifier: MIT */
/*
 * tally.h - exact statistics of constant size: histogram arithmetic and places.
 *
 * A cell holds the calls of one (artifact, method, outcome) as a log-linear histogram of
 * durations: 8 buckets to an octave, so that a bucket is at most 12.5 % wide (the scheme
 * of HdrHistogram with three bits of precision). A pair holds those of one (invoker,
 * artifact). One table over all four keys was tried and rejected: at 2,048 tuples it cost
 * 440 ns a call in cache misses.
 *
 * [T1] The number of calls in a cell is the sum of its buckets: the store to one bucket
 *      commits a call. Sums, minimum and maximum may lag it; the redo record makes them
 *      exact (lane.h, [R1]).
 * [T2] Cells of a lane are appended, never moved or removed; what finds no room goes to
 *      the _other cell of its outcome, and is counted.
 *
 * Wait-free: bounded probes, no loops on others' progress.
 */
#ifndef INV_SHM_TALLY_H
#define INV_SHM_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "layout.h"
#include "segment.h"

/* Returns: the bucket of a duration, below INV_HIST_BUCKETS. */
static inline uint32_t inv_bucket_of(uint64_t ticks)
{
	/* The octaves below 8 are taken for one of width 1, whose buckets are 0 to 7. */
	uint32_t top = 63u ^ (uint32_t)__builtin_clzll(ticks | (1u << INV_HIST_SUB_BITS));
	if (__builtin_expect(top >= INV_HIST_TOP_BITS, 0))
		return INV_HIST_BUCKETS - 1;
	uint32_t shift = top - INV_HIST_SUB_BITS;
	return (shift << INV_HIST_SUB_BITS) + (uint32_t)(ticks >> shift);
}

/* Returns: the smallest duration in a bucket. */
static inline uint64_t inv_bucket_low(uint32_t bucket)
{
	if (bucket < (1u << INV_HIST_SUB_BITS))
		return bucket;
	return (uint64_t)(8u | (bucket & 7u)) << ((bucket >> INV_HIST_SUB_BITS) - 1);
}

/* Spreads a key over a table of 2^bits places, two or more (Fibonacci hashing). */
static inline uint32_t inv_key_place(uint64_t key, uint32_t bits)
{
	return (uint32_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> (-bits & 63)); /* 64 - bits */
}

/* Overflow region only: counts one call, by atomic additions. Lock-free. */
void inv_overflow_tally(struct inv_segment *seg, uint64_t cell_key, uint64_t pair_key,
			uint64_t start_ticks, uint64_t duration_ticks, int64_t tick);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * tally.c - the overflow region's tallies: many writers, no owner.
 *
 * Used by threads beyond the lanes, processes without a row, and signal handlers that
 * interrupt our own record. Each word is added to atomically, the bucket first: a writer
 * killed between leaves sums that lag by one call, which is the one inexactness of this
 * region and said so in the documentation; counts are exact.
 */
#include "tally.h"

#include "testpoint.h"

#define EXTREME_TRIES 8 /* a lost race for min or max is retried this often, then dropped */

static void add(inv_a64 *word, uint64_t value)
{
	atomic_fetch_add_explicit(word, value, memory_order_relaxed);
}

/* Finds or claims a place for key among `count` places of `stride` bytes. */
static uint32_t shared_place(unsigned char *base, uint32_t stride, uint32_t count, uint32_t first,
			     uint64_t key)
{
	uint32_t bits = 31u - (uint32_t)__builtin_clz(count);
	uint32_t at = inv_key_place(key, bits);
	for (uint32_t probe = 0; probe < INV_CELL_PROBES; probe++, at = (at + 1) & (count - 1)) {
		if (at < first)
			continue;
		inv_a64 *word = (inv_a64 *)(base + (uint64_t)at * stride); /* key is field 0 */
		uint64_t have = atomic_load_explicit(word, memory_order_relaxed);
		/* A zero cell is a complete empty one [L3]: publishing the key orders nothing. */
		if (!have && atomic_compare_exchange_strong_explicit(
				     word, &have, key, memory_order_relaxed, memory_order_relaxed))
			return at;
		if (have == key)
			return at;
	}
	return UINT32_MAX;
}

static void extreme(inv_a64 *word, uint64_t value, bool want_less)
{
	uint64_t have = atomic_load_explicit(word, memory_order_relaxed);
	for (int i = 0; i < EXTREME_TRIES; i++) {
		if (have && (want_less ? have <= value : have >= value))
			return;
		if (atomic_compare_exchange_strong_explicit(
			    word, &have, value, memory_order_relaxed, memory_order_relaxed))
			return;
	}
}

static void add_to_cell(struct inv_cell *cell, uint64_t start, uint64_t duration, int64_t tick)
{
	add(&cell->bucket[inv_bucket_of(duration)], 1);
	INV_TEST_POINT(overflow_bucket);
	add(&cell->sum_ticks, duration);
	add(&cell->self_ticks, duration);
	extreme(&cell->min_ticks, duration ? duration : 1, true);
	extreme(&cell->max_ticks, duration, false);
	extreme(&cell->first_ticks, start, true);
	extreme(&cell->last_ticks, start + duration, false);
	atomic_store_explicit(&cell->last_tick, (uint64_t)tick, memory_order_relaxed);
}

void inv_overflow_tally(struct inv_segment *seg, uint64_t cell_key, uint64_t pair_key,
			uint64_t start_ticks, uint64_t duration_ticks, int64_t tick)
{
	uint32_t failed = (uint32_t)INV_CELL_FAILED(cell_key);
	uint32_t cell = shared_place((unsigned char *)seg->overflow_cells, sizeof(struct inv_cell),
				     seg->header->overflow_cells, 2, cell_key);
	uint32_t pair = shared_place((unsigned char *)seg->overflow_pairs, sizeof(struct inv_pair),
				     seg->header->overflow_pairs, 1, pair_key);
	INV_TEST_POINT(overflow_cell);
	if (cell == UINT32_MAX) {
		inv_segment_lose(seg, INV_LOSS_TALLY_OVERFLOW, 1);
		cell = failed ? INV_CELL_OTHER_FAILED : INV_CELL_OTHER_OK;
	}
	if (pair == UINT32_MAX) {
		inv_segment_lose(seg, INV_LOSS_PAIR_OVERFLOW, 1);
		pair = 0;
	}
	struct inv_pair *p = &seg->overflow_pairs[pair];
	add_to_cell(&seg->overflow_cells[cell], start_ticks, duration_ticks, tick);
	add(&p->calls, 1);
	add(&p->failures, failed);
	add(&p->sum_ticks, duration_ticks);
}

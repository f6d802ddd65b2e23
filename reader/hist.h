/* SPDX-License-Identifier: MIT */
/*
 * hist.h - one tally as the reader holds it: a histogram with sums, added up freely.
 *
 * The buckets are those of the segment (base 2, 8 to an octave, 12.5 % wide), so that
 * adding two histograms is adding their buckets, and nothing is lost but what the buckets
 * lost. Values are in the unit of whoever fills it: clock ticks from a segment,
 * nanoseconds from event lines; the registry knows the factor.
 */
#ifndef INV_READER_HIST_H
#define INV_READER_HIST_H

#include <stdint.h>

#include "shm/layout.h"
#include "shm/tally.h"

#define INV_HIST_WIDTH_PERCENT 12.5

struct inv_hist {
	uint64_t count;
	uint64_t sum;
	uint64_t self;
	uint64_t min; /* meaningless while count is 0 */
	uint64_t max;
	uint64_t last;	   /* clock at the end of the last call; 0 = not known */
	int64_t last_tick; /* simulation's at the last call: the highest of equally late ones */
	uint64_t bucket[INV_HIST_BUCKETS];
};

/* One call more, that ended at clock `last`, with `self` of its time its own. */
void inv_hist_record(struct inv_hist *hist, uint64_t value, uint64_t self, uint64_t last,
		     int64_t last_tick);

void inv_hist_add(struct inv_hist *to, const struct inv_hist *from);

/* A copy of one that another thread may be changing: each word whole. */
void inv_hist_copy(struct inv_hist *to, const struct inv_hist *from);

/* Adds a tally of a segment (a copy: nobody writes it). */
void inv_hist_add_cell(struct inv_hist *to, const struct inv_cell *from);

/* fraction in [0, 1]. Returns: the bucket's midpoint, clamped to [min, max]; 0 of nothing. */
double inv_hist_percentile(const struct inv_hist *hist, double fraction);

#endif

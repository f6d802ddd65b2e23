/* SPDX-License-Identifier: MIT */
#include "hist.h"

#include <math.h>

#define SUB (1u << INV_HIST_SUB_BITS)

uint32_t inv_hist_bucket(uint64_t value)
{
	if (value < SUB)
		return (uint32_t)value;
	unsigned e = 63u - (unsigned)__builtin_clzll(value);
	uint32_t sub = (uint32_t)(value >> (e - INV_HIST_SUB_BITS)) & (SUB - 1);
	uint32_t i = ((e - INV_HIST_SUB_BITS + 1) << INV_HIST_SUB_BITS) | sub;
	return i < INV_HIST_BUCKETS ? i : INV_HIST_BUCKETS - 1;
}

uint64_t inv_hist_floor(uint32_t bucket)
{
	if (bucket < SUB)
		return bucket;
	return (uint64_t)(SUB + (bucket & (SUB - 1))) << ((bucket >> INV_HIST_SUB_BITS) - 1);
}

static void widen(struct inv_hist *hist, uint64_t min, uint64_t max, uint64_t last,
		  int64_t last_tick)
{
	if (hist->count == 0 || min < hist->min)
		hist->min = min;
	if (max > hist->max)
		hist->max = max;
	if (hist->count == 0 || last >= hist->last) {
		hist->last = last;
		hist->last_tick = last_tick;
	}
}

void inv_hist_record(struct inv_hist *hist, uint64_t value, uint64_t last, int64_t last_tick)
{
	widen(hist, value, value, last, last_tick);
	hist->count++;
	hist->sum += value;
	hist->self += value;
	hist->bucket[inv_hist_bucket(value)]++;
}

void inv_hist_add(struct inv_hist *to, const struct inv_hist *from)
{
	if (from->count == 0)
		return;
	widen(to, from->min, from->max, from->last, from->last_tick);
	to->count += from->count;
	to->sum += from->sum;
	to->self += from->self;
	for (uint32_t i = 0; i < INV_HIST_BUCKETS; i++)
		to->bucket[i] += from->bucket[i];
}

#define LOAD(word) atomic_load_explicit(&(word), memory_order_relaxed)

void inv_hist_add_cell(struct inv_hist *to, const struct inv_cell *from)
{
	uint64_t count = 0;
	uint64_t added[INV_HIST_BUCKETS];
	for (uint32_t i = 0; i < INV_HIST_BUCKETS; i++)
		count += added[i] = LOAD(from->bucket[i]);
	if (count == 0)
		return;
	widen(to, LOAD(from->min_ticks), LOAD(from->max_ticks), LOAD(from->last_ticks),
	      LOAD(from->last_tick));
	to->count += count;
	to->sum += LOAD(from->sum_ticks);
	to->self += LOAD(from->self_ticks);
	for (uint32_t i = 0; i < INV_HIST_BUCKETS; i++)
		to->bucket[i] += added[i];
}

static double midpoint(const struct inv_hist *hist, uint32_t bucket)
{
	double low = (double)inv_hist_floor(bucket);
	double middle = low;
	if (bucket >= INV_HIST_BUCKETS - 1)
		middle = (double)hist->max; /* the last has no upper bound */
	else if (bucket >= SUB)
		middle = (low + (double)inv_hist_floor(bucket + 1) - 1) / 2;
	return fmax(fmin(middle, (double)hist->max), (double)hist->min);
}

double inv_hist_percentile(const struct inv_hist *hist, double fraction)
{
	uint64_t wanted = (uint64_t)ceil(fraction * (double)hist->count);
	uint64_t seen = 0;
	if (hist->count == 0)
		return 0;
	for (uint32_t i = 0; i < INV_HIST_BUCKETS; i++) {
		seen += hist->bucket[i];
		if (seen >= wanted && seen)
			return midpoint(hist, i);
	}
	return (double)hist->max;
}

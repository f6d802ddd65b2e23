/* SPDX-License-Identifier: MIT */
#include "hist.h"

#include <math.h>
#include <stdbool.h>

#define SUB (1u << INV_HIST_SUB_BITS)

/* One thread changes a histogram that others may be copying: plain words, never torn. */
#define SET(word, value) __atomic_store_n(&(word), (value), __ATOMIC_RELAXED)
#define ADD(word, value) SET(word, (word) + (value))

static void widen(struct inv_hist *hist, uint64_t min, uint64_t max, uint64_t last,
		  int64_t last_tick)
{
	if (hist->count == 0 || min < hist->min)
		SET(hist->min, min);
	if (max > hist->max)
		SET(hist->max, max);
	bool later = last == hist->last ? last_tick >= hist->last_tick : last > hist->last;
	if (hist->count == 0 || later) {
		SET(hist->last, last);
		SET(hist->last_tick, last_tick);
	}
}

void inv_hist_record(struct inv_hist *hist, uint64_t value, uint64_t self, uint64_t last,
		     int64_t last_tick)
{
	widen(hist, value, value, last, last_tick);
	ADD(hist->count, 1);
	ADD(hist->sum, value);
	ADD(hist->self, self);
	ADD(hist->bucket[inv_bucket_of(value)], 1);
}

void inv_hist_add(struct inv_hist *to, const struct inv_hist *from)
{
	if (from->count == 0)
		return;
	widen(to, from->min, from->max, from->last, from->last_tick);
	ADD(to->count, from->count);
	ADD(to->sum, from->sum);
	ADD(to->self, from->self);
	for (uint32_t i = 0; i < INV_HIST_BUCKETS; i++)
		if (from->bucket[i])
			ADD(to->bucket[i], from->bucket[i]);
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
	uint64_t min = LOAD(from->min_ticks); /* 0 = the first call is being counted */
	widen(to, min ? min : LOAD(from->max_ticks), LOAD(from->max_ticks), LOAD(from->last_ticks),
	      (int64_t)LOAD(from->last_tick));
	ADD(to->count, count);
	ADD(to->sum, LOAD(from->sum_ticks));
	ADD(to->self, LOAD(from->self_ticks));
	for (uint32_t i = 0; i < INV_HIST_BUCKETS; i++)
		if (added[i])
			ADD(to->bucket[i], added[i]);
}

void inv_hist_copy(struct inv_hist *to, const struct inv_hist *from)
{
	uint64_t *out = (uint64_t *)to;
	const uint64_t *in = (const uint64_t *)from;
	for (size_t i = 0; i < sizeof(*to) / sizeof(*out); i++)
		out[i] = __atomic_load_n(&in[i], __ATOMIC_RELAXED);
}

static double midpoint(const struct inv_hist *hist, uint32_t bucket)
{
	double low = (double)inv_bucket_low(bucket);
	double middle = low;
	if (bucket >= INV_HIST_BUCKETS - 1)
		middle = (double)hist->max; /* the last has no upper bound */
	else if (bucket >= SUB)
		middle = (low + (double)inv_bucket_low(bucket + 1) - 1) / 2;
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

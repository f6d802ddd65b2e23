/* SPDX-License-Identifier: MIT */
#include "timeline.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The kernel slews by at most 500 ppm; reading the clocks costs some microseconds. */
#define SLEW_MAX      1e-3
#define STEP_NOISE_NS 100000.0
#define DOUBT_FACTOR  1.01

static int by_ticks(const void *a, const void *b)
{
	const struct inv_anchor *x = a, *y = b;
	return (x->ticks > y->ticks) - (x->ticks < y->ticks);
}

static double rate_between(const struct inv_anchor *a, const struct inv_anchor *b)
{
	if (b->ticks <= a->ticks || b->boottime_ns <= a->boottime_ns)
		return 0;
	return (double)(b->boottime_ns - a->boottime_ns) / (double)(b->ticks - a->ticks);
}

static bool believable(double rate)
{
	return rate > 1e-3 && rate < 1e6;
}

static uint32_t sorted_copy(struct inv_anchor *to, const struct inv_anchor *from, uint32_t count)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < count && n < INV_TIMELINE_ANCHORS; i++)
		if (from[i].boottime_ns > 0 && from[i].realtime_ns > 0 && from[i].ticks)
			to[n++] = from[i];
	/* cppcheck-suppress uninitvar ; filled above, element by element */
	qsort(to, n, sizeof(*to), by_ticks);
	return n;
}

/* Of all anchors the pair that lies farthest apart and makes sense gives the overall rate. */
static double overall_rate(const struct inv_anchor *anchors, uint32_t count)
{
	for (uint32_t width = count; width >= 2; width--)
		for (uint32_t i = 0; i + width <= count; i++) {
			double rate = rate_between(&anchors[i], &anchors[i + width - 1]);
			if (believable(rate))
				return rate;
		}
	return 0;
}

/*
 * Two anchors read close together give a poor rate: the time it took to read them is
 * noise. Such a span, or a garbage one, takes the overall rate.
 */
static double span_rate(const struct inv_anchor *a, const struct inv_anchor *b, double overall)
{
	double rate = rate_between(a, b);
	if (!believable(rate) || rate > overall * DOUBT_FACTOR || rate * DOUBT_FACTOR < overall)
		return overall;
	double noise = (double)a->window_ticks + (double)b->window_ticks;
	return noise > 1e-4 * (double)(b->ticks - a->ticks) ? overall : rate;
}

static double civil_rate(struct inv_timeline *line, const struct inv_anchor *a,
			 const struct inv_anchor *b, double rate)
{
	double ticks = (double)(b->ticks - a->ticks);
	double civil = (double)b->realtime_ns - (double)a->realtime_ns;
	double off = fabs(civil - ticks * rate);
	if (off <= STEP_NOISE_NS + SLEW_MAX * ticks * rate)
		return civil / ticks;
	line->steps++;
	return rate;
}

static void add_span(struct inv_timeline *line, const struct inv_anchor *a,
		     const struct inv_anchor *next)
{
	struct inv_timeline_span *s = &line->spans[line->count++];
	*s = (struct inv_timeline_span){.ticks = a->ticks, .realtime_ns = a->realtime_ns};
	s->rate = s->realtime_rate = line->ns_per_tick;
	if (!next)
		return;
	if (line->rate_known)
		s->rate = span_rate(a, next, line->ns_per_tick);
	s->realtime_rate = civil_rate(line, a, next, s->rate);
}

/* Keeps the anchors that advance on both clocks. */
static uint32_t drop_garbage(struct inv_anchor *anchors, uint32_t count, double overall)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < count; i++) {
		if (n) {
			double rate = rate_between(&anchors[n - 1], &anchors[i]);
			double close = (double)(anchors[i].ticks - anchors[n - 1].ticks) * overall;
			bool same_pace = rate < overall * 2 && rate * 2 > overall;
			if (!believable(rate) || (!same_pace && close > STEP_NOISE_NS))
				continue;
		}
		anchors[n++] = anchors[i];
	}
	return n;
}

void inv_timeline_make(struct inv_timeline *line, enum inv_clock_kind kind,
		       const struct inv_anchor *anchors, uint32_t count)
{
	struct inv_anchor sorted[INV_TIMELINE_ANCHORS];
	uint32_t n = sorted_copy(sorted, anchors, count);
	memset(line, 0, sizeof(*line));
	double rate = kind == INV_CLOCK_MONOTONIC ? 1.0 : overall_rate(sorted, n);
	line->rate_known = rate > 0;
	line->ns_per_tick = line->rate_known ? rate : 1.0;
	n = drop_garbage(sorted, n, line->ns_per_tick);
	for (uint32_t i = 0; i < n; i++)
		add_span(line, &sorted[i], i + 1 < n ? &sorted[i + 1] : NULL);
	if (n == 0)
		line->count = 1, line->spans[0].rate = line->spans[0].realtime_rate = 1.0;
	else if (n > 1)
		line->spans[n - 1].rate = line->spans[n - 1].realtime_rate =
			line->spans[n - 2].rate;
	if (kind == INV_CLOCK_MONOTONIC)
		for (uint32_t i = 0; i < line->count; i++)
			line->spans[i].rate = 1.0;
}

static const struct inv_timeline_span *span_at(const struct inv_timeline *line, uint64_t ticks)
{
	uint32_t low = 0, high = line->count;
	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;
		if (line->spans[middle].ticks <= ticks)
			low = middle;
		else
			high = middle;
	}
	return &line->spans[low];
}

/* To integer without the undefined behaviour of a value out of range: ticks are input. */
static int64_t bounded(double ns)
{
	if (ns > 4e18)
		return INT64_C(4000000000000000000);
	if (ns < -4e18)
		return -INT64_C(4000000000000000000);
	return (int64_t)llround(ns);
}

int64_t inv_timeline_realtime(const struct inv_timeline *line, uint64_t ticks)
{
	const struct inv_timeline_span *s = span_at(line, ticks);
	double off = ticks >= s->ticks ? (double)(ticks - s->ticks) : -(double)(s->ticks - ticks);
	int64_t ns;
	if (__builtin_add_overflow(s->realtime_ns, bounded(off * s->realtime_rate), &ns))
		return s->realtime_ns;
	return ns;
}

uint64_t inv_timeline_duration(const struct inv_timeline *line, uint64_t start, uint64_t ticks)
{
	double rate = line->count == 1 ? line->spans[0].rate : span_at(line, start)->rate;
	return (uint64_t)bounded((double)ticks * rate);
}

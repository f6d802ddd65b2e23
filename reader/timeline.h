/* SPDX-License-Identifier: MIT */
/*
 * timeline.h - ticks of a session's clock into civil time and nanoseconds.
 *
 * Made of anchors: the session's creation, each process's start, and the reader's now (or
 * the instant a raw snapshot was taken). Between two neighbours ticks are interpolated;
 * beyond the ends the nearest span goes on. The rate comes from CLOCK_BOOTTIME, which is
 * never stepped; civil time follows CLOCK_REALTIME, and where it moved against boottime by
 * more than NTP's slewing can, that is a step: times before it stay as they were told then.
 *
 * Anchors are input. One that does not advance on both clocks, or whose rate is absurd
 * against the widest span, is dropped; with fewer than two the rate is taken as one tick a
 * nanosecond and `rate_known` is false.
 *
 * One rate for all from the first and the last anchor was rejected: a process that starts
 * after a suspend or a step would show it in every earlier event.
 *
 * Pure after inv_timeline_make: any thread.
 */
#ifndef INV_READER_TIMELINE_H
#define INV_READER_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "shm/layout.h"

#define INV_TIMELINE_ANCHORS (INV_PROCS_MAX + 2u)

struct inv_timeline_span {
	uint64_t ticks; /* where it begins */
	int64_t realtime_ns;
	double realtime_rate; /* civil nanoseconds a tick */
	double rate;	      /* nanoseconds a tick */
};

struct inv_timeline {
	uint32_t count; /* spans, at least 1 */
	struct inv_timeline_span spans[INV_TIMELINE_ANCHORS];
	double ns_per_tick; /* over all */
	bool rate_known;
	uint32_t steps; /* of civil time between anchors */
};

/* anchors: in any order, zeroed ones skipped; at most INV_TIMELINE_ANCHORS are looked at. */
void inv_timeline_make(struct inv_timeline *line, enum inv_clock_kind kind,
		       const struct inv_anchor *anchors, uint32_t count);

/* Nanoseconds since 1970-01-01 UTC. */
int64_t inv_timeline_realtime(const struct inv_timeline *line, uint64_t ticks);

/* How long `ticks` from `start` on took, in nanoseconds. */
uint64_t inv_timeline_duration(const struct inv_timeline *line, uint64_t start, uint64_t ticks);

#endif

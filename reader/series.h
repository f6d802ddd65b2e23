/* SPDX-License-Identifier: MIT */
/*
 * series.h - calls and failures of each of the last 900 seconds, of all artifacts and of each,
 * by the exact totals: what two looks at them differ by happened in between.
 *
 * One thread looks, some times a second; what it finds is dealt out to the seconds that have
 * passed since its look before, evenly over time. So no call is missing and none is there
 * twice, whatever was lost of events; one that lies near the turn of a second may be in the
 * neighbour, by the time between two looks. A second is closed when a look is after its end.
 *
 * [V1] A second is complete before it is published and never changes; it is freed a grace
 *      period after another has taken its place. Names are only ever added. Who asks is
 *      inside the RCU read lock, never waits and is never waited for.
 *
 * Artifacts have a series of their own while there is room (2,048 of them); of the others
 * nothing is known here, and it is said so. A ring of counters an artifact was rejected: most
 * artifacts are not called in most seconds, and counters that are used again would have to be
 * told from those they were by who reads them meanwhile.
 */
#ifndef INV_READER_SERIES_H
#define INV_READER_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry.h"

#define INV_SERIES_SECONDS   900
#define INV_SERIES_ARTIFACTS 2048u

struct inv_series;

/* created_ns: when the session began, with nothing counted. Returns: NULL: out of memory. */
struct inv_series *inv_series_new(int64_t created_ns);

/* Nobody asks any more. */
void inv_series_free(struct inv_series *series);

/* ---- filling (one thread, registered with RCU) -------------------------------------- */

/* The totals as of now_ns (realtime). Returns: 0 or -ENOMEM. */
int inv_series_look(struct inv_series *series, struct inv_registry *totals, int64_t now_ns);

/* They are at now_ns what they were at the look before. Returns: 0 or -ENOMEM. */
int inv_series_still(struct inv_series *series, int64_t now_ns);

/* No call will come any more: closes the second that has begun. Returns: 0 or -ENOMEM. */
int inv_series_end(struct inv_series *series);

/* ---- asking (any thread, inside the read lock) ---------------------------------------- */

struct inv_series_point {
	uint64_t calls, failures;
	bool exact; /* else nothing is known of this second */
};

/* Returns: false: no second is closed. The newest that is. */
bool inv_series_newest(const struct inv_series *series, int64_t *second);

/* Points of `count` seconds from `first` on; artifact: of this one, or with NULL of all. */
void inv_series_read(const struct inv_series *series, struct inv_text artifact, int64_t first,
		     struct inv_series_point *points, size_t count);

#endif

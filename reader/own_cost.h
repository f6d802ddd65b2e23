/* SPDX-License-Identifier: MIT */
/*
 * own_cost.h - what recording one call costs on this machine, measured before a run.
 *
 * A child of ours, which is no part of the program, records calls of nothing in a segment of
 * its own, by the very path that the shim inlines (record_path.h: who am I, names looked up, the
 * attempt; the outcome, ring, tally and histogram), next to the same loop without it. It
 * takes a few milliseconds. A child, since a process can be a writer once; pinned, since a
 * move to another core is no cost of a call.
 *
 * One call after the other to the same artifact would be flattery: caches and branch
 * predictors know it all by then, and a program's calls cost up to three times that. So the
 * calls are a mixture: by 24 invokers of 4 methods of 10 artifacts, in no order; every
 * other name of an artifact is in a buffer that is used again, one call of eight fails with a
 * message, and durations vary. Twice: plain, and with the vector registers kept where a
 * patched function has to keep them (vectors.h).
 *
 * What is not in it: what catches the call (3 to 10 ns, by libffi some 250, Python's own side),
 * fields beyond the names, and what a program's own data does to the caches. `invreg bench`
 * measures a program as it is.
 *
 * To preload the shim into a child and to measure a probed call was rejected: it takes as
 * long as a start, twice.
 */
#ifndef INV_READER_OWN_COST_H
#define INV_READER_OWN_COST_H

#include <stdint.h>

/* Ticks of the clock that sessions have here, a call, times 1024; 0: not measured. */
struct inv_own_cost {
	uint64_t ticks_x1024;
	uint64_t entry_ticks_x1024; /* of a function that is patched; 0 where none is */
};

/*
 * In a child, in a file of its own in `dir` that is gone after it. Where it cannot be
 * measured (no room, no time) that is no reason not to run. Never blocks for long.
 */
struct inv_own_cost inv_own_cost_measure(const char *dir);

#endif

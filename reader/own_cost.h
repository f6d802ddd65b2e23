/* SPDX-License-Identifier: MIT */
/*
 * own_cost.h - what recording one call costs on this machine, measured before a run.
 *
 * A child of ours, which is no part of the program, records calls of nothing in a segment of
 * its own: the very code that the shim runs (record.h: who am I, three names looked up, the
 * attempt; the outcome, ring, tally and histogram), in a tight loop and next to the same
 * loop without it. It takes a few milliseconds. A child, since a process can be a writer
 * once; pinned, since a move to another core is no cost of a call.
 *
 * What is not in it: what catches the call (a slot of the GOT 3 to 4 ns, a patched entry
 * about 10, libffi some 250; Python's own side), fields beyond the names, and what a
 * program's own data does to the caches. `invreg bench` measures a program as it is.
 *
 * To preload the shim into a child and to measure a probed call was rejected: it would be
 * one tier's cost and takes as long as a start, twice.
 */
#ifndef INV_READER_OWN_COST_H
#define INV_READER_OWN_COST_H

#include <stdint.h>

/*
 * In a child, in a file of its own in `dir` that is gone after it.
 * Returns: ticks of the clock that sessions have here, a call, times 1024; 0: it could not
 * be measured (no room, no time), which is no reason not to run. Never blocks for long.
 */
uint64_t inv_own_cost_measure(const char *dir);

#endif

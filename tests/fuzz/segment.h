/* SPDX-License-Identifier: MIT */
/*
 * segment.h - a small segment as its writers left it, to be damaged.
 *
 * Made by the real writer (shm/record.h) in a geometry of its own: three lanes with rings of
 * 64 slots, 24 cells and 128 pairs, an arena that is nearly full: all that a large one has in
 * few pages that are not holes. It has calls that succeeded and failed, with messages, nested,
 * lapped, still open, of names that found no room; a process that lives (this one), an overflow
 * region, a note.
 */
#ifndef TESTS_FUZZ_SEGMENT_H
#define TESTS_FUZZ_SEGMENT_H

#include "damage.h"

/* Makes it at the first call; aborts when it cannot. */
struct fuzz_subject *fuzz_segment(void);

/* Some calls of the calling thread, into the segment that this process is attached to. */
void fuzz_segment_calls(void);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * tail.h - `events -f`: waits for a session, follows it onto stdout, ends with it.
 *
 * Called from the main thread of the verb; sleeps between passes (follow.h has the pace).
 * Never writes to a segment, and the program never waits for it: a slow reader of stdout
 * costs events, which are said to be lost.
 *
 * The end is quiet and exit 0, always after a whole line: all processes of the session
 * have ended and what they left is written; SIGINT or SIGTERM (the second one kills, should
 * the first be stuck behind a full pipe); stdout's reader has gone, noticed at once though
 * no event comes. A process that was forked and has not called anything probed is in no
 * table yet: a session whose other processes have all ended is over without it.
 *
 * A signalfd was rejected: it needs the signals blocked, and then nothing interrupts a
 * write to a pipe that nobody empties.
 */
#ifndef INV_READER_TAIL_H
#define INV_READER_TAIL_H

#include <stdint.h>

#include "registry.h"

struct inv_tail {
	struct inv_query query; /* what is written */
	uint64_t last;		/* of what is kept already; INV_FOLLOW_ALL */
	const char *dir;	/* or NULL */
	const char *name;	/* session to wait for, or NULL: the live one or the next */
};

/* Returns: the exit code; what is not 0 had one line on stderr. */
int inv_tail_run(const struct inv_tail *tail);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * jsonl.h - event lines read back: what events.h and report.h write, parsed by json-c.
 *
 * An attempt and its outcome share `session`, `call` and `pid` and are merged, in either order;
 * an outcome without its attempt (the lines before were cut off) is a call too, started at its
 * end less its duration. A file may hold the lines of several runs: `cat a.jsonl b.jsonl`.
 * `events_lost` ranges are kept, `invoke_stats` lines fill the source's exact registry.
 * A line that does not parse is skipped and counted: the last one of a run that was killed
 * is often half. Unknown fields and events are ignored.
 */
#ifndef INV_READER_JSONL_H
#define INV_READER_JSONL_H

#include "source.h"

/* Returns: 0, -EINVAL: no line of it is an event; -ENOMEM; -errno of reading. */
int inv_jsonl_read(struct inv_src *src, int fd);

/*
 * The same line by line, for a file that grows: calls that are done are handed over and
 * forgotten, so that the source holds only what is open.
 */
struct inv_jsonl;
struct inv_jsonl *inv_jsonl_new(struct inv_src *src);
void inv_jsonl_free(struct inv_jsonl *reading);

/* Returns: 0 (bad lines are counted in the source) or -ENOMEM. */
int inv_jsonl_line(struct inv_jsonl *reading, const char *line, size_t length);

/* In the order in which they ended. Returns: 0, or what done returned first. */
int inv_jsonl_hand_over(struct inv_jsonl *reading,
			int (*done)(void *arg, const struct inv_call *call), void *arg);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * follow.h - tails a live segment into JSONL, or into who wants calls.
 *
 * A cursor a lane. A call seen before it returned gives its attempt line now and waits in
 * a list; later passes come back for the outcome. What was overwritten before it was read
 * becomes an `events_lost` line with its range.
 *
 * [F1] Every index of every ring is written, waiting, or inside a range said to be lost;
 *      with a filter or a bound on what was kept, or left out by it.
 *
 * A thread that waits for a wake-up by the writer was rejected: the writer would have to
 * store, or make a system call, for a reader that may not exist. Polling no faster than
 * every millisecond costs the writer nothing measurable.
 *
 * One thread at a time.
 */
#ifndef INV_READER_FOLLOW_H
#define INV_READER_FOLLOW_H

#include "registry.h"
#include "shm/view.h"

#define INV_FOLLOW_ALL UINT64_MAX

struct inv_follow;

/* Both stay the caller's. Returns: NULL when out of memory. A truncated segment is told later. */
struct inv_follow *inv_follow_open(struct inv_view *view, int out_fd);

/*
 * Who takes calls instead of lines. All run inside the guard ([U1] of guard.h); a call and
 * its message are valid during the function, its words as long as the follower.
 */
struct inv_follow_sink {
	void *arg;
	void (*attempt)(void *arg, const struct inv_call *call);
	void (*outcome)(void *arg, const struct inv_call *call);
	void (*lost)(void *arg, uint32_t lane);
};

/* The same, but calls go to the sink, which stays the caller's. */
struct inv_follow *inv_follow_open_sink(struct inv_view *view, const struct inv_follow_sink *sink);

/*
 * Writes only what matches (the query is copied, its text is not; its limit is not heeded).
 * A filter by outcome writes outcomes alone. Lost ranges are written whatever the filter:
 * what matched may have been among them. Before the first pass.
 */
void inv_follow_only(struct inv_follow *follow, const struct inv_query *query);

/*
 * Instead of the first inv_follow_poll: what is kept by now, oldest first over all lanes,
 * and of it only the last `last` calls that match (INV_FOLLOW_ALL: all; 0: none). A call
 * before those stays unwritten when it returns, too, unless outcomes are all that is asked
 * for: an outcome is new when it comes.
 * Returns: as inv_follow_poll.
 */
int inv_follow_begin(struct inv_follow *follow, uint64_t last);

/*
 * One pass over all lanes.
 * Returns: milliseconds to sleep before the next (1 to 20), or -errno (-EPIPE: the reader
 * of the output has gone; -EFAULT: the segment was truncated under us).
 */
int inv_follow_poll(struct inv_follow *follow);

/*
 * The last pass, when the writers are gone or nobody wants more: what is still open is
 * left as an attempt. Returns: 0 or -errno.
 */
int inv_follow_drain(struct inv_follow *follow);

/* inv_follow_drain, then the exact `invoke_stats` lines. Returns: 0 or -errno. */
int inv_follow_finish(struct inv_follow *follow);
void inv_follow_close(struct inv_follow *follow);

#endif

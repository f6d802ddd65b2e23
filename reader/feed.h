/* SPDX-License-Identifier: MIT */
/*
 * feed.h - the one thread that reads a source and publishes it on a hub.
 *
 * A session: waits until there is one, takes its calls as `events -f` does (follow.h), and
 * its totals by a cut every 200 ms, or more seldom when that would take more than a
 * twentieth of the time. Its end is published; who named no session gets the next one when
 * it comes. A snapshot is read once. A file of event lines is read as it grows, also when
 * it is truncated or replaced.
 *
 * The observed program is never waited for and never waits. Errors are one line on stderr
 * and an exit code, for the main thread to end with.
 */
#ifndef INV_READER_FEED_H
#define INV_READER_FEED_H

#include "hub.h"

struct inv_feed;

/*
 * dir, name: as in inv_src_open; both stay the caller's. Returns when the first board is
 * published. failed(arg) is called by the thread when it can not go on.
 * Returns: 0 or -errno.
 */
int inv_feed_start(struct inv_feed **feed, struct inv_hub *hub, const char *dir, const char *name,
		   void (*failed)(void *arg), void *arg);

/* After inv_hub_stop, and when nobody enters the hub any more. Returns: its exit code. */
int inv_feed_join(struct inv_feed *feed);

#endif

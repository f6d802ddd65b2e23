/* SPDX-License-Identifier: MIT */
/*
 * feed_private.h - the parts of the feed: sessions and snapshots, and growing files.
 */
#ifndef INV_READER_FEED_PRIVATE_H
#define INV_READER_FEED_PRIVATE_H

#include <pthread.h>
#include <semaphore.h>

#include "feed.h"
#include "shm/session.h"

#define INV_FEED_NEXT	   (-1) /* another session has come: feed->next */
#define INV_FEED_BOARD_MS  200
#define INV_FEED_NOTIFY_MS 50
#define INV_FEED_DEPTH_MAX 64u /* of nested calls whose callers are told apart */

struct inv_feed {
	struct inv_hub *hub;
	const char *dir, *name;
	char next[INV_SESSION_NAME_MAX + 1];
	void (*failed)(void *arg);
	void *arg;
	pthread_t thread;
	sem_t begun;
	uint64_t epoch;
	int64_t notified_ms;
	int code;
};

/* Which artifact each lane is in, by depth: a nested call is called by the one above. */
struct inv_nest {
	const struct inv_word *within[INV_LANES_MAX][INV_FEED_DEPTH_MAX];
};

/* A call that begins, in order of its lane. Returns: 0 or -ENOMEM. */
int inv_nest_enter(struct inv_nest *nest, struct inv_registry *registry,
		   const struct inv_call *call);
void inv_nest_forget(struct inv_nest *nest, uint32_t lane);

/* Tells the hub, but not too often. Returns: false: to be asked again. */
bool inv_feed_notify(struct inv_feed *feed);

/*
 * Whether there is another session that lives, or one made after `current` (it may have
 * ended between two looks); only when none was named.
 */
bool inv_feed_next(struct inv_feed *feed, const char *current, int64_t created_ns);

/* Publishes an empty board. Returns: 0 or the exit code: out of memory. */
int inv_feed_wait_board(struct inv_feed *feed, const char *what);

/*
 * What matters to who is served is what this server did not see, not what is gone from the
 * rings by now: it may have been read before. The board's loss by lapping becomes that.
 */
void inv_feed_set_missed(struct inv_board *board, uint64_t missed);

/* Both close what they are given. Return: an exit code, or INV_FEED_NEXT. 0: stopped. */
int inv_feed_view(struct inv_feed *feed, struct inv_src *src);
int inv_feed_lines(struct inv_feed *feed, const char *path, int fd);

/* One line on stderr. Returns: the exit code. */
int inv_feed_error(const char *path, int error);

#endif

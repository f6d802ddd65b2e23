/* SPDX-License-Identifier: MIT */
#include "feed_private.h"
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "await.h"
#include "now.h"
#include "sessions.h"
#include "source.h"
#include "verbs.h"

#define LOOK_MS 100 /* for a file that is not there yet */

static _Thread_local struct inv_hub *resting; /* await's rest has no argument */

int inv_feed_error(const char *path, int error)
{
	if (error == -EFAULT) {
		inv_say("invreg: %s: was truncated while it was read\n", path);
		return INV_EXIT_REFUSED;
	}
	inv_say("invreg: serve: %s: %s\n", path, strerror(-error));
	return INV_EXIT_RUNTIME;
}

bool inv_feed_notify(struct inv_feed *feed)
{
	int64_t now = inv_now_ms();
	if (now - feed->notified_ms < INV_FEED_NOTIFY_MS)
		return false;
	feed->notified_ms = now;
	inv_hub_notify(feed->hub);
	return true;
}

/* ---- nested calls ------------------------------------------------------------------- */

int inv_nest_enter(struct inv_nest *nest, struct inv_registry *registry,
		   const struct inv_call *call)
{
	/* One that was written anew at its return began long ago. */
	if (call->lane >= INV_LANES_MAX || call->depth >= INV_FEED_DEPTH_MAX ||
	    (call->flags & INV_FLAG_REWRITTEN))
		return 0;
	const struct inv_word **within = nest->within[call->lane];
	within[call->depth] = call->artifact;
	if (call->depth == 0 || !within[call->depth - 1])
		return 0;
	return inv_registry_add_nested(registry, within[call->depth - 1], call->artifact);
}

void inv_nest_forget(struct inv_nest *nest, uint32_t lane)
{
	if (lane < INV_LANES_MAX)
		memset(nest->within[lane], 0, sizeof(nest->within[lane]));
}

/* ---- losses ----------------------------------------------------------------------------- */

void inv_feed_set_missed(struct inv_board *board, uint64_t missed)
{
	struct inv_cut *cut = &board->cut;
	size_t kept = 0;
	board->missed = missed;
	for (size_t i = 0; i < cut->lost_count; i++)
		if (strcmp(cut->lost[i].name, "lapped") != 0)
			cut->lost[kept++] = cut->lost[i];
	if (missed)
		cut->lost[kept++] = (struct inv_loss_row){
			"lapped",
			"events overwritten before they were read, so they are in no list here; "
			"totals are exact. Longer rings (run --size) help",
			missed, true};
	cut->lost_count = kept;
}

/* ---- which source ------------------------------------------------------------------------ */

static bool rest(int ms)
{
	return inv_hub_rest(resting, ms);
}

bool inv_feed_next(struct inv_feed *feed, const char *current, int64_t created_ns)
{
	char dir[400];
	struct inv_session_row *rows;
	size_t count;
	const struct inv_session_row *found = NULL;
	if (feed->name || inv_session_dir(dir, sizeof(dir), feed->dir) != INV_OK ||
	    inv_sessions_list(dir, &rows, &count))
		return false;
	for (size_t i = 0; i < count; i++) { /* newest first */
		const struct inv_session_row *row = &rows[i];
		bool live = row->liveness == INV_LIVENESS_ALIVE;
		if (row->refused || !strcmp(row->name, current) ||
		    (!live && row->created_ns <= created_ns))
			continue;
		if (!found || (live && found->liveness != INV_LIVENESS_ALIVE))
			found = row;
	}
	if (found)
		strcpy(feed->next, found->name);
	free(rows);
	return found != NULL;
}

/* The newest session, when none lives. Returns: whether there is one. */
static bool newest_ended(struct inv_feed *feed, const char *dir)
{
	struct inv_session_row *rows;
	size_t count, i = 0;
	bool live = false;
	if (inv_sessions_list(dir, &rows, &count))
		return false;
	for (size_t k = 0; k < count; k++)
		live |= !rows[k].refused && rows[k].liveness == INV_LIVENESS_ALIVE;
	while (i < count && rows[i].refused)
		i++;
	if (i < count && !live)
		strcpy(feed->next, rows[i].name);
	free(rows);
	return i < count && !live;
}

int inv_feed_wait_board(struct inv_feed *feed, const char *what)
{
	struct inv_board *board = inv_board_new(INV_BOARD_WAITING, what);
	if (!board)
		return INV_EXIT_RUNTIME;
	board->history = board->totals = inv_registry_new(0);
	board->cut.registry = board->history;
	if (!board->history) {
		free(board);
		return INV_EXIT_RUNTIME;
	}
	inv_hub_publish(feed->hub, board);
	return 0;
}

static int await_file(struct inv_feed *feed, const char *path)
{
	if (!inv_await_absent(path))
		return -1;
	inv_say("invreg: waiting for %s\n", path);
	while (inv_await_absent(path))
		if (!inv_hub_rest(feed->hub, LOOK_MS))
			return 0;
	return -1;
}

/* Returns: -1: feed->next or feed->name is there; else the exit code. */
static int await_source(struct inv_feed *feed)
{
	char dir[400];
	if (feed->next[0])
		return -1;
	if (inv_session_dir(dir, sizeof(dir), feed->dir)) {
		inv_say("invreg: the path of the session directory is too long\n");
		return INV_EXIT_REFUSED;
	}
	if (feed->name && inv_sessions_means_file(dir, feed->name))
		return await_file(feed, feed->name);
	if (!feed->name && newest_ended(feed, dir))
		return -1;
	return inv_await_session(feed->dir, feed->name, rest, feed->next);
}

static int read_source(struct inv_feed *feed)
{
	struct inv_src src;
	char path[512];
	int fd;
	const char *name = feed->next[0] ? feed->next : feed->name;
	int code = inv_sessions_open(feed->dir, name, &fd, path, sizeof(path));
	if (code)
		return code;
	if (inv_src_is_lines(fd, path))
		return inv_feed_lines(feed, path, fd);
	close(fd);
	code = inv_src_open(&src, feed->dir, name);
	if (code)
		return code;
	feed->next[0] = '\0';
	return inv_feed_view(feed, &src);
}

/* ---- the thread ------------------------------------------------------------------------------ */

static int read_sources(struct inv_feed *feed)
{
	int code = INV_FEED_NEXT;
	while (code == INV_FEED_NEXT) {
		code = await_source(feed);
		if (code >= 0)
			return code;
		code = read_source(feed);
	}
	return code;
}

static void *run(void *arg)
{
	struct inv_feed *feed = arg;
	resting = feed->hub;
	inv_registry_enter();
	int code = inv_feed_wait_board(feed, feed->name ? feed->name : "");
	sem_post(&feed->begun);
	feed->code = code ? code : read_sources(feed);
	if (feed->code && !inv_hub_stopped(feed->hub))
		feed->failed(feed->arg);
	while (inv_hub_rest(feed->hub, -1))
		;
	inv_hub_publish(feed->hub, NULL);
	inv_registry_leave();
	return NULL;
}

int inv_feed_start(struct inv_feed **out, struct inv_hub *hub, const char *dir, const char *name,
		   void (*failed)(void *arg), void *arg)
{
	struct inv_feed *feed = calloc(1, sizeof(*feed));
	if (!feed)
		return -ENOMEM;
	*feed = (struct inv_feed){
		.hub = hub, .dir = dir, .name = name, .failed = failed, .arg = arg};
	sem_init(&feed->begun, 0, 0);
	int error = pthread_create(&feed->thread, NULL, run, feed);
	if (error) {
		free(feed);
		return -error;
	}
	while (sem_wait(&feed->begun))
		;
	*out = feed;
	return 0;
}

int inv_feed_join(struct inv_feed *feed)
{
	pthread_join(feed->thread, NULL);
	int code = feed->code;
	sem_destroy(&feed->begun);
	free(feed);
	return code;
}

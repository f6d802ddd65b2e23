/* SPDX-License-Identifier: MIT */
/*
 * feed_view.c - a live session, or a snapshot, onto the hub.
 *
 * Calls of one pass come lane by lane; they are put in the order of their ends before they
 * are kept. One that ended after the pass began waits for the next: another lane, read
 * before, may have an older one by then. (Putting each in its place instead, as is done for
 * the few that are later still, would cost a walk over a pass's calls for each of them.)
 */
#include "feed_private.h"
#include "say.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "follow.h"
#include "guard.h"
#include "now.h"
#include "sessions.h"
#include "shm/proc.h"
#include "verbs.h"

#define ASK_MS	      100  /* how often it is asked whether the session lives */
#define IDLE_BOARD_MS 2000 /* a board is made anew though nothing seems to have changed */
#define BOARD_SHARE   20   /* a board may take one in so many parts of the time */
#define ENDED_REST_MS 250

struct viewing {
	struct inv_feed *feed;
	struct inv_src *src;
	struct inv_follow *follow;
	struct inv_follow_sink sink;
	struct inv_registry *history;
	struct inv_series *series; /* NULL: it was not live yet */
	struct inv_src batch;	   /* only its calls and their text */
	struct inv_nest *nest;
	enum inv_board_state state;
	uint64_t fingerprint;  /* of the counters on the board */
	uint64_t seen, missed; /* events that were read; that were overwritten before */
	int64_t created_ns;    /* of the session */
	int64_t published_ms, cost_ms, asked_ms, looked_ms;
	bool unnotified, warned, lost;
	int error;
};

/* ---- calls ------------------------------------------------------------------------ */

static void on_attempt(void *arg, const struct inv_call *call)
{
	struct viewing *v = arg;
	int result = inv_nest_enter(v->nest, v->history, call);
	v->seen++;
	v->error = v->error ? v->error : result;
}

static void on_lost(void *arg, uint32_t lane)
{
	struct viewing *v = arg;
	inv_nest_forget(v->nest, lane);
	v->lost = true;
}

static void take(struct viewing *v, const struct inv_call *call)
{
	const char *message = inv_src_keep_text(&v->batch, call->message, call->message_length);
	struct inv_call *to = message ? inv_src_add(&v->batch) : NULL;
	if (!to) {
		v->error = -ENOMEM;
		return;
	}
	*to = *call;
	to->message = message;
}

static void on_outcome(void *arg, const struct inv_call *call)
{
	take(arg, call);
}

static int by_end(const void *a, const void *b)
{
	const struct inv_call *x = a, *y = b;
	int64_t at = inv_call_end_ns(x), other = inv_call_end_ns(y);
	if (at != other)
		return at < other ? -1 : 1;
	return x->sequence < y->sequence ? -1 : x->sequence > y->sequence;
}

static int64_t realtime_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* Keeps what was held before this pass, and of this pass what ended until `until`. */
static void admit(struct viewing *v, size_t held, int64_t until)
{
	struct inv_src batch = v->batch;
	size_t i = 0;
	/* Held once is held enough: a clock that was set back must not hold for ever. */
	for (size_t k = 0; k < held; k++)
		until = inv_call_end_ns(&batch.calls[k]) > until ? inv_call_end_ns(&batch.calls[k])
								 : until;
	v->batch = (struct inv_src){.fd = -1, .borrowed = true};
	if (batch.call_count)
		qsort(batch.calls, batch.call_count, sizeof(*batch.calls), by_end);
	for (; i < batch.call_count && inv_call_end_ns(&batch.calls[i]) <= until; i++) {
		int result = inv_registry_keep(v->history, &batch.calls[i]);
		v->error = v->error ? v->error : result;
	}
	v->unnotified |= i > 0;
	for (; i < batch.call_count; i++)
		take(v, &batch.calls[i]);
	inv_src_close(&batch);
}

/* Returns: milliseconds until the next, or -errno. */
static int pass(struct viewing *v)
{
	size_t held = v->batch.call_count;
	/* At an end nothing is held back. */
	int64_t until = v->state == INV_BOARD_LIVE ? realtime_ns() : INT64_MAX;
	int ms = inv_follow_poll(v->follow);
	admit(v, held, until);
	if (v->unnotified && inv_feed_notify(v->feed))
		v->unnotified = false;
	return v->error ? v->error : ms;
}

/* ---- boards -------------------------------------------------------------------------- */

static uint64_t get(const inv_a64 *word)
{
	return atomic_load_explicit(word, memory_order_relaxed);
}

/* Changes whenever a call begins or ends. Runs under the guard. */
static int count_changes(void *arg)
{
	struct viewing *v = arg;
	const struct inv_segment *seg = &v->src->view.seg;
	uint32_t lanes = inv_view_lane_count(&v->src->view);
	v->fingerprint = get(&seg->overflow->begun) + get(&seg->overflow->inherited);
	for (uint32_t i = 0; i < lanes; i++) {
		const struct inv_lane *lane = inv_segment_lane(seg, i);
		v->fingerprint += get(&lane->begun) + get(&lane->returned) + get(&lane->abandoned) +
				  get(&lane->never_returned);
	}
	return 0;
}

/* All that the cut counts has been read, or is missed, once a pass has followed it. */
static void count_missed(struct viewing *v, struct inv_cut *cut)
{
	uint64_t written = cut->events_kept + cut->events_lapped;
	if (v->lost && written > v->seen && written - v->seen > v->missed)
		v->missed = written - v->seen;
}

/* One that had ended before, and a file, have none: there is nothing to watch. */
static int look_at_totals(struct viewing *v, const struct inv_cut *cut)
{
	if (!v->series && (v->state == INV_BOARD_FILE || v->state == INV_BOARD_ENDED))
		return 0;
	if (!v->series)
		v->series = inv_series_new(cut->created_ns);
	if (!v->series)
		return -ENOMEM;
	int result = inv_series_look(v->series, cut->registry, cut->taken_ns);
	if (result == 0 && v->state == INV_BOARD_ENDED)
		result = inv_series_end(v->series);
	return result;
}

static int publish(struct viewing *v)
{
	struct inv_board *board = inv_board_new(v->state, v->src->path);
	int64_t begun = inv_now_ms();
	if (!board)
		return -ENOMEM;
	int result = inv_cut_take_tallies(&board->cut, v->src);
	if (result < 0) {
		free(board);
		return result;
	}
	/* The pass has to be made anyhow; after a busy second of a long ring it takes long. */
	result = look_at_totals(v, &board->cut);
	v->cost_ms = inv_now_ms() - begun;
	if (result == 0)
		result = pass(v);
	if (result < 0) {
		inv_cut_free(&board->cut);
		free(board);
		return result;
	}
	count_missed(v, &board->cut);
	inv_feed_set_missed(board, v->missed);
	v->created_ns = board->cut.created_ns;
	board->epoch = v->feed->epoch;
	board->history = v->history;
	board->series = v->series;
	board->totals = board->cut.registry;
	inv_hub_publish(v->feed->hub, board);
	v->unnotified = false;
	v->published_ms = inv_now_ms();
	return 0;
}

static int publish_when_due(struct viewing *v, bool changed)
{
	int64_t age = inv_now_ms() - v->published_ms;
	uint64_t before = v->fingerprint;
	int64_t now_ns = realtime_ns(); /* before the counters are asked */
	if (!changed && (age < INV_FEED_BOARD_MS || age < v->cost_ms * BOARD_SHARE))
		return 0;
	int result = inv_guard_call(count_changes, v);
	if (result < 0)
		return result;
	if (changed || v->fingerprint != before || age >= IDLE_BOARD_MS)
		return publish(v);
	return v->series ? inv_series_still(v->series, now_ns) : 0;
}

/* ---- life ------------------------------------------------------------------------------- */

/* Runs under the guard. Returns: how many of its processes may be alive. */
static int count_processes(void *arg)
{
	const struct viewing *v = arg;
	struct inv_self self;
	int count = 0;
	inv_self_read(&self);
	for (uint32_t i = 0; i < INV_PROCS_MAX; i++)
		count += inv_proc_row_liveness(&v->src->view.seg, &self, i) != INV_LIVENESS_DEAD;
	return count;
}

/* Asked before a pass: what the dead have written is all there then. */
static enum inv_board_state look(struct viewing *v)
{
	int64_t now = inv_now_ms();
	if (v->src->kind == INV_SRC_SNAPSHOT)
		return INV_BOARD_FILE;
	if (v->asked_ms && now - v->asked_ms < ASK_MS)
		return v->state;
	v->asked_ms = now;
	switch (inv_session_liveness(v->src->fd)) {
	case INV_LIVENESS_ALIVE:
		if (inv_hub_has_program_ended(v->feed->hub) &&
		    inv_guard_call(count_processes, v) == 0)
			return INV_BOARD_ENDED;
		return INV_BOARD_LIVE;
	case INV_LIVENESS_DEAD:
		return INV_BOARD_ENDED;
	default:
		return INV_BOARD_UNKNOWN;
	}
}

static void say(struct viewing *v, enum inv_board_state state)
{
	const char *session = v->src->decoder.session->text;
	if (state == INV_BOARD_ENDED && v->state != INV_BOARD_WAITING)
		inv_say("invreg: session %s has ended; it is served on\n", session);
	else if (v->state == INV_BOARD_WAITING && state != INV_BOARD_FILE)
		inv_say("invreg: serving session %s (%s)\n", session, inv_board_state_name(state));
	if (state == INV_BOARD_UNKNOWN && !v->warned)
		inv_say("invreg: %s: made in another pid namespace: its end cannot be "
			"seen from here\n",
			session);
	v->warned |= state == INV_BOARD_UNKNOWN;
}

static bool superseded(struct viewing *v)
{
	int64_t now = inv_now_ms();
	if (v->state == INV_BOARD_LIVE || now - v->looked_ms < ENDED_REST_MS)
		return false;
	v->looked_ms = now;
	return inv_feed_next(v->feed, v->src->decoder.session->text, v->created_ns);
}

/* Returns: 0: stopped; 1: there is a newer session; -errno. */
static int watch(struct viewing *v)
{
	for (;;) {
		enum inv_board_state state = look(v);
		bool changed = state != v->state;
		if (changed)
			say(v, state);
		v->state = state;
		int ms = pass(v);
		if (ms < 0)
			return ms;
		int result = publish_when_due(v, changed);
		if (result < 0)
			return result;
		if (superseded(v))
			return 1;
		bool still = state == INV_BOARD_ENDED || state == INV_BOARD_FILE;
		if (!inv_hub_rest(v->feed->hub, still ? ENDED_REST_MS : ms))
			return 0;
	}
}

/* Nobody looks at the source any more when another board is there. */
static void put_away(struct viewing *v)
{
	if (v->published_ms) {
		inv_feed_wait_board(v->feed, v->src->path);
	} else {
		inv_registry_free(v->history);
		inv_series_free(v->series);
	}
	inv_follow_close(v->follow);
	inv_src_close(&v->batch);
	inv_src_close(v->src);
	free(v->nest);
}

int inv_feed_view(struct inv_feed *feed, struct inv_src *src)
{
	struct viewing v = {.feed = feed, .src = src, .state = INV_BOARD_WAITING};
	v.sink = (struct inv_follow_sink){&v, on_attempt, on_outcome, on_lost};
	v.batch = (struct inv_src){.fd = -1, .borrowed = true};
	v.history = inv_registry_new(inv_hub_keep(feed->hub));
	v.nest = calloc(1, sizeof(*v.nest));
	v.follow = inv_follow_open_sink(&src->view, &v.sink);
	feed->epoch++;
	int result = v.history && v.nest && v.follow ? watch(&v) : -ENOMEM;
	int code = result > 0 ? INV_FEED_NEXT : result < 0 ? inv_feed_error(src->path, result) : 0;
	put_away(&v);
	return code;
}

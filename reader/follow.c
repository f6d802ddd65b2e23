/* SPDX-License-Identifier: MIT */
/*
 * follow.c - cursors, the waiting list, and the pace.
 *
 * A waiting call is found again by its slot, or, when that slot was lapped while the call
 * ran, by the origin that its rewritten event carries. The pace follows how full the
 * fullest ring got since the last pass: 1 ms when it was more than an eighth, doubling up
 * to 20 ms when it was less than a sixteenth.
 *
 * The first pass may hold what it reads until all lanes are read, to put it in order and
 * to know which are the last. Later passes write lane by lane: an order over lanes would
 * need calls held back until no lane can bring an older one.
 */
#include "follow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "events.h"
#include "guard.h"
#include "report.h"
#include "source.h"

#define SLEEP_LEAST_MS 1
#define SLEEP_MOST_MS  20

struct waiting {
	uint64_t call_id;
	bool lapped;	/* its slot is gone: only a rewritten event can end it */
	bool abandoned; /* last seen so: once lapped, it is not waited for */
};

struct lane_cursor {
	uint64_t next;	/* index to read next */
	uint64_t shown; /* a call from before this index is written only if it waits */
	struct waiting *waiting;
	size_t count, capacity;
};

struct inv_follow {
	struct inv_view *view;
	struct inv_words words;
	struct inv_decoder decoder;
	struct inv_events events;
	const struct inv_follow_sink *sink; /* NULL: lines */
	struct inv_buf out;
	struct lane_cursor lanes[INV_LANES_MAX];
	struct inv_event_text text;
	struct inv_query query, begun; /* begun: what a call must match before it returns */
	struct inv_src *held;	       /* the first pass collects here; else NULL */
	int sleep_ms;
	int unreadable; /* 0, or -EFAULT: it was truncated before it was opened here */
	bool filtered, outcomes_only;
	bool last_pass;
};

static int init_decoder(void *arg)
{
	struct inv_follow *f = arg;
	return inv_decoder_init(&f->decoder, f->view, &f->words);
}

struct inv_follow *inv_follow_open(struct inv_view *view, int out_fd)
{
	struct inv_follow *f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	f->view = view;
	f->sleep_ms = SLEEP_LEAST_MS;
	for (unsigned i = 0; i < INV_LANES_MAX; i++)
		f->lanes[i].next = 1;
	f->events.out = &f->out;
	if (inv_words_init(&f->words))
		goto no_words;
	f->unreadable = inv_guard_call(init_decoder, f);
	if (f->unreadable == -ENOMEM)
		goto no_decoder;
	if (inv_buf_init(&f->out, out_fd))
		goto no_buffer;
	return f;
no_buffer:
	inv_decoder_free(&f->decoder);
no_decoder:
	inv_words_free(&f->words);
no_words:
	free(f);
	return NULL;
}

struct inv_follow *inv_follow_open_sink(struct inv_view *view, const struct inv_follow_sink *sink)
{
	struct inv_follow *f = inv_follow_open(view, -1);
	if (f)
		f->sink = sink;
	return f;
}

void inv_follow_close(struct inv_follow *f)
{
	if (!f)
		return;
	for (unsigned i = 0; i < INV_LANES_MAX; i++)
		free(f->lanes[i].waiting);
	inv_buf_free(&f->out);
	inv_decoder_free(&f->decoder);
	inv_words_free(&f->words);
	free(f);
}

/* ---- waiting calls ----------------------------------------------------------------- */

static void wait_for(struct inv_follow *f, struct lane_cursor *c, uint64_t call_id)
{
	if (c->count == c->capacity) {
		size_t capacity = c->capacity ? c->capacity * 2 : 16;
		struct waiting *more = realloc(c->waiting, capacity * sizeof(*more));
		if (!more) {
			f->out.error = f->out.error ? f->out.error : -ENOMEM;
			return;
		}
		c->waiting = more;
		c->capacity = capacity;
	}
	c->waiting[c->count++] = (struct waiting){.call_id = call_id};
}

/* Takes a call off its lane's list. Returns: whether it was there: its attempt is written. */
static bool stop_waiting(struct inv_follow *f, uint64_t call_id)
{
	uint64_t lane = INV_CALL_LANE(call_id);
	if (lane >= INV_LANES_MAX)
		return false;
	struct lane_cursor *c = &f->lanes[lane];
	for (size_t i = 0; i < c->count; i++)
		if (c->waiting[i].call_id == call_id) {
			c->waiting[i] = c->waiting[--c->count];
			return true;
		}
	return false;
}

/* ---- what is written ---------------------------------------------------------------- */

void inv_follow_only(struct inv_follow *f, const struct inv_query *query)
{
	f->query = f->begun = *query;
	f->begun.failed = f->begun.succeeded = false;
	f->outcomes_only = query->failed || query->succeeded;
	f->filtered = true;
}

static bool wanted(const struct inv_follow *f, const struct inv_call *call)
{
	return !f->filtered || inv_query_matches(&f->begun, call);
}

/* A call before the last ones that were asked for has come again, rewritten at its return. */
static bool passed_over(const struct inv_follow *f, const struct inv_call *call)
{
	uint64_t lane = INV_CALL_LANE(call->id);
	return (call->flags & INV_FLAG_REWRITTEN) && lane < INV_LANES_MAX &&
	       INV_CALL_INDEX(call->id) < f->lanes[lane].shown;
}

/* Of a call whose beginning was wanted: only the kind of outcome is left to ask. */
static void put_outcome(struct inv_follow *f, const struct inv_call *call)
{
	bool failed = inv_call_failed(call);
	if (f->outcomes_only && ((f->query.failed && !failed) || (f->query.succeeded && failed)))
		return;
	if (f->sink)
		f->sink->outcome(f->sink->arg, call);
	else
		inv_events_outcome(&f->events, call);
}

static void put_call(struct inv_follow *f, const struct inv_call *call)
{
	if (f->sink)
		f->sink->attempt(f->sink->arg, call);
	else if (!f->outcomes_only)
		inv_events_attempt(&f->events, call);
	if (call->state == INV_CALL_DONE)
		put_outcome(f, call);
	else
		wait_for(f, &f->lanes[call->lane], call->id);
}

static void hold(struct inv_follow *f, const struct inv_call *call)
{
	const char *message = inv_src_keep_text(f->held, call->message, call->message_length);
	struct inv_call *to = message ? inv_src_add(f->held) : NULL;
	if (to) {
		*to = *call;
		to->message = message;
	} else if (!f->out.error) {
		f->out.error = -ENOMEM;
	}
}

/* ---- waiting calls, again ------------------------------------------------------------ */

/* Comes back for calls that had not returned. */
static void look_again(struct inv_follow *f, uint32_t lane)
{
	struct lane_cursor *c = &f->lanes[lane];
	for (size_t i = 0; i < c->count;) {
		struct inv_event e;
		struct waiting *w = &c->waiting[i];
		uint64_t index = INV_CALL_INDEX(w->call_id);
		enum inv_slot_read r =
			w->lapped ? INV_SLOT_READ_LAPPED : inv_view_event(f->view, lane, index, &e);
		if (r == INV_SLOT_READ_LAPPED && w->abandoned) {
			c->waiting[i] = c->waiting[--c->count];
			continue;
		}
		w->lapped = r == INV_SLOT_READ_LAPPED;
		if (r == INV_SLOT_READ_OK)
			w->abandoned = e.state == INV_SLOT_ABANDONED;
		if (r != INV_SLOT_READ_OK || e.state != INV_SLOT_DONE) {
			i++;
			continue;
		}
		struct inv_call call;
		inv_decode_call(&f->decoder, &e, &f->text, &call);
		put_outcome(f, &call);
		c->waiting[i] = c->waiting[--c->count];
	}
}

/* ---- new events ------------------------------------------------------------------- */

static void take_event(struct inv_follow *f, const struct inv_event *e)
{
	struct inv_call call;
	if (e->state == INV_SLOT_TEXT)
		return;
	inv_decode_call(&f->decoder, e, &f->text, &call);
	/* A rewritten event has the id of the slot that was lapped: perhaps it waits. */
	if ((call.flags & INV_FLAG_REWRITTEN) && stop_waiting(f, call.id))
		put_outcome(f, &call);
	else if (!wanted(f, &call) || passed_over(f, &call))
		return;
	else if (f->held)
		hold(f, &call);
	else
		put_call(f, &call);
}

static void say_lost(struct inv_follow *f, uint32_t lane, uint64_t first, uint64_t last,
		     const char *reason)
{
	if (f->sink)
		f->sink->lost(f->sink->arg, lane);
	else
		inv_events_lost(&f->events, lane, first, last, reason);
	f->lanes[lane].next = last + 1;
}

/* Reads a lane up to its head. Returns: how many slots were new, in 1/64 of the ring. */
static uint64_t read_lane(struct inv_follow *f, uint32_t lane)
{
	struct lane_cursor *c = &f->lanes[lane];
	uint64_t slots = inv_view_ring_slots(f->view, lane), head = inv_view_head(f->view, lane);
	uint64_t fresh = head >= c->next ? head - c->next + 1 : 0;
	look_again(f, lane);
	while (slots && c->next <= head) {
		struct inv_event e;
		if (head - c->next >= slots) {
			say_lost(f, lane, c->next, head - slots, "lapped");
			continue;
		}
		enum inv_slot_read r = inv_view_event(f->view, lane, c->next, &e);
		if (r == INV_SLOT_READ_PENDING && !f->last_pass)
			break;
		if (r == INV_SLOT_READ_OK) {
			take_event(f, &e);
			c->next++;
		} else if (r == INV_SLOT_READ_PENDING) {
			say_lost(f, lane, c->next, c->next,
				 "unfinished"); /* its writer died in it */
		} else {
			/* Lapped while we read: the writer has gone on by at least a ring. */
			uint64_t now = inv_view_head(f->view, lane);
			uint64_t last = now >= slots + c->next ? now - slots : c->next;
			say_lost(f, lane, c->next, last, "lapped");
		}
	}
	return slots ? fresh * 64 / slots : 0;
}

static int pass(void *arg)
{
	struct inv_follow *f = arg;
	uint64_t fullest = 0;
	inv_decoder_refresh(&f->decoder);
	for (uint32_t lane = 0; lane < inv_view_lane_count(f->view); lane++) {
		uint64_t full = read_lane(f, lane);
		if (full > fullest)
			fullest = full;
	}
	if (fullest > 8)
		f->sleep_ms = SLEEP_LEAST_MS;
	else if (fullest < 4 && f->sleep_ms < SLEEP_MOST_MS)
		f->sleep_ms = f->sleep_ms * 2 < SLEEP_MOST_MS ? f->sleep_ms * 2 : SLEEP_MOST_MS;
	return f->out.error;
}

static int guarded_pass(struct inv_follow *f)
{
	return f->unreadable ? f->unreadable : inv_guard_call(pass, f);
}

int inv_follow_poll(struct inv_follow *f)
{
	int r = guarded_pass(f);
	if (!r)
		r = inv_buf_flush(&f->out);
	return r ? r : f->sleep_ms;
}

/* ---- the first pass and the last ------------------------------------------------------- */

/* Whether a call is one of those that `last` counts. */
static bool counts(const struct inv_follow *f, const struct inv_call *call)
{
	return !f->outcomes_only || inv_query_matches(&f->query, call);
}

static void put_held(struct inv_follow *f, struct inv_src *held, uint64_t last)
{
	uint64_t matching = 0, skip = 0;
	if (inv_src_join_moved(held) && !f->out.error)
		f->out.error = -ENOMEM;
	inv_src_sort(held);
	for (size_t i = 0; i < held->call_count; i++)
		matching += counts(f, &held->calls[i]);
	if (matching > last)
		skip = matching - last;
	for (size_t i = 0; i < held->call_count; i++) {
		const struct inv_call *call = &held->calls[i];
		if (counts(f, call) && skip)
			skip--;
		else
			put_call(f, call);
	}
}

int inv_follow_begin(struct inv_follow *f, uint64_t last)
{
	struct inv_src held = {.fd = -1, .borrowed = true};
	f->held = &held;
	int r = guarded_pass(f);
	f->held = NULL;
	if (!r)
		put_held(f, &held, last);
	inv_src_close(&held);
	for (unsigned i = 0; i < INV_LANES_MAX && last != INV_FOLLOW_ALL && !f->outcomes_only; i++)
		f->lanes[i].shown = f->lanes[i].next;
	if (!r)
		r = inv_buf_flush(&f->out);
	return r ? r : f->sleep_ms;
}

int inv_follow_drain(struct inv_follow *f)
{
	f->last_pass = true;
	int r = guarded_pass(f);
	return r ? r : inv_buf_flush(&f->out);
}

static int last_words(void *arg)
{
	struct inv_follow *f = arg;
	int result = inv_report_lines(f->view, &f->out);
	return result ? result : f->out.error;
}

int inv_follow_finish(struct inv_follow *f)
{
	int r = inv_follow_drain(f);
	if (!r)
		r = inv_guard_call(last_words, f);
	return r ? r : inv_buf_flush(&f->out);
}

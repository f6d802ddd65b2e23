/* SPDX-License-Identifier: MIT */
/*
 * hub.h - what is served now: published by the one thread that reads the source, looked at
 * by the threads that answer.
 *
 * [H1] A board is complete before it is published and only its registries and its series
 *      change after (they are made for that: [Q1], [V1]). Who has entered sees one board
 *      until they leave; entering never waits, and publishing waits only for those who are
 *      inside, who are writing to memory, never to a client.
 * [H2] Totals are those of the tallies. A new board with new totals is made each time,
 *      beside the one that is looked at: cells of several lanes are added up before anyone
 *      sees them.
 *
 * Answering from the segment itself was rejected: each request would copy every lane, and a
 * segment that is truncated would have to be survived in every answer.
 */
#ifndef INV_READER_HUB_H
#define INV_READER_HUB_H

#include <stdatomic.h>
#include <stdbool.h>

#include "cut.h"
#include "registry.h"
#include "series.h"

enum inv_board_state {
	INV_BOARD_WAITING, /* for a session or a file */
	INV_BOARD_LIVE,
	INV_BOARD_ENDED,
	INV_BOARD_UNKNOWN, /* its processes cannot be seen from here */
	INV_BOARD_FILE	   /* a file: nobody knows whether it is written to */
};

/* "waiting", "live", "ended", "unknown", "file". */
const char *inv_board_state_name(enum inv_board_state state);

struct inv_board {
	enum inv_board_state state;
	char source[512];	      /* path, or what is waited for */
	uint64_t epoch;		      /* another one: the history has begun anew */
	struct inv_registry *history; /* calls that are kept; shared by boards of an epoch */
	struct inv_series *series;    /* likewise; NULL: it was not watched while it ran */
	struct inv_registry *totals;  /* exact, unless it says from_events; not the board's own */
	uint64_t successful, failed;  /* of totals, when it was published */
	uint64_t missed;	      /* events that were overwritten before they were read */
	struct inv_cut cut;	      /* without its lists; owns what totals may be */
};

struct inv_hub;

/* keep: calls of history. Returns: NULL: out of memory. */
struct inv_hub *inv_hub_new(size_t keep);
void inv_hub_free(struct inv_hub *hub);
size_t inv_hub_keep(const struct inv_hub *hub);

/* ---- who answers --------------------------------------------------------------- */

/*
 * Any thread, once there is a board; it is registered with RCU until it ends. Does not nest.
 * Never NULL.
 */
const struct inv_board *inv_hub_enter(struct inv_hub *hub);
void inv_hub_leave(struct inv_hub *hub);

/* ---- the publisher (one thread) -------------------------------------------------- */

/* An empty board. Returns: NULL: out of memory. */
struct inv_board *inv_board_new(enum inv_board_state state, const char *source);

/*
 * Replaces the board by `next`, which is the hub's from now on, and frees the old one; its
 * history, too, when next has another. Waits for who is inside. NULL: at the end, when
 * nobody enters any more. (Registries belong to their thread: it makes and frees them.)
 */
void inv_hub_publish(struct inv_hub *hub, struct inv_board *next);

/* There is something new: a board, or calls in its history. */
void inv_hub_notify(struct inv_hub *hub);

/* Who is told by inv_hub_notify; NULL: nobody, and nobody is being told when it returns. */
void inv_hub_on_notify(struct inv_hub *hub, void (*notify)(void *arg), void *arg);

/*
 * By who made the session and lives on to serve it: its program has ended. A session counts
 * as alive while its creator does; from now on only its processes count.
 */
void inv_hub_program_ended(struct inv_hub *hub);
bool inv_hub_has_program_ended(const struct inv_hub *hub);

/* ---- the end --------------------------------------------------------------------- */

/* Ends the publisher's rests. Any thread. */
void inv_hub_stop(struct inv_hub *hub);
bool inv_hub_stopped(const struct inv_hub *hub);

/* The publisher sleeps. Returns: false: stopped. */
bool inv_hub_rest(struct inv_hub *hub, int ms);

#endif

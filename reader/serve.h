/* SPDX-License-Identifier: MIT */
/*
 * serve.h - the server as one thing: hub, feed and HTTP, started and stopped together.
 *
 * Called by the main thread of `serve` and of `run --serve`. Opening is apart from starting,
 * so that `run` can refuse an address that is taken before its program runs, and starts no
 * thread before it has forked.
 */
#ifndef INV_READER_SERVE_H
#define INV_READER_SERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INV_SERVE_KEEP	     100000u
#define INV_SERVE_KEEP_MOST  50000000u
#define INV_SERVE_MAX_SERIES 2000u

struct inv_serve_options {
	const char *listen;	 /* NULL: INV_LISTEN_DEFAULT */
	const char *dir, *name;	 /* as in inv_src_open */
	const char *allow_hosts; /* more names, with commas, or NULL */
	const char *token_file;	 /* or NULL */
	size_t keep;		 /* calls */
	bool metrics_invokers;
	uint32_t metrics_max_series;
};

struct inv_serve;

/*
 * Checks what can be refused, and listens. The options' texts stay the caller's.
 * Returns: 0; else the exit code (usage, refused, runtime) after one line on stderr.
 */
int inv_serve_open(struct inv_serve **serve, const struct inv_serve_options *options);

/*
 * Starts the threads, with signals blocked, and says on stderr where it is.
 * Returns: 0, or the exit code after one line on stderr.
 */
int inv_serve_start(struct inv_serve *serve);

/* The program of a session that we made has ended (hub.h). */
void inv_serve_program_ended(struct inv_serve *serve);

/* Blocks the signals that end it. Returns: a signalfd of them, the caller's; -1: none. */
int inv_serve_take_signals(void);

/* Until one of them comes, or it cannot go on; inv_serve_close then tells why. */
void inv_serve_wait(struct inv_serve *serve, int signal_fd);

/* Returns: the exit code of the feed: what was not 0 has had its line. */
int inv_serve_close(struct inv_serve *serve);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * run_serve.h - `run --serve`: the session that is made is served, too.
 *
 * In the process of `run`, by threads of their own: a process beside it would have to be
 * found and ended in each way in which `run` ends. Nothing of it reaches the program.
 */
#ifndef INV_READER_RUN_SERVE_H
#define INV_READER_RUN_SERVE_H

#include "reader/run_options.h"
#include "reader/serve.h"

/*
 * Before the program is started: listens, when that is asked for. *serve stays as it is
 * when it is not. Returns: 0, or not 0 after one line on stderr.
 */
int inv_run_serve_open(struct inv_serve **serve, const struct inv_run_options *options,
		       const char *session);

/* After it, since threads come after a fork. What goes wrong is said, and *serve is NULL. */
void inv_run_serve_start(struct inv_serve **serve);

/* Serves on after the program has ended, until a signal. serve may be NULL. */
void inv_run_serve_linger(struct inv_serve *serve, const char *session);

#endif

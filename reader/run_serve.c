/* SPDX-License-Identifier: MIT */
#include "reader/run_serve.h"

#include <stdio.h>
#include <unistd.h>

#include "reader/say.h"

int inv_run_serve_open(struct inv_serve **serve, const struct inv_run_options *options,
		       const char *session)
{
	const struct inv_serve_options serve_options = {.listen = options->listen,
							.dir = options->dir,
							.name = session,
							.keep = INV_SERVE_KEEP,
							.metrics_max_series = INV_SERVE_MAX_SERIES};
	return options->serve ? inv_serve_open(serve, &serve_options) : 0;
}

void inv_run_serve_start(struct inv_serve **serve)
{
	if (!*serve || inv_serve_start(*serve) == 0)
		return;
	inv_serve_close(*serve);
	*serve = NULL;
}

void inv_run_serve_linger(struct inv_serve *serve, const char *session)
{
	if (!serve)
		return;
	int fd = inv_serve_take_signals();
	inv_serve_program_ended(serve);
	inv_say("invreg: %s has ended and is served on; Ctrl-C ends that\n", session);
	inv_serve_wait(serve, fd);
	if (fd >= 0)
		close(fd);
}

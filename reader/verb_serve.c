/* SPDX-License-Identifier: MIT */
/*
 * verb_serve.c - the verb `serve`: until a signal, or until it cannot go on.
 */
#include <stdio.h>
#include <unistd.h>

#include "options.h"
#include "say.h"
#include "serve.h"
#include "verbs.h"

static int bad(const char *option, const char *why)
{
	inv_say("invreg: serve: %s: %s; see `invreg serve --help`\n", option, why);
	return INV_EXIT_USAGE;
}

static int take_counts(struct inv_serve_options *options, const char *keep, const char *series)
{
	uint64_t count = INV_SERVE_KEEP;
	if (keep && (!inv_options_count(keep, &count) || count > INV_SERVE_KEEP_MOST))
		return bad("--keep", "expected a count of calls, 0 to 50M");
	options->keep = (size_t)count;
	count = INV_SERVE_MAX_SERIES;
	if (series && (!inv_options_count(series, &count) || count < 100 || count > 10000000))
		return bad("--metrics-max-series", "expected 100 to 10M");
	options->metrics_max_series = (uint32_t)count;
	return 0;
}

static int serve(const struct inv_serve_options *options)
{
	struct inv_serve *server;
	int code = inv_serve_open(&server, options);
	if (code)
		return code;
	int fd = inv_serve_take_signals();
	code = inv_serve_start(server);
	if (!code)
		inv_serve_wait(server, fd);
	int feed = inv_serve_close(server);
	if (fd >= 0)
		close(fd);
	return code ? code : feed;
}

int inv_verb_serve(int argc, char **argv)
{
	struct inv_serve_options options = {0};
	const char *keep = NULL, *series = NULL;
	const struct inv_option list[] = {{"listen", 'l', &options.listen, NULL},
					  {"keep", 0, &keep, NULL},
					  {"allow-host", 0, &options.allow_hosts, NULL},
					  {"token-file", 0, &options.token_file, NULL},
					  {"metrics-max-series", 0, &series, NULL},
					  {"metrics-invokers", 0, NULL, &options.metrics_invokers},
					  {0}};
	size_t words;
	int code = inv_options_parse(argc, argv, list, &options.dir, &options.name, 1, &words);
	if (code >= 0)
		return code;
	code = take_counts(&options, keep, series);
	return code ? code : serve(&options);
}

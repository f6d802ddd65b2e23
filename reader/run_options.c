/* SPDX-License-Identifier: MIT */
/*
 * run_options.c - options of `run`. Options end at the command: what follows is its own.
 * Errors are 125, not 2: what calls `run` must tell our errors from the program's.
 */
#include "reader/run_options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reader/help.h"
#include "reader/run.h"
#include "reader/say.h"
#include "shm/session.h"

static int wrong(const char *what, const char *value)
{
	inv_say("invreg: run: %s%s%s%s\n", what, value ? " '" : "", value ? value : "",
		value ? "'" : "");
	return INV_RUN_EXIT_OWN;
}

static int take_size(struct inv_run_options *out, const char *text)
{
	if (!text || !*text || inv_session_size(text, &out->budget_bytes))
		return -1;
	return wrong("a size is a number with K, M or G, 4M to 1024G, not", text);
}

/* The shim, which must not print, takes any other word for follow. Behind "ignore:" it notes
 * which process is the one observed; its children, if they are `run`, have it as well. */
static int check_children(const char *text)
{
	if (!text || !*text || !strcmp(text, "follow") || !strcmp(text, "ignore") ||
	    !strncmp(text, "ignore:", 7))
		return -1;
	return wrong("INVREG_CHILDREN is follow or ignore, not", text);
}

static int take_option(struct inv_run_options *out, int option, char **argv)
{
	switch (option) {
	case 'p':
		out->probes = optarg;
		return -1;
	case 'o':
		out->output = optarg;
		return -1;
	case 's':
		out->session = optarg;
		return inv_session_name_valid(optarg)
			       ? -1
			       : wrong("a session's name is 1 to 100 of [A-Za-z0-9._-] and "
				       "begins without a dot, not",
				       optarg);
	case 'd':
		out->dir = optarg;
		return *optarg ? -1 : wrong("--dir is empty", NULL);
	case 'b':
		return take_size(out, optarg);
	case 'S':
		out->serve = true;
		out->listen = optarg;
		return -1;
	case 'L':
		out->linger = true;
		return -1;
	case 'q':
		out->quiet = true;
		return -1;
	case 'h':
		return inv_help("run") ? INV_RUN_EXIT_OWN : 0;
	default:
		return wrong("bad option or no value (see `invreg run --help`):", argv[optind - 1]);
	}
}

int inv_run_options(struct inv_run_options *out, int argc, char **argv)
{
	static const struct option options[] = {
		{"probes", required_argument, NULL, 'p'},  {"output", required_argument, NULL, 'o'},
		{"session", required_argument, NULL, 's'}, {"dir", required_argument, NULL, 'd'},
		{"size", required_argument, NULL, 'b'},	   {"quiet", no_argument, NULL, 'q'},
		{"serve", optional_argument, NULL, 'S'},   {"linger", no_argument, NULL, 'L'},
		{"help", no_argument, NULL, 'h'},	   {NULL, 0, NULL, 0}};
	memset(out, 0, sizeof(*out));
	out->probes = getenv("INVREG_PROBES");
	int r = take_size(out, getenv("INVREG_SIZE"));
	opterr = 0;
	optind = 0;
	for (int c; r < 0 && (c = getopt_long(argc, argv, "+p:o:qh", options, NULL)) != -1;)
		r = take_option(out, c, argv);
	if (r >= 0)
		return r;
	if (optind >= argc)
		return wrong("no command: invreg run -p PROBES -- CMD [ARGS...]", NULL);
	if (!out->probes || !*out->probes)
		return wrong("no probe file: give -p FILE or set INVREG_PROBES", NULL);
	if (out->linger && !out->serve)
		return wrong("--linger goes with --serve", NULL);
	out->command = argv + optind;
	return check_children(getenv("INVREG_CHILDREN"));
}

/* SPDX-License-Identifier: MIT */
/*
 * main.c - which verb. Everything else is in the verbs' own files, so that tests can link
 * all of the reader but this one.
 *
 * SIGPIPE is ignored: a pipe closed early ends a command quietly, by the error of its
 * write. Not for `run`, whose program inherits what we were started with.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "verbs.h"

#define INV_VERSION_TEXT "0.1.0"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *what;
} verbs[] = {
	{"run", inv_verb_run, "run a program observed, and sum it up"},
	{"snapshot", inv_verb_snapshot, "a consistent look: table, JSON, or a .seg that keeps all"},
	{"events", inv_verb_events, "the calls that are kept, as JSON lines"},
	{"stats", inv_verb_stats, "exact totals and percentiles, grouped"},
	{"history", inv_verb_history, "the calls of one invoker, newest first"},
	{"ls", inv_verb_ls, "the sessions"},
	{"prune", inv_verb_prune, "remove ended sessions"},
	{"check", inv_verb_check, "is a probe file right?"},
};

static void usage(FILE *to)
{
	fprintf(to, "usage: invreg VERB [OPTIONS] [SESSION | FILE.seg | FILE.jsonl]\n\n");
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		fprintf(to, "  %-10s %s\n", verbs[i].name, verbs[i].what);
	fprintf(to, "\ninvreg VERB --help tells more. First steps:\n"
		    "  invreg run -p probes.ini -o run.jsonl -- ./program\n"
		    "  invreg snapshot\n"
		    "\nExit: 0 ok, 1 failed while running, 2 usage, 3 no such session, 4 refused "
		    "input;\nrun: the program's own, 128+N by signal N, 125 for errors of "
		    "invreg, 126, 127.\n");
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		usage(stderr);
		return INV_EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		usage(stdout);
		return INV_EXIT_OK;
	}
	if (!strcmp(argv[1], "--version")) {
		puts("invreg " INV_VERSION_TEXT);
		return INV_EXIT_OK;
	}
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(argv[1], verbs[i].name)) {
			if (verbs[i].run != inv_verb_run)
				signal(SIGPIPE, SIG_IGN);
			return verbs[i].run(argc - 1, argv + 1);
		}
	fprintf(stderr, "invreg: there is no verb '%s'; invreg --help lists them\n", argv[1]);
	return INV_EXIT_USAGE;
}

/* SPDX-License-Identifier: MIT */
/*
 * main.c - which verb. Everything that can be tested is elsewhere.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "verbs.h"

static const struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *what;
} VERBS[] = {
	{"run", inv_verb_run, "start a program observed; a summary at its end"},
	{"snapshot", inv_verb_snapshot, "a consistent cut: table, JSON, JSONL or raw"},
	{"events", inv_verb_events, "kept events as JSONL"},
	{"stats", inv_verb_stats, "exact totals and percentiles"},
	{"history", inv_verb_history, "what one invoker called, newest first"},
	{"ls", inv_verb_ls, "sessions"},
	{"prune", inv_verb_prune, "remove ended sessions"},
	{"check", inv_verb_check, "is a probe file right?"},
};
#define VERB_COUNT (sizeof(VERBS) / sizeof(VERBS[0]))

static void help(FILE *to)
{
	fputs("usage: invreg VERB [arguments]; `invreg VERB --help` has examples\n", to);
	for (size_t i = 0; i < VERB_COUNT; i++)
		fprintf(to, "  %-10s %s\n", VERBS[i].name, VERBS[i].what);
	fputs("exit: 0 ok, 1 runtime, 2 usage, 3 no such session, 4 refused input;\n"
	      "      run: its program's, 128+N for signals, 125 errors of invreg, 126, 127\n",
	      to);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help")) {
		help(stdout);
		return INV_EXIT_OK;
	}
	for (size_t i = 0; i < VERB_COUNT; i++) {
		if (strcmp(name, VERBS[i].name))
			continue;
		/* `run` hands its signal dispositions on to its program. */
		if (VERBS[i].run != inv_verb_run)
			signal(SIGPIPE, SIG_IGN);
		return VERBS[i].run(argc - 1, argv + 1);
	}
	if (*name)
		fprintf(stderr, "invreg: no verb '%s'; `invreg --help` lists them\n", name);
	else
		help(stderr);
	return INV_EXIT_USAGE;
}

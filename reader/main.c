/* SPDX-License-Identifier: MIT */
/*
 * main.c - which verb. Everything else is in the verbs' own files, so that tests can link
 * all of the reader but this one.
 *
 * SIGPIPE and SIGXFSZ are ignored: a pipe closed early ends a command quietly, and a file at
 * its limit with a message, by the error of the write. A stream that is closed is filled.
 * Not for `run` and `bench`, whose program inherits what we were started with: they do so
 * themselves, and give it back to it.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "help.h"
#include "output.h"
#include "say.h"
#include "verbs.h"
#include "version.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} verbs[] = {
	{"run", inv_verb_run},	     {"snapshot", inv_verb_snapshot}, {"events", inv_verb_events},
	{"stats", inv_verb_stats},   {"history", inv_verb_history},   {"ls", inv_verb_ls},
	{"prune", inv_verb_prune},   {"pause", inv_verb_pause},	      {"resume", inv_verb_resume},
	{"filter", inv_verb_filter}, {"check", inv_verb_check},	      {"doctor", inv_verb_doctor},
	{"probe", inv_verb_probe},   {"serve", inv_verb_serve},	      {"top", inv_verb_top},
	{"diff", inv_verb_diff},     {"bench", inv_verb_bench},
};

static bool asks_for_help(const char *word)
{
	return !strcmp(word, "--help") || !strcmp(word, "-h") || !strcmp(word, "help");
}

static bool starts_program(const char *verb)
{
	return !strcmp(verb, "run") || !strcmp(verb, "bench");
}

static void become_reader(void)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	inv_output_fill_streams();
}

int main(int argc, char **argv)
{
	if (argc < 2 || !starts_program(argv[1]))
		become_reader();
	if (argc < 2) {
		fputs("invreg: no verb; invreg --help lists them\n", stderr);
		return INV_EXIT_USAGE;
	}
	if (asks_for_help(argv[1]))
		return inv_help(argc > 2 ? argv[2] : "invreg");
	if (!strcmp(argv[1], "--version")) {
		puts("invreg " INV_VERSION_TEXT);
		return inv_output_stdout_done();
	}
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(argv[1], verbs[i].name))
			return verbs[i].run(argc - 1, argv + 1);
	inv_say("invreg: there is no verb '%s'; invreg --help lists them\n", argv[1]);
	return INV_EXIT_USAGE;
}

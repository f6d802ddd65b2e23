/* SPDX-License-Identifier: MIT */
/*
 * options.h - the options that reading verbs share, over getopt_long.
 */
#ifndef INV_READER_OPTIONS_H
#define INV_READER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct inv_option {
	const char *name;  /* long, without dashes */
	char letter;	   /* or 0 */
	const char **text; /* takes a value, stored here */
	bool *flag;	   /* takes none; one of the two is NULL */
};

/*
 * Parses argv[1..]; what is no option goes to words (at most word_room). "--help" and
 * "-h" print the verb's help on stdout. `options` ends with a name of NULL; --dir and
 * --help are added.
 * Returns: -1: go on; else the exit code to leave with (one line was printed).
 */
int inv_options_parse(int argc, char **argv, const struct inv_option *options, const char **dir,
		      const char **words, size_t word_room, size_t *word_count);

/*
 * Takes the value of --dir. An empty one is an unset variable's, and would silently mean
 * another directory than the one that was meant.
 * Returns: -1: go on; INV_EXIT_USAGE: it is empty (one line was printed).
 */
int inv_options_dir(const char *verb, const char *text, const char **dir);

/* A count, "100" or "10k"; Returns: false when it is none. */
bool inv_options_count(const char *text, uint64_t *count);

/*
 * An instant: RFC 3339 ("2026-11-23T10:00:00Z"), or "30" (seconds), "90s", "5m", "2h",
 * "1d" before now, at most a century.
 * Returns: false when it is none.
 */
bool inv_options_since(const char *text, int64_t now_ns, int64_t *since_ns);

#endif

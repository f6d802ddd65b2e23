/* SPDX-License-Identifier: MIT */
/*
 * help.h - what --help prints: the texts of reader/manual, which the man pages and the
 * bash completion are made of too (scripts/manual.awk).
 */
#ifndef INV_READER_HELP_H
#define INV_READER_HELP_H

struct inv_help_topic {
	const char *name; /* of a verb, or `invreg` or `probes`; NULL ends the table */
	const char *summary;
	const char *text;
};
extern const struct inv_help_topic inv_help_topics[]; /* generated */

/* Prints a topic on stdout. Returns: the exit code; INV_EXIT_USAGE: no such topic. */
int inv_help(const char *topic);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * run_options.h - the command line of `run`, checked.
 */
#ifndef INV_READER_RUN_OPTIONS_H
#define INV_READER_RUN_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct inv_run_options {
	const char *probes; /* as given, or INVREG_PROBES */
	const char *output; /* NULL: none */
	const char *session;
	const char *dir;
	uint64_t budget_bytes; /* 0: the default */
	bool quiet;
	bool serve;
	bool linger;	    /* serve on after the command has ended */
	const char *listen; /* NULL: the default */
	char **command;	    /* NULL-terminated, not empty */
};

/*
 * Reads options and environment; prints the error or the help.
 * Returns: -1: go on; else the exit status.
 */
int inv_run_options(struct inv_run_options *out, int argc, char **argv);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * run_probes.h - the probe file of a run: read, its names resolved, its text for the program.
 */
#ifndef INV_READER_RUN_PROBES_H
#define INV_READER_RUN_PROBES_H

#include "preload/probe.h"

struct inv_run_probes {
	struct inv_probe_file file;
	char *path;	/* absolute: what the program reads; malloc'ed */
	char *resolved; /* the text with offsets for names, malloc'ed; NULL: it has none */
	bool kept;	/* `path` is a copy of ours */
};

/* Returns: 0; INV_RUN_EXIT_OWN: it was said why not. To be released in either case. */
int inv_run_probes_read(struct inv_run_probes *out, const char *path, char *const *command);

/*
 * Writes the text with offsets beside the session, as NAME.ini, if there is one. It goes when
 * the session goes: what a program executes much later reads it too, and it says what was
 * recorded.
 * Returns: false and errno.
 */
bool inv_run_probes_keep(struct inv_run_probes *probes, const char *dir, const char *session);

/* Removes that copy, if it was made. */
void inv_run_probes_drop(const struct inv_run_probes *probes);
void inv_run_probes_free(struct inv_run_probes *probes);

#endif

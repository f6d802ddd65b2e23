/* SPDX-License-Identifier: MIT */
/*
 * check.h - reading a probe file for a person: the error is printed where it stands.
 */
#ifndef INV_READER_CHECK_H
#define INV_READER_CHECK_H

#include "preload/probe.h"

/*
 * Reads and checks a file; on failure prints one line, `invreg: FILE:LINE:COLUMN: TEXT`, on
 * stderr, and *file is empty. Names of members become offsets by what `command` starts (NULL:
 * not known): then *resolved (unless NULL) is the text as it was checked, malloc'ed, else NULL.
 * Returns: as inv_probe_file_read.
 */
int inv_check_read(struct inv_probe_file *file, const char *path, char *const *command,
		   char **resolved);

#endif

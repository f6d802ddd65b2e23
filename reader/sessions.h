/* SPDX-License-Identifier: MIT */
/*
 * sessions.h - which session is meant: by name, by path, or the one that is obvious.
 *
 * Called by all verbs, from the main thread, before anything is read. A file is opened
 * without following symlinks and without waiting for a FIFO, and is refused unless it is
 * a regular file of ours (root may read any). Never writes to a segment; prints only the
 * one line that goes with an exit code.
 */
#ifndef INV_READER_SESSIONS_H
#define INV_READER_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "reader/verbs.h"
#include "shm/result.h"
#include "shm/session.h"
#include "shm/view.h"

/*
 * Opens what NAME means: a path when it contains '/' or is an existing file named *.seg or
 * *.jsonl and no session has that name; else a session of dir (NULL: INVREG_DIR or the
 * default). NULL name: the one live session, else the newest; several live: lists them.
 * On failure prints one line (several live: one for each) on stderr.
 * Returns: 0, and *fd (the caller closes it) and its path; INV_EXIT_USAGE: several live, or
 * the name is empty;
 * INV_EXIT_NO_SESSION; INV_EXIT_REFUSED.
 */
int inv_sessions_open(const char *dir, const char *name, int *fd, char *path, size_t size);

/* Whether a name means a file and not a session of dir: as above, and whether it exists or not. */
bool inv_sessions_means_file(const char *dir, const char *name);

/*
 * Prints the one line for a segment that cannot be used: the file, what is wrong, and the
 * remedy. found: its format version, for INV_E_VERSION.
 * Returns: INV_EXIT_REFUSED.
 */
int inv_sessions_refuse(const char *path, enum inv_result why, uint32_t found);

/* Prints the one line for a directory that cannot be listed: errno err, and the remedy. */
void inv_sessions_say_unlisted(const char *dir, int err);

/* Prints the one line for an empty name, as of an unset variable. Returns: INV_EXIT_USAGE. */
int inv_sessions_say_nameless(void);

/* Maps the segment open in fd, or refuses it. Returns: 0 or INV_EXIT_REFUSED. */
int inv_sessions_view(int fd, const char *path, struct inv_view *view);

/* What `ls` shows of a session. */
struct inv_session_row {
	char name[INV_SESSION_NAME_MAX + 1]; /* printable, as command is */
	enum inv_result refused;	     /* not INV_OK: only name and modified are valid */
	enum inv_liveness liveness;
	bool paused, filtered; /* by its control page */
	struct timespec modified;
	int64_t created_ns;	 /* realtime */
	uint32_t processes;	 /* rows of its process table in use */
	uint64_t calls;		 /* begun so far */
	uint64_t reserved_bytes; /* of memory */
	char command[256];	 /* printable: control characters are replaced */
};

/*
 * Lists the sessions of a directory, newest first. *rows is malloc'ed. A directory that
 * does not exist has none.
 * Returns: 0 or -errno.
 */
int inv_sessions_list(const char *dir, struct inv_session_row **rows, size_t *count);

/*
 * The one live session of a list: *live, NULL when there is none. Several: lists them on
 * stderr. Returns: 0 or INV_EXIT_USAGE.
 */
int inv_sessions_live(const struct inv_session_row *rows, size_t count,
		      const struct inv_session_row **live);

#endif

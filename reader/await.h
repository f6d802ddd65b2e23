/* SPDX-License-Identifier: MIT */
/*
 * await.h - waits for a session that may not exist yet.
 *
 * Called from the main thread by verbs that may be started before the program is. Only
 * looks: it maps a segment for a moment to tell whether it is live, and never writes.
 *
 * [W1] The session that is taken was live when it was looked at, or came after the first
 *      look: one that came and ended between two looks is taken, too.
 *
 * inotify was rejected: the directory itself may not exist yet, and a look every 50 ms
 * costs less than the code for the ways in which a watch is lost.
 */
#ifndef INV_READER_AWAIT_H
#define INV_READER_AWAIT_H

#include <stdbool.h>

#include "shm/session.h"

/*
 * Chooses a session of dir (NULL: INVREG_DIR or the default): name, once it exists, ended
 * or not; with name NULL the one that is live, else the next that appears. Says once on
 * stderr that it waits, and sleeps by rest(ms), which returns false to give up.
 * Returns: -1, and its name in chosen; else the exit code: INV_EXIT_OK: given up;
 * INV_EXIT_USAGE: several are live (they are listed), or no session can have that name;
 * INV_EXIT_REFUSED: the directory cannot be read.
 */
int inv_await_session(const char *dir, const char *name, bool (*rest)(int ms),
		      char chosen[INV_SESSION_NAME_MAX + 1]);

/* Whether nothing has that name; what else is wrong with a file is told by whoever opens it. */
bool inv_await_absent(const char *path);

#endif

/* SPDX-License-Identifier: MIT */
#include "await.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "say.h"
#include "sessions.h"
#include "verbs.h"

#define LOOK_MS 50

struct waiting {
	char dir[400];
	const char *name;
	bool (*rest)(int ms);
	bool said;
};

struct list {
	struct inv_session_row *rows;
	size_t count;
};

/* Returns: false: given up. */
static bool wait_on(struct waiting *w)
{
	if (!w->said && w->name)
		inv_say("invreg: waiting for session %s in %s\n", w->name, w->dir);
	else if (!w->said)
		inv_say("invreg: waiting for a session in %s\n", w->dir);
	w->said = true;
	return w->rest(LOOK_MS);
}

/* ---- one that is named ----------------------------------------------------------------- */

bool inv_await_absent(const char *path)
{
	struct stat st;
	return lstat(path, &st) && (errno == ENOENT || errno == ENOTDIR);
}

static int await_named(struct waiting *w, char chosen[INV_SESSION_NAME_MAX + 1])
{
	char path[512];
	if (!*w->name)
		return inv_sessions_say_nameless();
	if (inv_session_path(path, sizeof(path), w->dir, w->name)) {
		inv_say("invreg: %.120s: no session can have this name\n", w->name);
		return INV_EXIT_USAGE;
	}
	while (inv_await_absent(path))
		if (!wait_on(w))
			return INV_EXIT_OK;
	strcpy(chosen, w->name);
	return -1;
}

/* ---- the next that comes ------------------------------------------------------------------ */

/* A name may be given again after its session was removed: then its start differs. A file
 * that cannot be read has no start: it is known by its name alone. */
static bool known(const struct list *before, const struct inv_session_row *row)
{
	for (size_t i = 0; i < before->count; i++) {
		const struct inv_session_row *old = &before->rows[i];
		if (!strcmp(old->name, row->name) &&
		    (row->refused || old->created_ns == row->created_ns))
			return true;
	}
	return false;
}

static bool live(const struct inv_session_row *row)
{
	return !row->refused && row->liveness == INV_LIVENESS_ALIVE;
}

/* The first of those that came, or came to life, since. */
static const struct inv_session_row *arrived(const struct list *before, const struct list *now)
{
	const struct inv_session_row *first = NULL;
	for (size_t i = 0; i < now->count; i++) {
		const struct inv_session_row *row = &now->rows[i];
		if ((live(row) || !known(before, row)) &&
		    (!first || row->created_ns < first->created_ns))
			first = row;
	}
	return first;
}

static int look(const struct waiting *w, struct list *list)
{
	int r = inv_sessions_list(w->dir, &list->rows, &list->count);
	if (r)
		inv_sessions_say_unlisted(w->dir, -r);
	return r ? INV_EXIT_REFUSED : -1;
}

static int await_next(struct waiting *w, const struct list *before,
		      char chosen[INV_SESSION_NAME_MAX + 1])
{
	while (wait_on(w)) {
		struct list now;
		int code = look(w, &now);
		const struct inv_session_row *row = code < 0 ? arrived(before, &now) : NULL;
		if (row)
			strcpy(chosen, row->name);
		free(now.rows);
		if (row || code >= 0)
			return code;
	}
	return INV_EXIT_OK;
}

static int await_any(struct waiting *w, char chosen[INV_SESSION_NAME_MAX + 1])
{
	struct list first;
	const struct inv_session_row *row = NULL;
	int code = look(w, &first);
	if (code < 0 && inv_sessions_live(first.rows, first.count, &row))
		code = INV_EXIT_USAGE;
	else if (row)
		strcpy(chosen, row->name);
	else if (code < 0)
		code = await_next(w, &first, chosen);
	free(first.rows);
	return code;
}

int inv_await_session(const char *dir, const char *name, bool (*rest)(int ms),
		      char chosen[INV_SESSION_NAME_MAX + 1])
{
	struct waiting w = {.name = name, .rest = rest};
	if (inv_session_dir(w.dir, sizeof(w.dir), dir)) {
		inv_say("invreg: the path of the session directory is too long\n");
		return INV_EXIT_REFUSED;
	}
	return name ? await_named(&w, chosen) : await_any(&w, chosen);
}

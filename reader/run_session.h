/* SPDX-License-Identifier: MIT */
/*
 * run_session.h - what a program needs to be observed: the shim, and a session made before it
 * starts. For `run` and `bench`, from their one thread.
 */
#ifndef INV_READER_RUN_SESSION_H
#define INV_READER_RUN_SESSION_H

#include <stdbool.h>

#include "preload/probe.h"
#include "shm/result.h"
#include "shm/session.h"

struct inv_run_session {
	char dir[400];
	char *dir_absolute; /* malloc'ed; NULL: it is the default, which needs no telling */
	char name[INV_SESSION_NAME_MAX + 1];
	char path[512];
};

struct inv_run_session_options {
	const char *dir;       /* NULL: INVREG_DIR or the default */
	const char *name;      /* NULL: one is made of the command and this process */
	uint64_t budget_bytes; /* 0: the default */
	char *const *command;  /* NULL-terminated */
	const struct inv_probe_file *probes;
	bool measure_cost; /* of a call, first: a few milliseconds (own_cost.h) */
};

/* Finds the shim. Returns: 0; INV_RUN_EXIT_OWN: it was said why not. */
int inv_run_session_shim(char *buf, size_t size);

/*
 * Makes directory, segment and control page. The result is to be freed in either case.
 * Returns: INV_OK; INV_E_EXISTS: `name` is taken; or why there is none (INV_E_SYSTEM: errno).
 */
enum inv_result inv_run_session_make(struct inv_run_session *session,
				     const struct inv_run_session_options *options);

/* Unlinks what was made, where nobody will ever ask for it. */
void inv_run_session_remove(const struct inv_run_session *session);
void inv_run_session_free(struct inv_run_session *session);

/* What is wrong, and what helps, in words; err: errno of then. */
const char *inv_run_session_why(enum inv_result why, int err);
const char *inv_run_session_remedy(enum inv_result why);

#endif

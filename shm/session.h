/* SPDX-License-Identifier: MIT */
/*
 * session.h - where segments live and what they are called.
 *
 * Directory: INVREG_DIR, else /dev/shm/invreg-<euid>, mode 0700, owned by the effective
 * user, writable to nobody else unless sticky, never through a symlink. A session NAME is the file
 * NAME.seg in it; a name is 1 to 100 characters of [A-Za-z0-9._-], not beginning with a dot.
 * Default name: <comm>-<pid>-<start time>. The four newest ended sessions are kept; making a new
 * one unlinks older ones (never truncates: who maps them keeps them). NAME.ctl is the control page
 * of the session (control.h); it goes when the session goes.
 *
 * Called from constructors and from the reader. Allocates nothing that outlives a call.
 */
#ifndef INV_SHM_SESSION_H
#define INV_SHM_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "result.h"

#define INV_SESSION_NAME_MAX 100
#define INV_SESSION_KEEP     4

/* Puts the directory's path in buf: `override` where not NULL, else INVREG_DIR, else the default.
 */
enum inv_result inv_session_dir(char *buf, size_t size, const char *override);

/*
 * Makes sure that it exists and is ours alone: whoever may rename in it decides what a
 * session's name leads to.
 * Returns: INV_OK, INV_E_OWNER, INV_E_MODE, INV_E_KIND, INV_E_FULL, INV_E_SYSTEM (errno
 * holds why).
 */
enum inv_result inv_session_ensure_dir(const char *dir);

/* Whether name may be a session's name. */
bool inv_session_name_valid(const char *name);

/* Puts <dir>/<name>.seg in buf. Returns: INV_OK or INV_E_USAGE (bad name, too long). */
enum inv_result inv_session_path(char *buf, size_t size, const char *dir, const char *name);

/* The default name of this process's session; always valid as a name. */
void inv_session_default_name(char *buf, size_t size);

/* A number of bytes, with K, M or G. Returns: whether it is one, 4M to 1024G. */
bool inv_session_size(const char *text, uint64_t *bytes);

/* What INVREG_SIZE says, if it is set. Returns: whether that is a size. */
bool inv_session_budget(uint64_t *bytes);

enum inv_liveness { INV_LIVENESS_DEAD = 0, INV_LIVENESS_ALIVE = 1, INV_LIVENESS_UNKNOWN = 2 };

/*
 * Whether any process of the segment in this open file is alive, by reading (not mapping)
 * its process table; if none, by whether somebody has it mapped. UNKNOWN: another pid namespace
 * or boot. A session whose creator (`run`) lives counts as alive.
 */
enum inv_liveness inv_session_liveness(int fd);

/*
 * Whether a process has the file of this read-only descriptor open, or mapped, for writing. No,
 * where it cannot be told: another user's file, a file system without leases.
 */
bool inv_session_has_writers(int fd);

/*
 * Unlinks ended sessions in dir, all but the `keep` newest, control pages without a session,
 * and left-over temporary files, where they are old and the maker is dead. Sessions of unknown
 * liveness stay, and saved copies, files of other formats, and what other users own. Returns: how
 * many were unlinked; -1: the directory cannot be read (errno holds why).
 */
int inv_session_prune(const char *dir, int keep);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * proc.h - rows of the process table, liveness, and notes.
 *
 * Each process that writes has a row; a fork child takes its own at its first probed
 * call, an executed image its own in its constructor. Rows of dead processes are taken
 * again under the next generation: what refers to (row, generation) then names a process
 * that is no longer described, and readers say so.
 *
 * Liveness is only known within one pid namespace and boot: elsewhere a process is
 * UNKNOWN and nothing of its is ever taken.
 */
#ifndef INV_SHM_PROC_H
#define INV_SHM_PROC_H

#include <stdbool.h>
#include <stdint.h>

#include "segment.h"
#include "session.h"

/* Who this process is, read from /proc once per image and once per fork. */
struct inv_self {
	uint32_t pid;
	uint32_t ppid;
	uint64_t start_time; /* 0: no /proc */
	uint64_t pid_ns;     /* 0: unknown */
	bool own_proc;	     /* /proc numbers processes as our pid namespace does */
	char boot_id[40];    /* empty: unknown */
	char comm[16];
	char exe[416];
};
void inv_self_read(struct inv_self *self);

/*
 * Whether process (pid, start_time) of pid_ns and boot_id is alive, seen from `self`.
 * DEAD is only said of what cannot be alive: its lane is taken by whoever hears it.
 */
enum inv_liveness inv_proc_liveness(const struct inv_self *self, const char *boot_id,
				    uint64_t pid_ns, uint32_t pid, uint64_t start_time);

/* The same for a row, in place or a copy; a FREE or ENDED row is DEAD. */
enum inv_liveness inv_proc_liveness_of(const struct inv_self *self, const char *boot_id,
				       const struct inv_proc *row);

/* The same for a row of a segment; UNKNOWN beyond the table. */
enum inv_liveness inv_proc_row_liveness(const struct inv_segment *seg, const struct inv_self *self,
					uint32_t row);

/*
 * Takes a row, LIVE on return. Rows of our own (pid, start_time) under another nonce are
 * ENDED on the way: that image is gone (execve).
 * Returns: INV_OK and *row, *generation; INV_E_FULL.
 */
enum inv_result inv_proc_claim(struct inv_segment *seg, const struct inv_self *self, uint64_t nonce,
			       uint32_t forked_from, uint32_t *row, uint16_t *generation);

/*
 * Leaves a note (see struct inv_note); text is cut to fit. probe: index or -1. Lock-free;
 * when the table is full the note is dropped: its reason is still counted by the caller.
 * Returns: the note, for inv_note_withdraw, or NULL.
 */
struct inv_note *inv_note_add(struct inv_segment *seg, const struct inv_self *self,
			      enum inv_reason reason, int probe, const char *detail);

/* Takes back one count of a note (NULL: nothing): what it said is true no more. */
void inv_note_withdraw(struct inv_note *note);

/* Returns: a static English phrase for a reason; never NULL. */
const char *inv_reason_text(enum inv_reason reason);

/* Returns: the stable lower-case name of a loss ("name_overflow"), as outputs print it. */
const char *inv_loss_name(enum inv_loss reason);

/* Returns: one English sentence: what a loss means for the user and the remedy. */
const char *inv_loss_text(enum inv_loss reason);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * sandbox.h - what the kernel may be asked, once the program has shut itself in.
 *
 * A seccomp filter may kill the process for a system call that the program itself never makes.
 * Ours are such. The way of a call makes none (record.h [C1]); its cold half does, and looks
 * here first. What is not allowed goes without: a thread without a lane is tallied in the
 * overflow region, a text in an unknown page is unreadable, a name without room is _other.
 * Each is counted as ever.
 *
 * Process-wide, though a filter is a thread's: one that is not shut in goes without as well.
 * Set by who sees a filter being installed (preload/sandbox.h), never in a reader.
 */
#ifndef INV_SHM_SANDBOX_H
#define INV_SHM_SANDBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum inv_ask {
	INV_ASK_LANE = 1,  /* gettid, madvise: lanes, and room for cells, names and rings */
	INV_ASK_PAGE = 2,  /* rt_sigprocmask: whether a page can be read */
	INV_ASK_LOOK = 4,  /* open, read, kill, getpid, ...: at processes, stacks and files */
	INV_ASK_HOLD = 8,  /* rt_sigprocmask: signals held back meanwhile */
	INV_ASK_BIND = 16, /* mincore, futex, mprotect, ...: what is loaded from then on */
	INV_ASK_ALL = 31,
	INV_ASK_REST =
		32 /* what no filter is asked about: a session made or joined, memory locked */
};

extern _Atomic uint32_t inv_sandbox_forbidden; /* INV_ASK_* */

static inline bool inv_sandbox_allows(enum inv_ask ask)
{
	return !(atomic_load_explicit(&inv_sandbox_forbidden, memory_order_relaxed) &
		 (uint32_t)ask);
}

#endif

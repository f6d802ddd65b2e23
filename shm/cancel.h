/* SPDX-License-Identifier: MIT */
/*
 * cancel.h - what we ask the kernel is no cancellation point of the program's.
 *
 * open, read, close and getrandom are one; the function that we stand in front of need not be. A
 * thread that was to be cancelled later would be cancelled in a probed call, with its mutexes
 * held and the function not called. So who calls one in the program's threads has cancellation
 * off meanwhile.
 *
 * System calls by number were rejected: they would have to be at each place, and libc's own
 * (opendir, stdio) cannot be.
 *
 * Any thread, a signal handler too; no system call. Changes no errno.
 */
#ifndef INV_SHM_CANCEL_H
#define INV_SHM_CANCEL_H

#include <pthread.h>

/* Returns: for inv_cancel_restore. */
static inline int inv_cancel_hold(void)
{
	int before = PTHREAD_CANCEL_ENABLE;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
	return before;
}

static inline void inv_cancel_restore(int before)
{
	pthread_setcancelstate(before, NULL);
}

#endif

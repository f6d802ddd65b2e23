/* SPDX-License-Identifier: MIT */
/*
 * quiet_write.c - the signal that a write raises is this thread's: it is held back, taken, and
 * forgotten, unless one of the program's own was pending before.
 */
#include "preload/quiet_write.h"

#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "shm/cancel.h"

static int raised_by(int error)
{
	return error == EPIPE ? SIGPIPE : error == EFBIG ? SIGXFSZ : 0;
}

bool inv_quiet_write(int fd, const char *text, size_t length)
{
	sigset_t held, before, pending;
	const struct timespec at_once = {0, 0};
	sigemptyset(&held);
	sigaddset(&held, SIGPIPE);
	sigaddset(&held, SIGXFSZ);
	int cancel = inv_cancel_hold();
	pthread_sigmask(SIG_BLOCK, &held, &before);
	sigpending(&pending);
	bool written = write(fd, text, length) >= 0;
	int error = errno, raised = written ? 0 : raised_by(error);
	if (raised && !sigismember(&pending, raised)) {
		sigemptyset(&held);
		sigaddset(&held, raised);
		sigtimedwait(&held, NULL, &at_once);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	inv_cancel_restore(cancel);
	errno = error;
	return written;
}

/* SPDX-License-Identifier: MIT */
/*
 * got_lock.c - the try-lock of the `got` tier, and what a fork beside its holder leaves.
 *
 * The holder is in the loader's list (got_objects), with signals blocked and no cancellation.
 * The child of a fork that another thread makes has the lock of that list as it was: nobody is
 * there to release it, and libc does not (glibc 2.36). So fork waits until nobody is there on our
 * behalf, and holds our own lock meanwhile: the child has it to release.
 *
 * Other threads go into the list by themselves: by a dlopen of their own, an unwinder, a crash
 * reporter. Where there were other threads, the child does not ask the loader, until it begins a
 * dlopen, which would be stuck there just as well. What is not seen till then: calls of what
 * had come and not been patched before the fork, and calls through what dlsym answers.
 *
 * Rejected: to look into the loader's lock, whose place differs between releases. A fork by
 * _Fork or clone is not noticed.
 */
#include "preload/got_internal.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "shm/cancel.h"
#include "shm/sandbox.h"

#define LOCK_TRIES	200
#define LOCK_TRIES_FORK 2000   /* a large process may take long to fork */
#define LOCK_WAIT_NS	100000 /* between tries, after the first few: 20 ms in all */

extern char __libc_single_threaded __attribute__((weak)); /* of glibc 2.32 */

static _Atomic bool locked;
static _Atomic bool forking;
static _Atomic bool unsure;
static sigset_t signals_before;	   /* of the lock's holder */
static int cancel_before;	   /* the same */
static __thread bool held, beside; /* by the thread that forks; beside others */

bool inv_got_try_lock(void)
{
	sigset_t all, before;

	if (inv_got_unsure() || !inv_sandbox_allows(INV_ASK_HOLD))
		return false;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	/* [G5] acquire: the tables as the last holder left them; pairs with unlock */
	if (!atomic_exchange_explicit(&locked, true, memory_order_acquire)) {
		signals_before = before;
		cancel_before = inv_cancel_hold(); /* files are read under it */
		return true;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return false;
}

void inv_got_unlock(void)
{
	sigset_t before = signals_before;
	int cancel = cancel_before;

	/* [G5] release: the tables; pairs with try_lock */
	atomic_store_explicit(&locked, false, memory_order_release);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	inv_cancel_restore(cancel);
}

/* The holder may have lost its processor, so yielding alone is not enough. */
static void give_way(int tries)
{
	struct timespec pause = {.tv_nsec = LOCK_WAIT_NS};

	if (tries < 10)
		sched_yield();
	else
		syscall(SYS_nanosleep, &pause, NULL); /* no cancellation point, as libc's is */
}

static bool lock_within(int most)
{
	for (int i = 0; i < most && !inv_got_unsure() && inv_sandbox_allows(INV_ASK_HOLD); i++) {
		if (inv_got_try_lock())
			return true;
		give_way(i);
	}
	return false;
}

bool inv_got_lock_patiently(void)
{
	bool long_held = atomic_load_explicit(&forking, memory_order_relaxed);

	return lock_within(long_held ? LOCK_TRIES_FORK : LOCK_TRIES);
}

/* ---- fork ----------------------------------------------------------------------------- */

bool inv_got_unsure(void)
{
	return atomic_load_explicit(&unsure, memory_order_relaxed);
}

void inv_got_sure(void)
{
	atomic_store_explicit(&unsure, false, memory_order_relaxed);
}

static void before_fork(void)
{
	int saved = errno;

	beside = !&__libc_single_threaded || !__libc_single_threaded;
	held = beside && lock_within(LOCK_TRIES);
	if (held)
		atomic_store_explicit(&forking, true, memory_order_relaxed);
	errno = saved;
}

static void release(void)
{
	if (!held)
		return;
	held = false;
	atomic_store_explicit(&forking, false, memory_order_relaxed);
	inv_got_unlock();
}

static void in_child(void)
{
	if (beside) {
		atomic_store_explicit(&unsure, true, memory_order_relaxed);
		atomic_store_explicit(&inv_got_watch, 0, memory_order_relaxed);
	}
	release();
}

void inv_got_expect_forks(void)
{
	pthread_atfork(before_fork, release, in_child);
}

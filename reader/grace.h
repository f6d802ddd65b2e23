/* SPDX-License-Identifier: MIT */
/*
 * grace.h - tells ThreadSanitizer what a grace period orders, and what a pointer publishes.
 *
 * liburcu is not built with it, so it does not see that whatever was read under the read
 * lock was read before what follows a grace period; nor that what is behind a pointer was
 * written before rcu_assign_pointer. Without TSan all of this is nothing.
 */
#ifndef INV_READER_GRACE_H
#define INV_READER_GRACE_H

/* memb flavour by name: no symbols of the generic header mix in */
#include <urcu/urcu-memb.h>

#ifdef __SANITIZE_THREAD__
void __tsan_acquire(void *address);
void __tsan_release(void *address);
extern char inv_grace;
#define INV_GRACE_BEFORE() __tsan_release(&inv_grace)
#define INV_GRACE_AFTER()  __tsan_acquire(&inv_grace)
#else
#define INV_GRACE_BEFORE() ((void)0)
#define INV_GRACE_AFTER()  ((void)0)
#endif

static inline void inv_read_lock(void)
{
	urcu_memb_read_lock();
	INV_GRACE_AFTER(); /* what was published before */
}

static inline void inv_read_unlock(void)
{
	INV_GRACE_BEFORE();
	urcu_memb_read_unlock();
}

#endif

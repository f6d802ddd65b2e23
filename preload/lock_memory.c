/* SPDX-License-Identifier: MIT */
/*
 * lock_memory.c - mlockall, which would fill the session's holes.
 *
 * A session is some gigabytes of addresses, few of which ever have a page, and mlockall(2) gives
 * each of them one: /dev/shm would be full, for everybody. So it is carried out for all mappings
 * but ours: first all are marked as to be locked when they are touched, then each of the
 * program's is locked by itself, which is what fills it.
 *
 * What the kernel refuses is refused in its own words, by the first request. Left to the kernel
 * as it came: a request that fills nothing; one within a sandbox, where what we ask instead might
 * be deadly; one by syscall(2). MCL_FUTURE before there is a session is segment.c's matter.
 *
 * Rejected: to leave the holes without access until they are needed (mprotect for each lane, in
 * each process, on the way of threads that are none of mlockall's business).
 */
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>

#include "preload/got.h"
#include "shm/maps.h"
#include "shm/sandbox.h"
#include "shm/segment.h"

#ifndef MCL_ONFAULT
#define MCL_ONFAULT 4
#endif

int mlockall(int flags) __attribute__((visibility("default")));

struct spared {
	uintptr_t low, high;
};

/* A mapping that cannot be filled is locked all the same, as by mlockall. */
static bool lock_one(void *arg, uintptr_t low, uintptr_t high, const char *rest)
{
	const struct spared *s = arg;
	if (high <= s->low || low >= s->high)
		mlock((const void *)low, high - low);
	return false;
}

static int lock_all_but(struct spared *spared, int (*real)(int), int flags)
{
	int r = real(MCL_CURRENT | MCL_ONFAULT);
	if (r)
		return errno == EINVAL ? real(flags) : r;
	int saved = errno;
	munlock((void *)spared->low, spared->high - spared->low);
	r = inv_maps_each(lock_one, spared) ? 0 : real(flags);
	if (!r && (flags & MCL_FUTURE))
		r = real(MCL_FUTURE);
	if (!r)
		errno = saved;
	return r;
}

int mlockall(int flags)
{
	int (*real)(int);
	size_t bytes;
	void *base = inv_segment_mapping(&bytes);
	struct spared spared = {(uintptr_t)base, (uintptr_t)base + bytes};
	bool fills = (flags & MCL_CURRENT) && !(flags & MCL_ONFAULT);
	*(void **)&real = inv_got_real_dlsym(RTLD_NEXT, "mlockall");
	int r = base && fills && inv_sandbox_allows(INV_ASK_ALL)
			? lock_all_but(&spared, real, flags)
			: real(flags);
	if (!r)
		inv_segment_expect_locks((flags & MCL_FUTURE) && inv_sandbox_allows(INV_ASK_ALL));
	return r;
}

/* SPDX-License-Identifier: MIT */
/*
 * lock_memory.c - mlockall, which would fill the session's holes.
 *
 * A session is some gigabytes of addresses, few of which ever have a page, and mlockall(2) gives
 * each of them one: /dev/shm would be full, for everybody. So it is carried out for all mappings
 * but ours: first all are marked as to be locked when they are touched, then each of the
 * program's is locked by itself, which is what fills it.
 *
 * What the kernel refuses is refused in its own words, by the first request, unless it is for a
 * limit that the program alone would not exceed. Left to the kernel as it came: a request that
 * fills nothing; one within a sandbox, where what we ask instead might be deadly; one by
 * syscall(2). MCL_FUTURE before there is a session is segment.c's matter.
 *
 * Rejected: to leave the holes without access until they are needed (mprotect for each lane, in
 * each process, on the way of threads that are none of mlockall's business).
 */
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>

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
	uint64_t others; /* bytes of all other mappings */
};

/* This shared object, by its linker: what is touched of it is locked, the rest is not wanted. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern const char _end[] __attribute__((visibility("hidden")));

static bool is_spared(const struct spared *s, uintptr_t low, uintptr_t high)
{
	return (high > s->low && low < s->high) ||
	       (high > (uintptr_t)__ehdr_start && low < (uintptr_t)_end);
}

static bool add_up(void *arg, uintptr_t low, uintptr_t high, const char *rest)
{
	struct spared *s = arg;
	if (!is_spared(s, low, high))
		s->others += high - low;
	return false;
}

/* A mapping that cannot be filled is locked all the same, as by mlockall. */
static bool lock_one(void *arg, uintptr_t low, uintptr_t high, const char *rest)
{
	if (!is_spared(arg, low, high))
		mlock((const void *)low, high - low);
	return false;
}

/* Whether RLIMIT_MEMLOCK, which was too low for all, has room for the program without us. */
static bool fits_alone(struct spared *spared)
{
	struct rlimit limit;
	return getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && inv_maps_each(add_up, spared) &&
	       spared->others <= limit.rlim_cur;
}

static int lock_all_but(struct spared *spared, int (*real)(int), int flags)
{
	int saved = errno, r = real(MCL_CURRENT | MCL_ONFAULT), why = errno;
	if (r && why == EINVAL) { /* Linux before 4.4 */
		errno = saved;
		return real(flags);
	}
	if (r && !(why == ENOMEM && fits_alone(spared))) {
		errno = why;
		return r;
	}
	if (!r)
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
	struct spared spared = {(uintptr_t)base, (uintptr_t)base + bytes, 0};
	bool fills = (flags & MCL_CURRENT) && !(flags & MCL_ONFAULT);
	*(void **)&real = inv_got_real_dlsym(RTLD_NEXT, "mlockall");
	int r = fills && inv_sandbox_allows(INV_ASK_ALL | INV_ASK_REST)
			? lock_all_but(&spared, real, flags)
			: real(flags);
	if (!r)
		inv_segment_expect_locks((flags & MCL_FUTURE) &&
					 inv_sandbox_allows(INV_ASK_ALL | INV_ASK_REST));
	return r;
}

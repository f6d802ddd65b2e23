/* SPDX-License-Identifier: MIT */
/* advise.c - see advise.h. */
#include "advise.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>

#define NO_ADVICE (-1)

enum { UNKNOWN, REFUSES, REFUSES_NOTHING };

static _Atomic int kernel;

int inv_advise(void *at, size_t bytes, int advice)
{
	int it = atomic_load_explicit(&kernel, memory_order_relaxed);
	if (it == UNKNOWN) {
		it = madvise(at, bytes, NO_ADVICE) ? REFUSES : REFUSES_NOTHING;
		atomic_store_explicit(&kernel, it, memory_order_relaxed);
	}
	if (it == REFUSES_NOTHING)
		return EINVAL;
	return madvise(at, bytes, advice) ? errno : 0;
}

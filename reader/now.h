/* SPDX-License-Identifier: MIT */
/* now.h - the reader's own sense of time: milliseconds that a set clock does not change. */
#ifndef INV_READER_NOW_H
#define INV_READER_NOW_H

#include <stdint.h>
#include <time.h>

static inline int64_t inv_now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

#endif

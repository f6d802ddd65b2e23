/* SPDX-License-Identifier: MIT */
/*
 * clock.h - the tick clock of a session, and anchors that tie it to civil time.
 *
 * A session has one clock kind, chosen by its creator and kept in the header: the CPU's
 * counter where the kernel itself trusts it (clocksource is tsc, CPUID says invariant,
 * PR_GET_TSC allows it), else clock_gettime(CLOCK_MONOTONIC). Ticks become nanoseconds
 * only in the reader, by interpolation between anchors: the writer never divides.
 *
 * Called from any thread. Never blocks, allocates or changes errno.
 */
#ifndef INV_SHM_CLOCK_H
#define INV_SHM_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "layout.h"

/* Returns: the best kind this process can read; never INV_CLOCK_NONE. */
enum inv_clock_kind inv_clock_detect(void);

/* Returns: whether this process can read a clock of that kind. */
bool inv_clock_usable(enum inv_clock_kind kind);

/* One instant on all clocks: the tightest of a few tries. */
void inv_clock_anchor(enum inv_clock_kind kind, struct inv_anchor *out);

/* In no segment: a process that may not read its clock. */
#define INV_CLOCK_STOPPED ((enum inv_clock_kind)(INV_CLOCK_MONOTONIC + 1))

/* The counter itself; only where inv_clock_usable() said so. */
static inline uint64_t inv_clock_counter(void)
{
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
	uint64_t v;
	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(v));
	return v;
#else
	return 0;
#endif
}

/* The kernel's clock, in ns. Not inline: the shim's wrappers call nothing of libc themselves. */
uint64_t inv_clock_monotonic(void);

/* Ticks of the given kind, for both the hot path and readers. */
static inline uint64_t inv_clock_ticks(enum inv_clock_kind kind)
{
	if (__builtin_expect(kind < INV_CLOCK_MONOTONIC, 1))
		return inv_clock_counter();
	if (kind == INV_CLOCK_STOPPED)
		return 0;
	return inv_clock_monotonic();
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * clock.c - choosing and anchoring the tick clock.
 *
 * The kernel is the judge of the TSC: it takes it as clocksource only after checking that
 * it is synchronised between CPUs. CPUID's invariant bit alone is not enough (it says
 * nothing of other sockets or of a hypervisor), so both are asked for.
 */
#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#define ANCHOR_TRIES 7

#if defined(__x86_64__)
static bool clocksource_is_tsc(void)
{
	char name[16] = "";
	int fd = open("/sys/devices/system/clocksource/clocksource0/current_clocksource",
		      O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t n = read(fd, name, sizeof(name) - 1);
	close(fd);
	return n >= 3 && memcmp(name, "tsc", 3) == 0 && (n == 3 || name[3] == '\n');
}

static bool cpu_tsc_invariant(void)
{
	unsigned a, b, c, d;
	return __get_cpuid(0x80000007u, &a, &b, &c, &d) && (d & (1u << 8));
}

static bool tsc_permitted(void)
{
	int mode = 0;
	return prctl(PR_GET_TSC, &mode, 0, 0, 0) == 0 && mode == PR_TSC_ENABLE;
}
#endif

bool inv_clock_usable(enum inv_clock_kind kind)
{
	int saved = errno;
	bool usable = false;
	switch (kind) {
	case INV_CLOCK_MONOTONIC:
		usable = true;
		break;
#if defined(__x86_64__)
	case INV_CLOCK_TSC:
		usable = tsc_permitted();
		break;
#elif defined(__aarch64__)
	case INV_CLOCK_CNTVCT:
		usable = true;
		break;
#endif
	default:
		break;
	}
	errno = saved;
	return usable;
}

enum inv_clock_kind inv_clock_detect(void)
{
	enum inv_clock_kind kind = INV_CLOCK_MONOTONIC;
	int saved = errno;
#if defined(__x86_64__)
	if (clocksource_is_tsc() && cpu_tsc_invariant() && tsc_permitted())
		kind = INV_CLOCK_TSC;
#elif defined(__aarch64__)
	kind = INV_CLOCK_CNTVCT;
#endif
	errno = saved;
	return kind;
}

static int64_t read_ns(clockid_t id)
{
	struct timespec ts = {0, 0};
	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

uint64_t inv_clock_monotonic(void)
{
	return (uint64_t)read_ns(CLOCK_MONOTONIC);
}

static void anchor_once(enum inv_clock_kind kind, struct inv_anchor *out)
{
	uint64_t before = inv_clock_ticks(kind);
	out->realtime_ns = read_ns(CLOCK_REALTIME);
	uint64_t between = inv_clock_ticks(kind);
	out->boottime_ns = read_ns(CLOCK_BOOTTIME);
	uint64_t after = inv_clock_ticks(kind);
	/* The realtime read lies between the first two: its middle is the best guess. */
	out->ticks = before + (between - before) / 2;
	out->window_ticks = after - before;
}

void inv_clock_anchor(enum inv_clock_kind kind, struct inv_anchor *out)
{
	int saved = errno;
	anchor_once(kind, out);
	for (int i = 1; i < ANCHOR_TRIES; i++) {
		struct inv_anchor again;
		anchor_once(kind, &again);
		if (again.window_ticks < out->window_ticks)
			*out = again;
	}
	errno = saved;
}

/* SPDX-License-Identifier: MIT */
/*
 * target.c - equal invoke functions in twos: one is probed or traced, the other never is.
 *
 * The work is a function that both share, since the same loop at another address may run at
 * another speed. UNTRACED matters to the copy that is compiled with -pg for uftrace.
 */
#include "target.h"

#define UNTRACED __attribute__((no_instrument_function))
#define WORK                                                                                       \
	if (__builtin_expect(world->work != 0, 0))                                                 \
		spin(world->work);
#define RESULT (artifact_id[0] + method[0] + args_count == -1 ? -22 : 0)

static UNTRACED __attribute__((noinline)) void spin(uint64_t loops)
{
	uint64_t x = loops;
	while (loops--) {
		x *= 0x9E3779B97F4A7C15u;
		__asm__ volatile("" : "+r"(x));
		x ^= x >> 7;
	}
	__asm__ volatile("" : : "r"(x));
}

int bench_invoke(struct bench_world *world, const char *invoker_id, const char *artifact_id,
		 const char *method, int args_count, void *args)
{
	WORK return RESULT;
}

UNTRACED int bench_bare(struct bench_world *world, const char *invoker_id, const char *artifact_id,
			const char *method, int args_count, void *args)
{
	WORK return RESULT;
}

int bench_wide_invoke(struct bench_world *world, const char *invoker_id, const char *artifact_id,
		      const char *method, int args_count, void *args, int64_t first, int64_t second)
{
	WORK return first + second == -1 ? -22 : RESULT;
}

UNTRACED int bench_wide_bare(struct bench_world *world, const char *invoker_id,
			     const char *artifact_id, const char *method, int args_count,
			     void *args, int64_t first, int64_t second)
{
	WORK return first + second == -1 ? -22 : RESULT;
}

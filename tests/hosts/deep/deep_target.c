/* SPDX-License-Identifier: MIT */
/* deep_target.c - see deep_target.h. */
#include "deep_target.h"

/* Between two of its calls, or the compiler would make a loop of the recursion. */
static __attribute__((noinline)) int below(struct descent *descent, int phase, int depth)
{
	int deep = descend(descent, phase, depth - 1);
	__asm__ volatile("" : "+r"(deep));
	return deep + 1;
}

__attribute__((visibility("default"), noinline)) int descend(struct descent *descent, int phase,
							     int depth)
{
	int deep = 1;
	descent->calls++;
	if (depth > 1)
		deep = below(descent, phase, depth);
	else if (descent->out)
		longjmp(*descent->out, 1);
	__asm__ volatile("" : "+r"(deep));
	return deep;
}

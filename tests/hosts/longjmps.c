/* SPDX-License-Identifier: MIT */
/* longjmps.c - leaves towers of calls by longjmp, from a varying depth to the bottom. */
#include <setjmp.h>
#include <stdio.h>

#include "truth.h"

const char host_about[] = "longjmps: --calls towers up to --depth deep; every second one is left "
			  "by longjmp";

static const struct host_options *opt;
static jmp_buf bottom;

struct level {
	struct host_caller *caller;
	uint32_t depth, top, tower;
};

static void descend(void *data)
{
	const struct level *above = data;
	struct level here = {above->caller, above->depth + 1, above->top, above->tower};

	if (above->depth > above->top) {
		if (above->tower & 1)
			longjmp(bottom, 1);
		return;
	}
	host_call(above->caller, above->depth, above->tower, 0, descend, &here);
}

int host_run(const struct host_options *options)
{
	static struct host_caller caller;
	static uint32_t tower; /* static: must survive the jump */

	opt = options;
	host_caller_init(&caller, "invoker", 0);
	for (tower = 0; tower < options->calls; tower++) {
		struct level outside = {&caller, 1, 1 + tower % opt->depth, tower};
		if (setjmp(bottom) == 0) {
			descend(&outside);
		} else {
			host_count_jumped(caller.open);
			caller.open = 0;
			host_call_next(&caller);
		}
	}
	host_add_digest(caller.digest);
	printf("towers %u depth %u\n", options->calls, options->depth);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* target.c - two equal near-empty invoke functions: one is probed, one never is. */
#include "target.h"

#define BODY (artifact_id[0] + method[0] + args_count == -1 ? -22 : 0)

int bench_invoke(struct bench_world *world, const char *invoker_id, const char *artifact_id,
		 const char *method, int args_count, void *args)
{
	return BODY;
}

int bench_bare(struct bench_world *world, const char *invoker_id, const char *artifact_id,
	       const char *method, int args_count, void *args)
{
	return BODY;
}

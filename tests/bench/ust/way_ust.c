/* SPDX-License-Identifier: MIT */
/*
 * way_ust.c - a wrapper that records a call by LTTng-UST: two time stamps of the benchmark's own
 * clock, and one event at return with all fields. Entry and exit events would be two.
 */
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "tests/bench/ust/provider.h"

#include "shm/clock.h"
#include "tests/bench/ways.h"

int bench_ust_call(struct bench_world *world, const char *invoker_id, const char *artifact_id,
		   const char *method, int args_count, void *args)
{
	uint64_t begun = inv_clock_counter();
	int rc = bench_bare(world, invoker_id, artifact_id, method, args_count, args);
	uint64_t took = inv_clock_counter() - begun;
	lttng_ust_tracepoint(bench, call, world->tick, invoker_id, artifact_id, method, args_count,
			     begun, took, rc);
	return rc;
}

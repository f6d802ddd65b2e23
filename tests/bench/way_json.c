/* SPDX-License-Identifier: MIT */
/* way_json.c - what one writes on the first day: a wrapper that prints a line of JSON per call. */
#include <stdio.h>
#include <time.h>

#include "tests/bench/ways.h"

int bench_json_call(void *log, struct bench_world *world, const char *invoker_id,
		    const char *artifact_id, const char *method, int args_count, void *args)
{
	struct timespec begun, ended;
	clock_gettime(CLOCK_REALTIME, &begun);
	int rc = bench_bare(world, invoker_id, artifact_id, method, args_count, args);
	clock_gettime(CLOCK_REALTIME, &ended);
	double ms = (double)(ended.tv_sec - begun.tv_sec) * 1e3 +
		    (double)(ended.tv_nsec - begun.tv_nsec) / 1e6;
	fprintf(log,
		"{\"event_type\":\"%s\",\"tick\":%lld,\"invoker_id\":\"%s\",\"artifact_id\":\"%s\","
		"\"method\":\"%s\",\"args_count\":%d,\"duration_ms\":%.6f,\"timestamp\":%lld.%09ld}"
		"\n",
		rc ? "invoke_failure" : "invoke_success", (long long)world->tick, invoker_id,
		artifact_id, method, args_count, ms, (long long)begun.tv_sec, begun.tv_nsec);
	return rc;
}

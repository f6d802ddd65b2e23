/* SPDX-License-Identifier: MIT */
/*
 * ways.h - other ways to record the calls that the overhead benchmark makes.
 *
 * Called by the benchmark's threads only. A way calls the unprobed function itself, as a wrapper
 * would, and records the same fields as the probe of bench.ini: tick, invoker, artifact, method,
 * the number of arguments, when it began, how long it took and what it returned.
 */
#ifndef BENCH_WAYS_H
#define BENCH_WAYS_H

#include "tests/bench/target.h"

/* fprintf of one JSON line into FILE `log`, which the caller opened. */
int bench_json_call(void *log, struct bench_world *world, const char *invoker_id,
		    const char *artifact_id, const char *method, int args_count, void *args);

/* One LTTng-UST event at return. Weak: only in the program that is linked with LTTng-UST. */
__attribute__((weak)) int bench_ust_call(struct bench_world *world, const char *invoker_id,
					 const char *artifact_id, const char *method,
					 int args_count, void *args);

#endif

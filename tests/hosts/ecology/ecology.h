/* SPDX-License-Identifier: MIT */
/*
 * ecology.h - the demo simulation: agents that trade, ask and build by invoking artifacts.
 *
 *   main.c       options, threads, ticks, the summary
 *   agents.c     what an agent does in a tick
 *   artifacts.c  the artifacts' code; most of them invoke others
 *   log.c        the program's own count of what was invoked (--truth)
 */
#ifndef ECOLOGY_H
#define ECOLOGY_H

#include <stdbool.h>
#include <stdint.h>

#include "executor.h"

/* What main tells code_forge to crash it: no agent passes a number that high. */
#define CRASH_ARGUMENT INT64_C(1666)

struct ecology {
	uint32_t ticks, agents, artifacts, threads;
	uint64_t seed;
	int64_t crash_at_tick; /* -1: never */
	bool crash_by_abort;
	bool fast; /* no sleeps, next to no work */
	bool quiet;
	const char *truth;
	struct executor *executor;
};

/* random numbers of one thread: the same for the same seed */
uint64_t world_random(struct world *world);
uint32_t world_below(struct world *world, uint32_t bound);
bool world_chance(struct world *world, uint32_t per_mille);

/* Time spent: computing, or waiting for something. */
void world_work(const struct world *world, uint32_t microseconds);
void world_wait(const struct world *world, uint32_t microseconds);

/* executor_invoke, counted in the log. args: up to 4 numbers. */
int ecology_invoke(struct world *world, const char *invoker_id, const char *artifact_id,
		   const char *method, int args_count, ...);

/* Puts the id of the n-th artifact in buf[40]; beyond the kinds they are numbered. */
void artifact_id(char *buf, uint32_t n);
uint32_t artifact_kinds(void);
int artifacts_register(struct ecology *ecology);

void agent_name(char *buf, uint32_t n); /* buf[40] */
void agent_act(struct world *world, const char *agent);

/* The program's own log: one line for each artifact, method and result. Thread-safe. */
void log_count(const char *artifact_id, const char *method, int result);
uint64_t log_total(int result_or_one); /* of a result; 1 = of all */
int log_write(const char *path);       /* TSV: artifact, method, code, count */

#endif

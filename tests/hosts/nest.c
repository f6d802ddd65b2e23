/* SPDX-License-Identifier: MIT */
/* nest.c - calls within calls, --depth deep; all levels return, each with a code of its own. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "truth.h"

const char host_about[] = "nest: --threads threads make --calls towers of --depth nested calls";

static const struct host_options *opt;

struct level {
	struct host_caller *caller;
	uint32_t depth; /* of the call to make, 1 = outermost */
	uint32_t tower;
};

static void descend(void *data)
{
	const struct level *above = data;
	struct level here = {above->caller, above->depth + 1, above->tower};

	if (above->depth > opt->depth)
		return;
	host_call(above->caller, above->depth - 1, above->tower, above->tower + above->depth,
		  descend, &here);
}

static void *work(void *arg)
{
	struct host_caller caller;

	host_caller_init(&caller, "invoker", (uint32_t)(uintptr_t)arg);
	for (uint32_t i = 0; i < opt->calls; i++) {
		struct level outside = {&caller, 1, i};
		descend(&outside);
	}
	host_add_digest(caller.digest);
	return NULL;
}

int host_run(const struct host_options *options)
{
	pthread_t *threads = calloc(options->threads, sizeof *threads);

	opt = options;
	for (uint32_t i = 0; i < options->threads; i++)
		if (pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)i))
			return 3;
	for (uint32_t i = 0; i < options->threads; i++)
		pthread_join(threads[i], NULL);
	printf("towers %u depth %u\n", options->calls, options->depth);
	free(threads);
	return 0;
}

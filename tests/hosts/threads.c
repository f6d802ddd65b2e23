/* SPDX-License-Identifier: MIT */
/* threads.c - N threads, each with the same number of calls, all at once. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "truth.h"

const char host_about[] = "threads: --threads N threads make --calls calls each";

static const struct host_options *opt;
static pthread_barrier_t start;

static void *work(void *arg)
{
	struct host_caller caller;

	host_caller_init(&caller, "invoker", (uint32_t)(uintptr_t)arg);
	pthread_barrier_wait(&start);
	for (uint32_t i = 0; i < opt->calls; i++)
		host_call_next(&caller);
	host_add_digest(caller.digest);
	return NULL;
}

int host_run(const struct host_options *options)
{
	pthread_t *threads = calloc(options->threads, sizeof *threads);

	opt = options;
	pthread_barrier_init(&start, NULL, options->threads);
	for (uint32_t i = 0; i < options->threads; i++)
		if (pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)i)) {
			perror("pthread_create");
			return 3;
		}
	for (uint32_t i = 0; i < options->threads; i++)
		pthread_join(threads[i], NULL);
	printf("threads %u calls %u\n", options->threads, options->calls);
	free(threads);
	return 0;
}

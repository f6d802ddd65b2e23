/* SPDX-License-Identifier: MIT */
/* many_names.c - as many distinct artifacts as --artifacts says, one call of each a round. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "truth.h"

const char host_about[] =
	"many_names: --depth rounds over --artifacts distinct artifacts, of which "
	"each of --threads has its part (use --methods 1 --codes 2)";

static const struct host_options *opt;
static pthread_barrier_t over;

/* None ends before all have called: a lane that is free again would be taken once more. */
static void *work(void *arg)
{
	struct host_caller caller;
	uint32_t thread = (uint32_t)(uintptr_t)arg;

	host_caller_init(&caller, "invoker", 0);
	for (uint32_t round = 0; round < opt->depth; round++)
		for (uint32_t i = thread; i < opt->artifacts; i += opt->threads)
			host_call(&caller, i, i, i % 4 == 3, NULL, NULL);
	host_add_digest(caller.digest);
	pthread_barrier_wait(&over);
	return NULL;
}

int host_run(const struct host_options *options)
{
	pthread_t *threads = calloc(options->threads, sizeof *threads);

	opt = options;
	pthread_barrier_init(&over, NULL, options->threads);
	for (uint32_t i = 1; i < options->threads; i++)
		if (pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)i)) {
			perror("pthread_create");
			return 3;
		}
	work(NULL);
	for (uint32_t i = 1; i < options->threads; i++)
		pthread_join(threads[i], NULL);
	printf("rounds %u artifacts %u\n", options->depth, options->artifacts);
	free(threads);
	return 0;
}

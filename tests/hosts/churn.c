/* SPDX-License-Identifier: MIT */
/* churn.c - thousands of short-lived threads, a few calls each: lanes are claimed and freed. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "truth.h"

const char host_about[] = "churn: --depth rounds of --threads threads with --calls calls each; "
			  "a third is detached, a third leaves by pthread_exit";

static const struct host_options *opt;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t done = PTHREAD_COND_INITIALIZER;
static uint32_t running;

static void *work(void *arg)
{
	uint32_t number = (uint32_t)(uintptr_t)arg;
	struct host_caller caller;

	host_caller_init(&caller, "worker", number);
	for (uint32_t i = 0; i < opt->calls; i++)
		host_call_next(&caller);
	host_add_digest(caller.digest);
	pthread_mutex_lock(&lock);
	if (--running == 0)
		pthread_cond_signal(&done);
	pthread_mutex_unlock(&lock);
	if (number % 3 == 2)
		pthread_exit(NULL);
	return NULL;
}

int host_run(const struct host_options *options)
{
	pthread_t *threads = calloc(options->threads, sizeof *threads);

	opt = options;
	for (uint32_t round = 0; round < options->depth; round++) {
		running = options->threads;
		for (uint32_t i = 0; i < options->threads; i++) {
			if (pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)i)) {
				perror("pthread_create");
				return 3;
			}
			if (i % 3 == 0)
				pthread_detach(threads[i]);
		}
		for (uint32_t i = 0; i < options->threads; i++)
			if (i % 3)
				pthread_join(threads[i], NULL);
		pthread_mutex_lock(&lock);
		while (running)
			pthread_cond_wait(&done, &lock);
		pthread_mutex_unlock(&lock);
	}
	printf("rounds %u threads %u calls %u\n", options->depth, options->threads, options->calls);
	free(threads);
	return 0;
}

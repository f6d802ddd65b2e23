/* SPDX-License-Identifier: MIT */
/* blocked.c - threads that stay in nested calls until the process is killed. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "truth.h"

const char host_about[] = "blocked: --threads threads make --calls calls each, then enter --depth "
			  "nested ones and stay; prints a line when all have";

static const struct host_options *opt;
static atomic_uint inside;

struct level {
	struct host_caller *caller;
	uint32_t thread, depth;
};

static void descend(void *data)
{
	const struct level *at = data;
	struct level next = {at->caller, at->thread, at->depth + 1};

	if (at->depth < opt->depth)
		host_call(at->caller, at->depth, at->thread, 0, descend, &next);
	atomic_fetch_add(&inside, 1);
	for (;;)
		pause();
}

static void *work(void *arg)
{
	struct host_caller caller;
	struct level outside = {&caller, (uint32_t)(uintptr_t)arg, 0};

	host_caller_init(&caller, "invoker", outside.thread);
	for (uint32_t i = 0; i < opt->calls; i++)
		host_call_next(&caller);
	descend(&outside);
	return NULL;
}

int host_run(const struct host_options *options)
{
	pthread_t thread;

	opt = options;
	for (uint32_t i = 0; i < options->threads; i++)
		if (pthread_create(&thread, NULL, work, (void *)(uintptr_t)i))
			return 3;
	while (atomic_load(&inside) < options->threads)
		usleep(1000);
	printf("all inside\n");
	fflush(stdout);
	for (;;)
		pause();
}

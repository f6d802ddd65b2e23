/* SPDX-License-Identifier: MIT */
/*
 * controlled.c - calls at full speed until SIGTERM, while a test pauses, resumes and filters:
 * plain ones, and at times ones that are left by longjmp, by pthread_exit, or that fork.
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "truth.h"

const char host_about[] =
	"controlled: --threads threads call until SIGTERM; of --calls calls each, "
	"one is a tower left by longjmp, one forks, and one is left by pthread_exit "
	"(--calls 0: none; --depth 1: no exit)";

static const struct host_options *opt;
static volatile sig_atomic_t stopped;

struct worker {
	pthread_t thread;
	struct host_caller caller;
	jmp_buf bottom;
	uint32_t depth;
	pid_t child;
};

static void stop(int signal)
{
	stopped = signal;
}

static void climb(void *data)
{
	struct worker *w = data;

	if (w->depth++ == 3)
		longjmp(w->bottom, 1);
	host_call(&w->caller, w->depth, 0, 0, climb, w);
}

static void leave_by_jump(struct worker *w)
{
	w->depth = 0;
	if (setjmp(w->bottom) == 0)
		climb(w);
	host_count_jumped(w->caller.open);
	w->caller.open = 0;
	host_call_next(&w->caller); /* whoever watches can tell by now */
}

static void leave_thread(void *data)
{
	struct worker *w = data;

	host_count_jumped(w->caller.open);
	pthread_exit(NULL);
}

static void *short_life(void *data)
{
	struct worker *w = data;

	host_call(&w->caller, 5, 1, 0, leave_thread, w);
	return NULL;
}

static void leave_by_exit(uint32_t number)
{
	struct worker w;

	host_caller_init(&w.caller, "leaver", number);
	if (pthread_create(&w.thread, NULL, short_life, &w) == 0)
		pthread_join(w.thread, NULL);
}

static void split(void *data)
{
	struct worker *w = data;

	w->child = fork();
	if (w->child == 0)
		host_count_inherited(w->caller.open);
}

static void return_twice(struct worker *w)
{
	int status;

	host_call(&w->caller, 6, 2, 0, split, w);
	if (w->child == 0) {
		for (int i = 0; i < 3; i++)
			host_call_next(&w->caller);
		_exit(0);
	}
	if (w->child > 0 && waitpid(w->child, &status, 0) == w->child && status) {
		fprintf(stderr, "controlled: a child ended with %#x\n", (unsigned)status);
		_exit(3);
	}
}

static void *work(void *arg)
{
	struct worker *w = arg;

	for (uint64_t i = 0; !stopped; i++) {
		host_call_next(&w->caller);
		if (!opt->calls)
			continue;
		if (i % opt->calls == 0)
			leave_by_jump(w);
		if (i % opt->calls == 1 && opt->depth > 1)
			leave_by_exit((uint32_t)(i / opt->calls % 3));
		if (i % opt->calls == 2)
			return_twice(w);
	}
	return NULL;
}

int host_run(const struct host_options *options)
{
	struct worker *workers = calloc(options->threads, sizeof *workers);

	opt = options;
	signal(SIGTERM, stop);
	for (uint32_t i = 0; i < options->threads; i++) {
		host_caller_init(&workers[i].caller, "invoker", i);
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			return 3;
	}
	for (uint32_t i = 0; i < options->threads; i++)
		pthread_join(workers[i].thread, NULL);
	free(workers);
	return 0;
}

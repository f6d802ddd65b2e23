/* SPDX-License-Identifier: MIT */
/*
 * brood.c - threads that fork children without end, every second one in the middle of a call,
 * which then returns in both. --state: `exec`: children execute an image that makes the calls;
 * `together`: all children of one thread live at once, until the last has made its calls.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "truth.h"

const char host_about[] = "brood: --threads threads fork --depth children each, with --calls "
			  "calls in each; --state exec|together";

static const struct host_options *opt;
static int gate[2]; /* children that live together read it until it is closed */

static int state_is(const char *word)
{
	return opt->state && !strcmp(opt->state, word);
}

static void some_calls(struct host_caller *caller)
{
	for (uint32_t i = 0; i < opt->calls; i++)
		host_call_next(caller);
}

/* What follows --state is replaced: the image makes its calls and ends. */
static void become_image(void)
{
	char *argv[64];
	int argc = 0;

	for (; argc < opt->argc && argc < 60; argc++)
		argv[argc] = !strcmp(opt->argv[argc], "exec") ? (char *)"image" : opt->argv[argc];
	argv[argc] = NULL;
	execv("/proc/self/exe", argv);
	_exit(3);
}

static void be_child(struct host_caller *caller)
{
	char byte;

	if (state_is("exec"))
		become_image();
	caller->digest = 0;
	some_calls(caller);
	host_add_digest(caller->digest);
	if (state_is("together")) {
		close(gate[1]);
		while (read(gate[0], &byte, 1) < 0 && errno == EINTR)
			;
	}
	_exit(0);
}

/* A child that was killed is nobody's failure: the test did it. */
static void reap(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			_exit(3);
	if (WIFEXITED(status) && WEXITSTATUS(status))
		_exit(3);
}

struct inside {
	struct host_caller *caller;
	pid_t child;
};

static void fork_inside(void *data)
{
	struct inside *inside = data;

	inside->child = fork();
	if (inside->child < 0)
		_exit(3);
	if (inside->child)
		reap(inside->child);
	else
		host_count_inherited(inside->caller->open);
}

static void one_child(struct host_caller *caller, uint32_t number)
{
	if (number % 2) {
		struct inside inside = {caller, -1};
		host_call(caller, number, number, number, fork_inside, &inside);
		if (!inside.child)
			be_child(caller);
		return;
	}
	pid_t child = fork();
	if (child < 0)
		_exit(3);
	if (!child)
		be_child(caller);
	reap(child);
}

static void all_together(struct host_caller *caller)
{
	pid_t *children = calloc(opt->depth, sizeof *children);

	if (!children || pipe(gate))
		_exit(3);
	for (uint32_t i = 0; i < opt->depth; i++) {
		children[i] = fork();
		if (children[i] < 0) {
			perror("fork");
			_exit(3);
		}
		if (!children[i])
			be_child(caller);
	}
	some_calls(caller);
	close(gate[1]);
	for (uint32_t i = 0; i < opt->depth; i++)
		reap(children[i]);
	close(gate[0]);
	free(children);
}

static void *work(void *arg)
{
	struct host_caller caller;

	host_caller_init(&caller, "invoker", (uint32_t)(uintptr_t)arg);
	if (state_is("together"))
		all_together(&caller);
	else
		for (uint32_t i = 0; i < opt->depth; i++) {
			one_child(&caller, i);
			host_call_next(&caller);
		}
	host_add_digest(caller.digest);
	return NULL;
}

int host_run(const struct host_options *options)
{
	pthread_t *threads = calloc(options->threads, sizeof *threads);
	struct host_caller caller;

	opt = options;
	if (state_is("image")) {
		host_caller_init(&caller, "image", 0);
		some_calls(&caller);
		host_add_digest(caller.digest);
		_exit(0); /* its parent prints */
	}
	for (uint32_t i = 0; i < options->threads; i++)
		if (pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)i))
			return 3;
	for (uint32_t i = 0; i < options->threads; i++)
		pthread_join(threads[i], NULL);
	printf("threads %u children %u calls %u\n", options->threads, options->depth,
	       options->calls);
	free(threads);
	return 0;
}

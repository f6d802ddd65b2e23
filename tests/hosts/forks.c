/* SPDX-License-Identifier: MIT */
/*
 * forks.c - a tree of processes that call before, in and after fork, vfork and _Fork, and
 * that fork in the middle of a call, which then returns in both.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "truth.h"

const char host_about[] = "forks: a binary tree of forks, --depth deep, --calls calls in each";

static const struct host_options *opt;
static pid_t main_pid;
static bool plain;

static void some_calls(struct host_caller *caller)
{
	for (uint32_t i = 0; i < opt->calls; i++)
		host_call_next(caller);
}

static void reap(pid_t child)
{
	int status;

	if (child < 0) {
		perror("fork");
		exit(3);
	}
	waitpid(child, &status, 0);
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		fprintf(stderr, "forks: a child ended with %#x\n", (unsigned)status);
		exit(3);
	}
}

static void leave(struct host_caller *caller)
{
	host_add_digest(caller->digest);
	_exit(0);
}

static void grow(struct host_caller *caller, uint32_t depth)
{
	some_calls(caller);
	if (!depth)
		return;
	for (int side = 0; side < 2; side++) {
		pid_t child = side && !plain ? _Fork() : fork();
		if (child == 0) {
			caller->digest = 0;
			grow(caller, depth - 1);
			leave(caller);
		}
		reap(child);
	}
	some_calls(caller);
}

struct split {
	struct host_caller *caller;
	int with_calls; /* the child calls once more before it returns */
	pid_t child;
};

static void fork_inside(void *data)
{
	struct split *split = data;

	split->child = fork();
	if (split->child == 0) {
		host_count_inherited(split->caller->open);
		if (split->with_calls)
			host_call(split->caller, 3, 3, 0, NULL, NULL);
	} else {
		reap(split->child);
	}
}

static void nest_and_fork(void *data)
{
	struct split *split = data;

	host_call(split->caller, 2, 2, 1, fork_inside, split);
}

static void fork_in_calls(struct host_caller *caller)
{
	for (int i = 0; i < 4; i++) {
		struct split split = {caller, i & 1, -1};
		uint64_t before = caller->digest;
		host_call(caller, 1, 1, (uint32_t)i, i & 2 ? nest_and_fork : fork_inside, &split);
		if (split.child == 0) {
			caller->digest -= before;
			some_calls(caller);
			leave(caller);
		}
	}
}

/*
 * The child shares our memory and our thread until it leaves; qemu-user makes it a fork that
 * nobody is told of, as it does of _Fork: not with HOST_PLAIN_FORKS.
 */
static void vfork_calls(struct host_caller *caller)
{
	if (plain)
		return;
	for (int i = 0; i < 4; i++) {
		pid_t child = vfork();
		if (child == 0) {
			host_call(caller, 0, 0, 0, NULL, NULL);
			_exit(0);
		}
		reap(child);
		host_call_next(caller);
	}
}

int host_run(const struct host_options *options)
{
	struct host_caller caller;

	opt = options;
	main_pid = getpid();
	plain = getenv("HOST_PLAIN_FORKS") != NULL;
	host_caller_init(&caller, "invoker", 0);
	uint32_t depth = options->depth > 6 ? 3 : options->depth;
	grow(&caller, depth);
	fork_in_calls(&caller);
	vfork_calls(&caller);
	some_calls(&caller);
	host_add_digest(caller.digest);
	printf("depth %u calls %u\n", depth, options->calls);
	return getpid() == main_pid ? 0 : 3;
}

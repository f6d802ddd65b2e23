/* SPDX-License-Identifier: MIT */
/* execs.c - executes itself, --depth images in a row, --calls calls in each. Needs --truth. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "truth.h"

const char host_about[] = "execs: --depth images in one process, --calls calls in each";

/* In the middle of a call: the call never returns, in any image. */
static void exec_inside(void *data)
{
	char **argv = data;

	execv("/proc/self/exe", argv);
	perror("execv");
	_exit(3);
}

int host_run(const struct host_options *options)
{
	uint32_t image = options->state ? (uint32_t)atoi(options->state) : 0;
	struct host_caller caller;

	if (!options->truth) {
		fprintf(stderr, "execs: needs --truth FILE, which the images share\n");
		return 2;
	}
	host_caller_init(&caller, "image", image);
	for (uint32_t i = 0; i < options->calls; i++)
		host_call_next(&caller);
	host_add_digest(caller.digest);
	if (image + 1 < options->depth) {
		char next[16];
		char *argv[64];
		int argc = 0;
		for (int i = 0; i < options->argc && argc < 60; i++) {
			if (!strcmp(options->argv[i], "--state")) {
				i++;
				continue;
			}
			argv[argc++] = options->argv[i];
		}
		snprintf(next, sizeof next, "%u", image + 1);
		argv[argc++] = "--state";
		argv[argc++] = next;
		argv[argc] = NULL;
		if (image == 1) { /* once from within a call */
			host_count_jumped(1);
			host_call(&caller, 0, 0, 0, exec_inside, argv);
		}
		exec_inside(argv);
	}
	printf("images %u calls %u\n", options->depth, options->calls);
	return 0;
}

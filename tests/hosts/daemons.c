/* SPDX-License-Identifier: MIT */
/*
 * daemons.c - the process that was started makes one call and ends; the daemon that it leaves
 * behind makes its own when somebody has opened the FIFO DAEMON_GATE for writing.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "truth.h"

const char host_about[] = "daemons: a call, a fork, and --calls calls in the child, later";

static void serve(const struct host_options *options)
{
	const char *gate = getenv("DAEMON_GATE");
	int fd = gate ? open(gate, O_RDONLY) : -1;
	struct host_caller caller;
	host_caller_init(&caller, "daemon", 1);
	for (uint32_t i = 0; fd >= 0 && i < options->calls; i++)
		host_call_next(&caller);
	_exit(fd < 0);
}

int host_run(const struct host_options *options)
{
	struct host_caller caller;
	pid_t pid;
	host_caller_init(&caller, "starter", 0);
	host_call_next(&caller);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		setsid();
		alarm(60); /* where the test has ended without us */
		close(STDOUT_FILENO);
		close(STDERR_FILENO);
		serve(options);
	}
	host_add_digest(caller.digest);
	printf("daemon started: %d\n", pid > 0);
	return pid < 0;
}

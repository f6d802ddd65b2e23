/* SPDX-License-Identifier: MIT */
/* drops.c - begins as root, becomes another user, and goes on in new threads and a child. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "truth.h"

const char host_about[] = "drops: --calls calls as root, then as user --state UID in each of "
			  "--threads threads, and in a child";

static const struct host_options *opt;

static void *work(void *arg)
{
	struct host_caller caller;

	host_caller_init(&caller, "invoker", (uint32_t)(uintptr_t)arg);
	for (uint32_t i = 0; i < opt->calls; i++)
		host_call_next(&caller);
	host_add_digest(caller.digest);
	return NULL;
}

static int in_threads(void)
{
	pthread_t *threads = calloc(opt->threads, sizeof *threads);

	for (uint32_t i = 0; i < opt->threads; i++)
		if (pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)(i + 1)))
			return 3;
	for (uint32_t i = 0; i < opt->threads; i++)
		pthread_join(threads[i], NULL);
	free(threads);
	return 0;
}

int host_run(const struct host_options *options)
{
	int status;
	uid_t uid = (uid_t)strtoul(options->state ? options->state : "0", NULL, 10);

	opt = options;
	work(NULL);
	if (setresgid(uid, uid, uid) || setresuid(uid, uid, uid)) {
		perror("setresuid");
		return 3;
	}
	if (in_threads())
		return 3;
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		work(NULL);
		_exit(in_threads());
	}
	if (child < 0 || waitpid(child, &status, 0) != child || status)
		return 3;
	printf("threads %u calls %u\n", options->threads, options->calls);
	return 0;
}

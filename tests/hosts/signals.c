/* SPDX-License-Identifier: MIT */
/*
 * signals.c - a timer signal whose handler calls too, in the middle of whatever the thread
 * does: half of the threads take it on an alternate stack.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "truth.h"

const char host_about[] = "signals: --threads threads with --calls calls, a handler that calls "
			  "each --rate-us microseconds";

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static const struct host_options *opt;
static _Thread_local struct host_caller in_handler;
static _Atomic uint64_t handled;

static void on_timer(int signo)
{
	int saved = errno;

	(void)signo;
	host_call(&in_handler, opt->artifacts - 1, 0, 0, NULL, NULL);
	host_call(&in_handler, opt->artifacts - 1, 1, 1, NULL, NULL);
	atomic_fetch_add(&handled, 1);
	errno = saved;
}

static void *work(void *arg)
{
	uint32_t number = (uint32_t)(uintptr_t)arg;
	struct host_caller caller;
	static _Thread_local char stack[64 * 1024];
	timer_t timer;

	host_caller_init(&caller, "invoker", number);
	host_caller_init(&in_handler, "handler", number);
	if (number & 1) {
		stack_t alt = {.ss_sp = stack, .ss_size = sizeof stack};
		sigaltstack(&alt, NULL);
	}
	struct sigevent event;
	memset(&event, 0, sizeof event);
	event.sigev_notify = SIGEV_THREAD_ID;
	event.sigev_signo = SIGALRM;
	event.sigev_notify_thread_id = (int)syscall(SYS_gettid);
	long ns = (long)opt->rate_us * 1000;
	struct itimerspec every = {.it_interval = {ns / 1000000000, ns % 1000000000},
				   .it_value = {0, 1000000 + number * 1000}};
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) ||
	    timer_settime(timer, 0, &every, NULL)) {
		perror("timer");
		exit(3);
	}
	for (uint32_t i = 0; i < opt->calls; i++)
		host_call_next(&caller);
	timer_delete(timer);
	host_add_digest(caller.digest);
	return NULL;
}

int host_run(const struct host_options *options)
{
	struct sigaction action = {.sa_handler = on_timer, .sa_flags = SA_ONSTACK | SA_RESTART};
	pthread_t *threads = calloc(options->threads, sizeof *threads);

	opt = options;
	sigaction(SIGALRM, &action, NULL);
	for (uint32_t i = 0; i < options->threads; i++)
		if (pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)i))
			return 3;
	for (uint32_t i = 0; i < options->threads; i++)
		pthread_join(threads[i], NULL);
	/* how many came is no property of the program: not on stdout */
	fprintf(stderr, "handled %llu\n", (unsigned long long)atomic_load(&handled));
	printf("threads %u calls %u\n", options->threads, options->calls);
	free(threads);
	return 0;
}

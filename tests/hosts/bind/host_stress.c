/* SPDX-License-Identifier: MIT */
/*
 * Two threads call the probed function at full speed while a third opens, runs and closes
 * plug-ins and the first waits: MILLISECONDS PLUGIN... Signals interrupt all of them. What
 * was called in all goes to stderr, for the test to compare.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

int probed(int x);

static atomic_bool stop;
static _Atomic unsigned long calls, wrong;
static char **plugins;
static int plugin_count;

static void on_timer(int signal)
{
	(void)signal;
	if (probed(1) != 2)
		wrong++;
	calls++;
}

static void *caller(void *arg)
{
	unsigned long mine = 0;

	while (!stop)
		for (int i = 0; i < 1000; i++, mine++)
			if (probed(i) != i + 1)
				wrong++;
	calls += mine;
	return arg;
}

static void *loader(void *arg)
{
	for (int i = 0; !stop; i++) {
		void *handle = dlopen(plugins[i % plugin_count], i & 1 ? RTLD_NOW : RTLD_LAZY);
		int (*f)(int) = handle ? (int (*)(int))dlsym(handle, "plugin_run") : NULL;

		if (!f || f(10) != 55)
			wrong++;
		calls += 10;
		if (handle)
			dlclose(handle);
	}
	return arg;
}

int main(int argc, char **argv)
{
	struct itimerval tick = {{0, 1000}, {0, 1000}};
	struct itimerval none = {{0, 0}, {0, 0}};
	pthread_t threads[3];

	plugins = argv + 2;
	plugin_count = argc - 2;
	signal(SIGALRM, on_timer);
	setitimer(ITIMER_REAL, &tick, NULL);
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, i ? caller : loader, NULL);
	for (int i = 0; i < atoi(argv[1]); i++)
		usleep(1000);
	stop = 1;
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	setitimer(ITIMER_REAL, &none, NULL);
	printf("wrong %lu\n", wrong);
	fprintf(stderr, "%lu\n", calls);
	return 0;
}

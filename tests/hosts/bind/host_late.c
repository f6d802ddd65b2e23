/* SPDX-License-Identifier: MIT */
/*
 * Opens plug-ins while two threads run: spins|calls|again PLUGIN... Spins: they do nothing.
 * Calls: a plug-in tells the program of its function when it is loaded, and they call it before
 * and while it is looked up. Again: the first plug-in is opened, run and closed before there are
 * threads; they do nothing.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void host_register(int (*f)(int));

static _Atomic(int (*)(int)) registered;
static atomic_bool stop, calls;
static _Atomic unsigned long wrong;

void host_register(int (*f)(int))
{
	if (calls)
		registered = f;
}

static void *work(void *arg)
{
	while (!stop) {
		int (*f)(int) = registered;

		if (f && f(10) != 95)
			wrong++;
	}
	return arg;
}

static void *run(const char *path)
{
	void *handle = dlopen(path, RTLD_LAZY);
	int (*f)(int);

	usleep(2000);
	f = handle ? (int (*)(int))dlsym(handle, "plugin_run") : NULL;
	if (!f || f(10) != 95)
		wrong++;
	return handle;
}

int main(int argc, char **argv)
{
	pthread_t threads[2];

	calls = !strcmp(argv[1], "calls");
	if (!strcmp(argv[1], "again") && dlclose(run(argv[2])) != 0)
		wrong++;
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, work, NULL);
	for (int i = 2; i < argc; i++) {
		run(argv[i]);
		usleep(1000);
	}
	stop = 1;
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	printf("wrong %lu\n", wrong);
	return 0;
}

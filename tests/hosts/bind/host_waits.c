/* SPDX-License-Identifier: MIT */
/* Opens a plug-in whose constructor waits for ten probed calls of another thread. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

_Atomic int host_may_call, host_has_called;
int probed(int x);

static void *call(void *arg)
{
	while (!host_may_call)
		usleep(100);
	for (int i = 0; i < 10; i++)
		probed(i);
	host_has_called = 1;
	return arg;
}

int main(int argc, char **argv)
{
	int (*f)(int);
	void *handle;
	pthread_t thread;

	pthread_create(&thread, NULL, call, NULL);
	handle = dlopen(argv[argc - 1], RTLD_LAZY);
	pthread_join(thread, NULL);
	f = handle ? (int (*)(int))dlsym(handle, "plugin_run") : NULL;
	printf("sum %d\n", f ? f(10) : -1);
	return 0;
}

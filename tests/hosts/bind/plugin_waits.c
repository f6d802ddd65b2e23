/* SPDX-License-Identifier: MIT */
/* A plug-in whose constructor waits until another thread has made probed calls. */
#include <dlfcn.h>
#include <stdatomic.h>
#include <unistd.h>

extern _Atomic int host_may_call, host_has_called;
int probed(int x);
int plugin_run(int n);

__attribute__((constructor)) static void wait_for_calls(void)
{
	host_may_call = 1;
	while (!host_has_called)
		usleep(100);
}

int plugin_run(int n)
{
	int sum = 0;

	for (int i = 0; i < n; i++)
		sum += probed(i);
	return sum;
}

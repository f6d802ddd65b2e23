/* SPDX-License-Identifier: MIT */
/*
 * Runs a PLUGIN in a namespace of its own, with its own copy of the library; then looks the
 * probed function up there; with a third argument, calls the one of its own namespace too.
 */
#include <dlfcn.h>
#include <stdio.h>

int probed(int x);

int main(int argc, char **argv)
{
	void *handle = dlmopen(LM_ID_NEWLM, argv[1], RTLD_LAZY);
	int (*run)(int) = handle ? (int (*)(int))dlsym(handle, "plugin_run") : NULL;
	int (*there)(int) = handle ? (int (*)(int))dlsym(handle, "probed") : NULL;
	int sum = 0;

	if (!run || !there) {
		printf("error %s\n", dlerror());
		return 1;
	}
	printf("there %d and %d\n", run(10), there(1));
	for (int i = 0; argc > 2 && i < 10; i++)
		sum += probed(i);
	printf("here %d\n", sum);
	return 0;
}

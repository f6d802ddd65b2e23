/* SPDX-License-Identifier: MIT */
/* Opens, runs and closes plug-ins in turn, COUNT times. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	long sum = 0;

	for (int i = 0; i < atoi(argv[1]); i++) {
		void *handle = dlopen(argv[2 + i % (argc - 2)], RTLD_LAZY);
		int (*f)(int) = handle ? (int (*)(int))dlsym(handle, "plugin_run") : NULL;

		if (!f)
			return 1;
		sum += f(10);
		if (dlclose(handle))
			return 1;
	}
	printf("sum %ld\n", sum);
	return 0;
}

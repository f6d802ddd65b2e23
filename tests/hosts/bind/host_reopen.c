/* SPDX-License-Identifier: MIT */
/*
 * Opens, runs and closes plug-ins in turn, COUNT times. -DMOVE: what was closed leaves a page
 * behind, so that none comes back at its old address.
 */
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

static void *base_of(void *handle)
{
	struct link_map *map = NULL;

	dlinfo(handle, RTLD_DI_LINKMAP, &map);
	return map ? (void *)map->l_addr : NULL;
}

static int take_place(void *base)
{
#ifdef MOVE
	void *page = mmap(base, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
			  -1, 0);

	return page == base ? 0 : -1;
#else
	return 0;
#endif
}

int main(int argc, char **argv)
{
	long sum = 0;

	for (int i = 0; i < atoi(argv[1]); i++) {
		void *handle = dlopen(argv[2 + i % (argc - 2)], RTLD_LAZY);
		int (*f)(int) = handle ? (int (*)(int))dlsym(handle, "plugin_run") : NULL;
		void *base = handle ? base_of(handle) : NULL;

		if (!f)
			return 1;
		sum += f(10);
		if (dlclose(handle) || take_place(base))
			return 1;
	}
	printf("sum %ld\n", sum);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* Another preload, whose constructor runs before the shim's and calls dlsym and dlopen. */
#include <dlfcn.h>
#include <stdlib.h>

__attribute__((constructor)) static void early(void)
{
	if (!dlsym(RTLD_NEXT, "strlen") || !dlopen(NULL, RTLD_LAZY))
		abort();
}

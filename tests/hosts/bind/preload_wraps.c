/* SPDX-License-Identifier: MIT */
/*
 * A preload of the program's own: wraps the probed function by RTLD_NEXT; -DDLSYM: wraps
 * dlsym and dlopen instead, and says at exit whether they were asked.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#ifdef DLSYM
static int asked, opened;

void *dlsym(void *restrict handle, const char *restrict name)
{
	static void *(*real)(void *, const char *);

	if (!real)
		real = (void *(*)(void *, const char *))dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.34");
	asked += !strcmp(name, "plugin_run");
	return real(handle, name);
}

void *dlopen(const char *file, int mode)
{
	static void *(*real)(const char *, int);

	if (!real)
		real = (void *(*)(const char *, int))dlvsym(RTLD_NEXT, "dlopen", "GLIBC_2.34");
	opened += file && strstr(file, "lazy.so");
	return real(file, mode);
}

__attribute__((destructor)) static void say(void)
{
	if (asked || opened) /* so not in `invreg run`, which it is preloaded to as well */
		printf("asked %d opened %d\n", asked, opened);
}
#else
int probed(int x);

int probed(int x)
{
	static int (*next)(int);

	if (!next)
		next = (int (*)(int))dlsym(RTLD_NEXT, "probed");
	return next(x) * 3;
}
#endif

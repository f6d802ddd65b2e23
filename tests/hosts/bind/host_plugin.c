/* SPDX-License-Identifier: MIT */
/*
 * Opens plug-ins and runs them: FUNCTION|none|registered FLAGS(lazy,now,deep,global,close)
 * PLUGIN... -DCALLS: calls the probed function itself, before each run.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

int probed(int x);
void host_register(int (*f)(int));

static int (*registered)(int);

void host_register(int (*f)(int))
{
	registered = f;
}

static int (*find(void *handle, const char *function))(int)
{
	if (!strcmp(function, "registered"))
		return registered;
	return (int (*)(int))dlsym(handle, function);
}

static int run(const char *path, const char *function, const char *how)
{
	int mode = strstr(how, "now") ? RTLD_NOW : RTLD_LAZY;
	int (*f)(int);
	void *handle;

	if (strstr(how, "deep"))
		mode |= RTLD_DEEPBIND;
	if (strstr(how, "global"))
		mode |= RTLD_GLOBAL;
	handle = dlopen(path, mode);
	if (handle && !strcmp(function, "none"))
		return 0;
	f = handle ? find(handle, function) : NULL;
	if (!f) {
		printf("error %s\n", dlerror());
		return 1;
	}
#ifdef CALLS
	probed(0);
#endif
	printf("sum %d\n", f(10));
	if (strstr(how, "close"))
		printf("closed %d, gone %d\n", dlclose(handle),
		       dlopen(path, RTLD_LAZY | RTLD_NOLOAD) == NULL);
	return 0;
}

int main(int argc, char **argv)
{
	for (int i = 3; i < argc; i++)
		if (run(argv[i], argv[1], argv[2]))
			return 1;
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* Looks the probed function up by dlsym: LIBRARY handle|default|next|closed. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

typedef int (*probed_fn)(int);

static void *handle_for(const char *how, const char *library)
{
	if (!strcmp(how, "default"))
		return RTLD_DEFAULT;
	if (!strcmp(how, "next"))
		return RTLD_NEXT;
	return dlopen(library, RTLD_LAZY);
}

int main(int argc, char **argv)
{
	void *handle = handle_for(argv[2], argv[1]);
	probed_fn f;
	const char *error;
	int sum = 0;

	dlsym(handle, "no_such_function");
	f = (probed_fn)dlsym(handle, "probed");
	error = dlerror();
	printf("after success: %s\n", error ? error : "clean");
	printf("missing: %d\n", dlsym(handle, "no_such_function") != NULL);
	error = dlerror();
	printf("after failure: %s\n", error ? error : "clean");
	printf("other: %d\n", dlsym(RTLD_DEFAULT, "strlen") != NULL);
	for (int i = 0; f && i < 10; i++)
		sum += f(i);
	printf("found %d sum %d\n", f != NULL, sum);
	return argc == 3 ? 0 : 2;
}

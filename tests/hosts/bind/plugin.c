/* SPDX-License-Identifier: MIT */
/* A plug-in that calls the probed function; OWN: and defines it; RTLD: looks it up. */
#include <dlfcn.h>
#include <stddef.h>

int probed(int x);
int plugin_run(int n);
int plugin_lookup(int n);
int plugin_missing(void);

#ifdef OWN
int probed(int x)
{
	return x + OWN;
}
#endif

int plugin_run(int n)
{
	int sum = 0;

	for (int i = 0; i < n; i++)
		sum += probed(i);
	return sum;
}

/* RTLD_DEFAULT as seen from the plug-in's scope, not from the program's. */
int plugin_lookup(int n)
{
	int (*f)(int) = (int (*)(int))dlsym(RTLD_DEFAULT, "probed");
	int sum = 0;

	for (int i = 0; f && i < n; i++)
		sum += f(i);
	return f ? sum : -1;
}

/* SPDX-License-Identifier: MIT */
/*
 * A plug-in that calls the probed function; or looks it up; OWN: and defines it; BORN: its
 * constructor calls it ten times; REGISTERS: it tells the program of plugin_run.
 */
#include <dlfcn.h>

int probed(int x);
int plugin_run(int n);
int plugin_lookup(int n);

#ifdef OWN
#define OBJECT "plugin"
#include "count.h"

int probed(int x)
{
	count_call();
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

/* RTLD_DEFAULT as seen from the plug-in's scope; a success must clear an older error. */
int plugin_lookup(int n)
{
	int (*f)(int);
	int sum = 0;

	dlsym(RTLD_DEFAULT, "no_such_function");
	f = (int (*)(int))dlsym(RTLD_DEFAULT, "probed");
	if (!f || dlerror())
		return -1;
	for (int i = 0; i < n; i++)
		sum += f(i);
	return sum;
}

#ifdef BORN
__attribute__((constructor)) static void born(void)
{
	plugin_run(10);
}
#endif

#ifdef REGISTERS
void host_register(int (*f)(int));

__attribute__((constructor)) static void introduce(void)
{
	host_register(plugin_run);
}
#endif

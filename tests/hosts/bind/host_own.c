/* SPDX-License-Identifier: MIT */
/*
 * Defines the probed function itself and calls it ten times, or lets a PLUGIN do so.
 * -DLINKAGE: what kind of symbol it is; -DCLONE: with a parameter that the compiler
 * specialises away, so that only a clone is left; -DWRITES: it counts in a word of its text.
 */
#include <dlfcn.h>
#include <stdio.h>

#define OBJECT "program"
#include "count.h"

#ifndef LINKAGE
#define LINKAGE
#endif
#ifdef CLONE
#define PARAMETERS   int x, int k
#define ARGUMENTS(i) i, 2
#else
#define PARAMETERS   int x
#define ARGUMENTS(i) i
#define k	     2
#endif

#ifdef WRITES
extern unsigned long word_in_text;
__asm__(".text\n.balign 8\nword_in_text: .quad 0\n");
#endif

LINKAGE int probed(PARAMETERS);
LINKAGE __attribute__((noinline)) int probed(PARAMETERS)
{
	count_call();
	__asm__ volatile("");
#ifdef WRITES
	word_in_text++;
#endif
	return x * k + k;
}

static int by_plugin(const char *path)
{
	void *handle = dlopen(path, RTLD_LAZY);
	int (*f)(int) = handle ? (int (*)(int))dlsym(handle, "plugin_run") : NULL;

	return f ? f(10) : -1;
}

int main(int argc, char **argv)
{
	int sum = 0;

	if (argc > 1)
		sum = by_plugin(argv[1]);
	for (int i = 0; argc == 1 && i < 10; i++)
		sum += probed(ARGUMENTS(i));
	printf("sum %d\n", sum);
	return 0;
}

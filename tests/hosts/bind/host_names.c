/* SPDX-License-Identifier: MIT */
/*
 * Has functions of its own by the names of what is linked into the shim, and calls each once:
 * each must be its own, and nobody else may call it.
 *
 *   -DLIBRARY   the probed function, whose seventh argument needs a closure of libffi
 *   -DPLUGIN    the names in a plug-in
 *   else        a program that opens the plug-in of its argument, or has the names itself
 */
#include <dlfcn.h>
#include <stdio.h>

int probed(int a, int b, int c, int d, int e, int f, int tick);
int names_run(int n);

#ifdef LIBRARY
#include "count.h"

int probed(int a, int b, int c, int d, int e, int f, int tick)
{
	count_call();
	return a + b + c + d + e + f + tick;
}
#else

#ifndef IMPORTED
#define NAME(name)                                                                                 \
	int name(void);                                                                            \
	__attribute__((noinline)) int name(void)                                                   \
	{                                                                                          \
		static int calls;                                                                  \
		return ++calls;                                                                    \
	}

NAME(ini_parse)
NAME(ini_parse_file)
NAME(ini_parse_stream)
NAME(ini_parse_string)
NAME(ffi_call)
NAME(ffi_prep_cif)
NAME(ffi_prep_cif_var)
NAME(ffi_closure_alloc)
NAME(ffi_prep_closure_loc)
NAME(inv_got_install)
NAME(inv_record_begin)
NAME(inv_segment_create)

/* 12 if each was called for the first time. */
int names_run(int n)
{
	int sum = ini_parse() + ini_parse_file() + ini_parse_stream() + ini_parse_string() +
		  ffi_call() + ffi_prep_cif() + ffi_prep_cif_var() + ffi_closure_alloc() +
		  ffi_prep_closure_loc() + inv_got_install() + inv_record_begin() +
		  inv_segment_create();

	for (int i = 0; i < n; i++)
		sum += probed(1, 2, 3, 4, 5, 6, i);
	return sum;
}
#endif

#ifndef PLUGIN
int main(int argc, char **argv)
{
	void *handle = dlopen(argc > 1 ? argv[1] : NULL, RTLD_NOW | RTLD_GLOBAL);
	int (*run)(int) = handle ? (int (*)(int))dlsym(handle, "names_run") : NULL;

	printf("names and calls %d\n", run ? run(10) : -1);
	return 0;
}
#endif
#endif

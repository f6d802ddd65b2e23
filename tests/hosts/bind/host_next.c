/* SPDX-License-Identifier: MIT */
/* Has a wrapper of its own around the library's function, found by RTLD_NEXT. */
#include <dlfcn.h>
#include <stdio.h>

#define OBJECT "program"
#include "count.h"

int probed(int x);
int target_internal(int n);

int probed(int x)
{
	static int (*next)(int);

	count_call();
	if (!next)
		next = (int (*)(int))dlsym(RTLD_NEXT, "probed");
	return next(x) * 2;
}

int main(void)
{
	printf("sum %d\n", target_internal(10));
	return 0;
}

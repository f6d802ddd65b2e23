/* SPDX-License-Identifier: MIT */
/*
 * The library with the probed function: called from outside, by itself, and by a table.
 * -DVERSIONED: with an older version of it, which adds 500.
 */
#include "count.h"

#ifndef ADDED
#define ADDED 1
#endif

int probed(int x);
int target_internal(int n);
int target_table(int n);
int (*target_address(void))(int);

int probed(int x)
{
	count_call();
	return x + ADDED;
}

#ifdef VERSIONED
int probed_old(int x);

int probed_old(int x)
{
	count_call();
	return x + 500;
}
__asm__(".symver probed_old, probed@OLD");
#endif

static int (*const table[])(int) = {probed, probed};

int target_internal(int n)
{
	int sum = 0;

	for (int i = 0; i < n; i++)
		sum += probed(i);
	return sum;
}

int target_table(int n)
{
	int sum = 0;

	for (int i = 0; i < n; i++)
		sum += (*(int (*const volatile *)(int)) & table[i & 1])(i);
	return sum;
}

int (*target_address(void))(int)
{
	return probed;
}

/* SPDX-License-Identifier: MIT */
/*
 * The library with the probed function: called from outside, by itself, and by a table.
 * -DVERSIONED: with an older version of it, which adds 500. -DIFUNC: the loader asks which
 * function it is. -DSHORT: it is a jump of two bytes.
 */
#include "count.h"

#ifndef ADDED
#define ADDED 1
#endif

int probed(int x);
int target_internal(int n);
int target_table(int n);
int (*target_address(void))(int);

#if defined(IFUNC) || defined(SHORT)
#define BODY probed_body
int probed_body(int x);
#else
#define BODY probed
#endif

int BODY(int x)
{
	count_call();
	return x + ADDED;
}

#ifdef IFUNC
__attribute__((used)) static int (*which(void))(int)
{
	return probed_body;
}
int probed(int x) __attribute__((ifunc("which")));
#endif

#ifdef SHORT
__asm__(".text\n.globl probed\n.type probed, @function\n"
	"probed:	jmp 1f\n"
	".size probed, .-probed\n"
	"	.balign 16\n"
	"1:	jmp probed_body@PLT\n");
#endif

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
/* A program that is not compiled as a library takes a copy of it. */
extern int (*const target_exported[])(int);
__attribute__((visibility("default"))) int (*const target_exported[])(int) = {probed, probed};

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

/* SPDX-License-Identifier: MIT */
/* Calls the probed function ten times: directly, or as the argument says. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

int probed(int x);
int target_internal(int n);
int target_table(int n);
int (*target_address(void))(int);
extern int (*const target_exported[2])(int);

static int (*table[])(int) = {probed, probed};

static int by_table(int n)
{
	int sum = 0;

	for (int i = 0; i < n; i++)
		sum += (*(int (*volatile *)(int)) & table[i & 1])(i);
	return sum;
}

static int by_copied_table(int n)
{
	int sum = 0;

	for (int i = 0; i < n; i++)
		sum += (*(int (*const volatile *)(int)) & target_exported[i & 1])(i);
	return sum;
}

static int by_address(int n)
{
	int (*volatile own)(int) = probed;
	int (*volatile theirs)(int) = target_address();
	int sum = 0;

	printf("same address %d\n", own == theirs);
	for (int i = 0; i < n; i += 2)
		sum += own(i) + theirs(i + 1);
	return sum;
}

/* The address of a function is one, wherever it was taken. */
static int by_identity(int n)
{
	int (*volatile own)(int) = probed;
	int (*volatile theirs)(int) = target_address();
	int (*volatile found)(int) = (int (*)(int))dlsym(RTLD_DEFAULT, "probed");
	int (*volatile handed)(int) = (int (*)(int))dlsym(dlopen(NULL, RTLD_LAZY), "probed");
	int sum = 0;

	printf("identity %d %d %d %d\n", own == theirs, own == found, own == handed,
	       own == *(int (*volatile *)(int)) & table[0]);
	for (int i = 0; i < n; i += 2)
		sum += found(i) + handed(i + 1);
	return sum;
}

static int direct(int n)
{
	int sum = 0;

	for (int i = 0; i < n; i++)
		sum += probed(i);
	return sum;
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "direct";
	int sum;

	if (!strcmp(how, "table"))
		sum = by_table(10);
	else if (!strcmp(how, "address"))
		sum = by_address(10);
	else if (!strcmp(how, "identity"))
		sum = by_identity(10);
	else if (!strcmp(how, "internal"))
		sum = target_internal(10);
	else if (!strcmp(how, "copied-table"))
		sum = by_copied_table(10);
	else if (!strcmp(how, "library-table"))
		sum = target_table(10);
	else
		sum = direct(10);
	printf("sum %d\n", sum);
	return 0;
}

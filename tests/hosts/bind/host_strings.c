/* SPDX-License-Identifier: MIT */
/*
 * Passes pointers of every bad kind, ten times each, to a function (built with -DLIBRARY)
 * that never looks at them: as a compiler does with what is left in a register.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int probed(int x, const char *text, const void *context);

#ifdef LIBRARY
#include "count.h"

int probed(int x, const char *text, const void *context)
{
	(void)text;
	(void)context;
	count_call();
	return x % 2 ? -1 : 0;
}
#else

static char *pages(size_t bytes)
{
	char *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		exit(3);
	return at;
}

/* The last bytes of a page behind which there is nothing: with or without their NUL. */
static char *at_the_edge(const char *text, size_t bytes)
{
	char *two = pages(8192);

	mprotect(two + 4096, 4096, PROT_NONE);
	return memcpy(two + 4096 - bytes, text, bytes);
}

/* A page of a file that has become shorter: SIGBUS for who touches it. */
static char *behind_a_file(void)
{
	char name[] = "/dev/shm/invreg-strings.XXXXXX", *at;
	int fd = mkstemp(name);

	if (fd < 0 || unlink(name) || ftruncate(fd, 4096))
		exit(3);
	at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED || ftruncate(fd, 0))
		exit(3);
	close(fd);
	return at;
}

static char *without_end(void)
{
	char *at = pages(8192);

	memset(at, 'e', 8192);
	mprotect(at + 4096, 4096, PROT_NONE);
	return at;
}

static char *unmapped(void)
{
	char *at = pages(4096);

	munmap(at, 4096);
	return at;
}

static char *closed(void)
{
	char *at = pages(4096);

	strcpy(at, "closed");
	mprotect(at, 4096, PROT_NONE);
	return at;
}

int main(int argc, char **argv)
{
	char good[] = "good";
	struct {
		long number;
		const char *text;
	} context = {7, (const char *)16};
	const void *const bad[] = {
		NULL,
		(void *)1,
		(void *)0x4141414141414141, /* not canonical */
		(void *)0xffffffff81000000, /* the kernel's */
		(void *)0x7ffffffff000,	    /* the end of what is ours */
		(void *)-1,
		unmapped(),
		closed(),
		behind_a_file(),
		without_end(),
		at_the_edge("abc", 3),
	};
	int bad_count = sizeof(bad) / sizeof(*bad);
	int sum = 0;

	for (int i = 0; i < bad_count; i++)
		for (int n = 0; n < 10; n++)
			sum += probed(n, bad[i], bad[i]);
	for (int n = 0; n < 10; n++)
		sum += probed(n, good, &context) + probed(n, at_the_edge("edge", 5), &context);
	printf("%d bad, sum %d\n", bad_count, sum);
	return 0;
}
#endif

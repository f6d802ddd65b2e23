/* SPDX-License-Identifier: MIT */
/*
 * count.h - an object's own count of the calls it got, which a test compares with what was
 * seen: one line "OBJECT COUNT" goes to the file BIND_TRUTH when the object goes, by dlclose
 * or at exit. Included once by each object that defines the probed function.
 */
#ifndef BIND_COUNT_H
#define BIND_COUNT_H

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#ifndef OBJECT
#define OBJECT "target"
#endif

static _Atomic unsigned long counted;

static inline void count_call(void)
{
	atomic_fetch_add_explicit(&counted, 1, memory_order_relaxed);
}

__attribute__((destructor)) static void tell_count(void)
{
	const char *path = getenv("BIND_TRUTH");
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;

	if (fd < 0)
		return;
	dprintf(fd, "%s %lu\n", OBJECT, counted);
	close(fd);
}

#endif

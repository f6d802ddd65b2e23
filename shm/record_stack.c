/* SPDX-License-Identifier: MIT */
/*
 * record_stack.c - on which stack an address lies: the mapping of /proc/self/maps that holds it.
 *
 * Read line by line into a small buffer: nothing here allocates, and pthread_getattr_np, which
 * does, knows neither of fibers nor of signal stacks.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "record_private.h"
#include "sandbox.h"

static uintptr_t parse_hex(const char **p)
{
	uintptr_t v = 0;
	for (;; (*p)++) {
		char ch = **p;
		if (ch >= '0' && ch <= '9')
			v = v << 4 | (uintptr_t)(ch - '0');
		else if (ch >= 'a' && ch <= 'f')
			v = v << 4 | (uintptr_t)(ch - 'a' + 10);
		else
			return v;
	}
}

static bool line_holds(const char *line, uintptr_t address, struct inv_thread *t)
{
	uintptr_t low = parse_hex(&line);
	if (*line++ != '-')
		return false;
	uintptr_t high = parse_hex(&line);
	if (address < low || address >= high)
		return false;
	t->stack_low = low;
	t->stack_high = high;
	return true;
}

void inv_find_stack(struct inv_thread *t, uintptr_t address)
{
	char buf[1024];
	size_t have = 0;
	ssize_t n;
	t->stack_low = t->stack_high = 1; /* asked; holds nothing */
	if (!inv_sandbox_allows(INV_ASK_LOOK))
		return;
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	bool found = false, skipping = false;
	while (!found && (n = read(fd, buf + have, sizeof(buf) - 1 - have)) > 0) {
		have += (size_t)n;
		buf[have] = 0;
		char *line = buf, *end;
		while (!found && (end = strchr(line, '\n'))) {
			found = !skipping && line_holds(line, address, t);
			skipping = false;
			line = end + 1;
		}
		have -= (size_t)(line - buf);
		memmove(buf, line, have);
		if (have == sizeof(buf) - 1) { /* a very long path: its start tells enough */
			found = !skipping && line_holds(buf, address, t);
			skipping = true;
			have = 0;
		}
	}
	close(fd);
}

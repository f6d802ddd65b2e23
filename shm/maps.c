/* SPDX-License-Identifier: MIT */
#include "maps.h"

#include <fcntl.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "cancel.h"
#include "sandbox.h"

uint64_t inv_maps_hex(const char **p)
{
	uint64_t v = 0;
	for (;; (*p)++) {
		char ch = **p;
		if (ch >= '0' && ch <= '9')
			v = v << 4 | (uint64_t)(ch - '0');
		else if (ch >= 'a' && ch <= 'f')
			v = v << 4 | (uint64_t)(ch - 'a' + 10);
		else
			return v;
	}
}

static bool tell_line(const char *line, inv_maps_fn fn, void *arg)
{
	uintptr_t low = (uintptr_t)inv_maps_hex(&line);
	if (*line++ != '-')
		return false;
	uintptr_t high = (uintptr_t)inv_maps_hex(&line);
	return fn(arg, low, high, line);
}

/* Lines up to one that fn wants no more after. */
static void tell_lines(int fd, inv_maps_fn fn, void *arg)
{
	char buf[1024];
	size_t have = 0;
	ssize_t n;
	bool done = false, skipping = false;
	while (!done && (n = read(fd, buf + have, sizeof(buf) - 1 - have)) > 0) {
		have += (size_t)n;
		buf[have] = 0;
		char *line = buf, *end;
		while (!done && (end = strchr(line, '\n'))) {
			*end = 0;
			done = !skipping && tell_line(line, fn, arg);
			skipping = false;
			line = end + 1;
		}
		have -= (size_t)(line - buf);
		memmove(buf, line, have);
		if (have == sizeof(buf) - 1) { /* a very long path: its start tells enough */
			done = !skipping && tell_line(buf, fn, arg);
			skipping = true;
			have = 0;
		}
	}
}

bool inv_maps_each(inv_maps_fn fn, void *arg)
{
	if (!inv_sandbox_allows(INV_ASK_LOOK))
		return false;
	int cancel = inv_cancel_hold(), fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		tell_lines(fd, fn, arg);
		close(fd);
	}
	inv_cancel_restore(cancel);
	return fd >= 0;
}

/* SPDX-License-Identifier: MIT */
/* command_line.c - see command_line.h. */
#include "preload/command_line.h"

#include <stdio.h>

void inv_command_line(char *buf, size_t size)
{
	FILE *f = fopen("/proc/self/cmdline", "re");
	size_t n = f ? fread(buf, 1, size - 1, f) : 0;
	if (f)
		fclose(f);
	while (n && !buf[n - 1])
		n--;
	for (size_t i = 0; i < n; i++)
		if (!buf[i])
			buf[i] = ' ';
	buf[n] = 0;
}

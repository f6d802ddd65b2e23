/* SPDX-License-Identifier: MIT */
/* command_file.c - see command_file.h. */
#include "reader/command_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_file(const char *path)
{
	struct stat st;
	return !stat(path, &st) && S_ISREG(st.st_mode);
}

static bool find_in_path(char *buf, size_t size, const char *name)
{
	char candidate[4096];
	const char *path = getenv("PATH");
	bool found = false;
	for (const char *p = path ? path : "/bin:/usr/bin"; p; p = strchr(p, ':')) {
		p += *p == ':';
		int length = (int)strcspn(p, ":");
		int n = snprintf(candidate, sizeof(candidate), "%.*s%s%s", length, p,
				 length ? "/" : "./", name);
		if (n >= (int)sizeof(candidate) || !is_file(candidate))
			continue;
		bool executable = access(candidate, X_OK) == 0;
		if (executable || !found)
			snprintf(buf, size, "%s", candidate);
		found = true;
		if (executable)
			break;
	}
	return found;
}

bool inv_command_find(char *buf, size_t size, const char *name)
{
	if (strchr(name, '/'))
		return snprintf(buf, size, "%s", name) > 0 && is_file(name);
	return *name && find_in_path(buf, size, name);
}

bool inv_command_shebang(const char *path, char *line, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, line, size - 1);
	if (fd >= 0)
		close(fd);
	line[n > 0 ? n : 0] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	if (strncmp(line, "#!", 2) != 0)
		return false;
	memmove(line, line + 2, strlen(line + 2) + 1);
	return true;
}

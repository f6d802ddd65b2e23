/* SPDX-License-Identifier: MIT */
/* children.c - see children.h. */
#include "preload/children.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IGNORE "ignore"

static void ignoring_mark(const struct inv_self *self, char *buf, size_t size)
{
	snprintf(buf, size, IGNORE ":%u:%llu", self->pid, (unsigned long long)self->start_time);
}

bool inv_children_ignored(const struct inv_self *self)
{
	const char *text = getenv("INVREG_CHILDREN");
	char mark[64];
	if (!text)
		return false;
	ignoring_mark(self, mark, sizeof(mark));
	if (strcmp(text, IGNORE) != 0)
		return strcmp(text, mark) == 0;
	setenv("INVREG_CHILDREN", mark, 1);
	return true;
}

bool inv_children_is_ignored(const struct inv_self *self)
{
	const char *text = getenv("INVREG_CHILDREN");
	char mark[64];
	ignoring_mark(self, mark, sizeof(mark));
	return text && strncmp(text, IGNORE ":", sizeof(IGNORE)) == 0 && strcmp(text, mark) != 0;
}

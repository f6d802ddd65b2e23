/* SPDX-License-Identifier: MIT */
/* deep_target.h - a probed function that calls itself. */
#ifndef DEEP_TARGET_H
#define DEEP_TARGET_H

#include <setjmp.h>

struct descent {
	long calls;
	jmp_buf *out; /* to be jumped to from the bottom, or NULL */
};

/* Returns: depth. */
int descend(struct descent *descent, int phase, int depth);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * signal_stack.h - whether we run on a stack for signal handlers (sigaltstack).
 *
 * Such a stack may have 8 KB (SIGSTKSZ, as it was), of which the kernel's frame takes nearly 3
 * with AVX-512 and a patched entry's as much. What reads files into its own frame, to learn who
 * lives or what has been loaded, waits there for a call from elsewhere.
 *
 * Any thread; one system call. Changes no errno.
 */
#ifndef INV_SHM_SIGNAL_STACK_H
#define INV_SHM_SIGNAL_STACK_H

#include <errno.h>
#include <signal.h>
#include <stdbool.h>

#include "sandbox.h"

#define INV_SIGNAL_STACK_ROOMY (64u << 10)

/* Returns: its size, 0: on none, or it may not be asked. */
static inline size_t inv_signal_stack(void)
{
	stack_t ss;
	int saved = errno;
	bool on = inv_sandbox_allows(INV_ASK_LOOK) && sigaltstack(NULL, &ss) == 0 &&
		  (ss.ss_flags & SS_ONSTACK);
	errno = saved;
	return on ? ss.ss_size : 0;
}

static inline bool inv_is_cramped(void)
{
	size_t bytes = inv_signal_stack();
	return bytes && bytes < INV_SIGNAL_STACK_ROOMY;
}

#endif

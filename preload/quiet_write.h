/* SPDX-License-Identifier: MIT */
/*
 * quiet_write.h - a write that raises no signal in the program.
 *
 * What INVREG_DEBUG=1 says goes to the program's standard error, which may be a pipe that nobody
 * reads or a file at its limit; SIGPIPE and SIGXFSZ end a program that knows nothing of them.
 */
#ifndef INV_PRELOAD_QUIET_WRITE_H
#define INV_PRELOAD_QUIET_WRITE_H

#include <stdbool.h>
#include <stddef.h>

/* Any thread. Returns: whether it was written, with errno if not. */
bool inv_quiet_write(int fd, const char *text, size_t length);

#endif

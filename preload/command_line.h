/* SPDX-License-Identifier: MIT */
/*
 * command_line.h - this process's command, as a session shows it. Called by the constructor;
 * sets errno.
 */
#ifndef INV_PRELOAD_COMMAND_LINE_H
#define INV_PRELOAD_COMMAND_LINE_H

#include <stddef.h>

/* Its words with a space between them, cut at size - 1 bytes; empty without /proc. */
void inv_command_line(char *buf, size_t size);

#endif

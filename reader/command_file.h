/* SPDX-License-Identifier: MIT */
/*
 * command_file.h - from the first word of a command to the file that would be executed, and
 * what a script says of its interpreter. Nothing is started.
 */
#ifndef INV_READER_COMMAND_FILE_H
#define INV_READER_COMMAND_FILE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The file of a command, as execvp looks for it: a path as it is, else the first executable of
 * that name in PATH. Where none is executable: one that is not, for the message.
 * Returns: false: there is no such file.
 */
bool inv_command_find(char *buf, size_t size, const char *name);

/* Reads a `#!` line. Returns: whether there is one: `line` is then what follows. */
bool inv_command_shebang(const char *path, char *line, size_t size);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * doctor_interpreter.h - which file a Python command runs in the end.
 *
 * pyenv's python3 is a shell script, asdf's and mise's another program, and `env python3` or
 * `uv run python3` start what PATH or a project has: only the interpreter itself knows what it
 * is. So it is started, as `invreg probe` does, with a text that prints its file, and without
 * the program's arguments, its modules or the user's site.
 */
#ifndef INV_READER_DOCTOR_INTERPRETER_H
#define INV_READER_DOCTOR_INTERPRETER_H

#include <stddef.h>

/*
 * Returns: 0; -ENOENT: the command starts no Python by its name; -ENODATA: it does, and that
 * gave no answer.
 */
int inv_doctor_interpreter(char *path, size_t size, char *const *command);

#endif
